/**
 * The working state of a batch: the facts read under the sale's lock, what the lines so far changed, and what is to be
 * written. The decisions live in stock-movements.ts and money-movements.ts; here is only how a change is noted, so that
 * no decision can forget the ledger entry, the buyer's units or the state an update requires.
 */
import { assert } from "../lib/assert.ts";
import { isMarked } from "./availability.ts";
import type { AdjustmentId, BuyerId, PaymentId, PurchaseId, RefundId } from "./ids.ts";
import { balanceAfter, type Inventory, type InventoryEntry } from "./inventory.ts";
import { post, type EntryKind, type EntrySource, type LedgerEntry } from "./ledger.ts";
import type { Line, ScopeId } from "./journal-message.ts";
import type { Adjustment } from "./movement.ts";
import type { Capture, Payment, Refund, RefundReason } from "./payment.ts";
import { countsAgainstLimit, holdsKey, transitions, type Purchase, type PurchaseEvent, type PurchaseState } from "./purchase.ts";
import type { Sale } from "./sale.ts";
import type { Scope } from "./scope.ts";

/** What a batch needs to know, read under the sale's lock. Maps may hold more than the batch names. */
export type SaleFacts = {
  readonly sale: Sale;
  /** Every purchase that a movement names, and every one its takes' buyers have in this sale. */
  readonly purchases: Map<PurchaseId, Purchase>;
  /** Units of the takes' buyers in the other sales of the limit group. */
  readonly unitsElsewhere: Map<BuyerId, number>;
  readonly quotas: Map<BuyerId, number>;
  /** Payments that movements name, and all payments of purchases that movements name. */
  readonly payments: Map<PaymentId, Payment>;
  /** Captures with the ids that movements name, and those of purchases to be refunded. */
  readonly captures: Map<string, Capture>;
  readonly refunds: Map<RefundId, Refund>;
  /** Ids of callbacks already applied, among those named. */
  readonly callbacks: Set<string>;
  /** Adjustments and settlements that movements name and that were made before. */
  readonly adjustments: Map<AdjustmentId, Adjustment>;
  /**
   * The sale's product, where units may move between the two: for a publish, and for what changes the supply of a sale
   * whose units come from the inventory. Undefined of a product that is deleted or does not exist.
   */
  readonly product?: { readonly inventory: Inventory } | undefined;
  /** For a publish: whether the product has quotas to copy, and the limit of the group's other published sales. */
  readonly productHasQuotas: boolean;
  readonly groupLimit?: number | undefined;
  /** How long a mark may live in the memory of other processes, with a margin; absent where there are none. */
  readonly reopenDelayMs?: number | undefined;
  /** Units of lines that were put aside, where units may leave a sale that the cache decides: they are theirs. */
  readonly unitsAside?: number | undefined;
  /** Of a sale that the cache decides. */
  readonly scope?: Scope | undefined;
  /** For a publish, where the cache is to decide. */
  readonly publishesTo?: ScopeId | undefined;
};

/** Facts of a sale about which nothing else is known yet. */
export function noFacts(sale: Sale): SaleFacts {
  return {
    sale,
    purchases: new Map(),
    unitsElsewhere: new Map(),
    quotas: new Map(),
    payments: new Map(),
    captures: new Map(),
    refunds: new Map(),
    callbacks: new Set(),
    adjustments: new Map(),
    productHasQuotas: false,
  };
}

/** What to write, in one transaction. `from` is the state an update requires: a transition is one conditional update. */
export type SaleWrites = {
  sale: Sale;
  copyQuotas: boolean;
  readonly ledger: LedgerEntry[];
  readonly adjustments: Map<AdjustmentId, Adjustment>;
  /** Entries of the product's inventory; the last one's balance is the product's. */
  readonly inventory: InventoryEntry[];
  readonly newPurchases: Map<PurchaseId, Purchase>;
  readonly changedPurchases: Map<PurchaseId, { purchase: Purchase; from: PurchaseState }>;
  readonly payments: Map<PaymentId, Payment>;
  readonly captures: Map<string, Capture>;
  readonly refunds: Map<RefundId, Refund>;
  readonly callbacks: Set<string>;
  /** Lines that were refused and that the cache counts: it is to have their units back, and to forget their keys. */
  readonly freed: Pick<Line, "purchaseId" | "buyerId" | "quantity" | "key">[];
  /** Whether a line of the epoch that stands met no stock, so that the cache has more than there is. */
  drifted: boolean;
};

export type BuyerState = { units: number; attempts: number; readonly byKey: Map<string, Purchase> };

export class BatchState {
  readonly facts: SaleFacts;
  readonly nowMs: number;
  readonly writes: SaleWrites;
  readonly #buyers = new Map<BuyerId, BuyerState>();

  constructor(facts: SaleFacts, nowMs: number) {
    this.facts = facts;
    this.nowMs = nowMs;
    this.writes = {
      sale: facts.sale,
      copyQuotas: false,
      ledger: [],
      adjustments: new Map(),
      inventory: [],
      newPurchases: new Map(),
      changedPurchases: new Map(),
      payments: new Map(),
      captures: new Map(),
      refunds: new Map(),
      callbacks: new Set(),
      freed: [],
      drifted: false,
    };
    for (const purchase of facts.purchases.values()) this.#index(purchase);
  }

