/**
 * The parts of queued acceptance, put together over their ports: what answers buyers, and what works behind it.
 *
 *   buyers ─► acceptance ─► cache ─► carrier ─► broker ─► settler ─► ledger ─► feeder ─► cache
 *                                                                        └─► opener, relay, reconciler
 */
import type { Clock } from "../../ports/clock.ts";
import type { Entropy } from "../../ports/entropy.ts";
import type { Journal } from "../../ports/journal.ts";
import type { Log } from "../../ports/log.ts";
import type { Presence } from "../../ports/presence.ts";
import type { QueueLedger } from "../../ports/queue-ledger.ts";
import type { Records } from "../../ports/records.ts";
import type { StockCache } from "../../ports/stock-cache.ts";
import type { StockLedger } from "../../ports/stock-ledger.ts";
import type { StopSignal, Tasks } from "../../ports/tasks.ts";
import type { DirectAcceptance } from "../accept-direct.ts";
import { SaleBoard, type SharedBoard } from "../sale-board.ts";
import { QueuedAcceptance, type QueuedOptions } from "./accept-queued.ts";
import { cacheMarks, CacheSource } from "./cache-marks.ts";
import { Carrier } from "./carrier.ts";
import { CacheFeeder, type FeedCacheDeps } from "./feed-cache.ts";
import { LedgerAnswers } from "./ledger-answers.ts";
import { ScopeOpener } from "./open-scopes.ts";
import { OrderWatch } from "./order-watch.ts";
import { queuedRecords } from "./queued-records.ts";
import { Readmission } from "./readmit-lines.ts";
import { CacheReconciler } from "./reconcile-cache.ts";
import { ScopeBook } from "./scope-book.ts";
import { LineSettler } from "./settle-lines.ts";

export type QueuedPorts = {
  readonly stockLedger: StockLedger;
  readonly ledger: QueueLedger;
  readonly cache: StockCache;
  readonly journal: Journal;
  readonly records: Records;
  readonly presence: Presence;
  readonly clock: Clock;
  readonly tasks: Tasks;
  readonly entropy: Entropy;
  readonly log: Log;
};

export type AcceptingOptions = QueuedOptions & {
  readonly salesMax: number;
  readonly buyersMax: number;
  readonly marks: Omit<SharedBoard, "feed">;
};

export type QueuedParts = ReturnType<typeof queuedParts>;

/** What every process of queued mode has. */
export function queuedParts(ports: QueuedPorts, terms: Pick<FeedCacheDeps, "reopenDelayMs" | "quoteEveryMs">) {
  const book = new ScopeBook(ports);
  const carrier = new Carrier(ports);
  const readmission = new Readmission({ ...ports, carrier });
  return {
    book,
    carrier,
    readmission,
    records: queuedRecords({ ...ports, book }),
    feeder: new CacheFeeder({ ...ports, ...terms }),
    opener: new ScopeOpener({ ...ports, carrier }),
    reconciler: new CacheReconciler(ports),
    settler: (signal: StopSignal) => new LineSettler({ ...ports, readmission, signal }),
  };
}

/** What a process has that answers buyers: the acceptance, and the board from whose copies it refuses. */
export function acceptQueued(
  ports: QueuedPorts & { readonly direct: DirectAcceptance; readonly board: SaleBoard },
  { book, carrier }: Pick<QueuedParts, "book" | "carrier">,
  { salesMax, buyersMax, marks: terms, ...options }: AcceptingOptions,
) {
  const source = new CacheSource({ ...ports, book });
  const marksBoard = new SaleBoard({ ...ports, source }, { salesMax, buyersMax, shared: { feed: source, ...terms } });
  const marks = cacheMarks(marksBoard, book);
  const ledgerAnswers = new LedgerAnswers({ ...ports, marks });
  const orders = new OrderWatch(ports);
  const acceptance = new QueuedAcceptance({ ...ports, book, carrier, marks, ledgerAnswers, orders }, options);
  return { acceptance, marks: marksBoard };
}
