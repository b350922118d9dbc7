/**
 * Transactions on a database server. One that met another (deadlock, lock timeout) is run again as a whole, so whatever
 * runs inside must be safe to run again; a key that was there already may have been written by such a one just now, so
 * that is tried again, too, before it counts as a mistake of ours.
 *
 * Must stay true: a line is blamed only for what the server says of values (a constraint, a key that was there) or what an
 * assertion of ours finds; whatever else goes wrong is trouble of the database, which ends, and no line is put aside for
 * it. `unknown` is said of a write whose COMMIT was sent and not answered, and of nothing else. Before that
 * the server takes everything back when the connection ends; reading afterwards would prove presence, never absence.
 */
import { InvariantBroken } from "../../lib/assert.ts";
import { backoffMs } from "../../lib/backoff.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import type { Dialect } from "./dialect.ts";
import { ServerError, type ServerConnection, type ServerDriver } from "./server-driver.ts";
import type { SqlReads, SqlTransaction, SqlValue } from "./sql-transaction.ts";
import type { WriteFailure } from "./write-failure.ts";
import type { WriteResult } from "./writer.ts";

/** Runs of one transaction before it is given up. */
export const triesMax = 5;
const retry = { baseMs: 5, ceilingMs: 100 };

/** Plain numbers, read at each scrape. */
export type ServerCounts = { transactions: number; conflicts: number; lost: number };

/** From outside, so that a simulation can bring its own. `random` spreads the tries of those that met. */
export type RetryPace = { readonly random: () => number; readonly sleep: (ms: number) => Promise<void> };
const systemPace: RetryPace = { random: Math.random, sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) };

export class ServerDatabase {
  readonly #driver: ServerDriver;
  readonly #pace: RetryPace;
  readonly counts: ServerCounts = { transactions: 0, conflicts: 0, lost: 0 };
  /** Statements outside a transaction, each of which sees what was committed when it began. */
  readonly reads: SqlReads;

  constructor(driver: ServerDriver, pace: RetryPace = systemPace) {
    this.#driver = driver;
    this.#pace = pace;
    const query = <Row>(sql: string, params: readonly SqlValue[]) => this.read((db) => Promise.resolve(db.query<Row>(sql, params)));
    this.reads = { dialect: driver.dialect, query };
  }

  get dialect(): Dialect {
    return this.#driver.dialect;
  }

  get name(): string {
    return this.#driver.name;
  }

  /** Runs a write, several times if need be, and never rejects but for a defect. What has written nothing needs no commit. */
  async transact<Value>(run: Run<Value>, { wrote = () => true }: Wrote<Value> = {}): Promise<WriteResult<Value>> {
    for (let tries = 1; ; tries++) {
      this.counts.transactions += 1;
      const result = await this.#once(run, wrote);
      if (result.kind !== "again") return result;
      this.counts.conflicts += 1;
      if (tries >= triesMax) return { kind: "failed", failure: result.instead, message: result.message };
      await this.#pace.sleep(backoffMs(tries, retry) * (0.5 + this.#pace.random()));
    }
  }

  /** The same for those whose callers hear of failures by StoreUnavailable. */
  async write<Value>(run: Run<Value>): Promise<Value> {
    const result = await this.transact(run);
    if (result.kind === "done") return result.value;
    const { failure, message } = result;
    if (failure === "bad_line") throw new Error(`The store cannot keep what was to be written: ${message}`);
    throw new StoreUnavailable(failure, message);
  }

  /** Throws StoreUnavailable. */
  async read<Value>(run: (db: SqlReads) => Promise<Value>): Promise<Value> {
    let connection: ServerConnection | undefined;
    try {
      connection = await this.#driver.connect("read");
      const value = await run(connection);
      connection.release();
      return value;
    } catch (error) {
      connection?.destroy();
      // Nothing was to be changed, so nothing is unknown.
      if (error instanceof ServerError) throw new StoreUnavailable("unavailable", error.message, error);
      throw error;
    }
  }

