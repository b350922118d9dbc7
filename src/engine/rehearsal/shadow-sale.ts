/**
 * The sale that a rehearsal storms in a running deployment: a product and a sale of its own, with its own stock, named and
 * marked so that nobody takes it for a real one. It dies by itself soon after the run, should nobody be left to cancel it.
 */
import type { Clock } from "../../ports/clock.ts";
import type { Tasks } from "../../ports/tasks.ts";
import { backoffMs } from "../../lib/backoff.ts";
import { parseUtcText, utcText } from "../../lib/utc-text.ts";
import { isObject, type ShopClient, type ShopReply } from "./shop-client.ts";
import type { Counts } from "./series.ts";

/** What a sale must look like to be rehearsed: the real one's terms, or the operator's. */
export type SaleTerms = {
  readonly priceMinor: number;
  readonly currency: string;
  readonly stock: number;
  readonly perBuyerLimit: number;
  readonly payWindowSeconds: number;
  /** From opening to end. */
  readonly windowMs: number;
  /** The real sale that lent its terms. */
  readonly like?: { readonly id: string; readonly name: string } | undefined;
};
export type Shadow = {
  readonly productId: string;
  readonly saleId: string;
  readonly name: string;
  /** On the deployment's clock. */
  readonly opensAtMs: number;
};
/** What is left of it in the deployment's store, for good. */
export type Remains = {
  readonly status: string;
  readonly purchases: Counts;
  readonly buyers: number;
  readonly stock: Counts;
};

/** Sales whose limit group begins so belong to rehearsals; no real sale counts together with them. */
export const shadowMark = "rehearsal-";
export const isShadow = (sale: Readonly<Record<string, unknown>>) =>
  typeof sale["limit_group"] === "string" && sale["limit_group"].startsWith(shadowMark);
/** How long a shadow sale stays open beyond its storm, if nobody is left to cancel it. */
const graceMs = 600_000;
const nameLengthMax = 200;
const cancelTriesMax = 8;
const closeDeadlineMs = 60_000;
const closePollMs = 250;

export type OpenShadow = { readonly runId: string; readonly terms: SaleTerms; readonly opensAtMs: number; readonly stormMs: number };

export async function openShadow(shop: ShopClient, { runId, terms, opensAtMs, stormMs }: OpenShadow): Promise<Shadow> {
  const { like, priceMinor, currency, stock, perBuyerLimit, payWindowSeconds, windowMs } = terms;
  const name = Array.from(`Rehearsal ${runId} - not for sale${like === undefined ? "" : ` - like ${like.name}`}`)
    .slice(0, nameLengthMax / 2)
    .join("");
  const product = await done(
    shop.call("POST", "/api/v1/products", { name, price_minor: priceMinor, currency }),
    "create a product of its own",
  );
  const draft = {
    product_id: product.data["id"],
    name,
    stock,
    per_buyer_limit: perBuyerLimit,
    limit_group: `${shadowMark}${runId}`,
    pay_window_seconds: payWindowSeconds,
    starts_at: utcText(opensAtMs),
    ends_at: utcText(opensAtMs + Math.min(windowMs, stormMs + graceMs)),
  };
  const sale = await done(shop.call("POST", "/api/v1/sales", draft), "create a shadow sale");
  const saleId = String(sale.data["id"]);
  if (!isShadow(sale.data) || sale.data["name"] !== name)
    throw new Error(`sale ${saleId} was created without its mark; nothing was published`);
  await done(shop.call("POST", `/api/v1/sales/${saleId}/publish`), "publish the shadow sale");
  return { productId: String(product.data["id"]), saleId, name, opensAtMs };
}

export type CloseDeps = { readonly shop: ShopClient; readonly clock: Clock; readonly tasks: Tasks };

/** Cancels it and waits until nothing is held. Gives what remains, or throws with the line that closes it by hand. */
export async function closeShadow({ shop, clock, tasks }: CloseDeps, saleId: string): Promise<Remains> {
  let reply = await shop.call("POST", `/api/v1/sales/${saleId}/cancel`);
  for (let attempt = 0; reply.kind !== "ok" && attempt < cancelTriesMax; attempt++) {
    await tasks.sleep(backoffMs(attempt, { baseMs: 250, ceilingMs: 4_000 }));
    reply = await shop.call("POST", `/api/v1/sales/${saleId}/cancel`);
  }
  if (reply.kind !== "ok")
    throw new Error(
      `the shadow sale ${saleId} could not be cancelled (${reply.reason}): POST /api/v1/sales/${saleId}/cancel does it by hand`,
    );
  const untilMs = clock.nowMs() + closeDeadlineMs;
  for (;;) {
    const remains = remainsOf(await shop.stock(saleId));
    const settled = remains !== undefined && remains.status === "cancelled" && (remains.stock["held"] ?? 0) === 0;
    if (settled || (remains !== undefined && clock.nowMs() >= untilMs)) return remains;
    if (clock.nowMs() >= untilMs) throw new Error(`the shadow sale ${saleId} is cancelled, but its statistics could not be read`);
    await tasks.sleep(closePollMs);
  }
}

function remainsOf({ kind, data }: ShopReply): Remains | undefined {
  if (kind !== "ok") return undefined;
  return {
    status: String(data["status"]),
    purchases: numbersOf(data["purchases"]),
    buyers: Number(data["buyers"]),
    stock: numbersOf(data["stock"]),
  };
}

function numbersOf(value: unknown): Counts {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).flatMap(([name, units]) => (typeof units === "number" ? [[name, units] as const] : [])));
}

/** The terms of a real sale; it is read and nothing else. */
export async function termsOf(shop: ShopClient, saleId: string): Promise<SaleTerms> {
  const { data } = await done(shop.call("GET", `/api/v1/sales/${saleId}`), `read the sale ${saleId}`);
  const {
    price_minor: priceMinor,
    currency,
    per_buyer_limit: perBuyerLimit,
    pay_window_seconds: payWindowSeconds,
    starts_at: starts,
    ends_at: ends,
  } = data;
  const stock = isObject(data["stock"]) ? data["stock"]["planned"] : undefined;
  const windowMs = (parseUtcText(String(ends)) ?? 0) - (parseUtcText(String(starts)) ?? 0);
  if (!isCount(priceMinor) || !isCount(perBuyerLimit) || !isCount(payWindowSeconds) || !isCount(stock) || !isCount(windowMs))
    throw new Error(`the sale ${saleId} does not show its price, stock, limit and window`);
  return {
    priceMinor,
    currency: String(currency),
    stock,
    perBuyerLimit,
    payWindowSeconds,
    windowMs,
    like: { id: saleId, name: String(data["name"]) },
  };
}

const isCount = (value: unknown): value is number => typeof value === "number" && Number.isSafeInteger(value) && value > 0;

export async function done(asked: Promise<ShopReply>, what: string): Promise<ShopReply> {
  const reply = await asked;
  if (reply.kind !== "ok")
    throw new Error(`the rehearsal could not ${what}: ${reply.status ?? "no answer"} ${reply.reason} ${reply.body.slice(0, 300)}`);
  return reply;
}
