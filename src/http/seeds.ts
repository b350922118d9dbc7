/**
 * Paths that earlier systems promised, as thin aliases of the canonical ones: read what they send, call the same use
 * case, wrap the same answer. Their buyer ids stand in bodies and paths, where anybody could write anything; so they
 * count only from a server key, from the buyer's own token, or in development from a caller on this machine.
 */
import type { z } from "zod";
import { isKey, type Buyer, type BuyerId, type ProductId, type SaleId } from "../domain/ids.ts";
import { exponentOf, parseCurrency, parseDecimal, type Currency, type Money } from "../domain/money.ts";
import type { Sale } from "../domain/sale.ts";
import { listPurchases } from "../engine/orders.ts";
import { prewarm, type PrewarmAnswer, type PrewarmWarning } from "../engine/prewarm.ts";
import { purchase } from "../engine/purchase.ts";
import { assert, unreachable } from "../lib/assert.ts";
import { bodyBytesMax, purchaseBytesMax, readJson } from "./body.ts";
import { readAs, type Reading } from "./contract/read.ts";
import { acceptedAnswer, statisticsAnswer } from "./contract/answers.ts";
import { keyHeader, productParams, quotaParams } from "./contract/params.ts";
import { prewarmAnswer, prewarmBody, purchasedAnswer, seckillPurchaseBody, withNumbersAsText } from "./contract/seeds.ts";
import { numberToRead } from "./context.ts";
import { failure, success, type Reply } from "./envelope.ts";
import { callerOf } from "./identity.ts";
import { isLoopbackCaller } from "./loopback.ts";
import { badKey, notTriedReply, outcomeName, takeRefusals, unknownReply } from "./refusals.ts";
import { accessFor, barredFromActing, notAllowed, openly, type Ask, type Route } from "./route.ts";
import { numberOrRefusal, takeReply } from "./routes/purchase.ts";
import { statisticsReply } from "./routes/sales.ts";
import { isoTime } from "./time.ts";
import { saleView } from "./views.ts";

const base = "/api/v1/seckill";

const purchaseContract = {
  method: "POST",
  tag: "seeds",
  headers: keyHeader,
  readsItself: true,
  body: seckillPurchaseBody,
  answers: { 201: acceptedAnswer },
  refusals: ["product_unknown", "sale_unknown", ...takeRefusals],
} as const;
const prewarmContract = {
  method: "POST",
  path: `${base}/activity/prewarm`,
  operation: "seckillPrewarm",
  tag: "seeds",
  summary: "Create and publish a sale in one call, and its product if need be",
  readsItself: true,
  body: prewarmBody,
  answers: { 201: prewarmAnswer, 200: prewarmAnswer },
  refusals: ["invalid", "busy", "outcome_unknown"],
} as const;
const statsContract = {
  method: "GET",
  path: `${base}/stats/:product_id`,
  operation: "seckillStats",
  tag: "seeds",
  summary: "Read what a product's current sale has sold so far",
  params: productParams,
  answers: { 200: statisticsAnswer },
  refusals: ["product_unknown", "sale_unknown"],
} as const;
const purchasedContract = {
  method: "GET",
  path: `${base}/purchased/:product_id/:user_id`,
  operation: "seckillPurchased",
  tag: "seeds",
  summary: "Read whether a buyer has bought in a product's current sale",
  params: quotaParams,
  answers: { 200: purchasedAnswer },
  refusals: ["product_unknown", "sale_unknown"],
} as const;

export const seedRoutes: readonly Route[] = [
  // Where the ledger decides, the order exists when the acceptance is durable: both answer 201 at once.
  openly(
    { ...purchaseContract, path: `${base}/purchase`, operation: "seckillPurchase", summary: "Buy in a product's current sale" },
    purchaseReply,
  ),
  openly(
    {
      ...purchaseContract,
      path: `${base}/purchase/async`,
      operation: "seckillPurchaseAsync",
      summary: "Buy in a product's current sale, answered when accepted",
    },
    purchaseReply,
  ),
  openly(prewarmContract, prewarmReply),
  openly(statsContract, (ask) => withCurrentSale(ask, ask.params.product_id, (sale) => statisticsReply(ask, sale))),
  openly(purchasedContract, (ask) => purchasedReply(ask, ask.params)),
];

/** What the helpers below need of a request. */
type Asking = Pick<Ask, "context" | "request" | "peer" | "nowMs">;

