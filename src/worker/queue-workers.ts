/** What works behind a cache that decides: settling, opening, feeding, relaying, comparing. */
import type { Scope } from "../domain/scope.ts";
import type { QueuedParts } from "../engine/queue/queued-parts.ts";
import { relayAfterMs, relayScope } from "../engine/queue/relay-outbox.ts";
import type { JournalSource } from "../ports/journal.ts";
import type { QueueLedger } from "../ports/queue-ledger.ts";
import type { StockCache } from "../ports/stock-cache.ts";
import type { StopSignal } from "../ports/tasks.ts";
import { runLoop, type LoopOptions } from "./loop.ts";

/** A closing is answered within this and the time of one read. */
export const scopesTickMs = 250;
export const openTickMs = 200;
export const feedTickMs = 100;
export const relayTickMs = 1_000;
export const reconcileTickMs = 5_000;
/** Lines that are asked for anew in one round. */
const parkedMax = 500;

export function runScopeFollower({ book }: Pick<QueuedParts, "book">, loop: LoopOptions): Promise<void> {
  return runLoop(loop, async () => {
    await book.refresh();
    return false;
  });
}

export async function runOpener(
  { opener, readmission }: Pick<QueuedParts, "opener" | "readmission">,
  { ledger }: { ledger: Pick<QueueLedger, "scopes"> },
  loop: LoopOptions,
): Promise<void> {
  await runLoop(loop, async (fence) => {
    let isMore = await opener.round(fence, loop.signal);
    for (const scope of await openScopes(ledger)) isMore = (await readmission.askParked(scope.id, parkedMax)) || isMore;
    return isMore;
  });
  // The store is closed behind the workers.
  await opener.idle();
}

export function runFeeder({ feeder }: Pick<QueuedParts, "feeder">, loop: LoopOptions): Promise<void> {
  return runLoop(loop, () => feeder.round());
}

export function runRelay(
  deps: Pick<QueuedParts, "carrier"> & {
    readonly ledger: Pick<QueueLedger, "scopes">;
    readonly cache: Pick<StockCache, "outbox" | "journaled">;
  },
  loop: LoopOptions,
): Promise<void> {
  return runLoop(loop, async () => {
    for (const scope of await deps.ledger.scopes())
      // What closes may have entries, too, as long as its cache stands.
      if (scope.state === "open" || scope.state === "closing") await relayScope(deps, scope, { olderThanMs: relayAfterMs });
    return false;
  });
}

export function runReconciler({ reconciler }: Pick<QueuedParts, "reconciler">, loop: LoopOptions): Promise<void> {
  return runLoop(loop, async () => {
    await reconciler.round();
    return false;
  });
}

/** Reads every partition until the signal; the broker lets one process at a time have each. */
export async function readPartitions(
  { settler }: Pick<QueuedParts, "settler">,
  { source, partitions }: { source: JournalSource; partitions: number },
  signal: StopSignal,
): Promise<void> {
  const settles = settler(signal);
  const readers = Array.from({ length: partitions }, (_, partition) => source.read(partition, (deliveries) => settles.handle(deliveries)));
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await Promise.all(readers.map((reader) => reader.stop()));
}

async function openScopes(ledger: Pick<QueueLedger, "scopes">): Promise<Scope[]> {
  return (await ledger.scopes()).filter(({ state }) => state === "open");
}
