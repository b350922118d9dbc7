/** Every page in every state, in each language, light and dark, judged by axe-core. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { waitFor } from "../harness/wait.ts";
import { ariaSnapshot } from "./aria-snapshots.ts";
import { describeInBrowser } from "./chromium.ts";
import { judge, violations } from "./judge.ts";
import { openInState, openLookers, saleStates, untilCalm } from "./sale-states.ts";
import { listenTo, shortestGapMs, spokenOn } from "./spoken.ts";
import { inMs, patienceMs, testMaxMs, untilState, useStorefront } from "./storefront.ts";
import { barIsSeen, cutOff, standsForcedColours, standsWideLetters, standsZoom } from "./what-readers-ask.ts";

const languages = ["en", "zh-CN"] as const;

describeInBrowser("[SF14] every page, in each language, light and dark, at 320 px", () => {
  const front = useStorefront();
  const { shop, visit, visitAs } = front;

  /** To a reader who asks for much: each of these leaves the page as it found it. */
  async function stands(page: Page): Promise<void> {
    await standsWideLetters(page);
    await standsZoom(page);
    await standsForcedColours(page);
  }

  for (const language of languages)
    test.concurrent(
      `[SF20] sale pages in ${language}, in every state of the button`,
      async () => {
        const lookers = await openLookers(front, `looker-${language}`);
        for (const state of saleStates) {
          const page = await openInState(shop, lookers, state, language);
          const { is, kept } = await ariaSnapshot(page, `sale ${state} ${language}`);
          expect([state, is]).toEqual([state, kept ?? ""]);
          await judge(page);
          await stands(page);
          if (state === "ON_SALE") await judgeBar(page);
          if (state === "UNKNOWN") await judgeMotion(page);
          await page.close();
        }
        await Promise.all([lookers.stranger.close(), lookers.buyer.close()]);
      },
      testMaxMs,
    );

  async function judgeBar(page: Page): Promise<void> {
    for (const forcedColors of ["none", "active"] as const) {
      await page.emulateMedia({ forcedColors });
      expect([forcedColors, await barIsSeen(page)]).toEqual([forcedColors, true]);
    }
  }

  /** What turns says that something is under way; who asked for rest reads it. */
  async function judgeMotion(page: Page): Promise<void> {
    const turning = () => page.evaluate(() => document.getAnimations().filter(({ playState }) => playState === "running").length);
    await page.emulateMedia({ reducedMotion: "reduce" });
    await waitFor("nothing moves", async () => (await turning()) === 0);
    await page.emulateMedia({ reducedMotion: "no-preference" });
    expect(await turning()).toBeGreaterThan(0);
  }

  /** Each state of an order, by how somebody comes to it. */
  async function judgeOrders(language: string): Promise<void> {
    const context = await visitAs(`orders-${language}`);
    const page = await context.newPage();
    const untilOrder = (state: string) => page.locator(`.order[data-state=${state}]`).waitFor();
    const judgeAll = async () => {
      await judge(page);
      await stands(page);
    };
    await page.goto(`/${language}/orders`);
    await page.locator(".empty").waitFor();
    await judgeAll();
    const order = async (fields: Readonly<Record<string, unknown>> = {}) => {
      await page.goto(`/${language}/s/${await shop.liveSale(fields)}`);
      await untilState(page, "ON_SALE");
      await page.locator(".action button.main").click();
      await untilState(page, "HELD");
      await page.locator(".action a.main").click();
      await page.locator(".order[data-state]").waitFor();
      return (await shop.get(`/api/v1/orders/${page.url().split("/").at(-1) ?? ""}`)).data;
    };
    const paid = await order();
    await page.locator("summary").click();
    await page.locator(".cancel button").click();
    await judgeAll();
    await page.locator(".pay .main").click();
    await untilOrder("paid");
    await judgeAll();
    await shop.post(`/api/v1/orders/${String(paid["id"])}/refunds`, { body: {} });
    await page.reload();
    await page
      .getByText(/^(The money was returned|款项已)/)
      .first()
      .waitFor();
    await judgeAll();
    const closed = await order();
    await shop.post(`/api/v1/orders/${String(closed["id"])}/cancel`);
    await untilOrder("closed");
    await judgeAll();
    await order();
    await page.locator(".cancel button").click();
    await page.locator(".cancel .danger").click();
    await untilOrder("cancelled");
    await judgeAll();
    await order({ pay_window_seconds: 4 });
    await untilOrder("expired");
    await judgeAll();
    await page.goto(`/${language}/orders`);
    await page.locator(".order-card").nth(3).waitFor();
    await judgeAll();
    await page.goto(`/${language}/account`);
    await page.locator(".rows li").first().waitFor();
    await judgeAll();
    await context.close();
  }
  for (const language of languages) test.concurrent(`orders in ${language}, in every state`, () => judgeOrders(language), testMaxMs);

  test.concurrent(
    "[SF10] what is said aloud are events, at most each five seconds, and no ticking digits",
    async () => {
      const saleId = await shop.liveSale({ stock: 1, starts_at: inMs(20_000), ends_at: inMs(3_600_000) });
      const context = await visitAs("listener");
      const page = await context.newPage();
      await page.goto(`/en/s/${saleId}`);
      await untilState(page, "BEFORE");
      await untilCalm(page);
      await listenTo(page);
      await untilState(page, "ON_SALE");
      // Back and forth, quicker than anybody could listen.
      for (let round = 0; round < 4; round++) {
        const { data } = await shop.buy(saleId, `quick-${round}`);
        await untilState(page, "OUT_HELD");
        await shop.post(`/api/v1/orders/${String(data["id"])}/cancel`);
        await untilState(page, "ON_SALE");
      }
      const last = "A unit has returned. You can buy now";
      await waitFor("the last is said", async () => (await spokenOn(page)).at(-1)?.text === last, { withinMs: patienceMs });
      const spoken = await spokenOn(page);
      const events = ["10 seconds until the start", "The sale has started. You can buy now", "All units are taken", last];
      expect(spoken.filter(({ text }) => !events.includes(text))).toEqual([]);
      expect(spoken.length).toBeGreaterThanOrEqual(3);
      expect(shortestGapMs(spoken)).toBeGreaterThanOrEqual(4_900);
      // The control: digits in a region that speaks are heard.
      await page.evaluate(() => document.querySelector("[role=timer]")?.setAttribute("aria-live", "polite"));
      await waitFor("digits are heard", async () => (await spokenOn(page)).some(({ text }) => !events.includes(text)));
      await context.close();
    },
    testMaxMs,
  );

  test.concurrent(
    "[SF20] the control: what is cut off, and a bar that cannot be seen, are found",
    async () => {
      const lookers = await openLookers(front, "control");
      const page = await openInState(shop, lookers, "ON_SALE", "en");
      await page.evaluate(() => {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync("h1 { max-height: 5px; overflow: hidden } progress { opacity: 0 }");
        document.adoptedStyleSheets = [sheet];
      });
      expect(await cutOff(page)).toEqual(["H1."]);
      expect(await barIsSeen(page)).toBe(false);
      await Promise.all([lookers.stranger.close(), lookers.buyer.close()]);
    },
    testMaxMs,
  );

  test.concurrent.each(languages)(
    "the list, signing in with its problems, and what is no page, in %s",
    async (language) => {
      const context = await visit();
      const page = await context.newPage();
      await page.goto(`/${language}/`);
      await page.locator(".card").first().waitFor();
      await judge(page);
      for (const path of ["sign-in", "register"]) {
        await page.goto(`/${language}/${path}`);
        await page.locator("form .check").waitFor();
        await judge(page);
        await page.locator("button.main").click();
        await page.locator("#problems li").first().waitFor();
        expect(await page.evaluate(() => document.activeElement?.id)).toBe("problems");
        await judge(page);
      }
      await page.goto(`/${language}/nothing`);
      await judge(page);
      await context.close();
    },
    testMaxMs,
  );

  /** As another language may have it: a third longer, and marked where it begins and ends. */
  const pseudo = (text: string) =>
    `⟦${text
      .split(/(\{\w+\})/)
      .map((part) => (part.startsWith("{") ? part : part.replace(/[aeiou]/g, "$&$&")))
      .join("")}⟧`;

  test.concurrent(
    "[SF9] longer words stick out nowhere, and no text is outside the catalogue",
    async () => {
      const saleId = await shop.liveSale({ per_buyer_limit: 3, product_id: await shop.product({ name: "1234" }) });
      const context = await visitAs("pseudo", { viewport: { width: 320, height: 640 } });
      const page = await context.newPage();
      await page.route(/\/en\//, async (route) => {
        const response = await route.fetch();
        const html = (await response.text()).replace(
          /(id="page-data">)(.*?)(<\/script>)/s,
          (_, before: string, data: string, after: string) => {
            const told = JSON.parse(data, (key, value: unknown) =>
              typeof value === "string" && key !== "name" && /[a-z]{2}/i.test(value) ? pseudo(value) : value,
            ) as {
              messages: unknown;
            };
            const { messages: _messages, ...rest } = JSON.parse(data) as { messages: unknown };
            return before + JSON.stringify({ ...rest, messages: told.messages }).replaceAll("<", "\\u003c") + after;
          },
        );
        await route.fulfill({ response, body: html });
      });
      for (const [path, ready] of [
        [`/en/s/${saleId}`, ".action[data-state=ON_SALE]"],
        ["/en/", ".card"],
        ["/en/register", "form .check"],
        ["/en/account", ".rows li"],
        ["/en/orders", ".filters"],
      ] as const) {
        await page.goto(path);
        await page.locator(ready).first().waitFor();
        await page.getByText("⟦").first().waitFor();
        expect([path, await page.evaluate(() => document.documentElement.scrollWidth)]).toEqual([path, 320]);
        const bare = await page.evaluate(() => {
          const walker = document.createTreeWalker(document.querySelector("#content") ?? document.body, NodeFilter.SHOW_TEXT);
          const found: string[] = [];
          for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) found.push(node.textContent ?? "");
          return found.filter((text) => /[a-z]{3}/i.test(text) && !text.includes("⟦"));
        });
        // Names of products and people are not ours to translate.
        expect([path, bare.filter((text) => !/Test product|^pseudo$|1234/.test(text))]).toEqual([path, []]);
      }
      await context.close();
    },
    testMaxMs,
  );

  test.concurrent(
    "the control: a button without a name is found",
    async () => {
      const context = await visit();
      const page = await context.newPage();
      await page.goto("/en/");
      await page.evaluate(() => document.querySelector("main")?.append(document.createElement("button")));
      expect((await violations(page)).some((found) => found.startsWith("button-name"))).toBe(true);
      await context.close();
    },
    testMaxMs,
  );
});
