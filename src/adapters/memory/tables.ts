/**
 * The rows of the memory store. A row is never changed in place, only replaced, so copying the maps copies the state.
 *
 * Every write goes through a `Changes`, which can take back what it did: a commit that breaks a constraint leaves
 * nothing behind, like a transaction.
 */
import { assert } from "../../lib/assert.ts";
import type { AdjustmentId, Buyer, BuyerId, PaymentId, ProductId, PurchaseId, RefundId, SaleId } from "../../domain/ids.ts";
import type { FeedRow } from "../../domain/feed.ts";
import type { InventoryEntry } from "../../domain/inventory.ts";
import type { LedgerEntry } from "../../domain/ledger.ts";
import type { Adjustment } from "../../domain/movement.ts";
import type { Capture, Payment, Refund } from "../../domain/payment.ts";
import type { Product } from "../../domain/product.ts";
import type { Purchase } from "../../domain/purchase.ts";
import type { ScopeId } from "../../domain/journal-message.ts";
import type { Sale } from "../../domain/sale.ts";
import type { Scope } from "../../domain/scope.ts";
import type { AtCut, AtCutOutcome, DeadLetter } from "../../ports/queue-ledger.ts";

export type Submission = { readonly saleId: SaleId; readonly fingerprint: string };
export type Claim = { readonly id: string; readonly fingerprint: string };

export type Tables = {
  readonly products: Map<ProductId, Product>;
  readonly sales: Map<SaleId, Sale>;
  readonly submissions: Map<string, Submission>;
  /** By owner and key. */
  readonly claims: Map<string, Claim>;
  /** By product and buyer, and the copies by sale and buyer that publishing made. */
  readonly quotas: Map<string, number>;
  readonly saleQuotas: Map<string, number>;
  readonly buyers: Map<BuyerId, Buyer>;
  readonly buyerIds: Map<string, BuyerId>;
  readonly purchases: Map<PurchaseId, Purchase>;
  /** UNIQUE (sale, buyer, key) among rows not refused. */
  readonly purchaseKeys: Map<string, PurchaseId>;
  readonly purchasesOfBuyer: Map<BuyerId, readonly PurchaseId[]>;
  /** In commit order. */
  readonly ledger: Map<number, LedgerEntry>;
  /** UNIQUE (source, kind): the entry's number in `ledger`. */
  readonly ledgerSources: Map<string, number>;
  readonly adjustments: Map<AdjustmentId, Adjustment>;
  /** In commit order, and UNIQUE (source, kind). */
  readonly inventory: Map<number, InventoryEntry>;
  readonly inventorySources: Map<string, number>;
  readonly payments: Map<PaymentId, Payment>;
  readonly captures: Map<string, Capture>;
  readonly refunds: Map<RefundId, Refund>;
  readonly callbacks: Map<string, true>;
  readonly scopes: Map<ScopeId, Scope>;
  /** By scope and number. */
  readonly feedRows: Map<string, FeedRow>;
  /** By scope and closing: the processes that owe a mark, each as number and life. */
  readonly scopeWaits: Map<string, readonly string[]>;
  /** By scope, closing and process. */
  readonly scopeMarks: Map<string, true>;
  readonly atCut: Map<string, { readonly ask: AtCut; readonly outcome: AtCutOutcome | undefined }>;
  readonly failedLines: Map<PurchaseId, number>;
  readonly deadLetters: Map<string, DeadLetter>;
};

export function emptyTables(): Tables {
  return {
    products: new Map(),
    sales: new Map(),
    submissions: new Map(),
    claims: new Map(),
    quotas: new Map(),
    saleQuotas: new Map(),
    buyers: new Map(),
    buyerIds: new Map(),
    purchases: new Map(),
    purchaseKeys: new Map(),
    purchasesOfBuyer: new Map(),
    ledger: new Map(),
    ledgerSources: new Map(),
    adjustments: new Map(),
    inventory: new Map(),
    inventorySources: new Map(),
    payments: new Map(),
    captures: new Map(),
    refunds: new Map(),
    callbacks: new Map(),
    scopes: new Map(),
    feedRows: new Map(),
    scopeWaits: new Map(),
    scopeMarks: new Map(),
    atCut: new Map(),
    failedLines: new Map(),
    deadLetters: new Map(),
  };
}

export function copyTables(tables: Tables): Tables {
  const copy = emptyTables();
  // Object.keys forgets which keys it read.
  for (const name of Object.keys(copy) as (keyof Tables)[]) {
    // Both sides are the same table of the same type; the loop only hides which.
    const into = copy[name] as Map<unknown, unknown>;
    for (const [key, row] of tables[name]) into.set(key, row);
  }
  return copy;
}

/** Parts cannot contain a line feed: ids are digits, issuers, subjects and keys printable. */
export const joined = (...parts: readonly (string | number)[]): string => parts.join("\n");

export class Changes {
  readonly #undo: (() => void)[] = [];

  set<Key, Row>(table: Map<Key, Row>, key: Key, row: Row): void {
    const before = table.get(key);
    this.#undo.push(before === undefined ? () => table.delete(key) : () => table.set(key, before));
    table.set(key, row);
  }

  /** Adds a row whose key must be new: a primary key or a unique constraint. */
  insert<Key, Row>(table: Map<Key, Row>, key: Key, row: Row, constraint: string): void {
    assert(!table.has(key), `${constraint} is unique, got ${JSON.stringify(key)} twice`);
    this.set(table, key, row);
  }

  undo(): void {
    for (let step = this.#undo.pop(); step !== undefined; step = this.#undo.pop()) step();
  }
}
