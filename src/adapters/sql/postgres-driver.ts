/**
 * PostgreSQL by way of pg. Statements are prepared once for each connection; many rows go as arrays. Statements that are
 * asked for in one go are sent one behind the other, without waiting for answers; after one that fails the server refuses
 * the rest of its transaction.
 */
import pg, { type PoolClient } from "pg";
import { assert } from "../../lib/assert.ts";
import { postgres as dialect } from "./dialect.ts";
import type { InsertStatement, ValueKind } from "./insert-statement.ts";
import { arrayLiteral } from "./literals.ts";
import { postgresErrorKind } from "./postgres-errors.ts";
import { ServerError, within, type ServerConnection, type ServerDriver, type ServerLimits } from "./server-driver.ts";
import type { SqlValue } from "./sql-transaction.ts";

const bigintOid = 20;
const numericOid = 1700;
/** Ids come as text by their statements; what else is a number is far from where numbers lose digits. */
const types = {
  getTypeParser: (oid: number, format?: "text" | "binary") =>
    oid === bigintOid || oid === numericOid ? Number : pg.types.getTypeParser(oid, format ?? "text"),
};

export function openPostgres(url: URL, limits: ServerLimits): ServerDriver {
  // Who reads a whole store may think between two pages, and holds up nobody.
  const reading = { ...limits, idleTimeoutMs: 10 * limits.statementTimeoutMs };
  const pools = { write: openPool(url, limits.writesMax, limits), read: openPool(url, limits.readsMax, reading) };
  return {
    dialect,
    name: `${url.protocol}//${url.host}${url.pathname}`,
    async connect(purpose) {
      try {
        return new PostgresConnection(await pools[purpose].connect(), limits);
      } catch (error) {
        // Nothing was sent yet.
        throw new ServerError("unavailable", messageOf(error), error);
      }
    },
    close: async () => void (await Promise.allSettled([pools.write.end(), pools.read.end()])),
  };
}

/** The types of pg do not know of it yet. */
type PoolConfig = pg.PoolConfig & { readonly pipeline: boolean };

function openPool(url: URL, max: number, { acquireTimeoutMs, statementTimeoutMs, lockTimeoutMs, idleTimeoutMs }: ServerLimits): pg.Pool {
  const config: PoolConfig = {
    connectionString: url.href,
    max,
    types,
    connectionTimeoutMillis: acquireTimeoutMs,
    // The server ends a statement itself before its connection is given up.
    statement_timeout: Math.floor(statementTimeoutMs * 0.9),
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: idleTimeoutMs,
    application_name: "doorbuster",
    keepAlive: true,
    pipeline: true,
    // A yes is a promise: whatever the server's default, these commits are synced.
    options: "-c synchronous_commit=on -c default_transaction_isolation=read\\ committed -c timezone=UTC",
  };
  const pool = new pg.Pool(config);
  // An idle connection whose server went away; the pool drops it.
  pool.on("error", () => {});
  // One in use, between two statements: the next of them says so.
  pool.on("connect", (client) => void client.on("error", () => {}));
  return pool;
}

class PostgresConnection implements ServerConnection {
  readonly dialect = dialect;
  readonly #raw: PoolClient;
  readonly #limits: ServerLimits;
  #begun: Promise<unknown> | undefined;

  constructor(raw: PoolClient, limits: ServerLimits) {
    this.#raw = raw;
    this.#limits = limits;
  }

