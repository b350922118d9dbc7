/**
 * The SQL of this folder is written once, in the words of SQLite, and said to each server in its own.
 *
 *   ?        a text or a number
 *   #        an id: the decimal digits of a 63-bit integer, which MySQL would compare as a float if it came as a text
 *   ##       ids with commas between them, for MySQL, where a list is a part of the text
 *   {lock}   after a SELECT: its rows are locked until the transaction ends, and read as they are then
 *   {share}  the same, but others may lock them so, too
 *   {CROSS JOIN}, {INDEXED BY …}   hints to SQLite's planner; the servers' planners know better
 *   {+ 0}    behind a column: a hint to PostgreSQL's planner, which then looks for it in no index
 *
 * What else differs stands in `words`. A text between quotes holds none of these marks.
 */
export type DialectName = "sqlite" | "mysql" | "postgres";

export type Dialect = {
  readonly name: DialectName;
  /** The statement in this database's words, its parameters still marked. */
  readonly words: (sql: string) => string;
  /** What stands for `IN :list`: a list of marks, or one mark for an array or for all ids as text. */
  readonly lists: "marks" | "array" | "text";
  /** Other processes write, too: rows that decisions rest on are locked, and what changed is told to them. */
  readonly shared: boolean;
};

const hint = /\{(?:CROSS JOIN|INDEXED BY [a-z_]+)\}/g;

export const sqlite: Dialect = {
  name: "sqlite",
  words: (sql) =>
    sql
      .replaceAll("#", "?")
      .replace(/ ?\{(?:lock|share|\+ 0)\}/g, "")
      .replace(hint, (text) => text.slice(1, -1)),
  lists: "marks",
  shared: false,
};

export const postgres: Dialect = {
  name: "postgres",
  words: (sql) => locking(withoutHints(sql), "FOR SHARE").replaceAll("{+ 0}", "+ 0"),
  lists: "array",
  shared: true,
};

export const mysql: Dialect = {
  name: "mysql",
  words: (sql) =>
    // MariaDB does not know FOR SHARE, MySQL 8 still knows its older name.
    locking(withoutHints(sql), "LOCK IN SHARE MODE")
      .replaceAll(" {+ 0}", "")
      .replaceAll(" AS TEXT)", " AS CHAR)")
      .replaceAll(" AS BIGINT)", " AS SIGNED)")
      .replaceAll("IS NOT DISTINCT FROM", "<=>"),
  lists: "text",
  shared: true,
};

const withoutHints = (sql: string): string => sql.replace(hint, (text) => (text === "{CROSS JOIN}" ? "JOIN" : ""));
const locking = (sql: string, share: string): string => sql.replaceAll("{lock}", "FOR UPDATE").replaceAll("{share}", share);
