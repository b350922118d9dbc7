import type { BuyerId, ProductId } from "./ids.ts";
import type { Sale } from "./sale.ts";

/** A buyer's own limit for a product; publishing a sale copies the product's quotas into it. */
export type Quota = { readonly productId: ProductId; readonly buyerId: BuyerId; readonly units: number };

export const quotaUnitsMax = 1_000_000;

/** The limit in force: the buyer's quota where there is one, else the sale's default. Remaining = limit − units. */
export function limitInForce(sale: Pick<Sale, "perBuyerLimit">, quota: number | undefined): number {
  return quota ?? sale.perBuyerLimit;
}
