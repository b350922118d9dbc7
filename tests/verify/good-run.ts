/**
 * Good evidence to break: the real acceptance, board and a real store under random, concurrent buyers, with every answer
 * recorded as a client would. One seed, one run.
 */
import type { HistoryEvent } from "../../src/domain/history.ts";
import type { AdjustmentId, BuyerId, PaymentId, ProductId, PurchaseId, RefundId, SaleId } from "../../src/domain/ids.ts";
import type { Movement } from "../../src/domain/movement.ts";
import type { Currency, Money } from "../../src/domain/money.ts";
import type { Refund } from "../../src/domain/payment.ts";
import { amountOf, deadlineOf, type Purchase } from "../../src/domain/purchase.ts";
import { publicErrors } from "../../src/domain/errors.ts";
import type { AuditRows } from "../../src/adapters/memory/audit-source.ts";
import { DirectAcceptance } from "../../src/engine/accept-direct.ts";
import { purchase } from "../../src/engine/purchase.ts";
import { SaleBoard } from "../../src/engine/sale-board.ts";
import type { Catalogue } from "../../src/ports/catalogue.ts";
import type { Records } from "../../src/ports/records.ts";
import type { StockLedger } from "../../src/ports/stock-ledger.ts";
import type { ProviderLine } from "../../src/engine/verify/provider-record.ts";

export type RunStore = { readonly ledger: StockLedger; readonly catalogue: Catalogue; readonly records: Records };

/** What a run leaves beside the store. */
export type Traces = {
  readonly history: readonly HistoryEvent[];
  readonly provider: readonly ProviderLine[];
  readonly nowMs: number;
};

export type Evidence = Traces & { readonly rows: AuditRows };

/** Test ids are made here, so their tags are true by construction. */
export const idOf = <Id extends string>(number: number): Id => String(number) as Id;
const cny = "CNY" as Currency;
const startMs = 1_700_000_000_000;

