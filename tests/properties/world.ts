/**
 * A sale that is played with at random, and an auditor of its own: it counts from the answers it got, not from the rows,
 * so store and auditor can only agree by both being right.
 */
import fc from "fast-check";
import type { MemoryStore } from "../../src/adapters/memory/memory-store.ts";
import type { BuyerId, ProductId, PurchaseId, SaleId } from "../../src/domain/ids.ts";
import { parseAdjustmentId, parsePaymentId, parsePurchaseId, parseRefundId } from "../../src/domain/ids.ts";
import { replay } from "../../src/domain/ledger.ts";
import type { Movement, MovementOutcome } from "../../src/domain/movement.ts";
import { extensionMs, type Purchase, type PurchaseState } from "../../src/domain/purchase.ts";
import type { SaleDraft } from "../../src/domain/sale.ts";
import type { NewProduct } from "../../src/ports/catalogue.ts";
import type { LedgerBatch } from "../../src/ports/stock-ledger.ts";
import { internNow, storeWith } from "../kit/live-sale.ts";
import { money, must, productId, saleId, sampleEndMs, sampleNowMs } from "../kit/samples.ts";

export type Action =
  | { kind: "take"; buyer: number; key: number; quantity: number }
  | { kind: "cancel" | "expire" | "close"; nth: number }
  /** Of deadlines it had, or will have: so many after the first. */
  | { kind: "extend"; nth: number; deadline: number }
  | { kind: "start_payment"; nth: number }
  | { kind: "capture"; nth: number; wrong: boolean; again: boolean }
  | { kind: "refund"; nth: number; returnStock: boolean }
  | { kind: "adjust"; units: number }
  | { kind: "settle" }
  | { kind: "switch"; to: "pause" | "resume" | "cancel_sale" };
/** Committed together, perhaps twice: the answer of the first time was lost. */
export type Step = { waitMs: number; actions: readonly Action[]; twice: boolean };

const buyersMax = 4;
const nth = fc.nat({ max: 30 });
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("take"),
      buyer: fc.nat({ max: buyersMax - 1 }),
      key: fc.nat({ max: 5 }),
      quantity: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom("cancel", "expire", "close"), nth }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("extend"), nth, deadline: fc.nat({ max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("start_payment"), nth }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("capture"), nth, wrong: fc.boolean(), again: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("refund"), nth, returnStock: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("adjust"), units: fc.integer({ min: -4, max: 4 }).filter((units) => units !== 0) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("settle") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("switch"), to: fc.constantFrom("pause", "resume", "resume", "cancel_sale") }) },
);
export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    waitMs: fc.oneof({ weight: 4, arbitrary: fc.nat({ max: 2_000 }) }, { weight: 1, arbitrary: fc.constant(60_000) }),
    actions: fc.array(action, { minLength: 1, maxLength: 5 }),
    twice: fc.boolean(),
  }),
  { maxLength: 25 },
);
export const stocks = fc.integer({ min: 1, max: 8 });
export const limits = fc.integer({ min: 1, max: 4 });
/** Units of the product beyond the sale's stock; undefined where nobody counts. */
export const spares = fc.option(fc.nat({ max: 6 }), { nil: undefined });

const payWindowMs = 30_000;

export type Setting = Partial<SaleDraft> & {
  /** Where this world's ids begin, so that several can share a store. */
  firstId?: number;
  spare?: number | undefined;
};
export type Played = { readonly batch: LedgerBatch; readonly twice: boolean; readonly outcomes: readonly MovementOutcome[] };

/** The world's product, with its first count if somebody counts. */
export function productFor(id: ProductId, stock: number, spare: number | undefined): NewProduct {
  const counted = spare === undefined ? undefined : { id: must(parseAdjustmentId(`${id}1`)), units: stock + spare, actor: "one" };
  return { id, name: "Lamp", price: money(500), seller: "shop", createdAtMs: 0, counted };
}

/** What the auditor knows of a purchase that was answered as accepted. */
type Known = { purchase: Purchase; state: PurchaseState; returned: boolean; refunded: boolean };

export class World {
  readonly store: MemoryStore;
  readonly saleId: SaleId;
  readonly payWindowMs = payWindowMs;
  readonly productId: ProductId;
  /** Everything that was committed, and what it answered in the end. */
  readonly played: Played[] = [];
  readonly known = new Map<PurchaseId, Known>();
  readonly #buyers: readonly BuyerId[];
  readonly #payments = new Map<PurchaseId, string>();
  #nowMs = sampleNowMs;
  #lastId: number;
  /** Units that were ever put on sale and not taken back. */
  offered: number;

