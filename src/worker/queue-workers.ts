/** What works behind a cache that decides: settling, opening, feeding, relaying, comparing. */
import type { ScopeId } from "../domain/journal-message.ts";
import type { Scope } from "../domain/scope.ts";
import type { QueuedParts } from "../engine/queue/queued-parts.ts";
import { relayAfterMs, relayScope } from "../engine/queue/relay-outbox.ts";
import { sweepCache, type SweepDeps } from "../engine/queue/sweep-cache.ts";
import { ScopeWork } from "../engine/queue/scope-work.ts";
import type { Delivery, JournalSource } from "../ports/journal.ts";
import type { QueueLedger } from "../ports/queue-ledger.ts";
import type { StockCache } from "../ports/stock-cache.ts";
import { StoreUnavailable } from "../ports/store-unavailable.ts";
import type { StopSignal } from "../ports/tasks.ts";
import { runLoop, type LoopOptions } from "./loop.ts";

/** A closing is answered within this and the time of one read. */
export const scopesTickMs = 250;
export const openTickMs = 200;
export const feedTickMs = 100;
export const relayTickMs = 1_000;
export const reconcileTickMs = 5_000;
export const sweepCacheTickMs = 60_000;
/** Lines that are asked for anew in one round. */
const parkedMax = 500;
/** A round waits so long for what waits for the broker. */
const patienceMs = 250;
/** A scope whose outbox was empty several times is asked in one of so many rounds more. */
const idleMax = 3;

export function runScopeFollower({ book }: Pick<QueuedParts, "book">, loop: LoopOptions): Promise<void> {
  return runLoop(loop, async () => {
    await book.refresh();
    return false;
  });
}

export async function runOpener(
  { opener, readmission }: Pick<QueuedParts, "opener" | "readmission">,
  { ledger }: { ledger: Pick<QueueLedger, "withParked"> },
  loop: LoopOptions,
): Promise<void> {
  const { tasks, signal, onUnavailable } = loop;
  const asking = new ScopeWork({ tasks });
  let isMore = false;
  /** Waits for the broker, so nobody waits for it. */
  const askParked = async ({ id }: { readonly id: ScopeId }) => {
    try {
      isMore = (await readmission.askParked(id, parkedMax)) || isMore;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      onUnavailable?.(error);
    }
  };
  await runLoop(loop, async (fence) => {
    isMore = false;
    const opens = await opener.round(fence, signal);
    await asking.round(
      (await ledger.withParked()).map((id) => ({ id })),
      askParked,
      patienceMs,
    );
    return opens || isMore;
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
  const relaying = new ScopeWork({ tasks: loop.tasks });
  /** Rounds in a row in which a scope had nothing to be relayed, and rounds until it is asked again. */
  const idle = new Map<ScopeId, { rounds: number; left: number }>();
  const relay = async (scope: Scope) => {
    const relayed = await relayScope(deps, scope, { olderThanMs: relayAfterMs });
    const rounds = relayed > 0 ? 0 : Math.min(idleMax, (idle.get(scope.id)?.rounds ?? 0) + 1);
    idle.set(scope.id, { rounds, left: rounds });
  };
  return runLoop(loop, async () => {
    const scopes = await deps.ledger.scopes();
    const due: Scope[] = [];
    for (const scope of scopes) {
      // What closes may have entries, too, as long as its cache stands.
      if (scope.state !== "open" && scope.state !== "closing") continue;
      const waits = idle.get(scope.id);
      if (waits !== undefined && waits.left-- > 0 && scope.state === "open") continue;
      due.push(scope);
    }
    const known = new Set(scopes.map(({ id }) => id));
    for (const id of idle.keys()) if (!known.has(id)) idle.delete(id);
    // One whose queue takes nothing holds up no other.
    await relaying.round(due, relay, patienceMs);
    return false;
  });
}

export function runReconciler({ reconciler }: Pick<QueuedParts, "reconciler">, loop: LoopOptions): Promise<void> {
  return runLoop(loop, async () => {
    await reconciler.round();
    return false;
  });
}

export function runCacheSweeper(deps: SweepDeps, loop: LoopOptions): Promise<void> {
  return runLoop(loop, async () => {
    await sweepCache(deps);
    return false;
  });
}

/** Reads every partition until the signal; the broker lets one process at a time have each. Rejects where a handler does: by a bug. */
export async function readPartitions(
  { settler }: Pick<QueuedParts, "settler">,
  { source, partitions }: { source: JournalSource; partitions: number },
  signal: StopSignal,
): Promise<void> {
  const settles = settler(signal);
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const handle = (deliveries: readonly Delivery[]) =>
    settles.handle(deliveries).catch((error: unknown) => {
      reject(error);
      throw error;
    });
  const readers = Array.from({ length: partitions }, (_, partition) => source.read(partition, handle));
  if (signal.aborted) resolve();
  else signal.addEventListener("abort", () => resolve(), { once: true });
  await ended;
  await Promise.all(readers.map((reader) => reader.stop()));
}
