/** What a screen reader would say by itself: each change of what stands in a live region, and when. */
import type { Page } from "playwright-core";

export type Spoken = { readonly text: string; readonly atMs: number };

/** From now on; regions that are made later count with what they are made with. */
export const listenTo = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const spoken: Spoken[] = [];
    Object.assign(globalThis, { spoken });
    const live = "[aria-live]:not([aria-live=off]), [role=status]:not([aria-live=off]), [role=alert]";
    const texts = new Map<Element, string>();
    const look = (isFirst: boolean) => {
      for (const region of document.querySelectorAll(live)) {
        const text = region.textContent?.trim() ?? "";
        const before = texts.get(region) ?? "";
        texts.set(region, text);
        if (!isFirst && text !== before && text !== "") spoken.push({ text, atMs: performance.now() });
      }
    };
    look(true);
    new MutationObserver(() => look(false)).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
      attributes: true,
    });
  });

export const spokenOn = (page: Page): Promise<readonly Spoken[]> =>
  page.evaluate(() => (globalThis as unknown as { spoken: Spoken[] }).spoken);

/** The shortest time between two of them. */
export const shortestGapMs = (spoken: readonly Spoken[]): number =>
  Math.min(...spoken.slice(1).map(({ atMs }, at) => atMs - (spoken[at]?.atMs ?? 0)));
