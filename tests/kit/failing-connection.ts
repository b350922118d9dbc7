/**
 * Makes the SQLite writer's connection fail on command. The store loads this module into the writer's thread when a test
 * asks for it; test and thread share a few integers.
 */
import Database from "better-sqlite3";
import type { SqliteConnection, WriterConnection } from "../../src/adapters/sql/sqlite-connection.ts";

const modes = {
  none: 0,
  /** The sync of the log fails, and the commit is not in it. */
  sync_fails_before: 1,
  /** The sync of the log fails, and the commit is in it all the same. */
  sync_fails_after: 2,
  /** The thread dies before the commit, or between the commit and its answer. */
  dies_before: 3,
  dies_after: 4,
  /** The database may not grow. */
  disk_full: 5,
  /** Somebody else has the write lock. */
  busy: 6,
  /** The log is due to be copied into the database, and the sync of the database fails. */
  checkpoint_fails: 7,
} as const;
export type Failure = keyof typeof modes;

const modeAt = 0;
const timesAt = 1;
const opensAt = 2;

/** The test's end. */
export class FailureSwitch {
  readonly failpoints = { module: import.meta.url, state: new SharedArrayBuffer(12) };
  readonly #cells = new Int32Array(this.failpoints.state);

  next(failure: Failure, times = 1): void {
    Atomics.store(this.#cells, timesAt, times);
    Atomics.store(this.#cells, modeAt, modes[failure]);
  }

  /** How often the writer opened a connection. */
  get opens(): number {
    return Atomics.load(this.#cells, opensAt);
  }
}

/** The writer's end. */
export function wrap(connection: SqliteConnection, state: SharedArrayBuffer): WriterConnection {
  const cells = new Int32Array(state);
  Atomics.add(cells, opensAt, 1);
  const unlimited = Number(connection.database.pragma("max_page_count", { simple: true }));
  /** The failure that is due, if it is one of these. */
  const due = (...failures: Failure[]): Failure | undefined => {
    const mode = Atomics.load(cells, modeAt);
    const failure = failures.find((each) => modes[each] === mode);
    if (failure !== undefined && Atomics.sub(cells, timesAt, 1) <= 1) Atomics.store(cells, modeAt, modes.none);
    return failure;
  };
  let checkpointFails = false;
  return {
    dialect: connection.dialect,
    query: (sql, params) => connection.query(sql, params),
    insert: (statement, rows, common) => connection.insert(statement, rows, common),
    execute: (sql, params) => connection.execute(sql, params),
    begin() {
      if (due("busy")) throw new Database.SqliteError("database is locked", "SQLITE_BUSY");
      const pages = due("disk_full") ? Number(connection.database.pragma("page_count", { simple: true })) : unlimited;
      connection.database.pragma(`max_page_count = ${pages}`);
      connection.begin();
    },
    commit() {
      const failure = due("sync_fails_before", "sync_fails_after", "dies_before", "dies_after");
      if (failure !== "sync_fails_before" && failure !== "dies_before") connection.commit();
      if (failure === "dies_before" || failure === "dies_after") process.exit(1);
      if (failure !== undefined) throw new Database.SqliteError("disk I/O error", "SQLITE_IOERR_FSYNC");
    },
    rollback: () => connection.rollback(),
    get inTransaction() {
      return connection.inTransaction;
    },
    checkpointDue() {
      checkpointFails = due("checkpoint_fails") !== undefined;
      return checkpointFails || connection.checkpointDue();
    },
    checkpoint() {
      if (checkpointFails) throw new Database.SqliteError("disk I/O error", "SQLITE_IOERR_FSYNC");
      connection.checkpoint();
    },
    close: () => connection.close(),
  };
}
