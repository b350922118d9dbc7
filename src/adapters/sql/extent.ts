/** How far the store reaches, so that ids and the clock go on behind it. Each maximum is one step in an index. */
import type { SqlTransaction } from "./sql-transaction.ts";

export type Extent = { readonly idFloor: string; readonly lastAtMs: number };

const largestId = `SELECT CAST(max(
    coalesce((SELECT max(id) FROM sale), 0), coalesce((SELECT max(id) FROM purchase), 0),
    coalesce((SELECT max(id) FROM payment), 0), coalesce((SELECT max(id) FROM refund), 0),
    coalesce((SELECT max(source_id) FROM ledger), 0)) AS TEXT) AS id_floor`;
const lastAt = `SELECT last_at FROM store WHERE one = 1`;

export async function readExtent(tx: SqlTransaction): Promise<Extent> {
  const [ids] = await tx.query<{ id_floor: string }>(largestId, []);
  const [time] = await tx.query<{ last_at: number }>(lastAt, []);
  return { idFloor: ids?.id_floor ?? "0", lastAtMs: time?.last_at ?? 0 };
}
