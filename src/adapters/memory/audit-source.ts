/** Rows in memory as an auditor reads them: a memory store's, or any others that a test makes. */
import { parseBuyerId, parseSaleId } from "../../domain/ids.ts";
import type { Adjustment } from "../../domain/movement.ts";
import type { Capture, Payment, Refund } from "../../domain/payment.ts";
import type { Product } from "../../domain/product.ts";
import type { Purchase } from "../../domain/purchase.ts";
import type { Sale } from "../../domain/sale.ts";
import { assert } from "../../lib/assert.ts";
import type { AuditSource, BuyerRow, InventoryRow, LedgerRow, SaleQuota } from "../../ports/audit-source.ts";
import type { Tables } from "./tables.ts";

export type AuditRows = {
  readonly products: readonly Product[];
  readonly sales: readonly Sale[];
  readonly quotas: readonly SaleQuota[];
  readonly buyers: readonly BuyerRow[];
  readonly purchases: readonly Purchase[];
  readonly ledger: readonly LedgerRow[];
  readonly inventory: readonly InventoryRow[];
  readonly adjustments: readonly Adjustment[];
  readonly payments: readonly Payment[];
  readonly captures: readonly Capture[];
  readonly refunds: readonly Refund[];
  readonly callbacks: readonly string[];
};

export function auditRowsOf(tables: Readonly<Tables>): AuditRows {
  return {
    products: [...tables.products.values()],
    sales: [...tables.sales.values()],
    quotas: [...tables.saleQuotas].map(([name, units]) => quotaOf(name, units)),
    buyers: [...tables.buyers].map(([id, buyer]) => ({ id, ...buyer })),
    purchases: [...tables.purchases.values()],
    ledger: [...tables.ledger].map(([number, entry]) => ({ ...entry, number })),
    inventory: [...tables.inventory].map(([number, entry]) => ({ ...entry, number })),
    adjustments: [...tables.adjustments.values()],
    payments: [...tables.payments.values()],
    captures: [...tables.captures.values()],
    refunds: [...tables.refunds.values()],
    callbacks: [...tables.callbacks.keys()],
  };
}

function quotaOf(name: string, units: number): SaleQuota {
  const [sale, buyer] = name.split("\n");
  const saleId = parseSaleId(sale ?? "");
  const buyerId = parseBuyerId(Number(buyer));
  assert(saleId !== undefined && buyerId !== undefined, "a sale's quota names its sale and its buyer");
  return { saleId, buyerId, units };
}

export class MemoryAuditSource implements AuditSource {
  readonly name = "memory";
  readonly #rows: AuditRows;

  constructor(rows: AuditRows) {
    this.#rows = rows;
  }

  products = () => onePage(this.#rows.products);
  sales = () => onePage(this.#rows.sales);
  quotas = () => onePage(this.#rows.quotas);
  buyers = () => onePage(this.#rows.buyers);
  purchases = () => onePage(this.#rows.purchases);
  ledger = () => onePage(this.#rows.ledger);
  inventory = () => onePage(this.#rows.inventory);
  adjustments = () => onePage(this.#rows.adjustments);
  payments = () => onePage(this.#rows.payments);
  captures = () => onePage(this.#rows.captures);
  refunds = () => onePage(this.#rows.refunds);
  callbacks = () => onePage(this.#rows.callbacks);
  close = () => Promise.resolve();
}

async function* onePage<Row>(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  yield rows;
}
