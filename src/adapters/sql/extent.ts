/** How far the store reaches, so that ids and the clock go on behind it, and which store it is. Each maximum is one step in an index. */
import { assert } from "../../lib/assert.ts";
import type { SqlReads } from "./sql-transaction.ts";

export type Extent = {
  readonly idFloor: string;
  readonly lastAtMs: number;
  readonly installation: string;
  /** Every migration the store has had, in order. */
  readonly migrations: readonly string[];
};

/**
 * Over tables whose ids the mint alone makes. Products are left out: callers may name theirs, and a large one would push
 * the mint to the end of its range.
 */
const largestIds = [
  "sale.id",
  "purchase.id",
  "payment.id",
  "refund.id",
  "ledger.source_id",
  "account.id",
  "session.id",
  "server_key.id",
  "adjustment.id",
  "inventory_ledger.source_id",
  "claim.id",
].map((column) => `SELECT max(${column}) AS id FROM ${column.split(".")[0]}`);
const largestId = `SELECT CAST(coalesce(max(ids.id), 0) AS TEXT) AS id_floor FROM (${largestIds.join(" UNION ALL ")}) AS ids`;
const store = `SELECT last_at, installation FROM store WHERE one = 1`;
const migrationNames = `SELECT name FROM migration ORDER BY number`;

export async function readExtent(tx: SqlReads): Promise<Extent> {
  const [ids] = await tx.query<{ id_floor: string }>(largestId, []);
  const [one] = await tx.query<{ last_at: number; installation: string }>(store, []);
  const names = await tx.query<{ name: string }>(migrationNames, []);
  assert(one !== undefined, "a store has its one row");
  return {
    idFloor: ids?.id_floor ?? "0",
    lastAtMs: one.last_at,
    installation: one.installation,
    migrations: names.map(({ name }) => name),
  };
}