  /** A connection that sees one commit until it is ended, for who reads the whole store. Throws StoreUnavailable. */
  async openSnapshot(): Promise<ServerConnection> {
    let connection: ServerConnection | undefined;
    try {
      connection = await this.#driver.connect("read");
      await connection.beginSnapshot();
      return connection;
    } catch (error) {
      connection?.destroy();
      if (error instanceof ServerError) throw new StoreUnavailable("unavailable", error.message, error);
      throw error;
    }
  }

  /** The same for who reads statement by statement. What it reads throws StoreUnavailable; `end` may come at any time, and never throws. */
  async openView(): Promise<{ readonly reads: SqlReads; readonly end: () => Promise<void> }> {
    const connection = await this.openSnapshot();
    let isEnded = false;
    const query = async <Row>(sql: string, params: readonly SqlValue[]): Promise<readonly Row[]> => {
      if (isEnded) throw new StoreUnavailable("unavailable", "The view of the store was ended");
      try {
        return await connection.query<Row>(sql, params);
      } catch (error) {
        // As of `read`: a table that was altered meanwhile is no defect of ours.
        if (error instanceof ServerError) throw new StoreUnavailable("unavailable", error.message, error);
        throw error;
      }
    };
    const end = async () => {
      if (isEnded) return;
      isEnded = true;
      try {
        await connection.rollback();
        connection.release();
      } catch {
        connection.destroy();
      }
    };
    return { reads: { dialect: this.dialect, query }, end };
  }

  close(): Promise<void> {
    return this.#driver.close();
  }

  async #once<Value>(run: Run<Value>, wrote: (value: Value) => boolean): Promise<WriteResult<Value> | Again> {
    let connection: ServerConnection;
    try {
      connection = await this.#driver.connect("write");
    } catch (error) {
      return { kind: "failed", failure: "unavailable", message: messageOf(error) };
    }
    let committing = false;
    try {
      await connection.begin();
      const value = await run(connection);
      if (wrote(value)) {
        committing = true;
        await connection.commit();
      } else {
        await connection.rollback();
      }
      connection.release();
      return { kind: "done", value };
    } catch (error) {
      await this.#takeBack(connection, error);
      const failure = committing ? afterCommit(error) : beforeCommit(error);
      if (failure.kind === "failed" && failure.failure === "unknown") this.counts.lost += 1;
      return failure;
    }
  }

  /** A connection that may still be in the middle of something is ended, which takes back what was not committed. */
  async #takeBack(connection: ServerConnection, error: unknown): Promise<void> {
    if (error instanceof ServerError && (error.kind === "lost" || error.kind === "unavailable")) return connection.destroy();
    try {
      await connection.rollback();
      connection.release();
    } catch {
      connection.destroy();
    }
  }
}

type Run<Value> = (tx: SqlTransaction) => Promise<Value>;
type Wrote<Value> = { readonly wrote?: ((value: Value) => boolean) | undefined };
type Again = { readonly kind: "again"; readonly instead: WriteFailure; readonly message: string };
type Failed = { readonly kind: "failed"; readonly failure: WriteFailure; readonly message: string };

function beforeCommit(error: unknown): Failed | Again {
  const message = messageOf(error);
  if (!(error instanceof ServerError)) {
    if (error instanceof InvariantBroken) return { kind: "failed", failure: "bad_line", message };
    throw error;
  }
  switch (error.kind) {
    case "conflict":
      return { kind: "again", instead: "unavailable", message };
    case "duplicate":
      return { kind: "again", instead: "bad_line", message };
    case "bad_line":
    case "storage_full":
    case "unavailable":
      return { kind: "failed", failure: error.kind, message };
    case "lost":
    case "defect":
      return { kind: "failed", failure: "unavailable", message };
  }
}

/** The server's own word that it met another transaction means that it took this one back; any other may have come too late. */
function afterCommit(error: unknown): Failed | Again {
  const message = messageOf(error);
  if (error instanceof ServerError && error.kind === "conflict") return { kind: "again", instead: "unavailable", message };
  return { kind: "failed", failure: "unknown", message };
}

const messageOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
