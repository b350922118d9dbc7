import type { MerchantId } from "../domain/access.ts";
import type { Buyer, SaleId } from "../domain/ids.ts";
import type { LedgerEntry } from "../domain/ledger.ts";
import type { Purchase, PurchaseState } from "../domain/purchase.ts";

/**
 * Committed rows for taking out in bulk, in pages by a cursor that the store chooses. A page looks at a bounded number of
 * rows, whatever the filter: it may hold fewer than it looked at, or none, and `next` says where to go on.
 *
 * Each page shows what was committed when it was read; what is committed while a walk is under way may be missing from it.
 * Throws StoreUnavailable when the store cannot answer.
 */
export interface Exports {
  /** In id order, which is about the order of acceptance. */
  exportOrders(query: OrderExportQuery, after: Cursor | undefined): Promise<ExportPage<ExportedOrder>>;
  /** In commit order over all sales. */
  exportLedger(query: LedgerExportQuery, after: Cursor | undefined): Promise<ExportPage<ExportedEntry>>;
}

export type Cursor = string;
export type ExportPage<Row> = { readonly rows: readonly Row[]; readonly next?: Cursor | undefined };

export type LedgerExportQuery = {
  /** Whose rows; undefined for all. */
  readonly seller?: MerchantId | undefined;
  readonly saleId?: SaleId | undefined;
};
export type OrderExportQuery = LedgerExportQuery & {
  readonly state?: PurchaseState | undefined;
  /** By the time of acceptance: from it on, and before it. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
};

export type ExportedOrder = {
  readonly purchase: Purchase;
  readonly buyer: Buyer;
  readonly seller: MerchantId;
  readonly productName: string;
  readonly saleName: string;
};
export type ExportedEntry = {
  readonly entry: LedgerEntry;
  /** Grows with the commit order; `verify` finds the row by it. */
  readonly number: number;
  readonly seller: MerchantId;
};

/** Rows that one page looks at. */
export const exportPageRowsMax = 1_000;
