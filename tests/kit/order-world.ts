/**
 * A small shop after acceptance: memory store, direct acceptance, the simulated provider and the workers, on time that a
 * test moves. Faults lie between the parts; `problems` holds the books of all of them against each other.
 */
import { expect } from "bun:test";
import { MemoryStore, type CommitSteps } from "../../src/adapters/memory/memory-store.ts";
import { ExternalProvider } from "../../src/adapters/payment/external-provider.ts";
import type { OutgoingCallback } from "../../src/adapters/payment/callback-outbox.ts";
import { MemoryJournal } from "../../src/adapters/payment/provider-journal.ts";
import { readProviderLines } from "../../src/adapters/payment/provider-record.ts";
import { SimulatedProvider } from "../../src/adapters/payment/simulated-provider.ts";
import { IdMint } from "../../src/domain/id-mint.ts";
import { parsePaymentId, parseProductId, parseSaleId, type BuyerId, type PurchaseId, type SaleId } from "../../src/domain/ids.ts";
import { imbalanceOf, replay } from "../../src/domain/ledger.ts";
import { parseCurrency, type Money } from "../../src/domain/money.ts";
import type { Purchase } from "../../src/domain/purchase.ts";
import type { SaleDraft } from "../../src/domain/sale.ts";
import { DirectAcceptance } from "../../src/engine/accept-direct.ts";
import { applyCallback, type Callback, type CallbackAnswer } from "../../src/engine/callback.ts";
import { pay, type PayAnswer, type PayDeps } from "../../src/engine/pay.ts";
import { purchase as buy } from "../../src/engine/purchase.ts";
import { SaleBoard } from "../../src/engine/sale-board.ts";
import type { PaymentProvider, PaymentRequest, RefundRequest } from "../../src/ports/payment-provider.ts";
import type { Records } from "../../src/ports/records.ts";
import { StoreUnavailable } from "../../src/ports/store-unavailable.ts";
import { runPaymentPoller } from "../../src/worker/payment-poller.ts";
import { runRefunder } from "../../src/worker/refunder.ts";
import { runSweeper } from "../../src/worker/sweeper.ts";
import { everywhere } from "./everywhere.ts";
import { FaultyLedger } from "./faulty-ledger.ts";
import { eventually, ManualTime, turns } from "./manual-time.ts";
import { SeededEntropy } from "./seeded-entropy.ts";

export const startMs = Date.UTC(2026, 0, 1);
export const payWindowMs = 60_000;

export function must<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("a value that the test relies on is missing");
  return value;
}

export const euros = (minor: number): Money => ({ minor, currency: must(parseCurrency("EUR")) });
export const price = euros(1_999);

type Loss = "request" | "answer";
type ProviderCall = "submit" | "look" | "refund";

/** A provider behind a network that loses what a test tells it to lose. */
export class LossyProvider implements PaymentProvider {
  readonly name: string;
  #provider: PaymentProvider;
  readonly calls: { readonly call: ProviderCall; readonly id: string }[] = [];
  /** What the next calls lose. */
  readonly losses: Record<ProviderCall, Loss[]> = { submit: [], look: [], refund: [] };
  /** Applied to each call beyond the planned ones. */
  chance: () => Loss | undefined = () => undefined;

  constructor(provider: PaymentProvider) {
    this.#provider = provider;
    this.name = provider.name;
  }

  /** From now on calls reach this one: the old one was restarted. */
  reach(provider: PaymentProvider): void {
    this.#provider = provider;
  }

  submit = (request: PaymentRequest) => this.#pass("submit", request.paymentId, () => this.#provider.submit(request));
  look: PaymentProvider["look"] = (paymentId) => this.#pass("look", paymentId, () => this.#provider.look(paymentId));
  refund = (request: RefundRequest) => this.#pass("refund", request.refundId, () => this.#provider.refund(request));

  async #pass<Answer>(call: ProviderCall, id: string, run: () => Promise<Answer>): Promise<Answer | { readonly kind: "unknown" }> {
    this.calls.push({ call, id });
    const loss = this.losses[call].shift() ?? this.chance();
    if (loss === "request") return { kind: "unknown" };
    const answer = await run();
    return loss === "answer" ? { kind: "unknown" } : answer;
  }
}

export type WorldOptions = { seed?: number; steps?: Partial<CommitSteps> };

export class OrderWorld {
  readonly time = new ManualTime(startMs);
  readonly entropy: SeededEntropy;
  readonly store: MemoryStore;
  readonly ledger: FaultyLedger;
  readonly records: Records;
  readonly acceptance: DirectAcceptance;
  readonly ids: IdMint;
  readonly journal = new MemoryJournal();
  readonly #board: SaleBoard;
  #provider: SimulatedProvider | undefined;
  #lossy: LossyProvider | undefined;
  /** While true, reading answers with StoreUnavailable. */
  storeDown = false;
  /** While true, callbacks get lost on their way here. */
  callbacksLost: (callback: OutgoingCallback) => boolean = () => false;
  readonly received: { readonly callback: Callback; readonly answer: CallbackAnswer }[] = [];
  readonly #stop = new AbortController();
  readonly #workers: Promise<void>[] = [];
  #buyers = 0;