/** The buyer's number where it is at hand, else its name: what asks for a number depends on what it is needed for. */
type NamedBuyer = BuyerId | Buyer;

/** The buyer that a body or path names, if the caller may speak for it. */
function namedBuyer({ context, request, peer, nowMs }: Asking, userId: string): Reading<NamedBuyer> {
  const { deps } = context;
  const caller = callerOf(deps, request.headers, nowMs);
  const refused = (reply: Reply): Reading<NamedBuyer> => ({ kind: "reply", reply });
  switch (caller.kind) {
    case "reply":
      return caller;
    case "buyer":
      return caller.buyer.subject === userId
        ? { kind: "value", value: caller.buyerId }
        : refused(failure("forbidden", { field: "user_id", problem: "must be the token's own buyer" }));
    case "shop": {
      const barred = barredFromActing({ ...caller, actsFor: { issuer: caller.key.issuer, subject: userId } });
      if (barred !== undefined) return refused(barred);
      return caller.actsFor === undefined || caller.actsFor.subject === userId
        ? { kind: "value", value: { issuer: caller.key.issuer, subject: userId } }
        : refused(failure("malformed", { field: "user_id", problem: "must be the buyer that X-User-Id names" }));
    }
    case "nobody":
      return deps.options.environment === "development" && isLoopbackCaller(request, peer.address)
        ? { kind: "value", value: { issuer: deps.options.shop, subject: userId } }
        : refused(failure("unauthenticated"));
    default:
      return unreachable(caller);
  }
}

/** The shop that asks, as who it is and whose products these become. */
function namedShop({ context, request, peer, nowMs }: Asking): Reading<{ owner: string; seller: string }> {
  const { deps } = context;
  const caller = callerOf(deps, request.headers, nowMs);
  if (caller.kind === "reply") return caller;
  const access = accessFor(caller, "sales:write");
  if (caller.kind === "shop" && access !== undefined) return { kind: "value", value: { owner: caller.key.id, seller: caller.key.issuer } };
  if (caller.kind === "nobody" && deps.options.environment === "development" && isLoopbackCaller(request, peer.address))
    return { kind: "value", value: { owner: "loopback", seller: deps.options.shop } };
  return { kind: "reply", reply: notAllowed(caller) };
}

async function readNumbered<Schema extends z.ZodType>(
  ask: Asking,
  schema: Schema,
  { bytesMax, names }: { bytesMax: number; names: readonly string[] },
): Promise<Reading<z.output<Schema>>> {
  const json = await readJson(ask.request, bytesMax);
  return json.kind === "reply" ? json : readAs(schema, withNumbersAsText(json.value, json.members, names));
}

async function purchaseReply(ask: Asking): Promise<Reply> {
  const { deps, counters } = ask.context;
  const body = await readNumbered(ask, seckillPurchaseBody, { bytesMax: purchaseBytesMax, names: ["product_id", "user_id"] });
  if (body.kind === "reply") return body.reply;
  const { product_id: productId, user_id: userId, quantity } = body.value;
  const key = ask.request.headers.get("idempotency-key") ?? undefined;
  if (key !== undefined && !isKey(key)) return badKey();
  const buyer = namedBuyer(ask, userId);
  if (buyer.kind === "reply") return buyer.reply;
  const sale = await deps.records.currentSaleOf(productId, ask.nowMs);
  if (sale === undefined) return noSale(ask, productId);
  const saleId = (await saleOfKey(ask, { productId, buyer: buyer.value, key })) ?? sale.id;
  const found = await numberOrRefusal(ask.context, saleId, buyer.value);
  const answer = found.kind === "refused" ? found : await purchase(deps, { saleId, buyerId: found.buyerId, key, quantity });
  counters.outcome(outcomeName(answer));
  return takeReply(answer);
}

type Keyed = { readonly productId: ProductId; readonly buyer: NamedBuyer; readonly key: string | undefined };

/**
 * The sale in which a key was accepted before. These paths name a product, and its current sale may have changed since
 * the first request: the repeat belongs to that request's sale, whatever the current one would say.
 */
async function saleOfKey({ context }: Asking, { productId, buyer, key }: Keyed): Promise<SaleId | undefined> {
  if (key === undefined) return undefined;
  const buyerId = await numberToRead(context, buyer);
  return (await context.deps.records.purchaseByProductKey({ productId, buyerId, key }))?.saleId;
}

