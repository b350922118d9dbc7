/** MariaDB and MySQL by way of mysql2. Statements go as text: many rows are one text, and ids are digits in it. */
import mysql, { type Pool, type PoolConnection, type ResultSetHeader } from "mysql2/promise";
import { mysql as dialect } from "./dialect.ts";
import type { InsertStatement } from "./insert-statement.ts";
import { literal } from "./literals.ts";
import { mysqlErrorKind } from "./mysql-errors.ts";
import { ServerError, within, type ServerConnection, type ServerDriver, type ServerLimits } from "./server-driver.ts";
import type { SqlValue } from "./sql-transaction.ts";

/** Decisions rest on rows read under a lock: with a snapshot older than the lock they would rest on the past. */
const sessionSettings = (lockTimeoutMs: number) =>
  `SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00',
   innodb_lock_wait_timeout = ${Math.max(1, Math.floor(lockTimeoutMs / 1000))}`;
const isolation = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
const snapshotIsolation = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
const beginSnapshot = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

export function openMysql(url: URL, limits: ServerLimits): ServerDriver {
  const pools = { write: openPool(url, limits.writesMax), read: openPool(url, limits.readsMax) };
  /** Connections whose session is as it must be. */
  const settled = new WeakSet<object>();
  return {
    dialect,
    name: `${url.protocol}//${url.host}${url.pathname}`,
    async connect(purpose) {
      const raw = await acquire(pools[purpose], limits);
      const connection = new MysqlConnection(raw, limits);
      if (settled.has(raw.connection)) return connection;
      try {
        await connection.run(sessionSettings(limits.lockTimeoutMs));
        await connection.run(isolation);
      } catch (error) {
        connection.destroy();
        throw error;
      }
      settled.add(raw.connection);
      return connection;
    },
    close: async () => void (await Promise.allSettled([pools.write.end(), pools.read.end()])),
  };
}

function openPool(url: URL, connectionLimit: number): Pool {
  const mode = url.searchParams.get("ssl-mode")?.toUpperCase();
  const encrypted = mode === undefined || mode === "DISABLED" ? undefined : { rejectUnauthorized: mode.startsWith("VERIFY") };
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
    ...(encrypted !== undefined && { ssl: encrypted }),
  });
}

async function acquire(pool: Pool, { acquireTimeoutMs }: ServerLimits): Promise<PoolConnection> {
  try {
    return await within(pool.getConnection(), acquireTimeoutMs, {
      late: () => new ServerError("unavailable", "No connection to the database was free in time"),
      tooLate: (connection) => connection.release(),
    });
  } catch (error) {
    if (error instanceof ServerError) throw error;
    // Nothing was sent yet.
    throw new ServerError("unavailable", messageOf(error), error);
  }
}

class MysqlConnection implements ServerConnection {
  readonly dialect = dialect;
  readonly #raw: PoolConnection;
  readonly #limits: ServerLimits;

  constructor(raw: PoolConnection, limits: ServerLimits) {
    this.#raw = raw;
    this.#limits = limits;
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

  begin = async () => void (await this.run("START TRANSACTION"));
  commit = async () => void (await this.run("COMMIT"));
  rollback = async () => void (await this.run("ROLLBACK"));

  async beginSnapshot(): Promise<void> {
    await this.run(snapshotIsolation);
    await this.run(beginSnapshot);
  }

  release = () => this.#raw.release();
  destroy = () => this.#raw.destroy();

  async run(text: string): Promise<unknown> {
    try {
      const [result] = await within(this.#raw.query(text), this.#limits.statementTimeoutMs, {
        late: () => new ServerError("lost", "The database did not answer in time"),
      });
      return result;
    } catch (error) {
      if (error instanceof ServerError) throw error;
      throw new ServerError(mysqlErrorKind(error), messageOf(error), error);
    }
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