export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export class GoodRun {
  readonly #random: () => number;
  readonly #store: RunStore;
  readonly #acceptance: DirectAcceptance;
  readonly #board: SaleBoard;
  readonly #history: HistoryEvent[] = [];
  readonly #provider: ProviderLine[] = [];
  readonly #keysUsed: { user: number; saleId: SaleId; key: string; qty: number }[] = [];
  /** Every accepted purchase, and who made it. */
  readonly #users = new Map<PurchaseId, string>();
  #buyers: readonly BuyerId[] = [];
  #nowMs = startMs;
  #t = 0;
  #attempts = 0;
  #minted = 1_000_000_000_000;

  constructor(seed: number, store: RunStore) {
    this.#store = store;
    this.#random = randomFrom(seed);
    const clock = { nowMs: () => this.#nowMs };
    const tasks = { sleep: () => Promise.resolve(), soon: (run: () => void) => queueMicrotask(run), after: () => () => undefined };
    const entropy = { random: () => this.#random(), secret: () => "" };
    this.#board = new SaleBoard({ records: store.records, clock, entropy }, { salesMax: 100, buyersMax: 1000 });
    const options = { batchMax: 4, queueMax: 100, answerTimeoutMs: 1000 };
    this.#acceptance = new DirectAcceptance({ ledger: store.ledger, board: this.#board, clock, tasks }, options);
  }

  /** With `sweep`, every hold that ends is swept in the end: the store is at rest. */
  async run(waves: number, { sweep = false } = {}): Promise<Traces> {
    await this.#open();
    for (let wave = 0; wave < waves; wave++) {
      this.#nowMs += this.#int(400);
      await Promise.all(Array.from({ length: 1 + this.#int(5) }, () => this.#act()));
    }
    await this.#settle();
    if (sweep) await this.#sweep();
    return { history: this.#history, provider: this.#provider, nowMs: this.#nowMs };
  }

  #int(below: number): number {
    return Math.floor(this.#random() * below);
  }

  #pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.#int(items.length)];
  }

  #mint(): string {
    return String(++this.#minted);
  }

  async #open(): Promise<void> {
    const productId = idOf<ProductId>(7);
    const price: Money = { minor: 500, currency: cny };
    const { catalogue } = this.#store;
    const counted =
      this.#random() < 0.7 ? { id: idOf<AdjustmentId>(Number(this.#mint())), units: 24 + this.#int(4), actor: "one" } : undefined;
    await catalogue.addProduct({ id: productId, name: "Tea", price, seller: "shop", createdAtMs: startMs, counted });
    await catalogue.addProduct({ id: idOf<ProductId>(8), name: "Coffee", price, seller: "other", createdAtMs: startMs });
    this.#buyers = await catalogue.internBuyers(Array.from({ length: 6 }, (_, n) => ({ issuer: "local", subject: `u${n}` })));
    const [vip] = this.#buyers;
    if (vip !== undefined) await catalogue.setQuota(productId, vip, 5);
    for (const [n, group] of [undefined, "g", "g"].entries()) {
      const draft = {
        productId,
        name: `Sale ${n}`,
        price,
        stock: 4 + this.#int(5),
        perBuyerLimit: 2,
        limitGroup: group,
        refundedUnitsCount: n === 1,
        payWindowMs: 2_000,
        payExtensionsMax: 2,
        startsAtMs: startMs,
        endsAtMs: startMs + 10_000_000,
      };
      await catalogue.addSale({ id: idOf<SaleId>(100 + n), draft, createdAtMs: startMs });
      await this.#submit(idOf<SaleId>(100 + n), { kind: "switch", change: { kind: "publish" } });
    }
  }

  async #submit<M extends Movement>(saleId: SaleId, movement: M) {
    const [answer] = await this.#acceptance.submit(saleId, [movement]);
    if (answer === undefined) throw new Error("every movement has its answer");
    return answer;
  }

  #act(): Promise<void> {
    const dice = this.#int(100);
    if (dice < 45) return this.#buy();
    if (dice < 55) return this.#repeat();
    if (dice < 63) return this.#cancel();
    if (dice < 75) return this.#pay();
    if (dice < 84) return this.#read();
    if (dice < 87) return this.#extend();
    if (dice < 92) return this.#expire();
    if (dice < 95) return this.#refund();
    if (dice < 97) return this.#adjust();
    return this.#readStock();
  }

  #buy(): Promise<void> {
    const saleId = idOf<SaleId>(100 + this.#int(3));
    const user = this.#int(6);
    const key = this.#random() < 0.8 ? `k${this.#attempts}` : undefined;
    const qty = 1 + this.#int(2);
    if (key !== undefined) this.#keysUsed.push({ user, saleId, key, qty });
    return this.#take({ user, saleId, key, qty });
  }

  #repeat(): Promise<void> {
    const used = this.#pick(this.#keysUsed);
    if (used === undefined) return this.#buy();
    return this.#take(this.#random() < 0.9 ? used : { ...used, qty: used.qty + 1 });
  }

  async #take({ user, saleId, key, qty }: { user: number; saleId: SaleId; key: string | undefined; qty: number }): Promise<void> {
    const ask = this.#ask({ f: "purchase", user: `u${user}`, event: saleId, key, qty });
    const buyerId = this.#buyers[user];
    // Some requests never arrive.
    if (buyerId === undefined || this.#random() < 0.04) return;
    const deps = {
      board: this.#board,
      acceptance: this.#acceptance,
      clock: { nowMs: () => this.#nowMs },
      ids: { mint: () => this.#mint() },
    };
    const answer = await purchase(deps, { saleId, buyerId, issuer: "shop", key, quantity: qty });
    if (answer.kind === "accepted") {
      this.#users.set(answer.purchase.id, `u${user}`);
      ask({ type: "ok", code: 0, id: answer.purchase.id, bodyHash: bodyHashOf(answer.purchase) });
    } else if (answer.kind === "refused") ask({ type: "fail", code: publicErrors[answer.refusal.reason].code });
    else ask({ type: "fail", code: 503 });
  }

  async #cancel(): Promise<void> {
    const row = await this.#anyPurchase();
    if (row === undefined) return;
    const ask = this.#ask({ f: "cancel", user: this.#userOf(row), id: row.id });
    const answer = await this.#submit(row.saleId, { kind: "cancel", purchaseId: row.id, buyerId: row.buyerId });
    if (answer.kind === "released") ask({ type: "ok", code: 0, state: answer.purchase.state });
    else ask({ type: "fail", code: publicErrors.order_not_cancellable.code });
  }

  async #extend(): Promise<void> {
    const row = await this.#anyPurchase();
    if (row === undefined) return;
    const { saleId, id: purchaseId, buyerId } = row;
    await this.#submit(saleId, { kind: "extend_hold", purchaseId, buyerId, payByMs: deadlineOf(row) });
  }

  async #pay(): Promise<void> {
    const row = await this.#anyPurchase();
    if (row === undefined) return;
    const ask = this.#ask({ f: "pay", user: this.#userOf(row), id: row.id });
    const paymentId = idOf<PaymentId>(Number(this.#mint()));
    const started = await this.#submit(row.saleId, { kind: "start_payment", paymentId, purchaseId: row.id, provider: "simulated" });
    if (started.kind !== "started") return ask({ type: "fail", code: publicErrors.order_not_payable.code });
    ask({ type: "ok", code: 0 });
    const dice = this.#random();
    if (dice < 0.15) return;
    if (dice < 0.3) {
      await this.#submit(row.saleId, {
        kind: "update_payment",
        paymentId: started.payment.id,
        event: "failed",
        callbackId: `cb-${this.#mint()}`,
      });
      if (dice < 0.2) return;
    }
    const right = amountOf(row);
    const money = this.#random() < 0.85 ? right : { ...right, minor: right.minor + 1 };
    await this.#capture(row, started.payment.id, money);
    if (this.#random() < 0.2) await this.#capture(row, started.payment.id, money);
  }

  async #capture(row: Purchase, paymentId: PaymentId, money: Money): Promise<void> {
    const captureId = `c-${this.#mint()}`;
    this.#provider.push({ kind: "capture", id: captureId, paymentId, money });
    const refundId = idOf<RefundId>(Number(this.#mint()));
    await this.#submit(row.saleId, { kind: "capture", captureId, paymentId, money, refundId, callbackId: `cb-${captureId}` });
  }

  async #read(): Promise<void> {
    const row = await this.#anyPurchase();
    if (row === undefined) return;
    const byKey = row.key !== undefined && this.#random() < 0.3;
    const named = byKey ? { key: row.key, event: row.saleId } : { id: row.id };
    const ask = this.#ask({ f: "get", user: this.#userOf(row), ...named });
    const found = await this.#store.records.purchase(row.id);
    if (found !== undefined) ask({ type: "ok", code: 0, id: found.id, state: found.state });
  }

  async #readStock(): Promise<void> {
    const saleId = idOf<SaleId>(100 + this.#int(3));
    const ask = this.#ask({ f: "stock", event: saleId });
    const sale = await this.#store.records.sale(saleId);
    if (sale !== undefined) ask({ type: "ok", code: 0, stock: sale.balances });
  }

  async #expire(): Promise<void> {
    this.#nowMs += this.#int(2_500);
    for (const due of await this.#store.records.duePurchases(this.#nowMs, 10))
      await this.#submit(due.saleId, { kind: "expire", purchaseId: due.id });
  }

  async #refund(): Promise<void> {
    const row = await this.#anyPurchase();
    if (row === undefined) return;
    const refundId = idOf<RefundId>(Number(this.#mint()));
    await this.#submit(row.saleId, { kind: "refund", refundId, purchaseId: row.id, returnStock: this.#random() < 0.5 });
  }

  async #count(): Promise<void> {
    const id = idOf<AdjustmentId>(Number(this.#mint()));
    const dice = this.#random();
    const count = { kind: "count", units: dice < 0.05 ? null : this.#int(5) } as const;
    const change = dice < 0.2 ? count : ({ kind: "adjust", units: dice < 0.6 ? 1 : -1 } as const);
    const by = { reason: "counted", actor: "one", atMs: this.#nowMs };
    await this.#store.catalogue.changeInventory({ id, productId: idOf<ProductId>(7), change, ...by });
  }

  async #adjust(): Promise<void> {
    if (this.#random() < 0.3) return this.#count();
    const adjustmentId = idOf<AdjustmentId>(Number(this.#mint()));
    await this.#submit(idOf<SaleId>(100 + this.#int(3)), {
      kind: "adjust",
      adjustmentId,
      units: this.#random() < 0.5 ? 1 : -1,
      reason: "counted",
      actor: "one",
    });
  }

  /** To rest: refunds carried out, holds past. */
  async #settle(): Promise<void> {
    if (this.#random() < 0.2) await this.#submit(idOf<SaleId>(102), { kind: "switch", change: { kind: "cancel_sale" } });
    for (const id of this.#users.keys()) {
      const row = await this.#store.records.purchase(id);
      if (row?.state === "reserved" && row.saleId === "102") await this.#submit(row.saleId, { kind: "close", purchaseId: id });
      for (const refund of await this.#store.records.refundsOf(id)) await this.#carryOut(refund);
    }
    for (const saleId of await this.#store.records.salesToSettle(this.#nowMs, 10))
      await this.#submit(saleId, { kind: "settle", adjustmentId: idOf<AdjustmentId>(Number(this.#mint())) });
  }

  async #sweep(): Promise<void> {
    this.#nowMs += 200_000;
    for (const due of await this.#store.records.duePurchases(this.#nowMs, 10_000))
      await this.#submit(due.saleId, { kind: "expire", purchaseId: due.id });
  }

  async #carryOut(refund: Refund): Promise<void> {
    await this.#submit(refund.saleId, { kind: "update_refund", refundId: refund.id, event: "send", nextTryAtMs: this.#nowMs });
    this.#provider.push({ kind: "refund", id: refund.id, captureId: refund.captureId, money: refund.money });
    await this.#submit(refund.saleId, { kind: "update_refund", refundId: refund.id, event: "done", nextTryAtMs: this.#nowMs });
  }

  async #anyPurchase(): Promise<Purchase | undefined> {
    const id = this.#pick([...this.#users.keys()]);
    return id === undefined ? undefined : this.#store.records.purchase(id);
  }

  #userOf(row: Purchase): string {
    return this.#users.get(row.id) ?? "";
  }

  /** Notes a request; the result notes its answer, unless that is lost on its way. */
  #ask(asked: Pick<HistoryEvent, "f"> & Partial<HistoryEvent>): (answered: Partial<HistoryEvent>) => void {
    const attempt = `a${this.#attempts++}`;
    this.#note({ ...asked, attempt, type: "invoke" });
    return (answered) => {
      if (this.#random() < 0.03) return;
      const lost = this.#random() < 0.07;
      this.#note(lost ? { ...asked, attempt, type: "info" } : { ...asked, ...answered, attempt, type: answered.type ?? "info" });
    };
  }

  #note(event: Pick<HistoryEvent, "f" | "attempt" | "type"> & Partial<HistoryEvent>): void {
    this.#t += 1;
    const noted: HistoryEvent = { i: this.#history.length, t: this.#t, proc: "p", ...event };
    this.#history.push(noted);
  }
}

function bodyHashOf({ id, saleId, quantity, acceptedAtMs }: Purchase): string {
  return `h-${id}-${saleId}-${quantity}-${acceptedAtMs}`;
}
