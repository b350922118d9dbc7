/** What the ledger's algorithm needs of a database: positional parameters, rows, and how many rows a change met. */
export interface SqlTransaction {
  query<Row>(sql: string, params: readonly SqlValue[]): Awaitable<readonly Row[]>;
  /** The number of rows matched. */
  execute(sql: string, params: readonly SqlValue[]): Awaitable<number>;
}

/** Ids are decimal text: columns of integers convert it exactly. */
export type SqlValue = string | number | null;
/** A driver that answers at once need not make promises. */
export type Awaitable<Value> = Value | Promise<Value>;