  async query<Row>(sql: string, params: readonly SqlValue[]): Promise<readonly Row[]> {
    // The row type is the statement's column list, which stands beside it.
    return (await this.#run(formOf(sql), params)).rows as Row[];
  }

  async execute(sql: string, params: readonly SqlValue[]): Promise<number> {
    return (await this.#run(formOf(sql), params)).rowCount ?? 0;
  }

  async insert(statement: InsertStatement, rows: readonly SqlValue[], common: readonly SqlValue[] = []): Promise<number> {
    if (rows.length === 0) return 0;
    const { width } = statement;
    const { form, alike } = insertFormOf(statement, alikeIn(rows, width));
    const values = [...common];
    for (let own = 0; own < width; own++)
      values.push(isAlike(alike, own) ? (rows[own] ?? null) : arrayLiteral(rows, { from: own, step: width }));
    return (await this.#run(form, values)).rowCount ?? 0;
  }

  /** Goes with the first statement. */
  async begin(): Promise<void> {
    this.#begun = this.#run(beginForm, []);
    this.#begun.catch(() => {});
  }

  async commit(): Promise<void> {
    await this.#begun;
    const { command } = await this.#run(commitForm, []);
    // Of a transaction in which something failed the server says that it took it back, and no more.
    assert(command === "COMMIT", () => `nothing failed in a transaction that commits, got ${command}`);
  }

  beginSnapshot = async () => void (await this.#run(snapshotForm, []));
  rollback = async () => void (await this.#run(rollbackForm, []));
  release = () => this.#raw.release();

  destroy(): void {
    this.#raw.release(true);
    // By itself it would wait for the answers to what was sent.
    this.#raw.connection.stream.destroy();
  }

  /** What is asked for in this go leaves in one packet. */
  #gather(): void {
    const { stream } = this.#raw.connection;
    if (stream.writableCorked > 0) return;
    stream.cork();
    queueMicrotask(() => stream.uncork());
  }

  async #run({ name, text }: Form, values: readonly SqlValue[]): Promise<pg.QueryResult> {
    this.#gather();
    try {
      const asked = name === undefined ? this.#raw.query({ text }) : this.#raw.query({ name, text, values: [...values] });
      return await within(asked, this.#limits.statementTimeoutMs, {
        late: () => new ServerError("lost", "The database did not answer in time"),
      });
    } catch (error) {
      if (error instanceof ServerError) throw error;
      throw new ServerError(postgresErrorKind(error), messageOf(error), error);
    }
  }
}

/** Without a name a statement is not prepared, and has no values. */
type Form = { readonly name?: string | undefined; readonly text: string };
const beginForm: Form = { text: "BEGIN" };
const snapshotForm: Form = { text: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" };
const commitForm: Form = { text: "COMMIT" };
const rollbackForm: Form = { text: "ROLLBACK" };

/** Statements are constants of this folder, but for those that Kysely puts together: few shapes each. */
const forms = new Map<string, Form>();
const insertForms = new WeakMap<InsertStatement, Map<Alike, Form>>();
let names = 0;

function formOf(sql: string): Form {
  let form = forms.get(sql);
  if (form === undefined) forms.set(sql, (form = { name: `s${++names}`, text: numbered(dialect.words(sql)) }));
  return form;
}

export function numbered(words: string): string {
  let number = 0;
  return words.replace(/[?#]/g, () => `$${++number}`);
}

const arrayTypes: Readonly<Record<ValueKind, string>> = { id: "bigint", integer: "bigint", text: "text" };

/** A bit for each of a row's own values: whether it is the same in all rows. */
type Alike = number;
const isAlike = (alike: Alike, own: number): boolean => (alike & (1 << own)) !== 0;

/** Of several rows the first values stay an array, which says how many there are. */
function alikeIn(rows: readonly SqlValue[], width: number): Alike {
  let alike = (1 << width) - 1;
  if (rows.length > width) alike &= ~1;
  for (let at = width; at < rows.length && alike !== 0; at += width)
    for (let own = 1; own < width; own++) if (isAlike(alike, own) && rows[at + own] !== rows[own]) alike &= ~(1 << own);
  return alike;
}

/** Beyond it nothing is taken for alike: the server keeps each form for each connection. */
const formsPerInsertMax = 16;

function insertFormOf(statement: InsertStatement, alike: Alike): { form: Form; alike: Alike } {
  let known = insertForms.get(statement);
  if (known === undefined) insertForms.set(statement, (known = new Map()));
  const form = known.get(alike);
  if (form !== undefined) return { form, alike };
  if (alike !== 0 && known.size >= formsPerInsertMax) return insertFormOf(statement, 0);
  const added: Form = { name: `i${++names}`, text: insertText(statement, alike) };
  known.set(alike, added);
  return { form: added, alike };
}

/** What rows have in common costs least when it is given once; the rest comes in arrays. */
export function insertText({ table, columns, columnNames, commonKinds, rowKinds }: InsertStatement, alike: Alike = 0): string {
  const arrays: string[] = [];
  const names: string[] = [];
  const own = rowKinds.map((kind, i) => {
    const parameter = `$${commonKinds.length + i + 1}`;
    if (isAlike(alike, i)) return `CAST(${parameter} AS ${arrayTypes[kind]})`;
    arrays.push(`CAST(${parameter} AS ${arrayTypes[kind]}[])`);
    names.push(`r${i + 1}`);
    return `r${i + 1}`;
  });
  const chosen = columns.map((column) => {
    if (column.from === "sql") return column.text;
    if (column.from === "row") return own.shift();
    return `CAST($${column.at + 1} AS ${arrayTypes[commonKinds[column.at] ?? "text"]})`;
  });
  const rows = arrays.length === 0 ? "" : ` FROM unnest(${arrays.join(", ")}) AS added (${names.join(", ")})`;
  return `INSERT INTO ${table} (${columnNames}) SELECT ${chosen.join(", ")}${rows}`;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
