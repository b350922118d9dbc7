/**
 * Sales that are over give back what they did not sell: free units are withdrawn, and go back to the product's inventory
 * if they came from there. Which sales are due is read from committed state; whether one really is, is decided again
 * under its lock, so nothing is settled twice and nothing that is still held.
 */
import type { AdjustmentId } from "../domain/ids.ts";
import type { Acceptance } from "../ports/acceptance.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { Fence } from "../ports/leases.ts";
import type { Records } from "../ports/records.ts";
import type { ProductCache } from "./product-cache.ts";

export type SettleDeps = {
  readonly records: Records;
  readonly acceptance: Acceptance;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly products: ProductCache;
};

/** Sales settled in one round; buyers' purchases share the same commits. */
export const settlementsMax = 100;

export type SettleResult = { readonly due: number; readonly settled: number; readonly units: number };

export async function settleDue(
  deps: SettleDeps,
  { countMax = settlementsMax, fence }: { countMax?: number | undefined; fence?: Fence | undefined } = {},
): Promise<SettleResult> {
  const due = await deps.records.salesToSettle(deps.clock.nowMs(), countMax);
  const answers = await Promise.all(
    // A freshly minted id is a settlement's by its use here.
    due.map((saleId) => deps.acceptance.submit(saleId, [{ kind: "settle", adjustmentId: deps.ids.mint() as AdjustmentId }], { fence })),
  );
  const settled = answers.flat().flatMap((answer) => (answer.kind === "settled" && !answer.repeated ? [answer] : []));
  for (const { sale } of settled) if (sale.fromInventory) deps.products.forget(sale.productId);
  return { due: due.length, settled: settled.length, units: settled.reduce((sum, { units }) => sum + units, 0) };
}
