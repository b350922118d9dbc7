/**
 * Predicts the outcome of every movement that becomes durable, from its own books, and holds the store to it.
 *
 *   durable batch ─► predict (here) ─┬─► equal to the store's outcome?      no: violation
 *                                    └─► books ─► equal balances, I1, I2?   no: violation
 *
 * It shares no rule with src/domain: where the two disagree, one of them is wrong.
 */
import type { Movement, MovementOutcome, Take } from "../../src/domain/movement.ts";
import type { InventoryChange } from "../../src/domain/inventory.ts";
import { emptyBalances } from "../../src/domain/ledger.ts";
import type { Product } from "../../src/domain/product.ts";
import type { Purchase } from "../../src/domain/purchase.ts";
import type { Sale } from "../../src/domain/sale.ts";
import type { InventoryChanged, NewSale } from "../../src/ports/catalogue.ts";
import type { LedgerBatch } from "../../src/ports/stock-ledger.ts";
import { AuditedLines, type ScopeNow } from "./audited-lines.ts";
import { Books, noteKnown, noteMoment, shift, type AuditedPurchase, type AuditedSale } from "./auditor-state.ts";
import type { Sim } from "./kernel.ts";
import type { Committed, StoreObserver } from "./store-observer.ts";

const attemptsMax = 100;
const graceMs = 120_000;
const stretchMs = 60_000;
const windowMaxMs = 3_653 * 86_400_000;

/** How memories and the decider are tuned to each other, where they are not one process. */
export type AuditTerms = {
  /** How long a memory may at most go on refusing from a state that is over. */
  readonly markLifeMs?: number | undefined;
  /** How long nobody new is accepted after a mark was cleared. */
  readonly reopenDelayMs?: number | undefined;
  /** The clock that alone may decide. */
  readonly decidersNowMs?: (() => number) | undefined;
  /** Where a cache decides: the scope of a sale, as the commit finds it. */
  readonly scopeOf?: ((saleId: string) => ScopeNow | undefined) | undefined;
};

export class Auditor implements StoreObserver {
  readonly books = new Books();
  /** Product id → buyer id → units, as the operator set them. */
  readonly #quotas = new Map<string, Map<number, number>>();
  onAccepted: ((id: string, of: { saleId: string; buyer: number; key: string | undefined }) => void) | undefined;
  onExpired: ((purchase: AuditedPurchase) => void) | undefined;
  /** What listeners may hear: every state that was committed, by sale and number, and every one of a purchase. */
  readonly saleStates = new Map<string, string>();
  readonly purchaseStates = new Set<string>();
  readonly #sim: Sim;
  readonly #terms: AuditTerms;
  readonly lines: AuditedLines;
  /** Commits so far. */
  commits = 0;
  #nowMs = 0;
  #latestMs = 0;

  constructor(sim: Sim, terms: AuditTerms = {}) {
    this.#sim = sim;
    this.#terms = terms;
    this.lines = new AuditedLines({ sim, books: this.books, scopeOf: (saleId) => terms.scopeOf?.(saleId) });
    this.lines.onAccepted = (...accepted) => this.onAccepted?.(...accepted);
  }

  addProduct({ id, seller, inventory }: Product): void {
    this.books.products.set(id, { id, seller, free: inventory });
  }

  changeInventory({ productId, change }: InventoryChange, answer: InventoryChanged): void {
    const product = this.books.products.get(productId);
    if (answer.kind !== "changed" || answer.repeated || product === undefined) return;
    product.free = change.kind === "count" || product.free === null ? change.units : product.free + change.units;
    this.#sim.check(product.free === answer.product.inventory, "I13", () => `product ${productId} has ${answer.product.inventory} free`);
  }

  addSale({ id, draft }: NewSale): void {
    const product = this.books.products.get(draft.productId);
    if (product === undefined) return this.#sim.violate("prediction", `sale ${id} was added without its product`);
    const sale: AuditedSale = {
      id,
      product,
      seller: product.seller,
      supplied: false,
      settled: false,
      group: draft.limitGroup,
      stock: draft.stock,
      limit: draft.perBuyerLimit,
      priceMinor: draft.price.minor,
      payWindowMs: draft.payWindowMs,
      payExtensionsMax: draft.payExtensionsMax,
      startsAtMs: draft.startsAtMs,
      refundedUnitsCount: draft.refundedUnitsCount,
      endsAtMs: draft.endsAtMs,
      phase: "draft",
      paused: false,
      quotas: new Map(),
      issued: 0,
      available: 0,
      held: 0,
      sold: 0,
      withdrawn: 0,
      diary: [],
      firstAcceptedMs: Infinity,
      lastAtMs: 0,
      reopensAtMs: undefined,
    };
    this.books.sales.set(id, sale);
    this.saleStates.set(`${id} 0`, saleText({ phase: "draft", paused: false, endsAtMs: sale.endsAtMs, balances: emptyBalances }));
    this.#note(sale);
  }

