/**
 * Takes the pictures of docs/screenshots from a server of its own: `node bin/bun.mjs tests/browser/take-screenshots.ts`.
 * Look at them before they are committed.
 */
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { cleanUp } from "../harness/cleanup.ts";
import { rootDir, ServerProcess } from "../harness/server-process.ts";
import { Shop } from "../harness/shop.ts";
import { tempFolder } from "../harness/volumes.ts";
import { waitFor } from "../harness/wait.ts";
import { openBrowser } from "./chromium.ts";
import { inMs, password, untilState } from "./storefront.ts";

const hourMs = 3_600_000;
const patienceMs = 120_000;
const server = await ServerProcess.start({ dataDir: tempFolder().path, env: { DOORBUSTER_ENV: "development" } });
const shop = new Shop(() => server.url);
await waitFor("the pages", async () => (await fetch(`${server.url}/en/`)).status === 200, { withinMs: patienceMs });

const names = { lamp: "Brass desk lamp", phone: "Nebula X1 phone", ticket: "New Year concert ticket", tea: "明前龙井 250 克" };
const sale = async (name: string, priceMinor: number, fields: Readonly<Record<string, unknown>>) =>
  shop.liveSale({ product_id: await shop.product({ name, price_minor: priceMinor }), ...fields });
const lamp = await sale(names.lamp, 12_900, { stock: 40, per_buyer_limit: 2, ends_at: inMs(1.35 * hourMs) });
await sale(names.phone, 399_900, { stock: 100, starts_at: inMs(2 * hourMs), ends_at: inMs(4 * hourMs) });
await sale(names.ticket, 48_800, { stock: 50, starts_at: inMs(26 * hourMs), ends_at: inMs(30 * hourMs) });
const tea = await sale(names.tea, 26_800, { stock: 60, ends_at: inMs(0.7 * hourMs) });
for (const [id, held, sold] of [
  [lamp, 6, 19],
  [tea, 9, 41],
] as const) {
  const orders = await Promise.all(Array.from({ length: held + sold }, (_, at) => shop.buy(id, `buyer-${at}`)));
  for (const { data } of orders.slice(0, sold)) await shop.payExternally(data);
}

const browser = await openBrowser();
const shot = (page: Page, name: string) =>
  page.screenshot({ path: join(rootDir, "docs/screenshots", `${name}.png`), animations: "disabled" });

async function buyer(of: Browser, locale: string, colorScheme: "light" | "dark"): Promise<Page> {
  const context = await of.newContext({
    baseURL: server.url,
    locale,
    colorScheme,
    timezoneId: "Asia/Shanghai",
    viewport: { width: 390, height: 844 },
  });
  context.setDefaultTimeout(patienceMs);
  const page = await context.newPage();
  await page.goto(`/${locale}/register`);
  await page.locator("#username").fill(`ann-${colorScheme}`);
  await page.locator("#password").fill(password);
  await page.locator("button.main").click();
  await page.waitForURL(/account/);
  return page;
}

const english = await buyer(browser, "en", "light");
await english.goto(`/en/s/${lamp}`);
await untilState(english, "ON_SALE");
await english.locator(".hearing.live").waitFor();
await shot(english, "sale-en");
await english.goto("/en/");
await english.locator(".card").nth(3).waitFor();
await shot(english, "list-en");
await english.setViewportSize({ width: 1100, height: 760 });
await english.goto(`/en/s/${lamp}`);
await untilState(english, "ON_SALE");
await english.locator(".hearing.live").waitFor();
await shot(english, "sale-wide-en");

const chinese = await buyer(browser, "zh-CN", "dark");
await chinese.goto(`/zh-CN/s/${tea}`);
await untilState(chinese, "ON_SALE");
await chinese.locator(".hearing.live").waitFor();
await shot(chinese, "sale-zh-cn-dark");
await chinese.emulateMedia({ colorScheme: "light" });
await chinese.locator(".action button.main").click();
await untilState(chinese, "HELD");
await chinese.locator(".action a.main").click();
await chinese.locator(".order[data-state=reserved]").waitFor();
await chinese.locator(".hearing.live").waitFor();
await shot(chinese, "order-zh-cn");
await chinese.goto("/zh-CN/");
await chinese.locator(".card").nth(3).waitFor();
await shot(chinese, "list-zh-cn");

await browser.close();
await server.stop();
cleanUp();
