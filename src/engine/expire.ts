/**
 * Orders that nobody paid in time give their units back. Which are due is read from committed state; whether one really
 * is, is decided again under the sale's lock by the commit's own time, so none goes early and a payment that came
 * between wins (I11).
 */
import type { PurchaseId, SaleId } from "../domain/ids.ts";
import type { Release } from "../domain/movement.ts";
import type { Acceptance } from "../ports/acceptance.ts";
import type { Clock } from "../ports/clock.ts";
import type { Fence } from "../ports/leases.ts";
import type { Records } from "../ports/records.ts";

export type ReleaseDeps = { readonly records: Records; readonly acceptance: Acceptance; readonly clock: Clock };

/** Orders released in one round; buyers' purchases share the same commits and must find room in them. */
export const releasesMax = 500;

export type ReleaseAsk = {
  readonly countMax?: number | undefined;
  /** Whose process may release at this time. */
  readonly fence?: Fence | undefined;
};
export type ReleaseResult = { readonly due: number; readonly released: number };

/** Expires the reserved orders whose deadline has passed, the longest overdue first. */
export async function expireDue(deps: ReleaseDeps, { countMax = releasesMax, fence }: ReleaseAsk = {}): Promise<ReleaseResult> {
  return release(deps, { kind: "expire", fence }, await deps.records.duePurchases(deps.clock.nowMs(), countMax));
}

/** Closes the reserved orders of cancelled sales. */
export async function closeCancelled(deps: ReleaseDeps, { countMax = releasesMax, fence }: ReleaseAsk = {}): Promise<ReleaseResult> {
  return release(deps, { kind: "close", fence }, await deps.records.purchasesToClose(countMax));
}

async function release(
  deps: ReleaseDeps,
  { kind, fence }: { kind: "expire" | "close"; fence: Fence | undefined },
  due: readonly { id: PurchaseId; saleId: SaleId }[],
): Promise<ReleaseResult> {
  const bySale = new Map<SaleId, Release[]>();
  for (const { id, saleId } of due) {
    const releases = bySale.get(saleId);
    const movement: Release = { kind, purchaseId: id };
    if (releases === undefined) bySale.set(saleId, [movement]);
    else releases.push(movement);
  }
  const answers = await Promise.all([...bySale].map(([saleId, movements]) => deps.acceptance.submit(saleId, movements, { fence })));
  const released = answers.flat().filter((answer) => answer.kind === "released" && !answer.repeated).length;
  return { due: due.length, released };
}
