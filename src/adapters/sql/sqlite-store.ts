/**
 * The embedded mode's system of record: one SQLite database in a data folder that one server holds.
 *
 *   this thread ──JSON──► writer's thread (the only one that writes)
 *               ──JSON──► reader's thread
 *
 * This thread never waits for the disk. What a write answered is durable, and reads that begin afterwards see it.
 */
import type { AccountStore } from "../../ports/account-store.ts";
import type { Catalogue } from "../../ports/catalogue.ts";
import type { Exports } from "../../ports/exports.ts";
import type { Records } from "../../ports/records.ts";
import type { StockLedger } from "../../ports/stock-ledger.ts";
import { DataFolderLock } from "./data-folder-lock.ts";
import type { Extent } from "./extent.ts";
import { SqliteAccounts } from "./sqlite-accounts.ts";
import { SqliteCatalogue } from "./sqlite-catalogue.ts";
import { SqliteExports } from "./sqlite-exports.ts";
import { SqliteLedger } from "./sqlite-ledger.ts";
import { SqliteRecords } from "./sqlite-records.ts";
import { SaleMirror } from "./wire.ts";
import { WorkerClient } from "./worker-client.ts";
import type { Failpoints } from "./worker-protocol.ts";

export type SqliteStoreOptions = {
  /** Made if it does not exist. */
  readonly dataDir: string;
  /** How long a read or a catalogue write may take before it is given up as unanswered. Commits have the engine's patience. */
  readonly callTimeoutMs?: number | undefined;
  /** Tests only. */
  readonly failpoints?: Failpoints | undefined;
};

const callTimeoutDefaultMs = 5_000;

export type SqliteStore = {
  readonly ledger: StockLedger;
  readonly catalogue: Catalogue;
  readonly records: Records;
  readonly accounts: AccountStore;
  readonly exports: Exports;
  /** No id in the store is larger. */
  readonly idFloor: string;
  /** The latest time at which anything was committed: the clock must not go behind it. 0 in a new store. */
  readonly lastAtMs: number;
  /** Chosen at random when the store was made: what was signed for another store is not for this one. */
  readonly installation: string;
  /** Names of the migrations it has had. */
  readonly migrations: readonly string[];
  /** Waits for what is being written, then lets go of the data folder. */
  close(): Promise<void>;
};

/** Migrates, makes durable what is visible, and opens. Throws DataFolderLocked, or an Error that says what is wrong with the folder. */
export async function openSqliteStore({
  dataDir,
  callTimeoutMs = callTimeoutDefaultMs,
  failpoints,
}: SqliteStoreOptions): Promise<SqliteStore> {
  const lock = DataFolderLock.take(dataDir);
  const mirror = new SaleMirror();
  const writer = new WorkerClient(new URL("./writer-worker.ts", import.meta.url), { dataDir, failpoints }, () => mirror.clear());
  const reader = new WorkerClient(new URL("./reader-worker.ts", import.meta.url), { dataDir });
  const close = async (): Promise<void> => {
    for (const worker of [reader, writer]) {
      await worker.call("close", null).catch(() => undefined);
      await worker.close();
    }
    lock.release();
  };
  try {
    const extent = await writer.call<Extent>("extent", null);
    const records = new SqliteRecords(reader, callTimeoutMs);
    await records.totals();
    const catalogue = new SqliteCatalogue(writer, callTimeoutMs);
    const accounts = new SqliteAccounts({ writer, reader, timeoutMs: callTimeoutMs });
    const exports = new SqliteExports(reader, callTimeoutMs);
    return { ledger: new SqliteLedger(writer, mirror), catalogue, records, accounts, exports, ...extent, close };
  } catch (error) {
    await close();
    throw error;
  }
}
