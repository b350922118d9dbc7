import type { BuyerId, SaleId } from "../domain/ids.ts";
import type { InventoryEntry } from "../domain/inventory.ts";
import type { LedgerEntry } from "../domain/ledger.ts";
import type { Capture, Payment, Refund } from "../domain/payment.ts";
import type { Adjustment } from "../domain/movement.ts";
import type { Product } from "../domain/product.ts";
import type { Purchase } from "../domain/purchase.ts";
import type { Sale } from "../domain/sale.ts";
import type { SaleCounts } from "./records.ts";

/**
 * A store as an auditor sees it: one consistent snapshot, however often and in whatever order its tables are read, and
 * untouched by what is committed meanwhile. Tables come in bounded pages, so that a store larger than memory can be read.
 *
 * Rows are as stored, not as they should be: the auditor judges them, so a reader never throws for what a row holds.
 * Throws StoreUnavailable when the store cannot be read. Nothing is ever written.
 */
export interface AuditSource {
  /** What was opened, in words for the operator. */
  readonly name: string;
  /** Deleted ones, too. */
  products(): Pages<Product>;
  sales(): Pages<SaleRow>;
  /** Copies of quotas that publishing made: the limit in force for these buyers. */
  quotas(): Pages<SaleQuota>;
  buyers(): Pages<BuyerRow>;
  /** In id order, which is about the order of acceptance. */
  purchases(): Pages<Purchase>;
  /** In commit order over all sales. */
  ledger(): Pages<LedgerRow>;
  /** Inventory entries in commit order over all products. */
  inventory(): Pages<InventoryRow>;
  adjustments(): Pages<Adjustment>;
  payments(): Pages<Payment>;
  captures(): Pages<Capture>;
  refunds(): Pages<Refund>;
  /** Ids of the callbacks applied. */
  callbacks(): Pages<string>;
  close(): Promise<void>;
}

/** With what the store counts of the sale's purchases, where it keeps such counts. */
export type SaleRow = Sale & { readonly counts?: SaleCounts | undefined };
export type Pages<Row> = AsyncIterable<readonly Row[]>;
/** `number` grows with the commit order; an operator finds the row by it. */
export type LedgerRow = LedgerEntry & { readonly number: number };
export type InventoryRow = InventoryEntry & { readonly number: number };
export type SaleQuota = { readonly saleId: SaleId; readonly buyerId: BuyerId; readonly units: number };
export type BuyerRow = { readonly id: BuyerId; readonly issuer: string; readonly subject: string };
