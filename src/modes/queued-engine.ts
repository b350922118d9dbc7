/** The engine of queued mode over what was opened for it. */
import type { Config } from "../config/options.ts";
import type { DirectAcceptance } from "../engine/accept-direct.ts";
import { quoteEveryMs } from "../engine/queue/feed-cache.ts";
import { acceptQueued, queuedParts } from "../engine/queue/queued-parts.ts";
import type { SaleBoard } from "../engine/sale-board.ts";
import type { Clock } from "../ports/clock.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { Log } from "../ports/log.ts";
import type { Records } from "../ports/records.ts";
import type { Tasks } from "../ports/tasks.ts";
import type { OpenedQueue, OpenedStore } from "./opened-store.ts";
import { markLeaseMs, reopenDelayMs, startEdgeMs } from "./sql.ts";

const salesInMemoryMax = 20_000;
const buyersInMemoryMax = 2_000_000;
/** Lines in one call of the cache: more gain nothing, and others wait behind them. */
const linesInCallMax = 256;

export type QueuedEngineParts = {
  readonly store: OpenedStore;
  readonly queue: OpenedQueue;
  readonly records: Records;
  readonly board: SaleBoard;
  readonly direct: DirectAcceptance;
  readonly clock: Clock;
  readonly tasks: Tasks;
  readonly entropy: Entropy;
  readonly log: Log;
};

export function openQueuedEngine(config: Config, { store, queue, ...engine }: QueuedEngineParts) {
  const ports = { ...engine, ...queue, stockLedger: store.ledger };
  const parts = queuedParts(ports, { reopenDelayMs, quoteEveryMs });
  const { batchMax, queueMax, answerTimeoutMs, outboxMax } = config;
  const { acceptance, marks } = acceptQueued(ports, parts, {
    batchMax: Math.min(batchMax, linesInCallMax),
    queueMax,
    answerTimeoutMs,
    outboxMax,
    salesMax: salesInMemoryMax,
    buyersMax: buyersInMemoryMax,
    marks: { leaseMs: markLeaseMs, edgeMs: startEdgeMs },
  });
  return { acceptance, marks, records: parts.records, deadLetters: parts.deadLetters, queueStats: parts.stats, queuedParts: parts };
}
