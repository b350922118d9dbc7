/**
 * MariaDB and MySQL by way of mysql2. Statements go as text: many rows are one text, and ids are digits in it. What a
 * transaction asks for in one go is one text, too, which the server runs in order up to the first that fails.
 *
 * Must stay true: behind a statement that failed nothing is sent but the end of its transaction. With some failures (a
 * deadlock) the server takes the transaction back by itself, and what came afterwards would be a commit of its own.
 */
import mysql, { type Pool, type PoolConnection, type ResultSetHeader } from "mysql2";
import { mysql as dialect } from "./dialect.ts";
import type { InsertStatement } from "./insert-statement.ts";
import { literal } from "./literals.ts";
import { mysqlErrorKind } from "./mysql-errors.ts";
import { ServerError, within, type ServerConnection, type ServerDriver, type ServerLimits } from "./server-driver.ts";
import type { SqlValue } from "./sql-transaction.ts";

/** Decisions rest on rows read under a lock: with a snapshot older than the lock they would rest on the past. */
const sessionSettings = (limits: ServerLimits, purpose: "write" | "read") =>
  `SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00',
   innodb_lock_wait_timeout = ${seconds(limits.lockTimeoutMs)}, lock_wait_timeout = ${seconds(limits.lockTimeoutMs)} /*M!100300 ${endsSlow(limits)}${purpose === "write" ? endsIdle(limits) : ""} */`;
/** MariaDB alone reads what stands in such a comment; MySQL has no such bounds. */
const endsIdle = ({ idleTimeoutMs }: ServerLimits) => `, idle_transaction_timeout = ${seconds(idleTimeoutMs)}`;
/** The server ends a statement itself before its connection is given up: nobody would hear of it, and it would hold its locks. */
const endsSlow = ({ statementTimeoutMs }: ServerLimits) => `, max_statement_time = ${(statementTimeoutMs * 0.9) / 1000}`;
const seconds = (ms: number): number => Math.max(1, Math.floor(ms / 1000));
const isolation = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
const snapshotIsolation = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
const rollback = "ROLLBACK";
const beginSnapshot = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
/** What is longer travels alone: the server takes no packet above some megabytes. */
const togetherLengthMax = 1_000_000;

export function openMysql(url: URL, limits: ServerLimits): ServerDriver {
  // Reading needs no more than one statement at a time, so a text with two is refused there.
  const pools = { write: openPool(url, limits.writesMax, { together: true }), read: openPool(url, limits.readsMax, { together: false }) };
  /** Connections whose session is as it must be. */
  const settled = new WeakSet<PoolConnection>();
  return {
    dialect,
    name: `${url.protocol}//${url.host}${url.pathname}`,
    async connect(purpose) {
      const raw = await acquire(pools[purpose], limits);
      const connection = new MysqlConnection(raw, { limits, together: purpose === "write" });
      if (settled.has(raw)) return connection;
      try {
        await connection.run(sessionSettings(limits, purpose));
        await connection.run(isolation);
      } catch (error) {
        connection.destroy();
        throw error;
      }
      settled.add(raw);
      return connection;
    },
    close: async () => void (await Promise.all([end(pools.write), end(pools.read)])),
  };
}

const end = (pool: Pool): Promise<void> => new Promise((resolve) => pool.end(() => resolve()));

function openPool(url: URL, connectionLimit: number, { together }: { together: boolean }): Pool {
  const mode = url.searchParams.get("ssl-mode")?.toUpperCase();
  const encrypted =
    mode === undefined || mode === "DISABLED"
      ? undefined
      : { rejectUnauthorized: mode.startsWith("VERIFY"), verifyIdentity: mode === "VERIFY_IDENTITY" };
  return mysql.createPool({
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 3306 : Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    connectionLimit,
    connectTimeout: 2_000,
    enableKeepAlive: true,
    // Ids come as text by their statements; what else is a number is far from where numbers lose digits.
    supportBigNumbers: true,
    decimalNumbers: true,
    charset: "utf8mb4",
    multipleStatements: together,
    // Parameters are in their places: it need not look for marks.
    queryFormat: (text: string) => text,
    ...(encrypted !== undefined && { ssl: encrypted }),
  });
}