  #note(sale: AuditedSale): void {
    noteMoment(sale, this.#sim.now, this.#terms.markLifeMs);
  }

  setQuota(productId: string, buyerId: number, units: number | undefined): void {
    let ofProduct = this.#quotas.get(productId);
    if (ofProduct === undefined) this.#quotas.set(productId, (ofProduct = new Map()));
    if (units === undefined) ofProduct.delete(buyerId);
    else ofProduct.set(buyerId, units);
  }

  /** A batch has become durable. */
  committed(batch: LedgerBatch, result: Committed, nowMs: number): void {
    this.#nowMs = nowMs;
    if (result.groups.some(({ moved = true }) => moved)) this.commits += 1;
    for (const [g, { saleId, movements }] of batch.groups.entries()) {
      const sale = this.books.sales.get(saleId);
      const answer = result.groups[g];
      const marks = sale && this.#marks(sale);
      if (sale !== undefined) this.#checkTime(sale, answer?.moved === true);
      for (const [m, movement] of movements.entries()) {
        const expected = sale === undefined ? "sale_unknown" : this.#predict(sale, movement);
        if (sale !== undefined && marks !== undefined) this.#reopen(sale, marks);
        const actual = summaryOf(answer?.outcomes[m]);
        this.#sim.log(`commit ${saleId} ${movement.kind} ${actual}`);
        if (actual !== expected)
          this.#sim.violate("prediction", `${JSON.stringify(movement)}: expected "${expected}", the store said "${actual}"`);
      }
      if (sale === undefined) continue;
      this.#note(sale);
      this.#compare(sale, answer?.sale);
      if (answer !== undefined) this.#remember(answer);
    }
  }

  /** The decider's clock decides and nobody else's, and of one sale it never runs back. */
  #checkTime(sale: AuditedSale, isKept: boolean): void {
    const nowMs = this.#nowMs;
    const { decidersNowMs } = this.#terms;
    if (decidersNowMs === undefined) return;
    this.#sim.check(nowMs >= sale.lastAtMs, "I11", () => `sale ${sale.id} is decided at ${nowMs}, after ${sale.lastAtMs}`);
    const latestMs = Math.max(decidersNowMs(), this.#latestMs);
    this.#sim.check(nowMs <= latestMs, "I11", () => `sale ${sale.id} is decided at ${nowMs}, when it is ${latestMs}`);
    if (!isKept) return;
    sale.lastAtMs = nowMs;
    this.#latestMs = Math.max(this.#latestMs, nowMs);
  }

  /** Whether memories may refuse all strangers: now, and when the time that they are given to forget is over. */
  #marks(sale: AuditedSale): readonly [now: boolean, then: boolean] {
    const { reopenDelayMs = 0 } = this.#terms;
    const closed = (atMs: number): boolean => {
      if (sale.phase !== "published" || atMs >= sale.endsAtMs) return true;
      return atMs >= sale.startsAtMs && (sale.paused || sale.available === 0);
    };
    return [closed(this.#nowMs), closed(this.#nowMs + reopenDelayMs)];
  }

  /** What memories may still say is no longer so: nobody new for a while. */
  #reopen(sale: AuditedSale, before: readonly [boolean, boolean]): void {
    const { reopenDelayMs = 0 } = this.#terms;
    const [now, then] = this.#marks(sale);
    if (reopenDelayMs > 0 && ((before[0] && !now) || (before[1] && !then))) sale.reopensAtMs = this.#nowMs + reopenDelayMs;
  }

