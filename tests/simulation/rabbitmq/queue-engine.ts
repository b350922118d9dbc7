/** The queued engine of one process and its loops, as modes/queued-engine.ts and modes/loops.ts put them together. */
import type { DirectAcceptance } from "../../../src/engine/accept-direct.ts";
import { quoteEveryMs } from "../../../src/engine/queue/feed-cache.ts";
import {
  acceptQueued,
  queuedParts,
  type AcceptingOptions,
  type QueuedParts,
  type QueuedPorts,
} from "../../../src/engine/queue/queued-parts.ts";
import type { SaleBoard } from "../../../src/engine/sale-board.ts";
import type { Journal, JournalSource } from "../../../src/ports/journal.ts";
import type { Presence } from "../../../src/ports/presence.ts";
import type { QueueLedger } from "../../../src/ports/queue-ledger.ts";
import type { StockCache } from "../../../src/ports/stock-cache.ts";
import type { StopSignal } from "../../../src/ports/tasks.ts";
import type { LoopOptions } from "../../../src/worker/loop.ts";
import {
  feedTickMs,
  openTickMs,
  readPartitions,
  reconcileTickMs,
  relayTickMs,
  runFeeder,
  runOpener,
  runReconciler,
  runRelay,
  runScopeFollower,
  scopesTickMs,
} from "../../../src/worker/queue-workers.ts";

export type QueueFoundation = {
  readonly ledger: QueueLedger;
  readonly cache: StockCache;
  readonly journal: Journal;
  readonly source: JournalSource;
  readonly presence: Presence;
  readonly partitions: number;
  readonly terms: Pick<AcceptingOptions, "outboxMax" | "marks"> & { readonly reopenDelayMs: number };
};
type Ports = Omit<QueuedPorts, "ledger" | "cache" | "journal" | "presence"> & {
  readonly direct: DirectAcceptance;
  readonly board: SaleBoard;
};
type Bounds = Omit<AcceptingOptions, "outboxMax" | "marks">;

export function openQueue(queue: QueueFoundation, ports: Ports, bounds: Bounds) {
  const { outboxMax, marks: markTerms, reopenDelayMs } = queue.terms;
  const all = { ...ports, ...queue };
  const parts = queuedParts(all, { reopenDelayMs, quoteEveryMs });
  const { acceptance, marks } = acceptQueued(all, parts, { ...bounds, outboxMax, marks: markTerms });
  return { acceptance, marks, parts, records: parts.records };
}

type Loops = {
  readonly loop: (name: string, tickMs: number) => LoopOptions;
  readonly singleton: (name: string, tickMs: number) => LoopOptions;
  readonly roles: readonly string[];
  readonly signal: StopSignal;
};

export function queueLoops(queue: QueueFoundation, parts: QueuedParts, { loop, singleton, roles, signal }: Loops): Promise<void>[] {
  const running = [runScopeFollower(parts, loop("scope follower", scopesTickMs))];
  if (!roles.includes("worker")) return running;
  return [
    ...running,
    readPartitions(parts, queue, signal),
    runOpener(parts, queue, singleton("opener", openTickMs)),
    runFeeder(parts, singleton("feeder", feedTickMs)),
    runRelay({ ...queue, ...parts }, singleton("relay", relayTickMs)),
    runReconciler(parts, singleton("reconciler", reconcileTickMs)),
  ];
}
