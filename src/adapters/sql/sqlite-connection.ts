/**
 * Connections to the database file. The writer's keeps what it has answered: write-ahead log with a full sync per commit,
 * and at opening everything visible is brought into the database file and synced, for after a kill the log may hold
 * commits that were never synced.
 */
import Database from "better-sqlite3";
import { closeSync, fsyncSync, openSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../../lib/assert.ts";
import { sqlite } from "./dialect.ts";
import type { InsertStatement } from "./insert-statement.ts";
import { migrate } from "./migrate.ts";
import type { SqlTransaction, SqlValue } from "./sql-transaction.ts";
import { sqliteForm } from "./sqlite-insert.ts";

export const databaseName = "doorbuster.db";
/** Older ones may corrupt a write-ahead log that is reset while it is read. */
export const sqliteVersionMin = "3.51.3";
/**
 * Pages in the log before it is copied into the database: 16 MB. The longer, the fewer pages are copied twice, and the
 * longer the next commit waits: some 15 ms for this many.
 */
const checkpointPages = 4_000;
/** A log that an auditor's snapshot made grow gives its room back down to this. */
const logBytesKept = 64_000_000;
/**
 * Small on purpose. Whenever a full page of a tree was split, SQLite walks through its whole cache at the end of the
 * transaction; a page that is no longer in it comes from the system's cache for less. It must hold the inner pages of the
 * trees and what a batch changes.
 */
const writerCacheKib = 8_000;
const readerCacheKib = 16_000;
const writerBusyMs = 2_000;
/** The log's length is looked at after so many commits. */
const commitsPerLook = 16;

/** What the writer needs of a connection; tests wrap it to make it fail. */
export interface WriterConnection extends SqlTransaction {
  begin(): void;
  commit(): void;
  rollback(): void;
  readonly inTransaction: boolean;
  /** Whether the log is long enough to be copied; to be asked between transactions. */
  checkpointDue(): boolean;
  /** Copies as much of the log into the database as readers allow. Throws what SQLite throws. */
  checkpoint(): void;
  close(): void;
}

export class SqliteConnection implements WriterConnection {
  readonly dialect = sqlite;
  readonly database: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();
  /** The log's length at which to try again, while a reader keeps it from starting anew. */
  #checkpointAt = checkpointPages;
  #commitsSinceLook = 0;

  constructor(database: Database.Database) {
    this.database = database;
  }

  query<Row>(sql: string, params: readonly SqlValue[]): Row[] {
    // The row type is the statement's column list, which stands beside it in rows.ts.
    return this.#statement(sql).all(params) as Row[];
  }

  execute(sql: string, params: readonly SqlValue[]): number {
    return this.#statement(sql).run(params).changes;
  }

  async insert(statement: InsertStatement, rows: readonly SqlValue[], common?: readonly SqlValue[]): Promise<number> {
    return sqliteForm(statement).execute(this, rows, common);
  }

  begin(): void {
    this.#statement("BEGIN IMMEDIATE").run();
  }

  commit(): void {
    this.#statement("COMMIT").run();
  }

  rollback(): void {
    this.#statement("ROLLBACK").run();
  }

  get inTransaction(): boolean {
    return this.database.inTransaction;
  }

  checkpointDue(): boolean {
    // Asking costs half a microsecond for each line of a batch, and a few more commits make the log little longer.
    if (++this.#commitsSinceLook < commitsPerLook) return false;
    this.#commitsSinceLook = 0;
    const pages = this.#logPages("NOOP");
    if (pages < checkpointPages) this.#checkpointAt = checkpointPages;
    return pages >= this.#checkpointAt;
  }

  checkpoint(): void {
    this.#checkpointAt = this.#logPages("PASSIVE") + checkpointPages;
  }

  close(): void {
    this.database.close();
  }

  #logPages(mode: "NOOP" | "PASSIVE"): number {
    // The shape that SQLite documents for this pragma.
    const [result] = this.#statement(`PRAGMA wal_checkpoint(${mode})`).all() as { log: number }[];
    return result?.log ?? 0;
  }

  #statement(sql: string): Database.Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.database.prepare(failing(sqlite.words(sql)))));
    return statement;
  }
}