  constructor(store: MemoryStore, { firstId = 11, spare, ...change }: Setting) {
    this.productId = productId(String(firstId + 1));
    const draft = { payWindowMs, stock: 5, ...change, productId: this.productId };
    store.addProductNow(productFor(this.productId, draft.stock, spare));
    this.saleId = saleId(String(firstId));
    this.#lastId = firstId + 1_000;
    this.store = storeWith([[this.saleId, draft]], store);
    this.offered = draft.stock;
    this.#buyers = Array.from({ length: buyersMax }, (_, i) => internNow(store, `buyer-${i}`));
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get buyers(): readonly BuyerId[] {
    return this.#buyers;
  }

  play({ waitMs, actions, twice }: Step): void {
    this.#nowMs = Math.min(this.#nowMs + waitMs, sampleEndMs - 1);
    const movements = actions.map((each) => this.#movement(each));
    const batch = { nowMs: this.#nowMs, groups: [{ saleId: this.saleId, movements }] };
    if (twice) this.store.commitNow(batch);
    const outcomes = must(this.store.commitNow(batch).groups[0]).outcomes;
    this.played.push({ batch, twice, outcomes });
    for (const [i, outcome] of outcomes.entries()) this.#hear(must(movements[i]), outcome);
    // What a commit of unknown answer did is heard from its repeat; only what a repeat hides is asked for.
    if (twice) this.#catchUp();
  }

  /** Units that buyers hold or own, by the answers. */
  get out(): number {
    return this.#sum((each) => each.state === "reserved" || (each.state === "paid" && !each.returned));
  }

  unitsOf(buyer: BuyerId): number {
    return this.#sum((each) => each.purchase.buyerId === buyer && (each.state === "reserved" || each.state === "paid"));
  }

  balances() {
    return must(this.store.tables.sales.get(this.saleId)).balances;
  }

  /** Units that are free, and those that sales have out: together what was counted, where somebody counts. */
  inventory() {
    const { tables } = this.store;
    const { issued, withdrawn } = this.balances();
    const entries = [...tables.inventory.values()].filter((entry) => entry.productId === this.productId);
    return { free: must(tables.products.get(this.productId)).inventory, out: issued - withdrawn, entries };
  }

  replayed() {
    return replay(this.store.tables.ledger.values());
  }

  #sum(counts: (each: Known) => boolean): number {
    return [...this.known.values()].filter(counts).reduce((sum, each) => sum + each.purchase.quantity, 0);
  }

  #id(): string {
    return String(++this.#lastId);
  }

  #movement(each: Action): Movement {
    switch (each.kind) {
      case "take": {
        const key = each.key === 0 ? undefined : `key-${each.key}`;
        return {
          kind: "take",
          purchaseId: must(parsePurchaseId(this.#id())),
          buyerId: must(this.#buyers[each.buyer]),
          key,
          quantity: each.quantity,
        };
      }
      case "cancel":
      case "expire":
      case "close":
        return { kind: each.kind, purchaseId: this.#nth(each.nth) };
      case "extend": {
        const purchaseId = this.#nth(each.nth);
        const { buyerId, payByMs } = this.known.get(purchaseId)?.purchase ?? { buyerId: must(this.#buyers[0]), payByMs: 0 };
        return { kind: "extend_hold", purchaseId, buyerId, payByMs: payByMs + each.deadline * extensionMs };
      }
      case "start_payment": {
        const purchaseId = this.#nth(each.nth);
        const paymentId = must(parsePaymentId(this.#id()));
        if (!this.#payments.has(purchaseId)) this.#payments.set(purchaseId, paymentId);
        return {
          kind: "start_payment",
          paymentId: must(parsePaymentId(must(this.#payments.get(purchaseId)))),
          purchaseId,
          provider: "simulated",
        };
      }
      case "capture": {
        const purchaseId = this.#nth(each.nth);
        const paymentId = must(parsePaymentId(this.#payments.get(purchaseId) ?? "1"));
        const minor = 500 * (this.known.get(purchaseId)?.purchase.quantity ?? 1) + (each.wrong ? 1 : 0);
        const captureId = each.again ? `capture-${purchaseId}` : `capture-${this.#id()}`;
        return { kind: "capture", captureId, paymentId, money: money(minor), refundId: must(parseRefundId(this.#id())) };
      }
      case "refund":
        return {
          kind: "refund",
          refundId: must(parseRefundId(this.#id())),
          purchaseId: this.#nth(each.nth),
          returnStock: each.returnStock,
        };
      case "adjust":
        return { kind: "adjust", adjustmentId: must(parseAdjustmentId(this.#id())), units: each.units, reason: "as counted", actor: "one" };
      case "settle":
        return { kind: "settle", adjustmentId: must(parseAdjustmentId(this.#id())) };
      case "switch":
        return { kind: "switch", change: { kind: each.to } };
    }
  }

  #nth(index: number): PurchaseId {
    const ids = [...this.known.keys()];
    return ids[index % Math.max(1, ids.length)] ?? must(parsePurchaseId("1"));
  }

  #hear(movement: Movement, outcome: MovementOutcome): void {
    switch (outcome.kind) {
      case "accepted": {
        const { id } = outcome.purchase;
        if (!this.known.has(id)) this.known.set(id, { purchase: outcome.purchase, state: "reserved", returned: false, refunded: false });
        return;
      }
      case "released":
        return this.#change(outcome.purchase.id, { state: outcome.purchase.state });
      case "captured":
        if (outcome.kept) this.#change(outcome.purchase.id, { state: "paid" });
        return;
      case "refunding":
        return this.#change(outcome.purchase.id, { refunded: true, returned: outcome.refund.returnStock });
      case "adjusted":
        this.offered += outcome.applied;
        return;
      case "settled":
        // What is free has left, whether it was counted as gone before or not.
        if (!outcome.repeated) this.#cancelled();
        return;
      case "switched":
        // What was free left with the cancellation.
        if (movement.kind === "switch" && movement.change.kind === "cancel_sale" && !outcome.repeated) this.#cancelled();
        return;
      default: // Changes nothing that is counted here.
    }
  }

  #change(id: PurchaseId, change: Partial<Known>): void {
    const each = must(this.known.get(id));
    this.known.set(id, { ...each, ...change });
  }

  #cancelled(): void {
    this.offered = Math.min(this.offered, this.out);
  }

  /** After a lost answer the sale's cancellation is seen in the sale only. */
  #catchUp(): void {
    if (must(this.store.tables.sales.get(this.saleId)).phase === "cancelled") this.#cancelled();
  }
}
