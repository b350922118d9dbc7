/**
 * The system of record on a database server, which any number of processes share: MariaDB, MySQL or PostgreSQL.
 *
 *   commits ─► one transaction per batch, under the sale's row lock, by the server's clock
 *   reads   ─► connections of their own, each statement sees what was committed when it began
 */
import type { AccountStore } from "../../ports/account-store.ts";
import type { Catalogue } from "../../ports/catalogue.ts";
import type { ChangeFeed } from "../../ports/change-feed.ts";
import type { Exports } from "../../ports/exports.ts";
import type { Leases } from "../../ports/leases.ts";
import type { Records } from "../../ports/records.ts";
import type { StockLedger } from "../../ports/stock-ledger.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import { exportReaders } from "./export-readers.ts";
import { readExtent, type Extent } from "./extent.ts";
import { openMysql } from "./mysql-driver.ts";
import { openPostgres } from "./postgres-driver.ts";
import { recordReaders } from "./read-records.ts";
import { serverAccounts } from "./server-accounts.ts";
import { ServerCatalogue } from "./server-catalogue.ts";
import { ServerChangeFeed } from "./server-change-feed.ts";
import { assertOneWriter } from "./server-cluster.ts";
import { ServerDatabase } from "./server-database.ts";
import { ServerError, type ServerDriver, type ServerLimits } from "./server-driver.ts";
import { ServerLeases } from "./server-leases.ts";
import { ServerLedger, type ServerLedgerOptions } from "./server-ledger.ts";
import { migrateServer } from "./server-migrate.ts";
import { registerProcess, type Membership, type ProcessIntroduction } from "./server-processes.ts";

export type ServerStoreOptions = {
  /** mysql://user:password@host:port/database, mariadb://… or postgres://… */
  readonly url: string;
  readonly limits?: Partial<ServerLimits> | undefined;
  readonly ledger: ServerLedgerOptions;
  readonly process: ProcessIntroduction;
};

export type ServerStore = Extent & {
  readonly ledger: StockLedger;
  readonly catalogue: Catalogue;
  readonly records: Records;
  readonly accounts: AccountStore;
  readonly exports: Exports;
  readonly leases: Leases;
  readonly changeFeed: ChangeFeed;
  readonly database: ServerDatabase;
  /** This process among those that share the store. */
  readonly membership: Membership;
  close(): Promise<void>;
};

export const serverLimitsDefault: ServerLimits = {
  writesMax: 6,
  readsMax: 4,
  acquireTimeoutMs: 1_000,
  statementTimeoutMs: 5_000,
  lockTimeoutMs: 4_000,
  idleTimeoutMs: 5_000,
};
const openingLimits = { writesMax: 1, readsMax: 1, acquireTimeoutMs: 5_000 };
/** An index over a full table takes its time. Whoever waits for a table has everybody else wait behind, so that is short. */
const migrationLimits = { ...openingLimits, statementTimeoutMs: 3_600_000, lockTimeoutMs: 1_000, idleTimeoutMs: 600_000 };

/** Throws DatabaseUrlWrong. */
export function openServerDriver(url: string, limits: Partial<ServerLimits> = {}): ServerDriver {
  const all = { ...serverLimitsDefault, ...limits };
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  switch (parsed?.protocol) {
    case "mysql:":
    case "mariadb:":
      return openMysql(parsed, all);
    case "postgres:":
    case "postgresql:":
      return openPostgres(parsed, all);
    default:
      throw new DatabaseUrlWrong();
  }
}

export class DatabaseUrlWrong extends Error {
  override readonly name = "DatabaseUrlWrong";
  readonly code = "database_url_wrong";
  constructor() {
    super("Open the database: its URL must begin with mysql://, mariadb:// or postgres://");
  }
}

/** Migrates the database; the names of what was missing. */
export const migrateServerStore = (url: string): Promise<readonly string[]> => withDriver(url, migrationLimits, migrateServer);

/** Throws an Error that says why, if other servers take writes for the same rows. */
export const assertOneWritingServer = (url: string): Promise<void> => withDriver(url, openingLimits, assertOneWriter);

async function withDriver<Value>(url: string, limits: Partial<ServerLimits>, use: (driver: ServerDriver) => Promise<Value>) {
  const driver = openServerDriver(url, limits);
  try {
    return await use(driver);
  } catch (error) {
    if (!(error instanceof ServerError) || error.kind === "defect") throw error;
    throw new StoreUnavailable("unavailable", `Open the database "${driver.name}": ${error.message}`, error);
  } finally {
    await driver.close();
  }
}

/** Migrates and opens. Throws an Error that says what is wrong with the server. */
export async function openServerStore({ url, limits, ledger, process }: ServerStoreOptions): Promise<ServerStore> {
  await migrateServerStore(url);
  const database = new ServerDatabase(openServerDriver(url, limits));
  try {
    const extent = await readExtent(database.reads);
    const membership = await registerProcess(database, process);
    const records = recordReaders(database.reads);
    return {
      ...extent,
      ledger: new ServerLedger(database, ledger),
      catalogue: new ServerCatalogue(database),
      records: { ...records, buyersOf: async (...ask) => Float64Array.from(await records.buyersOf(...ask)) },
      accounts: serverAccounts(database),
      exports: exportReaders(database.reads),
      leases: new ServerLeases(database, membership.number, () => performance.now()),
      changeFeed: new ServerChangeFeed(database, () => performance.now()),
      database,
      membership,
      close: async () => {
        await membership.leave().catch(() => undefined);
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}