  /** Once changed the sale has its next number, whatever else changes it in this batch: so copies of it can be ordered. */
  change(change: Partial<Sale>): Sale {
    const sale = { ...this.writes.sale, ...change, feed: this.facts.sale.feed + 1 };
    return (this.writes.sale = this.#clearsMark(sale) ? { ...sale, reopensAtMs: this.nowMs + (this.facts.reopenDelayMs ?? 0) } : sale);
  }

  /**
   * Whether others may go on refusing from memory what this sale would now accept. They refuse whom they do not know to
   * have been accepted; so that nobody is accepted whom they cannot know, acceptance waits until their marks have run out.
   */
  #clearsMark(sale: Sale): boolean {
    const { reopenDelayMs = 0, sale: committed } = this.facts;
    if (reopenDelayMs === 0) return false;
    // Also what time will do to it while marks live: that it ends in a moment says nothing of this one.
    const clears = (atMs: number) => isMarked(committed, atMs) && !isMarked(sale, atMs);
    return clears(this.nowMs) || clears(this.nowMs + reopenDelayMs);
  }

  post(kind: EntryKind, sourceId: EntrySource, units: number, limit?: number): void {
    const { sale } = this.writes;
    this.change({ balances: post(sale.balances, kind, units) });
    this.writes.ledger.push({ saleId: sale.id, sourceId, kind, units, limit, atMs: this.nowMs });
  }

  /** What the product has free; undefined if it is not for sale. */
  get inventory(): Inventory | undefined {
    const last = this.writes.inventory.at(-1);
    return last === undefined ? this.facts.product?.inventory : last.balance;
  }

  /** Units go out to the sale, or come back from it: where they come from its product's inventory, and only there. */
  moveInventory(kind: "allot" | "return", units: number, by: Pick<InventoryEntry, "sourceId" | "reason" | "actor">): void {
    const { sale } = this.writes;
    if (!sale.fromInventory) return;
    const before = this.inventory;
    assert(before !== undefined, "the product of a sale that moves its units was read");
    const balance = balanceAfter(before, { kind, units });
    this.writes.inventory.push({ productId: sale.productId, kind, units, balance, ...by, atMs: this.nowMs });
  }

  adjusted(fields: Omit<Adjustment, "saleId" | "atMs">): Adjustment {
    const adjustment = { ...fields, saleId: this.facts.sale.id, atMs: this.nowMs };
    this.writes.adjustments.set(adjustment.id, adjustment);
    this.facts.adjustments.set(adjustment.id, adjustment);
    return adjustment;
  }

  /** A new purchase, with its units already posted. */
  add(purchase: Purchase): void {
    this.writes.newPurchases.set(purchase.id, purchase);
    this.facts.purchases.set(purchase.id, purchase);
    this.#index(purchase);
  }

  move(purchase: Purchase, event: PurchaseEvent): Purchase {
    const next = transitions[purchase.state][event];
    assert(next !== "same" && next !== "no", `"${event}" moves a purchase that is ${purchase.state}`);
    return this.put({ ...purchase, state: next, changedAtMs: this.nowMs }, purchase.state);
  }

  put(purchase: Purchase, from: PurchaseState): Purchase {
    if (this.writes.newPurchases.has(purchase.id)) this.writes.newPurchases.set(purchase.id, purchase);
    else this.writes.changedPurchases.set(purchase.id, { purchase, from: this.writes.changedPurchases.get(purchase.id)?.from ?? from });
    this.#unindex(purchase.id);
    this.facts.purchases.set(purchase.id, purchase);
    this.#index(purchase);
    return purchase;
  }

  putPayment(payment: Payment): void {
    this.writes.payments.set(payment.id, payment);
    this.facts.payments.set(payment.id, payment);
  }

  requestRefund(ask: { id: RefundId; capture: Capture; provider: string; reason: RefundReason; returnStock: boolean }): Refund {
    const { id, capture, provider, reason, returnStock } = ask;
    const { paymentId, purchaseId, saleId, money } = capture;
    const refund: Refund = {
      id,
      captureId: capture.id,
      paymentId,
      purchaseId,
      saleId,
      provider,
      money,
      reason,
      returnStock,
      state: "requested",
      tries: 0,
      nextTryAtMs: this.nowMs,
      createdAtMs: this.nowMs,
      changedAtMs: this.nowMs,
    };
    this.writes.refunds.set(id, refund);
    this.facts.refunds.set(id, refund);
    return refund;
  }

  paymentsOf(id: PurchaseId): Payment[] {
    return [...this.facts.payments.values()].filter((p) => p.purchaseId === id);
  }

  purchaseFor(id: PurchaseId, buyerId: BuyerId | undefined): Purchase | undefined {
    const purchase = this.facts.purchases.get(id);
    return purchase !== undefined && (buyerId === undefined || purchase.buyerId === buyerId) ? purchase : undefined;
  }

  /** Whether a callback was applied before; notes it as applied now. */
  seen(callbackId: string | undefined): boolean {
    if (callbackId === undefined) return false;
    if (this.facts.callbacks.has(callbackId)) return true;
    this.facts.callbacks.add(callbackId);
    this.writes.callbacks.add(callbackId);
    return false;
  }

  buyer(id: BuyerId): BuyerState {
    let state = this.#buyers.get(id);
    if (state === undefined) {
      state = { units: 0, attempts: 0, byKey: new Map() };
      this.#buyers.set(id, state);
    }
    return state;
  }

  #index(purchase: Purchase): void {
    const buyer = this.buyer(purchase.buyerId);
    buyer.attempts += 1;
    if (countsAgainstLimit(purchase, this.facts.sale.refundedUnitsCount)) buyer.units += purchase.quantity;
    if (purchase.key !== undefined && holdsKey(purchase)) buyer.byKey.set(purchase.key, purchase);
  }

  #unindex(id: PurchaseId): void {
    const old = this.facts.purchases.get(id);
    if (old === undefined) return;
    const buyer = this.buyer(old.buyerId);
    buyer.attempts -= 1;
    if (countsAgainstLimit(old, this.facts.sale.refundedUnitsCount)) buyer.units -= old.quantity;
  }
}