  #remember({ sale, outcomes }: Committed["groups"][number]): void {
    if (sale !== undefined) this.saleStates.set(`${sale.id} ${sale.feed}`, saleText(sale));
    for (const outcome of outcomes) if ("purchase" in outcome) this.purchaseStates.add(purchaseText(outcome.purchase));
  }

  /** The engine was told of a batch. */
  told(batch: LedgerBatch): void {
    for (const { saleId } of batch.groups) {
      const sale = this.books.sales.get(saleId);
      if (sale !== undefined) noteKnown(sale, this.#sim.now);
    }
  }

  /** A new server reads what is there. */
  restarted(): void {
    for (const sale of this.books.sales.values()) noteKnown(sale, this.#sim.now);
  }

  #compare(sale: AuditedSale, kept: Committed["groups"][number]["sale"]): void {
    const { issued, available, held, sold, withdrawn } = sale;
    const mine = [issued, available, held, sold, withdrawn].join(" ");
    const reopensMs = kept?.reopensAtMs;
    this.#sim.check(
      kept === undefined || reopensMs === sale.reopensAtMs,
      "prediction",
      () => `sale ${sale.id} reopens at ${reopensMs}, by the books at ${sale.reopensAtMs}`,
    );
    const b = kept?.balances;
    const theirs = b === undefined ? "none" : [b.issued, b.available, b.held, b.sold, b.withdrawn].join(" ");
    this.#sim.check(mine === theirs, "I2", () => `sale ${sale.id} has ${theirs}, by the books ${mine}`);
    if (b === undefined) return;
    this.#sim.check(Math.min(b.available, b.held, b.sold, b.withdrawn) >= 0, "I1", () => `sale ${sale.id} has ${theirs}`);
    this.#sim.check(b.held + b.sold <= b.issued - b.withdrawn, "I1", () => `sale ${sale.id} is oversold: ${theirs}`);
    this.#sim.check(b.available + b.held + b.sold + b.withdrawn === b.issued, "I2", () => `sale ${sale.id} does not add up: ${theirs}`);
  }

  #predict(sale: AuditedSale, movement: Movement): string {
    switch (movement.kind) {
      case "take":
        return this.#take(sale, movement);
      case "cancel":
      case "expire":
      case "close":
        return this.#release(sale, movement);
      case "extend_hold":
        return this.#extend(sale, movement);
      case "start_payment":
        return this.#startPayment(sale, movement);
      case "update_payment":
        return this.#updatePayment(movement);
      case "capture":
        return this.#capture(movement);
      case "refund":
        return this.#refund(movement);
      case "update_refund":
        return this.#updateRefund(movement);
      case "adjust":
        return this.#adjust(sale, movement);
      case "settle":
        return this.#settle(sale);
      case "switch":
        return this.#switch(sale, movement.change);
      case "admit":
      case "unpark":
      case "decline":
        return this.lines.predict(sale, movement, { nowMs: this.#nowMs, isOver: ["ended", "cancelled"].includes(this.#status(sale)) });
      case "edit":
        // Nobody edits drafts here.
        return "unforeseen";
    }
  }

  #status(sale: AuditedSale): string {
    if (sale.phase !== "published") return sale.phase;
    if (this.#nowMs >= sale.endsAtMs) return "ended";
    if (this.#nowMs < sale.startsAtMs) return "scheduled";
    return sale.paused ? "paused" : "live";
  }

  #take(sale: AuditedSale, take: Take): string {
    const { books } = this;
    const limit = sale.quotas.get(take.buyerId) ?? sale.limit;
    const known = take.key === undefined ? books.purchases.get(take.purchaseId) : books.byKey(sale.id, take.buyerId, take.key);
    const refuse = (reason: string): string => {
      books.refuse(take.buyerId, { atMs: this.#sim.now, saleId: sale.id, key: take.key, reason });
      return `refused ${reason}`;
    };
    if (known !== undefined) {
      if (known.quantity !== take.quantity || known.metadata !== take.metadata) return refuse("key_reused");
      this.#sim.probe(known.state === "reserved" ? "repeat-of-reserved" : `repeat-of-${known.state}`);
      return `accepted ${known.id}`;
    }
    const closed = { draft: "sale_unknown", cancelled: "sale_cancelled", scheduled: "not_started", ended: "ended", paused: "paused" };
    const reason = Object.entries(closed).find(([status]) => status === this.#status(sale))?.[1];
    if (reason !== undefined) return refuse(reason);
    if (books.unitsOf(take.buyerId, sale) + take.quantity > limit) return refuse("limit_reached");
    if (books.ofBuyer(take.buyerId).filter((p) => p.sale === sale).length >= attemptsMax) return refuse("attempts_exhausted");
    if (sale.reopensAtMs !== undefined && this.#nowMs < sale.reopensAtMs) {
      this.#sim.probe("refused-until-reopened");
      return refuse("all_taken");
    }
    if (sale.available < take.quantity) return refuse(sale.held > 0 ? "all_taken" : "sold_out");
    const payByMs = this.#nowMs + sale.payWindowMs;
    const { purchaseId: id, buyerId: buyer, key, quantity, metadata } = take;
    const dates = { payByMs, holdUntilMs: payByMs, appliedMs: this.#sim.now };
    books.addPurchase({ id, sale, buyer, key, quantity, metadata, limit, ...dates, state: "reserved", extensions: 0, refunded: false });
    shift(sale, "available", "held", quantity);
    if (sale.reopensAtMs !== undefined) this.#sim.probe("reopened-later");
    sale.firstAcceptedMs = Math.min(sale.firstAcceptedMs, this.#sim.now);
    this.onAccepted?.(id, { saleId: sale.id, buyer, key });
    return `accepted ${id}`;
  }

  #own(sale: AuditedSale, id: string, buyer?: number): AuditedPurchase | undefined {
    const purchase = this.books.purchases.get(id);
    return purchase?.sale === sale && (buyer === undefined || purchase.buyer === buyer) ? purchase : undefined;
  }

  #release(sale: AuditedSale, release: Extract<Movement, { kind: "cancel" | "expire" | "close" }>): string {
    const purchase = this.#own(sale, release.purchaseId, release.buyerId);
    if (purchase === undefined) return "purchase_unknown";
    const ending = { cancel: "cancelled", expire: "expired", close: "closed" } as const;
    const state = ending[release.kind];
    if (purchase.state === state) return `released ${state}`;
    if (purchase.state !== "reserved") {
      this.#sim.probe(`${release.kind}-lost-race`);
      return `not_allowed ${purchase.state}`;
    }
    if (release.kind === "expire" && this.#nowMs < purchase.holdUntilMs) return "too_early";
    if (release.kind === "expire") this.onExpired?.(purchase);
    purchase.state = state;
    this.#sim.probe(`released-${state}`);
    shift(sale, "held", "available", purchase.quantity);
    return `released ${state}`;
  }

  /** By deadlines, one after another: whoever names the one in force moves it, once. */
  #extend(sale: AuditedSale, { purchaseId, buyerId, payByMs }: Extract<Movement, { kind: "extend_hold" }>): string {
    const purchase = this.#own(sale, purchaseId, buyerId);
    if (purchase === undefined) return "purchase_unknown";
    const had = Array.from({ length: purchase.extensions }, (_, n) => purchase.payByMs + n * stretchMs);
    if (had.includes(payByMs)) {
      this.#sim.probe("extension-repeated");
      return `extended ${purchase.extensions}`;
    }
    if (payByMs !== purchase.payByMs + had.length * stretchMs) return "deadline_unknown";
    if (purchase.state !== "reserved" || this.#nowMs >= payByMs) {
      this.#sim.probe("extension-too-late");
      return `not_extendable ${purchase.state}`;
    }
    if (had.length >= sale.payExtensionsMax) {
      this.#sim.probe("extensions-used-up");
      return "extensions_used_up";
    }
    this.#sim.probe("extended");
    purchase.extensions += 1;
    purchase.holdUntilMs += stretchMs;
    return `extended ${purchase.extensions}`;
  }

  #startPayment(sale: AuditedSale, start: Extract<Movement, { kind: "start_payment" }>): string {
    const purchase = this.#own(sale, start.purchaseId, start.buyerId);
    if (purchase === undefined) return "purchase_unknown";
    if (this.books.payments.get(start.paymentId)?.purchase === purchase) return `started ${start.paymentId}`;
    if (purchase.state !== "reserved" || this.#nowMs >= purchase.holdUntilMs) return `not_payable ${purchase.state}`;
    for (const payment of this.books.payments.values())
      if (payment.purchase === purchase && (payment.state === "created" || payment.state === "pending")) return `started ${payment.id}`;
    this.books.payments.set(start.paymentId, { id: start.paymentId, purchase, state: "created" });
    const movedTo = Math.min(this.#nowMs, purchase.payByMs + purchase.extensions * stretchMs) + graceMs;
    purchase.holdUntilMs = Math.max(purchase.holdUntilMs, movedTo);
    return `started ${start.paymentId}`;
  }

  #updatePayment(update: Extract<Movement, { kind: "update_payment" }>): string {
    const payment = this.books.payments.get(update.paymentId);
    if (payment === undefined) return "payment_unknown";
    const heard = update.callbackId !== undefined && this.books.callbacks.has(update.callbackId);
    if (update.callbackId !== undefined) this.books.callbacks.add(update.callbackId);
    if (heard) this.#sim.probe("callback-absorbed");
    else if (payment.state === "created" || (payment.state === "pending" && update.event !== "submitted"))
      payment.state = update.event === "submitted" ? "pending" : update.event;
    return `updated ${payment.state}`;
  }

  #capture(capture: Extract<Movement, { kind: "capture" }>): string {
    const payment = this.books.payments.get(capture.paymentId);
    if (payment === undefined) return "payment_unknown";
    if (capture.callbackId !== undefined) this.books.callbacks.add(capture.callbackId);
    const known = this.books.captures.get(capture.captureId);
    if (known !== undefined) {
      this.#sim.probe("capture-repeated");
      return `captured ${known.kept}`;
    }
    const { purchase } = payment;
    const right = capture.money.minor === purchase.sale.priceMinor * purchase.quantity;
    const kept = right && purchase.state === "reserved";
    const reason = !right ? "wrong_amount" : purchase.state === "paid" ? "second_capture" : "order_closed";
    const refundId = kept ? undefined : capture.refundId;
    this.books.captures.set(capture.captureId, { id: capture.captureId, payment, amountMinor: capture.money.minor, kept, refundId });
    payment.state = "captured";
    if (kept) {
      if (this.#nowMs >= purchase.payByMs + purchase.extensions * stretchMs) this.#sim.probe("paid-in-grace");
      purchase.state = "paid";
      shift(purchase.sale, "held", "sold", purchase.quantity);
      return "captured true";
    }
    this.#sim.probe(`refund-${reason}`);
    this.books.refunds.set(capture.refundId, { id: capture.refundId, captureId: capture.captureId, reason, state: "requested" });
    return "captured false";
  }

  #refund(refund: Extract<Movement, { kind: "refund" }>): string {
    const purchase = this.books.purchases.get(refund.purchaseId);
    if (purchase === undefined) return "purchase_unknown";
    const kept = [...this.books.captures.values()].find((c) => c.kept && c.payment.purchase === purchase);
    if (kept?.refundId !== undefined) return `refunding ${kept.refundId}`;
    if (purchase.state !== "paid" || kept === undefined) return `not_paid ${purchase.state}`;
    kept.refundId = refund.refundId;
    purchase.refunded = true;
    this.books.refunds.set(refund.refundId, { id: refund.refundId, captureId: kept.id, reason: "requested_by_shop", state: "requested" });
    if (refund.returnStock) shift(purchase.sale, "sold", "available", purchase.quantity);
    return `refunding ${refund.refundId}`;
  }

  #updateRefund(update: Extract<Movement, { kind: "update_refund" }>): string {
    const refund = this.books.refunds.get(update.refundId);
    if (refund === undefined) return "refund_unknown";
    const { state } = refund;
    const legal = update.event === "send" ? state !== "done" : state !== "requested" && !(state === "done" && update.event === "failed");
    if (!legal) return `not_allowed ${state}`;
    refund.state = update.event === "send" ? "sent" : update.event;
    return `updated ${refund.state}`;
  }

  #adjust(sale: AuditedSale, adjust: Extract<Movement, { kind: "adjust" }>): string {
    const earlier = this.books.adjustments.get(adjust.adjustmentId);
    if (earlier !== undefined) return `adjusted ${earlier}`;
    const status = this.#status(sale);
    if (status === "draft" || status === "ended" || status === "cancelled") return `not_adjustable ${status}`;
    if (sale.supplied && sale.product.free !== null && adjust.units > sale.product.free) {
      this.#sim.probe("adjust-beyond-inventory");
      return "invalid";
    }
    const applied = adjust.units > 0 ? adjust.units : -Math.min(-adjust.units, sale.available);
    if (applied > 0) this.#issue(sale, applied);
    else this.#withdraw(sale, -applied);
    // Also one that found nothing: its repeat finds nothing, whatever came back meanwhile.
    this.books.adjustments.set(adjust.adjustmentId, applied);
    return `adjusted ${applied === 0 ? 0 : applied}`;
  }

  #switch(sale: AuditedSale, change: Extract<Movement, { kind: "switch" }>["change"]): string {
    const status = this.#status(sale);
    switch (change.kind) {
      case "publish":
        if (status === "cancelled") return "not_allowed cancelled";
        if (sale.phase !== "draft") return "switched";
        if (sale.product.free !== null && sale.stock > sale.product.free) return "invalid";
        this.#publish(sale);
        return "switched";
      case "pause":
      case "resume": {
        if (status === "draft" || status === "ended" || status === "cancelled") return `not_allowed ${status}`;
        sale.paused = change.kind === "pause";
        return "switched";
      }
      case "extend":
        if (status === "ended" || status === "cancelled") return `not_allowed ${status}`;
        // The same end again is a repeat: its first answer may have been lost.
        if (change.endsAtMs === sale.endsAtMs) return "switched";
        if (change.endsAtMs < sale.endsAtMs || change.endsAtMs - sale.startsAtMs > windowMaxMs) return "invalid";
        sale.endsAtMs = change.endsAtMs;
        return "switched";
      case "cancel_sale":
        if (sale.phase === "cancelled") return "switched";
        this.#withdraw(sale, sale.available);
        sale.phase = "cancelled";
        return "switched";
    }
  }

  #publish(sale: AuditedSale): void {
    sale.phase = "published";
    sale.supplied = sale.product.free !== null;
    this.#issue(sale, sale.stock);
    sale.quotas = new Map(this.#quotas.get(sale.product.id));
  }

  #issue(sale: AuditedSale, units: number): void {
    sale.issued += units;
    sale.available += units;
    if (sale.supplied && sale.product.free !== null) sale.product.free -= units;
  }

  #withdraw(sale: AuditedSale, units: number): void {
    shift(sale, "available", "withdrawn", units);
    if (sale.supplied && sale.product.free !== null) sale.product.free += units;
  }

  #settle(sale: AuditedSale): string {
    const status = this.#status(sale);
    if ((status !== "ended" && status !== "cancelled") || sale.held > 0) return `not_over ${status}`;
    const units = sale.available;
    if (units > 0) this.#sim.probe(sale.settled ? "settled-again" : sale.supplied ? "settled-into-inventory" : "settled");
    this.#withdraw(sale, units);
    sale.settled = true;
    return `settled ${units}`;
  }
}

