/**
 * Queued acceptance over models of cache and broker, with its workers running, on a clock that a test turns. Workers take
 * their pauses in turns of the event loop, so everything that is on its way arrives while the clock stands still.
 */
import { MemoryBroker, MemoryJournal } from "../../src/adapters/memory/memory-journal.ts";
import { DirectAcceptance } from "../../src/engine/accept-direct.ts";
import { acceptQueued, queuedParts } from "../../src/engine/queue/queued-parts.ts";
import { SaleBoard } from "../../src/engine/sale-board.ts";
import type { Log } from "../../src/ports/log.ts";
import type { QueueLedger } from "../../src/ports/queue-ledger.ts";
import type { Records } from "../../src/ports/records.ts";
import type { StockCache } from "../../src/ports/stock-cache.ts";
import type { StockLedger } from "../../src/ports/stock-ledger.ts";
import { StoreUnavailable } from "../../src/ports/store-unavailable.ts";
import type { Tasks } from "../../src/ports/tasks.ts";
import { eventually, turns, type ManualTime } from "./manual-time.ts";
import { SeededEntropy } from "./seeded-entropy.ts";

export const quietLog: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export type StackOptions = {
  readonly stockLedger: StockLedger;
  readonly ledger: QueueLedger;
  readonly cache: StockCache;
  readonly records: Records;
  readonly time: ManualTime;
  readonly broker?: MemoryBroker;
  readonly partitions: number;
  readonly batchMax?: number;
  readonly queueMax?: number;
  readonly answerTimeoutMs?: number;
  readonly outboxMax?: number;
  readonly presence?: { number: number; life: string; unbroken: number | undefined };
  /** Whether it opens and feeds, besides answering. */
  readonly works?: boolean;
  /** Between two rounds of its work: a turn of the event loop, or more where a round asks a real server. */
  readonly betweenRounds?: (() => Promise<void>) | undefined;
};

export type QueuedStack = ReturnType<typeof queuedStack>;

export function queuedStack(options: StackOptions) {
  const { time, stockLedger, ledger, cache, records, broker = new MemoryBroker() } = options;
  const { batchMax = 8, queueMax = 64, answerTimeoutMs = 1_000, outboxMax = 100 } = options;
  const tasks: Tasks = {
    soon: (run) => time.soon(run),
    after: (ms, run) => time.after(ms, run),
    sleep: () => turns(1),
  };
  const journal = new MemoryJournal(broker);
  const entropy = new SeededEntropy(3);
  const presence = options.presence ?? { number: 1, life: "one", unbroken: 1 };
  const ports = { stockLedger, ledger, cache, journal, records, presence, clock: time, tasks, entropy, log: quietLog };
  const parts = queuedParts(ports, { reopenDelayMs: 0, quoteEveryMs: 0 });
  const board = new SaleBoard({ records, clock: time, entropy }, { salesMax: 100, buyersMax: 10_000, shared: sharedOf(0) });
  const direct = new DirectAcceptance({ ledger: stockLedger, board, clock: time, tasks: time }, { batchMax, queueMax, answerTimeoutMs });
  const accepting = acceptQueued({ ...ports, direct, board }, parts, {
    batchMax,
    queueMax,
    answerTimeoutMs,
    outboxMax,
    salesMax: 100,
    buyersMax: 10_000,
    marks: { leaseMs: 250, edgeMs: 250 },
  });
  const stop = new AbortController();
  const settler = parts.settler(stop.signal);
  const readers = Array.from({ length: options.partitions }, (_, partition) => journal.read(partition, (all) => settler.handle(all)));
  const work = { isOn: true };
  const { works = true, betweenRounds = () => turns(1) } = options;
  const rounds = async () => {
    await parts.book.refresh();
    if (!works) return;
    await parts.opener.round();
    await parts.feeder.round();
    for (const scope of parts.book.open()) await parts.readmission.askParked(scope.id, 100);
  };
  const working = (async () => {
    while (!stop.signal.aborted) {
      if (work.isOn) await rounds().catch(onlyAway);
      await betweenRounds();
    }
  })();
  /** Until nothing is on its way: every scope open and fed, or over, and the broker empty. */
  const rest = async () => {
    await turns(8);
    await eventually(async () => {
      if (broker.depth > 0 || parts.carrier.carried > 0) return false;
      for (const scope of await ledger.scopes()) if (!(await isFed(scope.id))) return false;
      return true;
    }, "the cache to stand where the ledger does");
    await rounds();
  };
  const isFed = async (scopeId: Parameters<QueueLedger["scope"]>[0]) => {
    const scope = await ledger.scope(scopeId);
    const standing = parts.book.peek(scopeId);
    if (scope?.state !== "open" || standing?.kind !== "open" || standing.scope.epoch !== scope.epoch) return false;
    const [saleId] = await ledger.salesOf(scopeId);
    if (saleId === undefined) return false;
    const view = await cache.look({ scopeId, epoch: scope.epoch, saleId });
    return view.kind !== "ok" || view.value.feed === scope.feed;
  };
  const close = async () => {
    stop.abort();
    accepting.acceptance.close();
    for (const reader of readers) await reader.stop();
    await working;
  };
  return { ...parts, ...accepting, board, direct, broker, journal, presence, work, settler, rest, rounds, close };
}

const sharedOf = (leaseMs: number) => ({ feed: { buyersBetween: async () => undefined }, leaseMs, edgeMs: 250 });

function onlyAway(error: unknown): void {
  if (!(error instanceof StoreUnavailable)) throw error;
}
