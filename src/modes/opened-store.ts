import type { ServerStore } from "../adapters/sql/server-store.ts";
import type { AccountStore } from "../ports/account-store.ts";
import type { Catalogue } from "../ports/catalogue.ts";
import type { Exports } from "../ports/exports.ts";
import type { Journal, JournalSource } from "../ports/journal.ts";
import type { Presence } from "../ports/presence.ts";
import type { QueueLedger } from "../ports/queue-ledger.ts";
import type { StockCache } from "../ports/stock-cache.ts";
import type { Records } from "../ports/records.ts";
import type { StockLedger } from "../ports/stock-ledger.ts";

/** The system of record as the rest is built on it, whatever the mode. */
export type OpenedStore = {
  readonly ledger: StockLedger;
  readonly catalogue: Catalogue;
  readonly records: Records;
  readonly accounts: AccountStore;
  readonly exports: Exports;
  /** No id in the store is larger. */
  readonly idFloor: string;
  /** The clock must not go behind it. */
  readonly lastAtMs: number;
  readonly installation: string;
  readonly migrations: readonly string[];
  /** What several processes on one store need of each other; absent in embedded mode. */
  readonly shared?: SharedStore | undefined;
  /** Where a cache decides and a broker carries. */
  readonly queue?: OpenedQueue | undefined;
  close(): Promise<void>;
};

export type OpenedQueue = {
  readonly ledger: QueueLedger;
  readonly cache: StockCache;
  readonly journal: Journal;
  readonly source: JournalSource;
  readonly presence: Presence;
  readonly partitions: number;
};

export type SharedStore = Pick<ServerStore, "leases" | "changeFeed" | "membership" | "database"> & {
  /** The store's time minus what this process's monotonic clock shows, as last measured. */
  readonly offsetMs: () => number;
  /** Measures it anew. Throws StoreUnavailable. */
  readonly measureClock: () => Promise<void>;
};