async function acquire(pool: Pool, { acquireTimeoutMs }: ServerLimits): Promise<PoolConnection> {
  try {
    const acquired = new Promise<PoolConnection>((resolve, reject) => {
      pool.getConnection((error, connection) => (error === null ? resolve(connection) : reject(error)));
    });
    return await within(acquired, acquireTimeoutMs, {
      late: () => new ServerError("unavailable", "No connection to the database was free in time"),
      tooLate: (connection) => connection.release(),
    });
  } catch (error) {
    if (error instanceof ServerError) throw error;
    // Nothing was sent yet.
    throw new ServerError("unavailable", messageOf(error), error);
  }
}

type Asked = { readonly text: string; readonly settle: PromiseWithResolvers<unknown> };

class MysqlConnection implements ServerConnection {
  readonly dialect = dialect;
  readonly #raw: PoolConnection;
  readonly #limits: ServerLimits;
  readonly #together: boolean;
  /** Statements that wait for others to travel with. */
  #asked: Asked[] = [];
  #leaving = false;
  /** The answers to what was sent so far. */
  #answered: Promise<void> = Promise.resolve();
  /** Between the begin and the end of a transaction that writes; elsewhere each statement stands alone. */
  #isOpen = false;
  /** What failed in the transaction. */
  #failed: ServerError | undefined;

  constructor(raw: PoolConnection, { limits, together }: { limits: ServerLimits; together: boolean }) {
    this.#raw = raw;
    this.#limits = limits;
    this.#together = together;
  }

