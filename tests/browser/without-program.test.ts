/** A browser that runs no program: everything from looking to paying, by links and forms. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { waitFor } from "../harness/wait.ts";
import { describeInBrowser } from "./chromium.ts";
import { judge } from "./judge.ts";
import { inMs, password, patienceMs, testMaxMs, untilState, useStorefront } from "./storefront.ts";

const untilOrder = (page: Page, state: string) => page.locator(`.order[data-state=${state}]`).waitFor();

/** Nothing of these pages changes by itself: one looks again. */
async function lookUntil(page: Page, selector: string): Promise<void> {
  await waitFor(
    `${page.url()} comes to ${selector}`,
    async () => {
      if ((await page.locator(selector).count()) > 0) return true;
      await page.getByRole("link", { name: "Look again" }).click();
      return false;
    },
    { withinMs: patienceMs },
  );
}

describeInBrowser("[SF17] without a program", () => {
  const { shop, visit } = useStorefront();

  test.concurrent(
    "sign up, wait for the start, buy, pay; buy, cancel",
    async () => {
      const saleId = await shop.liveSale({ starts_at: inMs(15_000), ends_at: inMs(3_600_000), per_buyer_limit: 3 });
      const context = await visit({ javaScriptEnabled: false });
      const page = await context.newPage();
      const card = page.locator(`a[href="/en/s/${saleId}"]`).first();
      // The list is some seconds old.
      await waitFor("the sale is on the list", async () => {
        await page.goto("/en/");
        return (await card.count()) > 0;
      });
      await card.click();
      await page.getByRole("link", { name: "No JavaScript?" }).click();
      await untilState(page, "BEFORE");
      await page.getByRole("link", { name: "Sign in now" }).click();
      await page.getByRole("link", { name: "Create an account" }).click();
      await page.getByLabel("Username").fill("formal");
      await page.getByLabel("Password").fill(password);
      await page.getByRole("button", { name: "Create the account" }).click();
      await page.waitForURL(`**/plain/en/s/${saleId}`);
      await lookUntil(page, ".action[data-state=ON_SALE]");
      await page.getByLabel("Quantity").selectOption("2");
      await page.getByRole("button", { name: "Buy now" }).click();
      await untilOrder(page, "reserved");
      await page.getByRole("button", { name: "Pay ¥" }).click();
      await lookUntil(page, ".order[data-state=paid]");
      await page.getByRole("link", { name: "Back to the sale" }).click();
      await untilState(page, "ON_SALE");
      await page.getByRole("button", { name: "Buy now" }).click();
      await untilOrder(page, "reserved");
      await page.getByRole("link", { name: "Cancel the order" }).click();
      await page.getByRole("button", { name: "Yes, cancel it" }).click();
      await untilOrder(page, "cancelled");
      expect(await shop.stock(saleId)).toMatchObject({ sold: 2, held: 0 });
      await page.goto("/en/orders");
      await page.waitForURL("**/plain/en/orders");
      expect(await page.locator(".order-card").count()).toBe(2);
      await context.close();
    },
    testMaxMs,
  );

  test.concurrent(
    "a program that does not come is not waited for: after a while the page shows the way, and one that comes takes it away",
    async () => {
      const context = await visit();
      const page = await context.newPage();
      const way = page.getByRole("link", { name: "Go on with plain forms" });
      await page.route("**/assets/**", (route) => route.abort());
      await page.goto("/en/sign-in");
      expect(await way.count()).toBe(0);
      await way.click({ timeout: patienceMs });
      await page.waitForURL("**/plain/en/sign-in");
      await page.unroute("**/assets/**");
      await page.goto("/en/sign-in");
      await page.locator("form .check").waitFor();
      expect(await page.locator(".late").count()).toBe(0);
      await context.close();
    },
    testMaxMs,
  );

  test.concurrent.each(["en", "zh-CN"] as const)(
    "[SF14] its pages in %s",
    async (language) => {
      const saleId = await shop.liveSale({ per_buyer_limit: 3 });
      const context = await visit();
      const page = await context.newPage();
      await page.goto(`/plain/${language}/register?next=${encodeURIComponent(`/plain/${language}/s/${saleId}`)}`);
      await judge(page);
      await page.locator("button.main").click();
      await page.locator("#problems li").first().waitFor();
      await judge(page);
      await page.locator("#username").fill(`formal-${language.toLowerCase()}`);
      await page.locator("#password").fill(password);
      await page.locator("button.main").click();
      await untilState(page, "ON_SALE");
      await judge(page);
      await page.locator("button.main").click();
      await untilOrder(page, "reserved");
      const order = page.url();
      await page.locator("summary").click();
      await judge(page);
      await page.goto(`${order}?cancel`);
      await judge(page);
      for (const path of ["orders", "account"]) {
        await page.goto(`/plain/${language}/${path}`);
        await judge(page);
      }
      await context.close();
    },
    testMaxMs,
  );
});