/** What listeners to a sale are told. */
export function saleText({ phase, paused, endsAtMs, balances: b }: Pick<Sale, "phase" | "paused" | "endsAtMs" | "balances">): string {
  return `${phase} ${paused} ${endsAtMs} ${b.issued} ${b.available} ${b.held} ${b.sold} ${b.withdrawn}`;
}

export function purchaseText({ id, state, holdUntilMs, refunded }: Purchase): string {
  return `${id} ${state} ${holdUntilMs} ${refunded}`;
}

/** What of an outcome is predicted. */
function summaryOf(outcome: MovementOutcome | undefined): string {
  if (outcome === undefined) return "none";
  switch (outcome.kind) {
    case "accepted":
      return `accepted ${outcome.purchase.id}`;
    case "refused":
      return `refused ${outcome.refusal.reason}`;
    case "released":
      return `released ${outcome.purchase.state}`;
    case "not_allowed":
      return `not_allowed ${"purchase" in outcome ? outcome.purchase.state : "state" in outcome ? outcome.state : outcome.status}`;
    case "extended":
      return `extended ${outcome.purchase.extensions}`;
    case "not_extendable":
      return `not_extendable ${outcome.purchase.state}`;
    case "started":
      return `started ${outcome.payment.id}`;
    case "not_payable":
    case "not_paid":
      return `${outcome.kind} ${outcome.purchase.state}`;
    case "updated":
      return `updated ${"payment" in outcome ? outcome.payment.state : outcome.refund.state}`;
    case "captured":
      return `captured ${outcome.kept}`;
    case "refunding":
      return `refunding ${outcome.refund.id}`;
    case "adjusted":
      return `adjusted ${outcome.applied === 0 ? 0 : outcome.applied}`;
    case "settled":
      return `settled ${outcome.units}`;
    case "not_over":
      return `not_over ${outcome.status}`;
    case "admitted":
    case "parked":
      return `${outcome.kind} ${outcome.purchase.state} ${outcome.purchase.refusedFor ?? ""}`.trimEnd();
    case "edited":
    case "version_differs":
      return outcome.kind;
    case "not_adjustable":
      return `not_adjustable ${outcome.status}`;
    default:
      return outcome.kind;
  }
}
