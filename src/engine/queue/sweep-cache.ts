/**
 * Removes from the cache what is left of epochs that are over: of those that the opener could not remove, for the cache was
 * away just then, and of scopes that ended meanwhile. The cache itself says what it was loaded with.
 */
import type { ScopeId } from "../../domain/journal-message.ts";
import type { QueueLedger } from "../../ports/queue-ledger.ts";
import type { StockCache } from "../../ports/stock-cache.ts";

export type SweepDeps = {
  readonly ledger: Pick<QueueLedger, "scopes" | "scope">;
  readonly cache: Pick<StockCache, "loaded" | "drop">;
};

/** For how many scopes the cache was asked to; what it does not do now, it is asked for again. Throws StoreUnavailable. */
export async function sweepCache({ ledger, cache }: SweepDeps): Promise<number> {
  const loaded = await cache.loaded();
  if (loaded.kind !== "ok" || loaded.value.length === 0) return 0;
  const wanted = new Map((await ledger.scopes()).map(({ id, epoch }) => [id, epoch]));
  let swept = 0;
  for (const scopeId of loaded.value) {
    const epoch = wanted.get(scopeId) ?? (await epochOver(ledger, scopeId));
    if (epoch !== undefined && (await cache.drop({ scopeId, epoch })).kind === "ok") swept += 1;
  }
  return swept;
}

/** The one behind the last of a scope that is over; undefined of another store's scope, which is none of ours. */
async function epochOver(ledger: SweepDeps["ledger"], scopeId: ScopeId): Promise<number | undefined> {
  const scope = await ledger.scope(scopeId);
  if (scope === undefined) return undefined;
  // Opened anew since it was not listed: what stands is kept.
  return scope.state === "closed" ? scope.epoch + 1 : scope.epoch;
}