async function withCurrentSale(ask: Asking, productId: ProductId, answer: (sale: Sale) => Reply | Promise<Reply>): Promise<Reply> {
  const sale = await ask.context.deps.records.currentSaleOf(productId, ask.nowMs);
  return sale === undefined ? noSale(ask, productId) : answer(sale);
}

async function noSale({ context }: Asking, id: ProductId): Promise<Reply> {
  const product = await context.deps.records.product(id);
  return product === undefined
    ? failure("product_unknown", { field: "product_id", problem: `names no product: "${id}"` })
    : failure("sale_unknown", { field: "product_id", problem: `names a product without a sale: "${id}"` });
}

type Bought = { readonly product_id: ProductId; readonly user_id: string };

async function purchasedReply(ask: Asking, { product_id: productId, user_id: userId }: Bought): Promise<Reply> {
  const buyer = namedBuyer(ask, userId);
  if (buyer.kind === "reply") return buyer.reply;
  return withCurrentSale(ask, productId, async (sale) => {
    const query = { saleId: sale.id };
    // A buyer's purchases in one sale are bounded, and fit one page.
    const { items } = await listPurchases(ask.context.deps, await numberToRead(ask.context, buyer.value), {
      query,
      page: { offset: 0, limit: 100 },
    });
    const bought = items.filter(({ state }) => state === "reserved" || state === "paid" || state === "queued");
    return success({
      product_id: sale.productId,
      user_id: userId,
      sale_id: sale.id,
      purchased: bought.length > 0,
      quantity: bought.reduce((sum, { quantity }) => sum + quantity, 0),
      purchase_ids: bought.map(({ id }) => id),
    });
  });
}

async function prewarmReply(ask: Asking): Promise<Reply> {
  const { deps } = ask.context;
  const shop = namedShop(ask);
  if (shop.kind === "reply") return shop.reply;
  const body = await readNumbered(ask, prewarmBody, { bytesMax: bodyBytesMax, names: ["product_id", "price"] });
  if (body.kind === "reply") return body.reply;
  const { product_id: id, product_name: name, price: decimal, stock, start_time: startsAtMs, end_time: endsAtMs } = body.value;
  const price = priceOf(decimal, (await deps.records.product(id))?.price.currency ?? cny);
  if (price.kind === "reply") return price.reply;
  const movesPast = deps.options.environment === "development";
  const product = { id, name, seller: shop.value.seller };
  return prewarmedReply(
    ask,
    await prewarm(deps, { product, price: price.value, stock, startsAtMs, endsAtMs, owner: shop.value.owner, movesPast }),
  );
}

const cny = parseCurrency("CNY");

/** Decimals are exact: the digits that were written, never a floating-point number. */
function priceOf(decimal: string, currency: Currency | undefined): Reading<Money> {
  assert(currency !== undefined, "CNY is a currency");
  const minor = parseDecimal(decimal, currency);
  if (minor !== undefined) return { kind: "value", value: { minor, currency } };
  const problem = `must be a decimal number with at most ${exponentOf(currency)} places (${currency})`;
  return { kind: "reply", reply: failure("malformed", { field: "price", problem }) };
}

/** Our fields by the names that this path gives them. */
const fieldNames: Readonly<Record<string, string>> = {
  name: "product_name",
  price_minor: "price",
  starts_at: "start_time",
  ends_at: "end_time",
};

function prewarmedReply({ context }: Asking, answer: PrewarmAnswer): Reply {
  switch (answer.kind) {
    case "ready":
      // By the time now: a window that was moved to now began after the request did.
      return success(
        { ...saleView(answer.sale, context.deps.clock.nowMs()), warnings: answer.warnings.map(wordsOf) },
        answer.repeated ? 200 : 201,
      );
    case "invalid":
      return failure("invalid", { field: fieldNames[answer.field] ?? answer.field, problem: answer.problem });
    case "not_tried":
      return notTriedReply(answer.cause);
    case "unknown":
      return unknownReply();
    default:
      return unreachable(answer);
  }
}

function wordsOf(warning: PrewarmWarning): string {
  switch (warning.kind) {
    case "product_kept":
      return "The product was there with another name or price and keeps them; the sale has those given";
    case "window_moved":
      return `The window had begun or passed and was moved to ${isoTime(warning.startsAtMs)} until ${isoTime(warning.endsAtMs)}; in production it is refused`;
    default:
      return unreachable(warning);
  }
}