  async query<Row>(sql: string, params: readonly SqlValue[]): Promise<readonly Row[]> {
    // The row type is the statement's column list, which stands beside it.
    return (await this.run(bound(sql, params, this.#escape))) as Row[];
  }

  async execute(sql: string, params: readonly SqlValue[]): Promise<number> {
    return affected(await this.run(bound(sql, params, this.#escape)));
  }

  async insert(statement: InsertStatement, rows: readonly SqlValue[], common: readonly SqlValue[] = []): Promise<number> {
    return rows.length === 0 ? 0 : affected(await this.run(insertText(statement, { rows, common }, this.#escape)));
  }

  /** Waits for the first statement: should it fail, that is not run. */
  async begin(): Promise<void> {
    this.#isOpen = true;
    this.#ask("START TRANSACTION").catch(() => {});
  }

  async commit(): Promise<void> {
    await this.run("COMMIT");
    this.#isOpen = false;
  }

  async rollback(): Promise<void> {
    await this.run(rollback);
    this.#isOpen = false;
  }

  async beginSnapshot(): Promise<void> {
    await this.run(snapshotIsolation);
    await this.run(beginSnapshot);
  }

  release = () => this.#raw.release();
  destroy = () => this.#raw.destroy();

  run(text: string): Promise<unknown> {
    const answer = this.#ask(text);
    if (!this.#leaving) {
      this.#leaving = true;
      queueMicrotask(() => this.#send());
    }
    return answer;
  }

  #ask(text: string): Promise<unknown> {
    const settle = Promise.withResolvers<unknown>();
    this.#asked.push({ text, settle });
    return settle.promise;
  }

  /** All that was asked for in this go: together, or one behind the other. */
  #send(): void {
    const asked = this.#asked;
    this.#asked = [];
    this.#leaving = false;
    let lot: Asked[] = [];
    let length = 0;
    for (const one of asked) {
      if (lot.length > 0 && (!this.#together || length + one.text.length > togetherLengthMax)) {
        this.#sendBehind(lot);
        lot = [];
        length = 0;
      }
      lot.push(one);
      length += one.text.length;
    }
    this.#sendBehind(lot);
  }

  #sendBehind(lot: readonly Asked[]): void {
    this.#answered = this.#answered.then(() => this.#sendLot(lot));
  }

  async #sendLot(asked: readonly Asked[]): Promise<void> {
    let lot = asked;
    const failed = this.#failed;
    if (failed !== undefined) {
      for (const { text, settle } of asked) if (text !== rollback) settle.reject(failed);
      lot = asked.filter(({ text }) => text === rollback);
      if (lot.length === 0) return;
      this.#failed = undefined;
    }
    try {
      const result = await within(this.#answerTo(lot.map(({ text }) => text).join("; ")), this.#limits.statementTimeoutMs, {
        late: () => new ServerError("lost", "The database did not answer in time"),
      });
      // To several statements it is a list of answers.
      for (const [i, { settle }] of lot.entries()) settle.resolve(lot.length === 1 ? result : (result as unknown[])[i]);
    } catch (error) {
      const failure = error instanceof ServerError ? error : new ServerError(mysqlErrorKind(error), messageOf(error), error);
      if (this.#isOpen) this.#failed = failure;
      // What ran before the one that failed is taken back with it.
      for (const { settle } of lot) settle.reject(failure);
    }
  }

  #answerTo(text: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#raw.query(text, (error, result) => (error === null ? resolve(result) : reject(error)));
    });
  }

  readonly #escape = (text: string): string => this.#raw.escape(text);
}

// What mysql2 answers to a statement that changes something; rows that were matched count, changed or not.
const affected = (result: unknown): number => (result as ResultSetHeader).affectedRows;

type Parts = { readonly texts: readonly string[]; readonly kinds: readonly ("id" | "ids" | "any")[] };
/** Statements are constants of this folder, but for those that Kysely puts together. */
const partsMax = 2_000;
const known = new Map<string, Parts>();

/** The statement with its parameters in place. Parameters may hold marks, so the text is cut before they go in. */
export function bound(sql: string, params: readonly SqlValue[], escape: (text: string) => string): string {
  let parts = known.get(sql);
  if (parts === undefined) {
    if (known.size >= partsMax) known.clear();
    known.set(sql, (parts = partsOf(dialect.words(sql))));
  }
  const { texts, kinds } = parts;
  if (kinds.length !== params.length)
    throw new ServerError("defect", `A statement wants ${kinds.length} values, got ${params.length}: ${sql}`);
  let text = texts[0] ?? "";
  for (const [i, kind] of kinds.entries()) text += literal(kind, params[i] ?? null, escape) + (texts[i + 1] ?? "");
  return text;
}

const mark = /\?|##?/g;

function partsOf(words: string): Parts {
  const marks = words.match(mark) ?? [];
  return { texts: words.split(mark), kinds: marks.map((text) => (text === "?" ? "any" : text === "#" ? "id" : "ids")) };
}

/** What stands around a row's own values is the same in every row, so it is put together once. */
export function insertText(
  { table, columns, columnNames, commonKinds, rowKinds, width }: InsertStatement,
  { rows, common }: { rows: readonly SqlValue[]; common: readonly SqlValue[] },
  escape: (text: string) => string,
): string {
  const around = ["("];
  const add = (text: string) => void around.push(`${around.pop() ?? ""}${text}`);
  for (const [c, column] of columns.entries()) {
    if (c > 0) add(",");
    if (column.from === "row") around.push("");
    else if (column.from === "sql") add(column.text);
    else add(literal(commonKinds[column.at] ?? "text", common[column.at] ?? null, escape));
  }
  add(")");
  let text = `INSERT INTO ${table} (${columnNames}) VALUES `;
  for (let at = 0; at < rows.length; at += width) {
    if (at > 0) text += ",";
    for (let own = 0; own < width; own++) text += around[own] + literal(rowKinds[own] ?? "text", rows[at + own] ?? null, escape);
    text += around[width];
  }
  return text;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
