/**
 * A shop on a fixture: makes sales and buyers, sends movements, and in the end checks the books of everything it made.
 * It remembers which answers it got, so that the books can be held against them.
 */
import { expect } from "bun:test";
import { IdMint } from "../../src/domain/id-mint.ts";
import {
  parseAdjustmentId,
  parsePaymentId,
  parseProductId,
  parsePurchaseId,
  parseRefundId,
  parseSaleId,
  type BuyerId,
  type ProductId,
  type PurchaseId,
  type SaleId,
} from "../../src/domain/ids.ts";
import { balanceAfter, type Inventory, type InventoryChange } from "../../src/domain/inventory.ts";
import { replay } from "../../src/domain/ledger.ts";
import { parseCurrency, type Money } from "../../src/domain/money.ts";
import type { Movement, Take } from "../../src/domain/movement.ts";
import type { Payment } from "../../src/domain/payment.ts";
import { deadlineOf, type Purchase, type Refusal } from "../../src/domain/purchase.ts";
import type { Sale, SaleDraft, SaleSwitch } from "../../src/domain/sale.ts";
import type { NewProduct } from "../../src/ports/catalogue.ts";
import type { Answer } from "../../src/ports/acceptance.ts";
import { eventually } from "../kit/manual-time.ts";
import { must } from "../kit/samples.ts";
import { SeededEntropy } from "../kit/seeded-entropy.ts";
import type { Fixture } from "./fixture.ts";

export const startMs = Date.UTC(2026, 0, 1);
export const minuteMs = 60_000;
export const payWindowMs = 15 * minuteMs;

export const euros = (minor: number): Money => ({ minor, currency: must(parseCurrency("EUR")) });
export const price = euros(1_999);

export const refused = (refusal: Refusal) => ({ kind: "refused" as const, refusal });

export type TakeAsk = { buyer: BuyerId; key?: string; quantity?: number; metadata?: string; id?: PurchaseId };

export class Shop {
  readonly fixture: Fixture;
  readonly #mint: IdMint;
  readonly #sales = new Set<SaleId>();
  readonly #products = new Set<ProductId>();
  readonly #buyers = new Map<string, BuyerId>();
  /** Purchases that were answered as accepted: nothing may lose them (I4). */
  readonly accepted = new Map<PurchaseId, Purchase>();

  constructor(fixture: Fixture) {
    this.fixture = fixture;
    const entropy = new SeededEntropy(7);
    this.#mint = new IdMint({ nowMs: () => fixture.time.nowMs(), random: () => entropy.random() });
  }

  get nowMs(): number {
    return this.fixture.time.nowMs();
  }

