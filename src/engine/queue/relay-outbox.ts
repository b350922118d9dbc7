/** Publishes what stands in outboxes for too long: whoever put it there is dead, or could not take it away again. */
import type { Scope } from "../../domain/scope.ts";
import type { StockCache } from "../../ports/stock-cache.ts";
import type { Carrier } from "./carrier.ts";

export type RelayDeps = { readonly cache: Pick<StockCache, "outbox">; readonly carrier: Carrier };

export const relayAfterMs = 2_000;
const entriesMax = 100;

/** Publishes and takes away; how many entries there were. What the cache does not say now, it says in the next round. */
export async function relayScope({ cache, carrier }: RelayDeps, scope: Scope, { olderThanMs }: { olderThanMs: number }): Promise<number> {
  const { id: scopeId, epoch } = scope;
  let relayed = 0;
  const seen = new Set<string>();
  for (;;) {
    const entries = await cache.outbox({ scopeId, epoch, olderThanMs, countMax: entriesMax });
    const fresh = entries.kind === "ok" ? entries.value.filter(({ id }) => !seen.has(id)) : [];
    // They leave the outbox a moment after their confirm.
    if (fresh.length === 0) return relayed;
    for (const { id } of fresh) seen.add(id);
    await Promise.all(fresh.map((entry) => carrier.carry(scope, entry)));
    relayed += fresh.length;
  }
}
