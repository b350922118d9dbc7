/** A sale's page in each state of its button: by what the shop and its buyers do, or, where that takes a rarer setting, by what the server is made to answer. */
import type { BrowserContext, Page, Route } from "playwright-core";
import type { ButtonState } from "../../src/web/sale/button-states.ts";
import type { Shop } from "../harness/shop.ts";
import { waitFor } from "../harness/wait.ts";
import type { Visits } from "./visitors.ts";

export type Lookers = { readonly stranger: BrowserContext; readonly buyer: BrowserContext };

type Way = {
  readonly sale: (shop: Shop) => Promise<string>;
  /** Nobody is signed in. */
  readonly isStranger?: true;
  /** Before the page is opened. */
  readonly prepare?: (page: Page) => Promise<unknown>;
  /** What leads from a sale that is on to the state. */
  readonly act?: (page: Page, shop: Shop) => Promise<void>;
};

export const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
export const stateOf = (page: Page) => page.locator(".action").getAttribute("data-state");

export async function untilState(page: Page, state: string): Promise<void> {
  await page.locator(`.action[data-state="${state}"]`).waitFor();
}

const onSale = (shop: Shop) => shop.liveSale({});
const buyButton = (page: Page) => page.locator(".action button.main");
const answers =
  (status: number, reason: string, more: Readonly<Record<string, unknown>> = {}) =>
  (route: Route) =>
    route.fulfill({ status, headers: { "retry-after": "30" }, json: { code: status, message: "", data: { reason, ...more } } });

async function switched(shop: Shop, what: "pause" | "cancel"): Promise<string> {
  const saleId = await shop.liveSale({});
  await shop.post(`/api/v1/sales/${saleId}/${what}`);
  return saleId;
}

/** `isPaid`: nothing of it can return. */
async function takenSale(shop: Shop, isPaid: boolean): Promise<string> {
  const saleId = await shop.liveSale({ stock: 1 });
  const { data } = await shop.buy(saleId, "somebody");
  if (isPaid) await shop.payExternally(data);
  return saleId;
}

const buys = async (page: Page) => {
  await untilState(page, "ON_SALE");
  await buyButton(page).click();
};

const ways: Readonly<Record<ButtonState, Way>> = {
  BEFORE: { sale: (shop) => shop.liveSale({ starts_at: inMs(3_600_000), ends_at: inMs(7_200_000) }) },
  SIGN_IN: { sale: onSale, isStranger: true },
  ON_SALE: { sale: (shop) => shop.liveSale({ per_buyer_limit: 3 }) },
  OUT_HELD: { sale: (shop) => takenSale(shop, false) },
  SOLD_OUT: { sale: (shop) => takenSale(shop, true) },
  PAUSED: { sale: (shop) => switched(shop, "pause") },
  CANCELLED_SALE: { sale: (shop) => switched(shop, "cancel") },
  ENDED: {
    async sale(shop) {
      const saleId = await shop.liveSale({ ends_at: inMs(1_000) });
      await waitFor("the sale ends", async () => (await shop.get(`/api/v1/sales/${saleId}`)).data["status"] === "ended");
      return saleId;
    },
  },
  // Who is banned is told so when the next token is asked for.
  BLOCKED: { sale: onSale, prepare: (page) => page.route("**/auth/refresh", answers(403, "account_banned")) },
  LIMITED: { sale: onSale, prepare: (page) => page.route("**/purchases", answers(503, "busy"), { times: 1 }), act: buys },
  // A quota of nothing is the shop's to give.
  QUOTA_REACHED: { sale: onSale, prepare: (page) => page.route("**/purchases", answers(409, "limit_reached", { limit: 0 })), act: buys },
  UNKNOWN: {
    sale: onSale,
    prepare: (page) => page.route("**/purchases{,/by-key/*}", (route) => route.abort("connectionreset")),
    act: buys,
  },
  // Only a cache that decides answers so.
  PROCESSING: {
    sale: onSale,
    prepare: (page) =>
      page.route("**/purchases?sale_id=*", async (route) => {
        const saleId = new URL(route.request().url()).searchParams.get("sale_id");
        const purchase = { id: "1", sale_id: saleId, state: "queued", quantity: 1, pay_by: null, hold_until: null, changed_at: inMs(0) };
        await route.fulfill({ json: { code: 0, message: "OK", data: { items: [purchase] } } });
      }),
  },
  HELD: { sale: onSale, act: buys },
  BOUGHT: {
    sale: onSale,
    async act(page, shop) {
      await buys(page);
      const order = (await page.locator(".action a.main").getAttribute("href"))?.split("/").at(-1) ?? "";
      await shop.payExternally((await shop.get(`/api/v1/orders/${order}`)).data);
      await untilState(page, "BOUGHT");
    },
  },
};

// The table has just these.
export const saleStates = Object.keys(ways) as ButtonState[];

/** Everything that a page has to say is said: the server's time is known, and the stream is open. */
export async function untilCalm(page: Page): Promise<void> {
  await page.locator(".clock").getByText(/±/).waitFor();
  await page.locator(".hearing.live").waitFor();
}

/** The browsers of two people, for as many states as one likes. */
export async function openLookers({ visit, visitAs }: Visits, username: string): Promise<Lookers> {
  // A snapshot names the zone.
  const options = { timezoneId: "UTC" };
  return { stranger: await visit(options), buyer: await visitAs(username, options) };
}

export async function openInState(shop: Shop, { stranger, buyer }: Lookers, state: ButtonState, language: string): Promise<Page> {
  const { sale, isStranger, prepare, act } = ways[state];
  const saleId = await sale(shop);
  const page = await (isStranger ? stranger : buyer).newPage();
  await prepare?.(page);
  await page.goto(`/${language}/s/${saleId}`);
  await act?.(page, shop);
  await untilState(page, state);
  await untilCalm(page);
  return page;
}
