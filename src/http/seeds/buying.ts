/** Purchases on these paths: in a sale, or in the sale that a product has just now. */
import { isKey, type ProductId, type SaleId } from "../../domain/ids.ts";
import type { Sale } from "../../domain/sale.ts";
import { boughtIn } from "../../engine/orders.ts";
import { purchase } from "../../engine/purchase.ts";
import { numberToRead } from "../context.ts";
import { failure, success, type Reply } from "../envelope.ts";
import { badKey, outcomeName } from "../refusals.ts";
import type { Ask } from "../route.ts";
import { numberOrRefusal, takeReply } from "../routes/purchase.ts";
import { boughtView } from "../views.ts";
import { namedBuyer, type Known, type NamedBuyer } from "./callers.ts";

type Asking = Pick<Ask, "context" | "request" | "nowMs">;
type Wish = {
  readonly userId: string | undefined;
  readonly quantity: number;
  /** Whether the answer waits for the order; true unless told. */
  readonly wait?: boolean | undefined;
};

export async function buyInSale(ask: Asking, caller: Known, wish: Wish & { readonly saleId: SaleId }): Promise<Reply> {
  return buy(ask, caller, { ...wish, saleOf: async () => wish.saleId });
}

export async function buyProduct(ask: Asking, caller: Known, wish: Wish & { readonly productId: ProductId }): Promise<Reply> {
  const { records } = ask.context.deps;
  const { productId } = wish;
  const saleOf = async (buyer: NamedBuyer, key: string | undefined) => {
    const sale = await records.currentSaleOf(productId, ask.nowMs);
    return sale === undefined ? noSale(ask, productId) : ((await saleOfKey(ask, { productId, buyer, key })) ?? sale.id);
  };
  return buy(ask, caller, { ...wish, saleOf });
}

type SaleOf = (buyer: NamedBuyer, key: string | undefined) => Promise<SaleId | Reply>;

async function buy(ask: Asking, caller: Known, { userId, quantity, wait, saleOf }: Wish & { readonly saleOf: SaleOf }): Promise<Reply> {
  const { deps, counters } = ask.context;
  const key = ask.request.headers.get("idempotency-key") ?? undefined;
  if (key !== undefined && !isKey(key)) return badKey();
  const buyer = namedBuyer(caller, userId);
  if (buyer.kind === "reply") return buyer.reply;
  const saleId = await saleOf(buyer.value, key);
  if (typeof saleId !== "string") return saleId;
  const found = await numberOrRefusal(ask.context, { saleId, buyer: buyer.value });
  const { issuer } = caller.kind === "buyer" ? caller.buyer : caller.key;
  const answer = found.kind === "refused" ? found : await purchase(deps, { saleId, buyerId: found.buyerId, issuer, key, quantity, wait });
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

export async function withCurrentSale(
  ask: Pick<Ask, "context" | "nowMs">,
  productId: ProductId,
  answer: (sale: Sale) => Reply | Promise<Reply>,
): Promise<Reply> {
  const sale = await ask.context.deps.records.currentSaleOf(productId, ask.nowMs);
  return sale === undefined ? noSale(ask, productId) : answer(sale);
}

async function noSale({ context }: Pick<Ask, "context">, id: ProductId): Promise<Reply> {
  const product = await context.deps.records.product(id);
  return product === undefined
    ? failure("product_unknown", { field: "product_id", problem: `names no product: "${id}"` })
    : failure("sale_unknown", { field: "product_id", problem: `names a product without a sale: "${id}"` });
}

export async function purchasedReply(
  ask: Asking,
  caller: Known,
  { product_id: productId, user_id: userId }: { readonly product_id: ProductId; readonly user_id: string },
): Promise<Reply> {
  const buyer = namedBuyer(caller, userId);
  if (buyer.kind === "reply") return buyer.reply;
  return withCurrentSale(ask, productId, async (sale) => {
    const bought = await boughtIn(ask.context.deps, { saleId: sale.id, buyerId: await numberToRead(ask.context, buyer.value) });
    return success({ product_id: sale.productId, user_id: userId, sale_id: sale.id, ...boughtView(bought) });
  });
}
