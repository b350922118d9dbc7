import type { Dialect } from "./dialect.ts";
import type { InsertStatement } from "./insert-statement.ts";

/**
 * What the ledger's algorithm needs of a database. Statements are written as dialect.ts says. They run in the order in
 * which they were asked for, whoever waits for which; what is asked for in one go travels together. Whoever does not wait
 * for an answer at once waits for it before the commit.
 */
export interface SqlTransaction {
  readonly dialect: Dialect;
  query<Row>(sql: string, params: readonly SqlValue[]): Awaitable<readonly Row[]>;
  /** The number of rows matched. */
  execute(sql: string, params: readonly SqlValue[]): Awaitable<number>;
  /** Adds rows whose values stand in `rows` one after another; how many rows that were. */
  insert(statement: InsertStatement, rows: readonly SqlValue[], common?: readonly SqlValue[]): Awaitable<number>;
}

/** Reading alone, outside or inside a transaction. */
export type SqlReads = Pick<SqlTransaction, "dialect" | "query">;

/** Ids are decimal text: columns of integers convert it exactly. */
export type SqlValue = string | number | null;
/** A driver that answers at once need not make promises. */
export type Awaitable<Value> = Value | Promise<Value>;
