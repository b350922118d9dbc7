/**
 * Paths that earlier systems promised, as thin aliases of the canonical ones: read what they send, call the same use
 * case, wrap the same answer. Their buyer ids stand in bodies and paths, where anybody could write anything; so they
 * count only from a server key, from the buyer's own token, or in development from a caller on this machine.
 */
import type { z } from "zod";
import { isKey, isSubject, parseProductId, type Buyer, type BuyerId, type ProductId, type SaleId } from "../domain/ids.ts";
import { exponentOf, parseCurrency, parseDecimal, type Currency, type Money } from "../domain/money.ts";
import type { Sale } from "../domain/sale.ts";
import { listPurchases } from "../engine/orders.ts";
import { prewarm, type PrewarmAnswer, type PrewarmWarning } from "../engine/prewarm.ts";
import { purchase } from "../engine/purchase.ts";
import { assert, unreachable } from "../lib/assert.ts";
import { bodyBytesMax, purchaseBytesMax, readJson } from "./body.ts";
import { readAs, type Reading } from "./contract/read.ts";
import { prewarmBody, seckillPurchaseBody, withNumbersAsText } from "./contract/seeds.ts";
import { numberToRead } from "./context.ts";
import { failure, success, type Reply } from "./envelope.ts";
import { callerOf } from "./identity.ts";
import { isLoopbackCaller } from "./loopback.ts";
import { badKey, notTriedReply, outcomeName, unknownReply } from "./refusals.ts";
import { notTheShop, readParam, type Ask, type Route } from "./route.ts";
import { numberOrRefusal, takeReply } from "./routes/purchase.ts";
import { statisticsReply } from "./routes/sales.ts";
import { isoTime } from "./time.ts";
import { saleView } from "./views.ts";

const base = "/api/v1/seckill";

export const seedRoutes: readonly Route[] = [
  // Where the ledger decides, the order exists when the acceptance is durable: both answer 201 at once.
  { method: "POST", path: `${base}/purchase`, answer: purchaseReply },
  { method: "POST", path: `${base}/purchase/async`, answer: purchaseReply },
  { method: "POST", path: `${base}/activity/prewarm`, answer: prewarmReply },
  { method: "GET", path: `${base}/stats/:product_id`, answer: (ask) => withCurrentSale(ask, (sale) => statisticsReply(ask, sale)) },
  { method: "GET", path: `${base}/purchased/:product_id/:user_id`, answer: purchasedReply },
];

/** The buyer's number where it is at hand, else its name: what asks for a number depends on what it is needed for. */
type NamedBuyer = BuyerId | Buyer;

/** The buyer that a body or path names, if the caller may speak for it. */
function namedBuyer({ context, request, peer, nowMs }: Ask, userId: string): Reading<NamedBuyer> {
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
    case "shop":
      return caller.actsFor === undefined || caller.actsFor.subject === userId
        ? { kind: "value", value: { issuer: caller.key.issuer, subject: userId } }
        : refused(failure("malformed", { field: "user_id", problem: "must be the buyer that X-User-Id names" }));
    case "nobody":
      return deps.options.environment === "development" && isLoopbackCaller(request, peer.address)
        ? { kind: "value", value: { issuer: deps.options.shop, subject: userId } }
        : refused(failure("unauthenticated"));
    default:
      return unreachable(caller);
  }
}

/** The shop that asks, as who it is and whose products these become. */
function namedShop({ context, request, peer, nowMs }: Ask): Reading<{ owner: string; seller: string }> {
  const { deps } = context;
  const caller = callerOf(deps, request.headers, nowMs);
  if (caller.kind === "reply") return caller;
  if (caller.kind === "shop") return { kind: "value", value: { owner: caller.key.id, seller: caller.key.issuer } };
  if (caller.kind === "nobody" && deps.options.environment === "development" && isLoopbackCaller(request, peer.address))
    return { kind: "value", value: { owner: "loopback", seller: deps.options.shop } };
  return { kind: "reply", reply: notTheShop(caller) };
}

async function readNumbered<Schema extends z.ZodType>(
  ask: Ask,
  schema: Schema,
  { bytesMax, names }: { bytesMax: number; names: readonly string[] },
): Promise<Reading<z.output<Schema>>> {
  const json = await readJson(ask.request, bytesMax);
  return json.kind === "reply" ? json : readAs(schema, withNumbersAsText(json.value, json.members, names));
}

async function purchaseReply(ask: Ask): Promise<Reply> {
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
async function saleOfKey({ context }: Ask, { productId, buyer, key }: Keyed): Promise<SaleId | undefined> {
  if (key === undefined) return undefined;
  const buyerId = await numberToRead(context, buyer);
  return (await context.deps.records.purchaseByProductKey({ productId, buyerId, key }))?.saleId;
}

async function withCurrentSale(ask: Ask, answer: (sale: Sale) => Reply | Promise<Reply>): Promise<Reply> {
  const productId = readParam(ask, { name: "product_id", field: "product_id", parse: parseProductId });
  if (productId.kind === "reply") return productId.reply;
  const sale = await ask.context.deps.records.currentSaleOf(productId.value, ask.nowMs);
  return sale === undefined ? noSale(ask, productId.value) : answer(sale);
}

async function noSale({ context }: Ask, id: ProductId): Promise<Reply> {
  const product = await context.deps.records.product(id);
  return product === undefined
    ? failure("product_unknown", { field: "product_id", problem: `names no product: "${id}"` })
    : failure("sale_unknown", { field: "product_id", problem: `names a product without a sale: "${id}"` });
}

async function purchasedReply(ask: Ask): Promise<Reply> {
  const userId = ask.params["user_id"] ?? "";
  if (!isSubject(userId)) return failure("malformed", { field: "user_id", problem: "must have 1 to 64 printable characters" });
  const buyer = namedBuyer(ask, userId);
  if (buyer.kind === "reply") return buyer.reply;
  return withCurrentSale(ask, async (sale) => {
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

async function prewarmReply(ask: Ask): Promise<Reply> {
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

function prewarmedReply({ context }: Ask, answer: PrewarmAnswer): Reply {
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
