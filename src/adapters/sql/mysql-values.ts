/** Variables and counters of a MySQL or MariaDB server by their names. Each knows others, so what is asked for may be missing. */
import type { SqlReads } from "./sql-transaction.ts";

type NamedValue = { readonly Variable_name: string; readonly Value: string | number };
export type MysqlValues = ReadonlyMap<string, string>;

/** Variables as this session has them, and the server's own where a session has none. Names are constants of this folder. */
export const readVariables = (db: SqlReads, names: readonly string[]): Promise<MysqlValues> => read(db, "VARIABLES", names);
export const readStatus = (db: SqlReads, names: readonly string[]): Promise<MysqlValues> => read(db, "STATUS", names);

async function read(db: SqlReads, what: "VARIABLES" | "STATUS", names: readonly string[]): Promise<MysqlValues> {
  const list = names.map((name) => `'${name}'`).join(", ");
  const rows = await db.query<NamedValue>(`SHOW SESSION ${what} WHERE Variable_name IN (${list})`, []);
  return new Map(rows.map(({ Variable_name: name, Value: value }) => [name.toLowerCase(), String(value)]));
}

/** Undefined for a switch that is not there. Some have more positions than two: whatever is not off is on. */
export function isOn(values: MysqlValues, name: string): boolean | undefined {
  const value = values.get(name);
  return value === undefined ? undefined : !/^(?:off|0|no|disabled)$/i.test(value);
}

export function numberOf(values: MysqlValues, name: string): number | undefined {
  const value = values.get(name);
  return value === undefined || value === "" ? undefined : Number(value);
}
