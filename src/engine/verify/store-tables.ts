/**
 * What an audit keeps in memory of a store: one object per sale, refund and quota, about 150 bytes per purchase and 40 per
 * payment. The large tables are read as streams and held against these.
 */
import { NumberColumn } from "../../lib/number-column.ts";
import type { PurchaseId } from "../../domain/ids.ts";
import { entryKinds, type Balances, type EntryKind } from "../../domain/ledger.ts";
import type { Money } from "../../domain/money.ts";
import type { Refund } from "../../domain/payment.ts";
import { amountOf, transitions, type Purchase, type PurchaseState } from "../../domain/purchase.ts";
import type { LedgerRow, SaleRow } from "../../ports/audit-source.ts";
import { IdIndex } from "./id-index.ts";

export type SaleAudit = {
  readonly sale: SaleRow;
  /** Sales of one merchant's limit group share it; a sale without one is its own group. */
  readonly limitGroup: string;
  readonly quotas: Map<number, number>;
  /** Of its purchases, for the counts that the store keeps. */
  readonly byState: Map<PurchaseState, number>;
  readonly buyers: Set<number>;
  /** As replayed so far. */
  balances: { -readonly [Account in keyof Balances]: number };
  entries: number;
  /** Of its latest entry. */
  lastAtMs: number;
  stepBroken: boolean;
  issued: boolean;
  cancelled: boolean;
};

/** An entry that brought units into a sale or took them out of it. */
export type SupplyAudit = { readonly entry: LedgerRow; adjusted: boolean; moved: boolean };

export type RefundAudit = { readonly refund: Refund; returned: boolean };

// Every key of the table is a state.
export const purchaseStates = Object.keys(transitions) as PurchaseState[];
export const entryBit = (kind: EntryKind): number => 1 << entryKinds.indexOf(kind);

/** Its purchases are accepted by a cache first, and take their units in the ledger later, by another clock. */
export const decidedByCache = ({ scopeId }: Pick<SaleRow, "scopeId">): boolean => scopeId !== undefined;

export class PurchaseTable {
  readonly ids = new IdIndex();
  readonly sale = new NumberColumn();
  readonly buyer = new NumberColumn();
  readonly quantity = new NumberColumn();
  readonly limit = new NumberColumn();
  readonly acceptedAtMs = new NumberColumn();
  readonly payByMs = new NumberColumn();
  readonly holdUntilMs = new NumberColumn();
  readonly extensions = new NumberColumn();
  readonly changedAtMs = new NumberColumn();
  /** When its units were taken, as the ledger has it; as it was accepted, until that was read. */
  readonly takenAtMs = new NumberColumn();
  readonly amount = new NumberColumn();
  readonly #state = new NumberColumn();
  readonly #currency = new NumberColumn();
  readonly refundedFlag = new NumberColumn();
  /** Bits of the kinds of entries seen in the ledger. */
  readonly entries = new NumberColumn();
  readonly keptCaptures = new NumberColumn();
  /** How far its payments moved the hold at least and at most, by whether extensions came before or after them. */
  readonly graceFromMs = new NumberColumn();
  readonly graceToMs = new NumberColumn();
  /** Refunds the shop asked for, of which there is at most one. */
  readonly shopRefunds = new NumberColumn();
  readonly #currencies: string[] = [];

  /** The new row, or -1 if the id is there already or is none. */
  add(purchase: Purchase, sale: number): number {
    const row = this.ids.add(purchase.id);
    if (row < 0) return row;
    this.sale.set(row, sale);
    this.buyer.set(row, purchase.buyerId);
    this.quantity.set(row, purchase.quantity);
    this.limit.set(row, purchase.limit);
    this.acceptedAtMs.set(row, purchase.acceptedAtMs);
    this.payByMs.set(row, purchase.payByMs);
    this.holdUntilMs.set(row, purchase.holdUntilMs);
    this.extensions.set(row, purchase.extensions);
    this.changedAtMs.set(row, purchase.changedAtMs);
    this.takenAtMs.set(row, purchase.acceptedAtMs);
    this.amount.set(row, amountOf(purchase).minor);
    this.#currency.set(row, this.#currencyOf(purchase.price.currency));
    this.#state.set(row, purchaseStates.indexOf(purchase.state));
    this.refundedFlag.set(row, purchase.refunded ? 1 : 0);
    return row;
  }

  /** Undefined for a state that does not exist. */
  stateAt(row: number): PurchaseState | undefined {
    return purchaseStates[this.#state.get(row)];
  }

  costs(row: number, money: Money): boolean {
    return this.amount.get(row) === money.minor && this.#currencies[this.#currency.get(row)] === money.currency;
  }

  nameAt(row: number): string {
    return `purchase ${this.ids.idAt(row)}`;
  }

  find(id: string): number {
    return this.ids.find(id);
  }

  #currencyOf(currency: string): number {
    const known = this.#currencies.indexOf(currency);
    return known >= 0 ? known : this.#currencies.push(currency) - 1;
  }
}

export class StoreTables {
  /** A sale's number in `saleList` is its number in the purchases' column. */
  readonly sales = new Map<string, number>();
  readonly saleList: SaleAudit[] = [];
  readonly purchases = new PurchaseTable();
  readonly refunds = new Map<string, RefundAudit>();
  readonly refundsOfCapture = new Map<string, Refund[]>();

  readonly #supplies = new Map<string, SupplyAudit>();

  get supplies(): Iterable<SupplyAudit> {
    return this.#supplies.values();
  }

  /** False if there is one of its source and kind. */
  addSupply(entry: LedgerRow): boolean {
    const name = `${entry.sourceId}\n${entry.kind}`;
    if (this.#supplies.has(name)) return false;
    this.#supplies.set(name, { entry, adjusted: false, moved: false });
    return true;
  }

  supplyOf(sourceId: string, kind: "issue" | "withdraw"): SupplyAudit | undefined {
    return this.#supplies.get(`${sourceId}\n${kind}`);
  }

  saleOf(id: string): SaleAudit | undefined {
    const number = this.sales.get(id);
    return number === undefined ? undefined : this.saleList[number];
  }

  addSale(sale: SaleRow): boolean {
    if (this.sales.has(sale.id)) return false;
    this.sales.set(sale.id, this.saleList.length);
    this.saleList.push({
      sale,
      limitGroup: sale.limitGroup === undefined ? `sale ${sale.id}` : `group ${sale.seller}\n${sale.limitGroup}`,
      quotas: new Map(),
      byState: new Map(),
      buyers: new Set(),
      balances: { issued: 0, available: 0, held: 0, sold: 0, withdrawn: 0 },
      entries: 0,
      lastAtMs: 0,
      stepBroken: false,
      issued: false,
      cancelled: false,
    });
    return true;
  }

  /** Row of the purchase if it belongs to the sale, else -1. */
  purchaseIn(saleId: string, id: PurchaseId | string): number {
    const row = this.purchases.find(id);
    return row >= 0 && this.saleList[this.purchases.sale.get(row)]?.sale.id === saleId ? row : -1;
  }
}