  constructor({ seed = 1, steps }: WorldOptions = {}) {
    this.entropy = new SeededEntropy(seed);
    this.store = new MemoryStore({ steps });
    this.ledger = new FaultyLedger(this.store);
    this.records = breakable(this.store, () => this.storeDown);
    this.ids = new IdMint({ nowMs: () => this.time.nowMs(), random: () => this.entropy.random() });
    const { time: clock, time: tasks, entropy, ledger } = this;
    this.#board = new SaleBoard({ records: this.store, clock, entropy }, { salesMax: 100, buyersMax: 100_000 });
    const options = { batchMax: 100, queueMax: 10_000, answerTimeoutMs: 2_000 };
    this.acceptance = new DirectAcceptance({ ledger, board: this.#board, clock, tasks }, options);
  }

  static async open(options?: WorldOptions): Promise<OrderWorld> {
    const world = new OrderWorld(options);
    await world.startProvider();
    return world;
  }

  get provider(): LossyProvider {
    return must(this.#lossy);
  }

  get simulated(): SimulatedProvider {
    return must(this.#provider);
  }

  /** Starts the provider, or starts it anew from its journal alone. */
  async startProvider(): Promise<void> {
    await this.#provider?.close();
    const { journal, time, entropy } = this;
    this.#provider = await SimulatedProvider.open({
      journal,
      clock: time,
      tasks: time,
      entropy,
      send: (callback) => this.#receive(callback),
    });
    if (this.#lossy === undefined) this.#lossy = new LossyProvider(this.#provider);
    else this.#lossy.reach(this.#provider);
  }

  async #receive(outgoing: OutgoingCallback): Promise<boolean> {
    if (this.callbacksLost(outgoing)) return false;
    const callback = callbackOf(outgoing);
    const answer = await applyCallback(this, callback);
    this.received.push({ callback, answer });
    return answer.kind === "applied";
  }

  get payDeps(): PayDeps {
    return { records: this.records, acceptance: this.acceptance, clock: this.time, ids: this.ids, provider: this.provider };
  }

  get workerDeps() {
    const { records, acceptance, time: clock, ids } = this;
    const providers = new Map<string, PaymentProvider>([
      [this.provider.name, this.provider],
      ["external", new ExternalProvider()],
    ]);
    return { records, acceptance, clock, ids, providers };
  }

  startWorkers(only: { sweeper?: boolean; refunder?: boolean; poller?: boolean } = { sweeper: true, refunder: true, poller: true }): void {
    const loop = (tickMs: number) => ({ tasks: this.time, signal: this.#stop.signal, tickMs });
    if (only.sweeper) this.#workers.push(runSweeper(this.workerDeps, loop(250)));
    if (only.refunder) this.#workers.push(runRefunder(this.workerDeps, loop(250)));
    if (only.poller) this.#workers.push(runPaymentPoller(this.workerDeps, loop(1_000)));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.answered(Promise.all(this.#workers));
    await this.#provider?.close();
  }

  /** Moves time in steps small enough for everybody to act in between. */
  async pass(ms: number, stepMs = 50): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      await this.time.advance(Math.min(stepMs, left));
      await turns(4);
    }
  }

  /** What a promise gives, moving time while it waits for a retry. */
  async answered<Value>(promise: Promise<Value>): Promise<Value> {
    let done = false;
    void promise.then(
      () => (done = true),
      () => (done = true),
    );
    await eventually(async () => {
      if (!done) await this.time.advance(5);
      return done;
    }, "an answer");
    return promise;
  }

  async sale(change: Partial<SaleDraft> = {}): Promise<SaleId> {
    const productId = must(parseProductId(this.ids.mint()));
    await this.store.addProduct({ id: productId, name: "Lamp", price, seller: "shop", createdAtMs: this.time.nowMs() });
    const id = must(parseSaleId(this.ids.mint()));
    const draft: SaleDraft = {
      productId, name: "Lamp", price, stock: 1_000, perBuyerLimit: 10, refundedUnitsCount: true, payWindowMs, payExtensionsMax: 10,
      startsAtMs: this.time.nowMs(), endsAtMs: this.time.nowMs() + 86_400_000,
      ...change,
    }; // prettier-ignore
    expect((await this.store.addSale({ id, draft, createdAtMs: this.time.nowMs() })).kind).toBe("added");
    expect(await this.acceptance.submit(id, [{ kind: "switch", change: { kind: "publish" } }])).toMatchObject([{ kind: "switched" }]);
    return id;
  }

  async newBuyer(): Promise<BuyerId> {
    const [id] = await this.store.internBuyers([{ issuer: "local", subject: `buyer-${++this.#buyers}` }]);
    return must(id);
  }

  async order(saleId: SaleId, quantity = 1): Promise<Purchase> {
    const deps = { board: this.#board, acceptance: this.acceptance, clock: this.time, ids: this.ids };
    const ask = { saleId, buyerId: await this.newBuyer(), issuer: "shop", key: "first", quantity };
    const attempt = () => this.answered(Promise.resolve(buy(deps, ask)));
    let answer = await attempt();
    for (let i = 0; i < 20 && (answer.kind === "not_tried" || answer.kind === "unknown"); i++) answer = await attempt();
    if (answer.kind !== "accepted") throw new Error(`expected an accepted purchase, got ${JSON.stringify(answer)}`);
    return answer.purchase;
  }

  pay(purchaseId: PurchaseId, scenario?: string): Promise<PayAnswer> {
    return this.answered(pay(this.payDeps, everywhere, { purchaseId, scenario }));
  }

  read(id: PurchaseId): Purchase {
    return must(this.store.tables.purchases.get(id));
  }

  paymentsOf(id: PurchaseId) {
    return [...this.store.tables.payments.values()].filter((payment) => payment.purchaseId === id);
  }

  refundsOf(id: PurchaseId) {
    return [...this.store.tables.refunds.values()].filter((refund) => refund.purchaseId === id);
  }

  /** What is wrong with the books: the shop's own (I1, I2, I9), and the shop's against the provider's. */
  problems(): string[] {
    const { sales, ledger, captures, refunds, purchases, payments } = this.store.tables;
    const found: string[] = [];
    for (const sale of sales.values()) {
      const imbalance = imbalanceOf(sale.balances);
      if (imbalance !== undefined) found.push(`sale ${sale.id}: ${imbalance}`);
      const replayed = replay([...ledger.values()].filter((entry) => entry.saleId === sale.id));
      if (!Bun.deepEquals(replayed, sale.balances)) found.push(`sale ${sale.id}: I2: the ledger's replay equals the balances`);
      const units = (states: string[]) =>
        [...purchases.values()].filter((p) => p.saleId === sale.id && states.includes(p.state)).reduce((sum, p) => sum + p.quantity, 0);
      if (units(["reserved"]) !== sale.balances.held) found.push(`sale ${sale.id}: I2: held equals reserved orders`);
    }
    for (const capture of captures.values()) {
      const returned = [...refunds.values()].filter((refund) => refund.captureId === capture.id && refund.reason !== "requested_by_shop");
      const sum = returned.reduce((total, refund) => total + refund.money.minor, 0) + (capture.kept ? capture.money.minor : 0);
      if (sum !== capture.money.minor) found.push(`capture ${capture.id}: I9: kept + refunded = captured`);
    }
    for (const purchase of purchases.values()) {
      const kept = [...captures.values()].filter((capture) => capture.purchaseId === purchase.id && capture.kept).length;
      if (kept !== (purchase.state === "paid" ? 1 : 0))
        found.push(`order ${purchase.id}: I9: a paid order keeps one capture, it is ${purchase.state} and keeps ${kept}`);
    }
    const theirs = readProviderLines(this.journal.lines);
    for (const { id, money, refundedMinor } of theirs.captures.values()) {
      const ours = captures.get(id);
      if (ours === undefined) {
        found.push(`capture ${id}: I9: money that the provider took is in the books`);
        continue;
      }
      if (!Bun.deepEquals(ours.money, money)) found.push(`capture ${id}: its amount is the provider's`);
      const done = [...refunds.values()].filter((refund) => refund.captureId === id);
      const owed = done.reduce((total, refund) => total + refund.money.minor, 0);
      if (owed !== refundedMinor) found.push(`capture ${id}: I9: owed back ${owed}, the provider returned ${refundedMinor}`);
    }
    for (const refund of refunds.values())
      if (refund.state !== "done") found.push(`refund ${refund.id}: is done in the end, it is ${refund.state}`);
    for (const capture of captures.values())
      if (payments.get(capture.paymentId)?.provider === "simulated" && !theirs.captures.has(capture.id))
        found.push(`capture ${capture.id}: the provider knows of it`);
    return found;
  }
}

function callbackOf({ id, body }: OutgoingCallback): Callback {
  // What the simulated provider writes; its own tests hold it to that.
  const { type, data } = JSON.parse(body) as { type: string; data: Record<string, string | number> };
  const paymentId = must(parsePaymentId(String(data["payment_id"])));
  if (type === "payment.failed") return { id, provider: "simulated", paymentId, type };
  const money = { minor: Number(data["amount_minor"]), currency: must(parseCurrency(String(data["currency"]))) };
  return { id, provider: "simulated", paymentId, type: "payment.captured", captureId: String(data["capture_id"]), money };
}

/** The same records, that do not answer while `isDown`. */
function breakable(records: Records, isDown: () => boolean): Records {
  return new Proxy(records, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        if (isDown()) return Promise.reject(new StoreUnavailable("unavailable", "The store is down, as planned"));
        return Reflect.apply(member, target, args);
      };
    },
  });
}
