/**
 * What the ledger decides by itself and the cache must learn: units and limits that flow back, more units, switches. One
 * numbered row for each commit that has something to tell, applied in the order of the numbers, each once.
 */
import type { SaleWrites } from "./batch-state.ts";
import type { BuyerId, PurchaseId, SaleId } from "./ids.ts";
import { countsAgainstLimit, type Purchase } from "./purchase.ts";
import type { Sale } from "./sale.ts";

export type FeedPatch = {
  readonly saleId: SaleId;
  /** Units that can be had again, or more. Never fewer: those are taken at a cut. */
  readonly available: number;
  /** Changes of buyers' units that count against their limits. */
  readonly buyers: readonly (readonly [buyerId: BuyerId, units: number])[];
  /** Keys that may be used again, for their purchases were refused after all. */
  readonly keys?: readonly (readonly [buyerId: BuyerId, key: string, purchaseId: PurchaseId])[] | undefined;
  /** Switches as they are now, if one was turned. */
  readonly paused?: boolean | undefined;
  readonly endsAtMs?: number | undefined;
  readonly cancelled?: true | undefined;
};

export type FeedRow = { readonly number: number; readonly patch: FeedPatch };

/** What a commit has to tell the cache, or undefined. `before`: the sale and the purchases as the commit found them. */
export function feedOf(
  before: { readonly sale: Sale; readonly purchases: ReadonlyMap<PurchaseId, Purchase> },
  writes: Pick<SaleWrites, "sale" | "newPurchases" | "changedPurchases" | "freed">,
): FeedPatch | undefined {
  const { sale } = writes;
  const buyers = new Map<BuyerId, number>();
  const count = (buyerId: BuyerId, units: number) => buyers.set(buyerId, (buyers.get(buyerId) ?? 0) + units);
  let available = sale.balances.available - before.sale.balances.available;
  const keys: (readonly [BuyerId, string, PurchaseId])[] = [];
  for (const { buyerId, quantity, key, purchaseId } of writes.freed) {
    available += quantity;
    count(buyerId, -quantity);
    if (key !== undefined) keys.push([buyerId, key, purchaseId]);
  }
  // What lines took, the cache had taken before.
  for (const { state, quantity } of writes.newPurchases.values()) if (state === "reserved") available += quantity;
  const counted = (purchase: Purchase) => (countsAgainstLimit(purchase, sale.refundedUnitsCount) ? purchase.quantity : 0);
  for (const { purchase, from } of writes.changedPurchases.values()) {
    const old = before.purchases.get(purchase.id);
    // A line that settles after all: the cache has counted it since it accepted it.
    if (from === "queued" || from === "stuck") available += purchase.state === "reserved" ? purchase.quantity : 0;
    else if (old !== undefined && counted(old) !== counted(purchase)) count(purchase.buyerId, counted(purchase) - counted(old));
  }
  const isCancelled = sale.phase === "cancelled";
  const patch: FeedPatch = {
    saleId: sale.id,
    // Whatever a cancelled sale has free is nobody's.
    available: isCancelled ? 0 : available,
    buyers: [...buyers].filter(([, units]) => units !== 0),
    ...(keys.length > 0 && { keys }),
    ...(sale.paused !== before.sale.paused && { paused: sale.paused }),
    ...(sale.endsAtMs !== before.sale.endsAtMs && { endsAtMs: sale.endsAtMs }),
    ...(isCancelled && before.sale.phase !== "cancelled" && { cancelled: true }),
  };
  return Object.keys(patch).length > 3 || patch.available !== 0 || patch.buyers.length > 0 ? patch : undefined;
}
