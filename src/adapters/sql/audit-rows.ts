/** Rows as an auditor reads them, with what the store counts and numbers. */
import type { BuyerId } from "../../domain/ids.ts";
import type { InventoryRow, LedgerRow, SaleQuota, SaleRow as AuditedSale } from "../../ports/audit-source.ts";
import { inventoryOf, type InventoryRow as StoredInventory } from "./inventory-rows.ts";
import * as rows from "./rows.ts";

export type CountedSale = rows.SaleRow & {
  readonly buyer_count: number;
  readonly reserved_count: number;
  readonly paid_count: number;
  readonly cancelled_count: number;
  readonly expired_count: number;
  readonly closed_count: number;
  readonly queued_count: number;
  readonly refused_count: number;
};
export type LedgerSqlRow = {
  readonly seq: number;
  readonly sale_id: LedgerRow["saleId"];
  readonly source_id: LedgerRow["sourceId"];
  readonly kind: LedgerRow["kind"];
  readonly units: number;
  readonly buyer_limit: number | null;
  readonly at_ms: number;
};
export type QuotaRow = { readonly sale_id: SaleQuota["saleId"]; readonly buyer_id: BuyerId; readonly units: number };

export const countedSaleColumns = `${rows.saleColumns}, buyer_count, reserved_count, paid_count, cancelled_count, expired_count, closed_count, queued_count, refused_count`;
export function saleOf(row: CountedSale): AuditedSale {
  const byState = {
    reserved: row.reserved_count,
    paid: row.paid_count,
    cancelled: row.cancelled_count,
    expired: row.expired_count,
    closed: row.closed_count,
    queued: row.queued_count,
    refused: row.refused_count,
  };
  return { ...rows.saleOf(row), counts: { byState, buyers: row.buyer_count } };
}

export const ledgerColumns = "seq, CAST(sale_id AS TEXT) AS sale_id, CAST(source_id AS TEXT) AS source_id, kind, units, buyer_limit, at_ms";
export function entryOf(row: LedgerSqlRow): LedgerRow {
  return {
    number: row.seq,
    saleId: row.sale_id,
    sourceId: row.source_id,
    kind: row.kind,
    units: row.units,
    limit: row.buyer_limit ?? undefined,
    atMs: row.at_ms,
  };
}

export function numbered(row: StoredInventory): InventoryRow {
  return { ...inventoryOf(row), number: row.seq };
}

export function quotaOf(row: QuotaRow): SaleQuota {
  return { saleId: row.sale_id, buyerId: row.buyer_id, units: row.units };
}

export const quotaColumns = "CAST(sale_id AS TEXT) AS sale_id, buyer_id, units";