  // What the mint gives, the parsers accept.
  newProductId = () => must(parseProductId(this.#mint.mint()));
  newSaleId = () => must(parseSaleId(this.#mint.mint()));
  newPurchaseId = () => must(parsePurchaseId(this.#mint.mint()));
  newPaymentId = () => must(parsePaymentId(this.#mint.mint()));
  newRefundId = () => must(parseRefundId(this.#mint.mint()));
  newAdjustmentId = () => must(parseAdjustmentId(this.#mint.mint()));

  async buyer(subject: string): Promise<BuyerId> {
    const known = this.#buyers.get(subject);
    if (known !== undefined) return known;
    const [id] = await this.fixture.catalogue.internBuyers([{ issuer: "local", subject }]);
    this.#buyers.set(subject, must(id));
    return must(id);
  }

  async buyers(count: number): Promise<BuyerId[]> {
    return Promise.all(Array.from({ length: count }, (_, i) => this.buyer(`buyer-${i}`)));
  }

  /** With its units counted, if `units` says how many. */
  async product(change: Partial<NewProduct> & { units?: number } = {}): Promise<ProductId> {
    const { units, ...fields } = change;
    const id = this.newProductId();
    const counted = units === undefined ? undefined : { id: this.newAdjustmentId(), units, actor: "one" };
    const product = { id, name: "Lamp", price, seller: "shop", createdAtMs: this.nowMs, counted, ...fields };
    expect((await this.fixture.catalogue.addProduct(product)).kind).toBe("added");
    this.#products.add(product.id);
    return product.id;
  }

  /** A product's free units. */
  async free(id: ProductId) {
    return must(await this.fixture.records.productEver(id)).inventory;
  }

  changeInventory(productId: ProductId, change: InventoryChange["change"], id = this.newAdjustmentId()) {
    return this.fixture.catalogue.changeInventory({ id, productId, change, reason: "as counted", actor: "one", atMs: this.nowMs });
  }

  settle(saleId: SaleId, adjustmentId = this.newAdjustmentId()) {
    return this.send(saleId, { kind: "settle", adjustmentId });
  }

  async draft(change: Partial<SaleDraft> = {}): Promise<SaleId> {
    const id = this.newSaleId();
    const draft: SaleDraft = {
      productId: change.productId ?? (await this.product()),
      name: "Lamp",
      price,
      stock: 10,
      perBuyerLimit: 1,
      limitGroup: undefined,
      refundedUnitsCount: true,
      payWindowMs,
      payExtensionsMax: 2,
      startsAtMs: this.nowMs,
      endsAtMs: this.nowMs + 60 * minuteMs,
      ...change,
    };
    const answer = await this.fixture.catalogue.addSale({ id, draft, createdAtMs: this.nowMs });
    expect(answer.kind).toBe("added");
    this.#sales.add(id);
    return id;
  }

  /** A published sale, live from now unless told otherwise. */
  async sale(change: Partial<SaleDraft> = {}): Promise<SaleId> {
    const id = await this.draft(change);
    expect(await this.flip(id, { kind: "publish" })).toMatchObject({ kind: "switched", repeated: false });
    return id;
  }

  async send<M extends Movement>(saleId: SaleId, movement: M): Promise<Answer<M>> {
    const [answer] = await this.sendAll(saleId, [movement]);
    return must(answer);
  }

  async sendAll<M extends Movement>(saleId: SaleId, movements: readonly M[]): Promise<readonly Answer<M>[]> {
    const answers = await this.fixture.acceptance.submit(saleId, movements);
    expect(answers.length).toBe(movements.length);
    for (const answer of answers) if (answer.kind === "accepted") this.accepted.set(answer.purchase.id, answer.purchase);
    return answers;
  }

  movement(ask: TakeAsk): Take {
    const { buyer, key, quantity = 1, metadata } = ask;
    return { kind: "take", purchaseId: ask.id ?? this.newPurchaseId(), buyerId: buyer, key, quantity, metadata };
  }

  take(saleId: SaleId, ask: TakeAsk): Promise<Answer<Take>> {
    return this.send(saleId, this.movement(ask));
  }

  async accept(saleId: SaleId, ask: TakeAsk): Promise<Purchase> {
    const answer = await this.take(saleId, ask);
    if (answer.kind !== "accepted") throw new Error(`expected an accepted purchase, got ${JSON.stringify(answer)}`);
    return answer.purchase;
  }

  flip = (saleId: SaleId, change: SaleSwitch) => this.send(saleId, { kind: "switch", change });
  cancel = (purchase: Purchase, buyerId?: BuyerId) => this.#release("cancel", purchase, buyerId);
  expire = (purchase: Purchase) => this.#release("expire", purchase);
  closeOrder = (purchase: Purchase) => this.#release("close", purchase);

  #release(kind: "cancel" | "expire" | "close", { id, saleId }: Purchase, buyerId?: BuyerId) {
    return this.send(saleId, { kind, purchaseId: id, buyerId });
  }

  /** Its buyer asks for more time than until the deadline that this copy shows. */
  extend = (purchase: Purchase, buyerId = purchase.buyerId) =>
    this.send(purchase.saleId, { kind: "extend_hold", purchaseId: purchase.id, buyerId, payByMs: deadlineOf(purchase) });

  adjust(saleId: SaleId, units: number, adjustmentId = this.newAdjustmentId()) {
    return this.send(saleId, { kind: "adjust", adjustmentId, units, reason: "as counted", actor: "one" });
  }

  startPayment(purchase: Purchase, ask: { paymentId?: Payment["id"]; buyerId?: BuyerId } = {}) {
    const { paymentId = this.newPaymentId(), buyerId } = ask;
    return this.send(purchase.saleId, { kind: "start_payment", paymentId, purchaseId: purchase.id, provider: "simulated", buyerId });
  }

  async openPayment(purchase: Purchase): Promise<Payment> {
    const answer = await this.startPayment(purchase);
    if (answer.kind !== "started") throw new Error(`expected a started payment, got ${JSON.stringify(answer)}`);
    return answer.payment;
  }

  capture(payment: Payment, ask: { id: string; money?: Money; callbackId?: string }) {
    const { id: captureId, money = payment.money, callbackId } = ask;
    return this.send(payment.saleId, {
      kind: "capture",
      captureId,
      paymentId: payment.id,
      money,
      refundId: this.newRefundId(),
      callbackId,
    });
  }

  /** A purchase that is paid. */
  async pay(purchase: Purchase, captureId = `capture-${purchase.id}`): Promise<Payment> {
    const payment = await this.openPayment(purchase);
    expect(await this.capture(payment, { id: captureId })).toMatchObject({ kind: "captured", kept: true });
    return payment;
  }

  refund(purchase: Purchase, ask: { returnStock: boolean }) {
    return this.send(purchase.saleId, { kind: "refund", refundId: this.newRefundId(), purchaseId: purchase.id, ...ask });
  }

  async read(saleId: SaleId): Promise<Sale> {
    return must(await this.fixture.records.sale(saleId));
  }

  async order(purchase: Purchase): Promise<Purchase> {
    return must(await this.fixture.records.purchase(purchase.id));
  }

  async balances(saleId: SaleId) {
    return (await this.read(saleId)).balances;
  }

  /** Waits until the store is inside a commit. */
  async inFlight(): Promise<void> {
    await eventually(() => this.fixture.faults.inFlight() > 0, "a commit in flight");
  }

  /** Lets retries of the engine run, moving time in small steps, until the promise has its answer. */
  async patiently<Value>(promise: Promise<Value>): Promise<Value> {
    let done = false;
    const settled = promise.finally(() => (done = true));
    await eventually(async () => {
      if (!done) await this.fixture.time.advance(5);
      return done;
    }, "an answer");
    return settled;
  }

  /** Everything that must hold of every sale at every moment, and every promise that was given. */
  async checkBooks(): Promise<void> {
    for (const id of this.#sales) await this.#checkSale(id);
    for (const id of this.#products) await this.#checkInventory(id);
    for (const purchase of this.accepted.values()) {
      const found = must(await this.fixture.records.purchase(purchase.id));
      expect(answerFields(found)).toEqual(answerFields(purchase));
    }
  }

  async #checkSale(id: SaleId): Promise<void> {
    const sale = await this.read(id);
    const entries = await this.fixture.ledger(id);
    expect(replay(entries)).toEqual(sale.balances);
    const sources = entries.map((entry) => `${entry.sourceId} ${entry.kind}`);
    expect(new Set(sources).size).toBe(sources.length);
    const rows = await this.#purchasesOf(id);
    const held = rows.filter((row) => row.state === "reserved").reduce((sum, row) => sum + row.quantity, 0);
    expect(sale.balances.held).toBe(held);
    for (const take of entries.filter((entry) => entry.kind === "take")) {
      const row = must(rows.find((candidate) => candidate.id === take.sourceId));
      expect(take).toMatchObject({ units: row.quantity, limit: row.limit });
    }
    expect(entries.filter((entry) => entry.kind === "take").length).toBe(rows.length);
    expect(sale.balances.issued).toBeLessThanOrEqual(sale.stock + sumOf(entries.filter((e) => e.kind === "issue" && e.sourceId !== id)));
    this.#checkLimits(rows, sale);
  }

  /** Free units are the replay of their entries; what sales issue of them was allotted, what they withdraw came back. */
  async #checkInventory(id: ProductId): Promise<void> {
    const { items } = await this.fixture.records.inventoryOf(id, { offset: 0, limit: 1_000 });
    let free: Inventory = null;
    for (const entry of items.toReversed()) expect((free = balanceAfter(free, entry))).toBe(entry.balance);
    expect(await this.free(id)).toBe(free);
    for (const saleId of this.#sales) {
      const sale = await this.read(saleId);
      if (sale.productId !== id) continue;
      const supply = (await this.fixture.ledger(saleId)).filter(({ kind }) => kind === "issue" || kind === "withdraw");
      const moved = supply.map(({ sourceId, kind, units }) => `${sourceId} ${kind === "issue" ? "allot" : "return"} ${units}`);
      const sources = new Set<string>(supply.map(({ sourceId }) => sourceId));
      const entered = items.filter(({ sourceId }) => sources.has(sourceId)).map((e) => `${e.sourceId} ${e.kind} ${e.units}`);
      expect(entered.toReversed()).toEqual(sale.fromInventory ? moved : []);
    }
  }

  #checkLimits(rows: readonly Purchase[], sale: Sale): void {
    const units = new Map<BuyerId, number>();
    for (const row of rows) {
      const counts = row.state === "reserved" || (row.state === "paid" && (sale.refundedUnitsCount || !row.refunded));
      if (counts) units.set(row.buyerId, (units.get(row.buyerId) ?? 0) + row.quantity);
    }
    for (const row of rows) if (!row.refunded) expect(units.get(row.buyerId) ?? 0).toBeLessThanOrEqual(row.limit);
    const keys = rows.filter((row) => row.key !== undefined).map((row) => `${row.buyerId} ${row.key}`);
    expect(new Set(keys).size).toBe(keys.length);
  }

  async #purchasesOf(saleId: SaleId): Promise<Purchase[]> {
    const lists = await Promise.all(
      [...this.#buyers.values()].map((buyer) => this.fixture.records.purchasesOf(buyer, { saleId }, { offset: 0, limit: 1_000 })),
    );
    return lists.flatMap((list) => [...list.items]);
  }
}

const sumOf = (entries: readonly { units: number }[]) => entries.reduce((sum, entry) => sum + entry.units, 0);

/** The fields that the answer to a purchase is made of. */
export function answerFields({
  id,
  saleId,
  productId,
  buyerId,
  key,
  quantity,
  price: each,
  limit,
  metadata,
  acceptedAtMs,
  payByMs,
}: Purchase) {
  return { id, saleId, productId, buyerId, key, quantity, price: each, limit, metadata, acceptedAtMs, payByMs };
}
