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
import type { Sale } from "../../domain/sale.ts";
import type { Records } from "../../ports/records.ts";
import type { StockCache } from "../../ports/stock-cache.ts";
import type { StockLedger } from "../../ports/stock-ledger.ts";
import type { StopSignal, Tasks } from "../../ports/tasks.ts";
import type { DirectAcceptance } from "../accept-direct.ts";
import { SaleBoard, type SharedBoard } from "../sale-board.ts";
import { QueuedAcceptance, type QueuedOptions } from "./accept-queued.ts";
import { cacheMarks, CacheSource, isOfStanding } from "./cache-marks.ts";
import { Carrier } from "./carrier.ts";
import { deadLetters } from "./dead-letters.ts";
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

export type QueueStats = {
  readonly events: Readonly<Record<string, number>>;
  /** Messages that wait for their confirm in this process. */
  readonly unconfirmed: number;
  readonly brokerOpen: boolean;
};

export type QueuedParts = ReturnType<typeof queuedParts>;

/** What every process of queued mode has. */
export function queuedParts(ports: QueuedPorts, terms: Pick<FeedCacheDeps, "reopenDelayMs" | "quoteEveryMs">) {
  const book = new ScopeBook(ports);
  const carrier = new Carrier(ports);
  const readmission = new Readmission({ ...ports, carrier });
  const feeder = new CacheFeeder({ ...ports, ...terms });
  const opener = new ScopeOpener({ ...ports, carrier });
  const reconciler = new CacheReconciler(ports);
  const settlers: LineSettler[] = [];
  return {
    book,
    carrier,
    readmission,
    records: queuedRecords({ ...ports, book }),
    feeder,
    opener,
    reconciler,
    deadLetters: deadLetters(ports),
    settler: (signal: StopSignal) => {
      const settler = new LineSettler({ ...ports, readmission, signal });
      settlers.push(settler);
      return settler;
    },
    /** Plain numbers, read at each scrape. */
    stats: (): QueueStats => {
      const { lines, commits, repeats, parked, refused, buried, failures } = sumOf(settlers.map(({ counts }) => counts));
      return {
        events: {
          message_published: carrier.counts.published,
          message_republished: carrier.counts.republished,
          cache_lost: book.counts.losses,
          mark_sent: book.counts.marks,
          line_settled: lines - repeats - parked - refused,
          line_repeated: repeats,
          line_parked: parked,
          line_refused: refused,
          line_readmitted: readmission.counts.readmitted,
          line_put_aside: buried,
          line_recovered: reconciler.counts.republished,
          settling_commit: commits,
          settling_failure: failures,
          feed_row_applied: feeder.counts.rows,
          scope_cut: opener.counts.cuts,
          scope_opened: opener.counts.opened,
          cache_compared: reconciler.counts.compared,
          cache_drifted: reconciler.counts.drifted,
        },
        unconfirmed: carrier.carried,
        brokerOpen: ports.journal.isOpen,
      };
    },
  };
}

/** What a process has that answers buyers: the acceptance, and the board from whose copies it refuses. */
export function acceptQueued(
  ports: QueuedPorts & { readonly direct: DirectAcceptance; readonly board: SaleBoard },
  { book, carrier }: Pick<QueuedParts, "book" | "carrier">,
  { salesMax, buyersMax, marks: terms, ...options }: AcceptingOptions,
) {
  const source = new CacheSource({ ...ports, book });
  const shared = { feed: source, isCurrent: (sale: Sale) => isOfStanding(book, sale), ...terms };
  const marksBoard = new SaleBoard({ ...ports, source }, { salesMax, buyersMax, shared });
  const marks = cacheMarks(marksBoard, book);
  const ledgerAnswers = new LedgerAnswers({ ...ports, marks });
  const orders = new OrderWatch(ports);
  const acceptance = new QueuedAcceptance({ ...ports, book, carrier, marks, ledgerAnswers, orders }, options);
  return { acceptance, marks: marksBoard };
}

const noCounts = { lines: 0, commits: 0, repeats: 0, parked: 0, refused: 0, buried: 0, failures: 0 };

function sumOf(all: readonly (typeof noCounts)[]): typeof noCounts {
  const sum = { ...noCounts };
  // Its keys are those of the counts that it begins with.
  for (const name of Object.keys(sum) as (keyof typeof noCounts)[]) for (const counts of all) sum[name] += counts[name];
  return sum;
}
