/** Rows of the inventory and of adjustments, and what they mean. */
import type { InventoryEntry } from "../../domain/inventory.ts";
import type { Adjustment } from "../../domain/movement.ts";
import { insertInto } from "./insert-statement.ts";
import type { SqlTransaction } from "./sql-transaction.ts";

export const inventoryColumns = `seq, CAST(product_id AS TEXT) AS product_id, CAST(source_id AS TEXT) AS source_id, kind, units, balance, reason,
  actor, at_ms`;
export type InventoryRow = {
  readonly seq: number;
  readonly product_id: InventoryEntry["productId"];
  readonly source_id: InventoryEntry["sourceId"];
  readonly kind: InventoryEntry["kind"];
  readonly units: number | null;
  readonly balance: number | null;
  readonly reason: string;
  readonly actor: string;
  readonly at_ms: number;
};

export function inventoryOf(row: InventoryRow): InventoryEntry {
  const { kind, units, balance, reason, actor } = row;
  return { productId: row.product_id, sourceId: row.source_id, kind, units, balance, reason, actor, atMs: row.at_ms };
}

const insertInventory = insertInto("inventory_ledger", {
  product_id: "id",
  source_id: "id",
  kind: "text",
  units: "integer",
  balance: "integer",
  reason: "text",
  actor: "text",
  at_ms: "integer",
});
export async function addInventory(tx: SqlTransaction, entries: readonly InventoryEntry[]): Promise<void> {
  const rows = entries.flatMap((e) => [e.productId, e.sourceId, e.kind, e.units, e.balance, e.reason, e.actor, e.atMs]);
  await tx.insert(insertInventory, rows);
}

export const adjustmentColumns = `CAST(adjustment.id AS TEXT) AS id, CAST(adjustment.sale_id AS TEXT) AS sale_id, kind, asked, applied, reason, actor, at_ms`;
export type AdjustmentRow = {
  readonly id: Adjustment["id"];
  readonly sale_id: Adjustment["saleId"];
  readonly kind: Adjustment["kind"];
  readonly asked: number;
  readonly applied: number;
  readonly reason: string;
  readonly actor: string;
  readonly at_ms: number;
};

export function adjustmentOf(row: AdjustmentRow): Adjustment {
  const { id, kind, asked, applied, reason, actor } = row;
  return { id, saleId: row.sale_id, kind, asked, applied, reason, actor, atMs: row.at_ms };
}

const insertAdjustments = insertInto("adjustment", {
  id: "id",
  sale_id: "id",
  kind: "text",
  asked: "integer",
  applied: "integer",
  reason: "text",
  actor: "text",
  at_ms: "integer",
});
export async function addAdjustments(tx: SqlTransaction, adjustments: Iterable<Adjustment>): Promise<void> {
  const rows = [...adjustments].flatMap((a) => [a.id, a.saleId, a.kind, a.asked, a.applied, a.reason, a.actor, a.atMs]);
  await tx.insert(insertAdjustments, rows);
}
