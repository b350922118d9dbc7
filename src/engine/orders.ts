import { mayReach, type Access } from "../domain/access.ts";
import type { BuyerId, PurchaseId, SaleId } from "../domain/ids.ts";
import type { ExtendHoldOutcome, ReleaseOutcome, SaleUnknown } from "../domain/movement.ts";
import type { Payment, Refund } from "../domain/payment.ts";
import type { Product } from "../domain/product.ts";
import { attemptsPerBuyerMax, type Purchase } from "../domain/purchase.ts";
import type { Acceptance, NotTried, Unknown } from "../ports/acceptance.ts";
import type { Listing, Page, PurchaseQuery, Records } from "../ports/records.ts";

/** Who asks: a buyer sees its own, staff what its access reaches. */
export type Viewer = { readonly buyerId?: BuyerId | undefined; readonly access?: Access | undefined };

export type OrderDeps = { readonly records: Records; readonly acceptance: Acceptance };
export type Order = {
  readonly purchase: Purchase;
  readonly product: Product | undefined;
  /** How often its sale lets a buyer ask for more time. */
  readonly extensionsMax: number;
  readonly payments: readonly Payment[];
  readonly refunds: readonly Refund[];
};

/** A purchase, if the viewer may see it: somebody else's does not exist for a buyer. */
export async function findPurchase(deps: Pick<OrderDeps, "records">, viewer: Viewer, id: PurchaseId): Promise<Purchase | undefined> {
  const purchase = await deps.records.purchase(id);
  return purchase !== undefined && (await maySee(deps, viewer, purchase)) ? purchase : undefined;
}

export async function findOrder(deps: Pick<OrderDeps, "records">, viewer: Viewer, id: PurchaseId): Promise<Order | undefined> {
  const purchase = await findPurchase(deps, viewer, id);
  return purchase && orderOf(deps, purchase);
}

/** The order view of a purchase: with its seller, its sale's terms, payments and refunds. */
export async function orderOf(deps: Pick<OrderDeps, "records">, purchase: Purchase): Promise<Order> {
  const [product, sale, payments, refunds] = await Promise.all([
    deps.records.productEver(purchase.productId),
    deps.records.sale(purchase.saleId),
    deps.records.paymentsOf(purchase.id),
    deps.records.refundsOf(purchase.id),
  ]);
  return { purchase, product, extensionsMax: sale?.payExtensionsMax ?? 0, payments, refunds };
}

/** A buyer's purchase by the key it was made under. */
export function findByKey(
  deps: Pick<OrderDeps, "records">,
  ask: { saleId: SaleId; buyerId: BuyerId; key: string },
): Promise<Purchase | undefined> {
  return deps.records.purchaseByKey(ask);
}

export function listPurchases(
  deps: Pick<OrderDeps, "records">,
  buyerId: BuyerId,
  ask: { query: PurchaseQuery; page: Page },
): Promise<Listing<Purchase>> {
  return deps.records.purchasesOf(buyerId, ask.query, ask.page);
}

/** What a buyer has bought in a sale and not given back. */
export type Bought = { readonly quantity: number; readonly purchaseIds: readonly PurchaseId[] };

export async function boughtIn(
  deps: Pick<OrderDeps, "records">,
  { saleId, buyerId }: { saleId: SaleId; buyerId: BuyerId },
): Promise<Bought> {
  const states = ["queued", "reserved", "paid"] as const;
  // A buyer's purchases in one sale are bounded, and fit one page.
  const page = { offset: 0, limit: attemptsPerBuyerMax };
  const { items } = await deps.records.purchasesOf(buyerId, { saleId, state: states }, page);
  return { quantity: items.reduce((sum, { quantity }) => sum + quantity, 0), purchaseIds: items.map(({ id }) => id) };
}

/** Gives a reserved order's units back. A repeat answers like the first; a paid order is not cancelled but refunded. */
export async function cancelOrder(
  deps: OrderDeps,
  viewer: Viewer,
  id: PurchaseId,
): Promise<ReleaseOutcome | SaleUnknown | NotTried | Unknown> {
  const purchase = await findPurchase(deps, viewer, id);
  if (purchase === undefined) return { kind: "purchase_unknown" };
  // There is no order yet that could be cancelled; a moment later there is.
  if (purchase.state === "queued" || purchase.state === "stuck") return { kind: "not_allowed", purchase };
  const own = viewer.buyerId === purchase.buyerId;
  const release = own
    ? ({ kind: "cancel", purchaseId: id, buyerId: viewer.buyerId } as const)
    : ({ kind: "close", purchaseId: id } as const);
  const [answer] = await deps.acceptance.submit(purchase.saleId, [release]);
  return answer ?? { kind: "unknown" };
}

/** More time to pay, for the buyer itself, who names the deadline that it saw. A repeat answers like the first. */
export async function extendOrder(
  deps: OrderDeps,
  buyerId: BuyerId,
  { purchaseId, payByMs }: { readonly purchaseId: PurchaseId; readonly payByMs: number },
): Promise<ExtendHoldOutcome | SaleUnknown | NotTried | Unknown> {
  const purchase = await findPurchase(deps, { buyerId }, purchaseId);
  if (purchase === undefined) return { kind: "purchase_unknown" };
  // There is no order yet that could wait; a moment later there is.
  if (purchase.state === "queued" || purchase.state === "stuck") return { kind: "not_extendable", purchase };
  const [answer] = await deps.acceptance.submit(purchase.saleId, [{ kind: "extend_hold", purchaseId, buyerId, payByMs }]);
  return answer ?? { kind: "unknown" };
}

async function maySee({ records }: Pick<OrderDeps, "records">, { buyerId, access }: Viewer, purchase: Purchase): Promise<boolean> {
  if (buyerId === purchase.buyerId) return true;
  if (access === undefined) return false;
  if (access.merchant === undefined) return true;
  const product = await records.productEver(purchase.productId);
  return product !== undefined && mayReach(access, product.seller);
}