/**
 * A statement of many rows keeps a copy of every page it changes, to take back only itself should it fail. Whoever writes
 * here rolls the whole transaction back then, so a failing statement may leave its first rows: half the cost of a row.
 */
const failing = (sql: string): string => sql.replace(/^(INSERT|UPDATE) (?!OR )/, "$1 OR FAIL ");

/**
 * Opens the database for its one writer, migrates it and makes durable what is visible. `afterFailure`: a sync has failed
 * in this process, so the log must be copied whole. Throws what SQLite throws, or CheckpointBlocked.
 */
export function openWriter(dataDir: string, { afterFailure = false }: { afterFailure?: boolean | undefined } = {}): SqliteConnection {
  const path = join(dataDir, databaseName);
  // It holds password hashes and what people bought. SQLite gives the log beside it the same mode.
  closeSync(openSync(path, "a", 0o600));
  const database = new Database(path, { timeout: writerBusyMs });
  try {
    assertVersion(database);
    const mode = database.pragma("journal_mode = WAL", { simple: true });
    assert(mode === "wal", `the database has a write-ahead log, got "${String(mode)}"`);
    database.pragma("synchronous = FULL");
    database.pragma("foreign_keys = ON");
    database.pragma("temp_store = MEMORY");
    // Its own would run inside a commit that somebody waits for, and keep a failed sync of the database to itself.
    database.pragma("wal_autocheckpoint = 0");
    database.pragma(`journal_size_limit = ${logBytesKept}`);
    database.pragma(`cache_size = -${writerCacheKib}`);
    if (!emptyLog(database)) {
      if (afterFailure) throw new CheckpointBlocked();
      syncLog(dataDir);
    }
    migrate(database);
    return new SqliteConnection(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Opens a data folder for reading only, also while a server runs on it. */
export function openReadOnly(dataDir: string): Database.Database {
  const database = new Database(join(dataDir, databaseName), { readonly: true, fileMustExist: true });
  try {
    assertVersion(database);
    database.pragma(`cache_size = -${readerCacheKib}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Copies the log into the database file, syncs that and empties the log; false when a reader needs the log. */
function emptyLog(database: Database.Database): boolean {
  // The shape that SQLite documents for this pragma.
  const [result] = database.pragma("wal_checkpoint(TRUNCATE)") as { busy: number }[];
  return result?.busy === 0;
}

/** An auditor's snapshot may last: then the log itself is synced, which is as good unless a sync of it has failed before. */
function syncLog(dataDir: string): void {
  const log = openSync(join(dataDir, `${databaseName}-wal`), "r+");
  try {
    fsyncSync(log);
  } finally {
    closeSync(log);
  }
}

/** A reader holds the log; the next try will find it gone. */
export class CheckpointBlocked extends Error {
  override readonly name = "CheckpointBlocked";
  readonly code = "checkpoint_blocked";
  constructor() {
    super("Empty the write-ahead log: a reader holds it");
  }
}

function assertVersion(database: Database.Database): void {
  const version = database.prepare<[], string>("SELECT sqlite_version()").pluck().get() ?? "0";
  if (compareVersions(version, sqliteVersionMin) < 0) throw new SqliteTooOld(version);
}

export class SqliteTooOld extends Error {
  override readonly name = "SqliteTooOld";
  readonly code = "sqlite_too_old";
  constructor(version: string) {
    super(`Open the database: SQLite "${version}" can corrupt it, install "${sqliteVersionMin}" or newer`);
  }
}

export function compareVersions(a: string, b: string): number {
  const left = a.split(".").map(Number);
  const right = b.split(".").map(Number);
  for (const [i, part] of left.entries()) {
    const difference = part - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
