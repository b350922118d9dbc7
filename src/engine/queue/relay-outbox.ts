/** Publishes what stands in outboxes for too long: whoever put it there is dead, or could not take it away again. */
import type { Scope } from "../../domain/scope.ts";
import type { StockCache } from "../../ports/stock-cache.ts";
import type { Carrier } from "./carrier.ts";

export type RelayDeps = { readonly cache: Pick<StockCache, "outbox" | "journaled">; readonly carrier: Carrier };

export const relayAfterMs = 2_000;
const entriesMax = 100;

/** Publishes and takes away; how many entries there were. What the cache does not say now, it says in the next round. */
export async function relayScope({ cache, carrier }: RelayDeps, scope: Scope, { olderThanMs }: { olderThanMs: number }): Promise<number> {
  const { id: scopeId, epoch } = scope;
  for (let relayed = 0; ;) {
    const entries = await cache.outbox({ scopeId, epoch, olderThanMs, countMax: entriesMax });
    if (entries.kind !== "ok" || entries.value.length === 0) return relayed;
    const confirmed = await Promise.all(entries.value.map((entry) => carrier.carry(scope, entry)));
    const gone = await cache.journaled({ scopeId, epoch, entries: entries.value.map(({ id }) => id).filter((_, i) => confirmed[i]) });
    // Otherwise the same ones would come again.
    if (gone.kind !== "ok" || confirmed.includes(false)) return relayed;
    relayed += entries.value.length;
  }
}
