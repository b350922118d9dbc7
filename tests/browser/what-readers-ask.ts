/** What readers ask of their browsers, and that nothing of a page is lost by it: wide letters, large letters, colours of their own. */
import { expect } from "bun:test";
import type { Page } from "playwright-core";

/** WCAG 1.4.12, as a style of the reader's: page policies have no say in it. */
const spacing =
  "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } p { margin-block-end: 2em !important }";

/** A screen of 1280 × 1024 at 400 %. */
const zoomed = { width: 320, height: 256 };
const usual = { width: 390, height: 844 };

/** What is cut off: a box that hides what is too large for it. */
export const cutOff = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const found: string[] = [];
    for (const element of document.querySelectorAll("body *")) {
      const { overflowX, overflowY } = getComputedStyle(element);
      const hidesX = overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1;
      const hidesY = overflowY !== "visible" && element.scrollHeight > element.clientHeight + 1;
      // What is for ears alone has no room to need.
      if ((hidesX || hidesY) && !element.matches(".unseen, progress, select")) found.push(`${element.tagName}.${element.className}`);
    }
    if (document.documentElement.scrollWidth > innerWidth) found.push(`the page is ${document.documentElement.scrollWidth} wide`);
    return found;
  });

export async function standsWideLetters(page: Page): Promise<void> {
  await page.evaluate((css) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    document.adoptedStyleSheets = [sheet];
  }, spacing);
  await page.setViewportSize({ width: 320, height: 640 });
  expect([page.url(), "wide letters", await cutOff(page)]).toEqual([page.url(), "wide letters", []]);
  await page.evaluate(() => (document.adoptedStyleSheets = []));
  await page.setViewportSize(usual);
}

/** At 400 % nothing is cut off, and what sticks to an edge leaves room for the rest. */
export async function standsZoom(page: Page): Promise<void> {
  await page.setViewportSize(zoomed);
  const stuck = await page.evaluate(() =>
    [...document.querySelectorAll("body *")].flatMap((element) => {
      const { position } = getComputedStyle(element);
      const share = element.getBoundingClientRect().height / innerHeight;
      return (position === "sticky" || position === "fixed") && share > 0.4 ? [`${element.className}: ${Math.round(100 * share)} %`] : [];
    }),
  );
  expect([page.url(), "400 %", await cutOff(page), stuck]).toEqual([page.url(), "400 %", [], []]);
  await page.setViewportSize(usual);
}

/** In colours that the reader has chosen a button is still a box, and what is focused still has a frame. */
export async function standsForcedColours(page: Page): Promise<void> {
  await page.emulateMedia({ forcedColors: "active", colorScheme: "dark" });
  const flat = await page.evaluate(() => {
    const found: string[] = [];
    const seen = (element: Element) => element.checkVisibility({ visibilityProperty: true });
    for (const element of document.querySelectorAll("button, a.main, a.second, a.quiet, input, select")) {
      const { borderTopWidth, borderTopStyle, borderTopColor, backgroundColor } = getComputedStyle(element);
      const isCheck = element.matches("[type=checkbox], [type=radio], [type=hidden]");
      const isBox = borderTopStyle !== "none" && borderTopWidth !== "0px" && borderTopColor !== backgroundColor;
      if (!isCheck && seen(element) && !isBox) found.push(`no box: ${element.outerHTML.slice(0, 120)}`);
      if (!(element instanceof HTMLElement) || !seen(element)) continue;
      element.focus({ focusVisible: true } as FocusOptions);
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      if (document.activeElement === element && (outlineStyle === "none" || outlineWidth === "0px"))
        found.push(`no frame: ${element.outerHTML.slice(0, 120)}`);
      element.blur();
    }
    return found;
  });
  expect([page.url(), "forced colours", flat]).toEqual([page.url(), "forced colours", []]);
  await page.emulateMedia({ forcedColors: "none", colorScheme: "light" });
}

/** Whether a bar looks another when it is empty: what it says can be seen. */
export async function barIsSeen(page: Page): Promise<boolean> {
  const shot = async (filled: number) => {
    // A copy: the page's own is written anew each second.
    await page.evaluate((share) => {
      const copy = document.querySelector("progress")?.cloneNode() as HTMLProgressElement;
      copy.id = "copy";
      copy.value = share * copy.max;
      document.querySelector(".stock")?.append(copy);
    }, filled);
    const image = await page.locator("#copy").screenshot({ animations: "disabled" });
    await page.evaluate(() => document.querySelector("#copy")?.remove());
    return image;
  };
  const [full, empty] = [await shot(1), await shot(0)];
  return !full.equals(empty);
}
