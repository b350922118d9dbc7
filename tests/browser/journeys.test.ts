/** What people come for, by the keyboard alone. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { describeInBrowser } from "./chromium.ts";
import { inMs, password, patienceMs, testMaxMs, untilState, useStorefront } from "./storefront.ts";

const focusedText = (page: Page) => page.evaluate(() => document.activeElement?.textContent ?? "");

/** Goes on by Tab until what is focused has this name; each stop can be seen. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  const steps: string[] = [];
  for (let step = 0; step < 60; step++) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      if (!(element instanceof HTMLElement) || element === document.body) return undefined;
      const { top, bottom, left, right } = element.getBoundingClientRect();
      const middle = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      const label = element.id === "" ? "" : (document.querySelector(`label[for="${element.id}"]`)?.textContent ?? "");
      const isSeen = element === middle || element.contains(middle) || (middle?.contains(element) ?? false);
      return { name: `${label} ${element.textContent ?? ""}`.trim(), isSeen };
    });
    if (focused === undefined) continue;
    steps.push(focused.name);
    if (!name.test(focused.name)) continue;
    expect([focused.name, focused.isSeen]).toEqual([focused.name, true]);
    return;
  }
  throw new Error(`Tab leads to nothing that is named ${name}: ${steps.join(" → ")}`);
}

describeInBrowser("[SF15] by the keyboard alone", () => {
  const { shop, visit, visitAs } = useStorefront();

  test.concurrent(
    "register, wait for the start, buy, pay",
    async () => {
      const saleId = await shop.liveSale({ starts_at: inMs(20_000), ends_at: inMs(3_600_000) });
      const context = await visit();
      const page = await context.newPage();
      await page.goto(`/en/s/${saleId}`);
      await untilState(page, "BEFORE");
      await tabTo(page, /Sign in now/);
      await page.keyboard.press("Enter");
      await page.waitForURL(/sign-in/);
      await tabTo(page, /Create an account/);
      await page.keyboard.press("Enter");
      await page.waitForURL(/register/);
      await tabTo(page, /^Username/);
      await page.keyboard.type("keyboard");
      await tabTo(page, /^Password/);
      await page.keyboard.type(password);
      await page.keyboard.press("Enter");
      await page.waitForURL(new RegExp(`/s/${saleId}$`), { timeout: patienceMs });
      await untilState(page, "ON_SALE");
      await tabTo(page, /Buy now/);
      await page.keyboard.press("Enter");
      await page.keyboard.press("Enter");
      await untilState(page, "HELD");
      // Where the button was is now the way to the order, and the reader is there.
      expect(await focusedText(page)).toMatch(/Pay now/);
      await page.keyboard.press("Enter");
      await page.waitForURL(/orders/);
      await page.locator(".order[data-state=reserved]").waitFor();
      await tabTo(page, /^Pay ¥/);
      await page.keyboard.press("Enter");
      await page.locator(".order[data-state=paid]").waitFor();
      expect((await shop.stock(saleId))["sold"]).toBe(1);
      await context.close();
    },
    testMaxMs,
  );

  test.concurrent(
    "[SF22] register, buy, extend, pay; a minute each time, as often as the sale gives",
    async () => {
      const saleId = await shop.liveSale({ pay_window_seconds: 150, pay_extensions_max: 2 });
      const context = await visit();
      const page = await context.newPage();
      await page.goto("/en/register");
      await tabTo(page, /^Username/);
      await page.keyboard.type("needs-time");
      await tabTo(page, /^Password/);
      await page.keyboard.type(password);
      await page.keyboard.press("Enter");
      await page.waitForURL(/account/, { timeout: patienceMs });
      await page.goto(`/en/s/${saleId}`);
      await untilState(page, "ON_SALE");
      await tabTo(page, /Buy now/);
      await page.keyboard.press("Enter");
      await untilState(page, "HELD");
      await tabTo(page, /Pay now/);
      await page.keyboard.press("Enter");
      await page.locator(".order[data-state=reserved]").waitFor();
      const deadline = async () => Date.parse((await page.locator(".deadline time").getAttribute("datetime")) ?? "");
      const first = await deadline();
      await tabTo(page, /^More time$/);
      // However often it is pressed at once, one deadline is extended once.
      await page.keyboard.press("Enter");
      await page.keyboard.press("Enter");
      await page.getByText("One minute more, 1 time").waitFor();
      expect((await deadline()) - first).toBe(60_000);
      await page.getByText(/You have a minute more\. Pay by/).waitFor({ state: "attached" });
      await page.keyboard.press("Enter");
      await page.getByText("There is no more time to be had").waitFor();
      expect((await deadline()) - first).toBe(120_000);
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("More time");
      await page.keyboard.press("Enter");
      await tabTo(page, /^Pay ¥/);
      await page.keyboard.press("Enter");
      await page.locator(".order[data-state=paid]").waitFor();
      expect((await shop.stock(saleId))["sold"]).toBe(1);
      await context.close();
    },
    testMaxMs,
  );

  test.concurrent(
    "buy, cancel; the unit returns to whoever waits, who buys it",
    async () => {
      const saleId = await shop.liveSale({ stock: 1 });
      const [one, other] = [await visitAs("one"), await visitAs("other")];
      const [first, second] = [await one.newPage(), await other.newPage()];
      await first.goto(`/en/s/${saleId}`);
      await second.goto(`/zh-CN/s/${saleId}`);
      await untilState(first, "ON_SALE");
      await tabTo(first, /Buy now/);
      await first.keyboard.press("Enter");
      await untilState(first, "HELD");
      await untilState(second, "OUT_HELD");
      await tabTo(first, /Pay now/);
      await first.keyboard.press("Enter");
      await first.locator(".order[data-state=reserved]").waitFor();
      await tabTo(first, /Cancel the order/);
      await first.keyboard.press("Enter");
      await tabTo(first, /Yes, cancel it/);
      await first.keyboard.press("Enter");
      await first.locator(".order[data-state=cancelled]").waitFor();
      expect(await focusedText(first)).toMatch(/Cancelled/);
      await first.goto("/en/orders");
      const saving = first.waitForEvent("download");
      await first.getByRole("button", { name: "Save my orders" }).click();
      const saved = JSON.parse(readFileSync(await (await saving).path(), "utf8")) as { orders: unknown };
      expect(saved.orders).toMatchObject([{ sale_id: saleId, state: "cancelled" }]);
      await untilState(second, "ON_SALE");
      await second.getByText("库存回流，可以抢购").waitFor({ state: "attached" });
      await tabTo(second, /立即抢购/);
      await second.keyboard.press("Enter");
      await untilState(second, "HELD");
      await Promise.all([one.close(), other.close()]);
    },
    testMaxMs,
  );
});
