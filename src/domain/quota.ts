import type { Sale } from "./sale.ts";

/** Of a buyer's own limit for a product; publishing a sale copies the product's quotas into it. */
export const quotaUnitsMax = 1_000_000;

/** The limit in force: the buyer's quota where there is one, else the sale's default. Remaining = limit − units. */
export function limitInForce(sale: Pick<Sale, "perBuyerLimit">, quota: number | undefined): number {
  return quota ?? sale.perBuyerLimit;
}
