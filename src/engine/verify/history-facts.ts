/**
 * What the checks of a record need of the store: the rows of the sales it names, who bought them, where their entries
 * stand in the ledger, and each sale's free and held units after every entry.
 */
import { NumberColumn } from "../../lib/number-column.ts";
import type { Payment } from "../../domain/payment.ts";
import type { Purchase, PurchaseState } from "../../domain/purchase.ts";
import type { BuyerRow, LedgerRow, SaleRow } from "../../ports/audit-source.ts";
import type { Attempt } from "./history-log.ts";
import { decidedByCache } from "./store-tables.ts";

export type StoredPurchase = {
  readonly id: string;
  readonly saleId: string;
  /** Undefined for a buyer the record does not name. */
  readonly user: string | undefined;
  readonly key: string | undefined;
  readonly quantity: number;
  readonly state: PurchaseState;
  /** Why it was refused after a cache had accepted it. */
  readonly refusedFor: Purchase["refusedFor"];
  readonly holdUntilMs: number;
  hasPayment: boolean;
  /** How many entries of its sale stand before its own; -1 without one. */
  takeAt: number;
  cancelAt: number;
};

/** Free and held units of a sale after its first r entries. */
export class StockLine {
  readonly available = new NumberColumn();
  readonly held = new NumberColumn();
  entries = 0;

  post(entry: LedgerRow): void {
    const units = entry.units;
    const free = this.available.get(this.entries) + units * (freeChange[entry.kind] ?? 0);
    const held = this.held.get(this.entries) + units * (heldChange[entry.kind] ?? 0);
    this.entries += 1;
    this.available.set(this.entries, free);
    this.held.set(this.entries, held);
  }
}
const freeChange: Readonly<Record<LedgerRow["kind"], number>> = {
  issue: 1,
  take: -1,
  pay: 0,
  cancel: 1,
  expire: 1,
  close: 1,
  return: 1,
  withdraw: -1,
};
const heldChange: Readonly<Record<LedgerRow["kind"], number>> = {
  issue: 0,
  take: 1,
  pay: -1,
  cancel: -1,
  expire: -1,
  close: -1,
  return: 0,
  withdraw: 0,
};

export const keyName = (saleId: string, user: string, key: string) => `${saleId}\n${user}\n${key}`;

export class HistoryFacts {
  readonly rows = new Map<string, StoredPurchase>();
  readonly stock = new Map<string, StockLine>();
  /** Sales that somebody tried to buy in: the record must explain everything in them. */
  readonly sales = new Set<string>();
  /** Those that a cache decides. */
  readonly cached = new Set<string>();
  readonly #users = new Set<string>();
  readonly #ids = new Set<string>();
  readonly #userOf = new Map<number, string>();

  constructor(attempts: readonly Attempt[]) {
    for (const attempt of attempts) {
      this.#users.add(attempt.user);
      if (attempt.f === "purchase") this.sales.add(attempt.saleId);
      if (attempt.id !== undefined) this.#ids.add(attempt.id);
    }
    for (const sale of this.sales) this.stock.set(sale, new StockLine());
  }

  sale(row: SaleRow): void {
    if (decidedByCache(row)) this.cached.add(row.id);
  }

  buyer({ id, subject }: BuyerRow): void {
    if (this.#users.has(subject)) this.#userOf.set(id, subject);
  }

  purchase({ id, saleId, buyerId, key, quantity, state, holdUntilMs, refusedFor }: Purchase): void {
    if (!this.sales.has(saleId) && !this.#ids.has(id)) return;
    const user = this.#userOf.get(buyerId);
    this.rows.set(id, { id, saleId, user, key, quantity, state, refusedFor, holdUntilMs, hasPayment: false, takeAt: -1, cancelAt: -1 });
  }

  entry(entry: LedgerRow): void {
    const line = this.stock.get(entry.saleId);
    if (line === undefined) return;
    const row = entry.kind === "take" || entry.kind === "cancel" ? this.rows.get(entry.sourceId) : undefined;
    if (row !== undefined && entry.kind === "take") row.takeAt = line.entries;
    if (row !== undefined && entry.kind === "cancel") row.cancelAt = line.entries;
    line.post(entry);
  }

  payment(payment: Payment): void {
    const row = this.rows.get(payment.purchaseId);
    if (row !== undefined) row.hasPayment = true;
  }
}
