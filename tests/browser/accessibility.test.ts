/** Every page in every state, in each language, light and dark, judged by axe-core. */
import { expect, test } from "bun:test";
import { describeInBrowser } from "./chromium.ts";
import { judge, violations } from "./judge.ts";
import { inMs, testMaxMs, untilState, useStorefront } from "./storefront.ts";

const languages = ["en", "zh-CN"] as const;

describeInBrowser("[SF14] every page, in each language, light and dark, at 320 px", () => {
  const { shop, visit, visitAs } = useStorefront();

  /** A sale that shows the state to its looker, and who that is. */
  const states: Readonly<Record<string, (who: string) => Promise<{ readonly saleId: string; readonly signedIn: boolean }>>> = {
    BEFORE: async () => ({ saleId: await shop.liveSale({ starts_at: inMs(3_600_000), ends_at: inMs(7_200_000) }), signedIn: true }),
    SIGN_IN: async () => ({ saleId: await shop.liveSale({}), signedIn: false }),
    ON_SALE: async () => ({ saleId: await shop.liveSale({ per_buyer_limit: 3 }), signedIn: true }),
    OUT_HELD: async () => {
      const saleId = await shop.liveSale({ stock: 1 });
      await shop.buy(saleId, "somebody");
      return { saleId, signedIn: true };
    },
    SOLD_OUT: async () => {
      const saleId = await shop.liveSale({ stock: 1 });
      await shop.payExternally((await shop.buy(saleId, "somebody")).data);
      return { saleId, signedIn: true };
    },
    PAUSED: async () => {
      const saleId = await shop.liveSale({});
      await shop.post(`/api/v1/sales/${saleId}/pause`);
      return { saleId, signedIn: true };
    },
    CANCELLED_SALE: async () => {
      const saleId = await shop.liveSale({});
      await shop.post(`/api/v1/sales/${saleId}/cancel`);
      return { saleId, signedIn: true };
    },
    ENDED: async () => ({ saleId: await shop.liveSale({ ends_at: inMs(1_500) }), signedIn: true }),
  };

  test.each(languages)(
    "sale pages in %s, in the states that the sale gives",
    async (language) => {
      for (const [state, made] of Object.entries(states)) {
        const { saleId, signedIn } = await made(language);
        const context = signedIn ? await visitAs("judge") : await visit();
        const page = await context.newPage();
        await page.goto(`/${language}/s/${saleId}`);
        await untilState(page, state);
        await judge(page);
        await context.close();
      }
    },
    testMaxMs,
  );

  test.each(languages)(
    "sale pages in %s, in the states that a click gives, and the order's",
    async (language) => {
      const saleId = await shop.liveSale({});
      const context = await visitAs(`buyer-${language}`);
      const page = await context.newPage();
      await page.goto(`/${language}/s/${saleId}`);
      await untilState(page, "ON_SALE");
      await page.route(
        "**/purchases",
        (route) =>
          route.fulfill({ status: 503, headers: { "retry-after": "30" }, json: { code: 503, message: "", data: { reason: "busy" } } }),
        { times: 1 },
      );
      await page.locator(".action button.main").click();
      await untilState(page, "LIMITED");
      await judge(page);
      await page.reload();
      await untilState(page, "ON_SALE");
      await page.route("**/purchases{,/by-key/*}", (route) => route.abort("connectionreset"));
      await page.locator(".action button.main").click();
      await untilState(page, "UNKNOWN");
      await judge(page);
      await page.unroute("**/purchases{,/by-key/*}");
      await untilState(page, "HELD");
      await judge(page);
      await page.locator(".action a.main").click();
      await page.locator(".order[data-state=reserved]").waitFor();
      await page.locator("summary").click();
      await page.locator(".cancel button").click();
      await judge(page);
      await page.locator(".pay .main").click();
      await page.locator(".order[data-state=paid]").waitFor();
      await judge(page);
      await page.goto(`/${language}/s/${saleId}`);
      await untilState(page, "BOUGHT");
      await judge(page);
      await page.goto(`/${language}/orders`);
      await page.locator(".order-card").first().waitFor();
      await judge(page);
      await page.goto(`/${language}/account`);
      await page.locator(".rows li").first().waitFor();
      await judge(page);
      await context.close();
    },
    testMaxMs,
  );

  test.each(languages)(
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

  test(
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

  test(
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
