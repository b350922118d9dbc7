/** A shop whose sales a model cache decides: one or more processes over one ledger, one cache and one broker. */
import { MemoryBroker } from "../../src/adapters/memory/memory-journal.ts";
import { MemoryQueueLedger } from "../../src/adapters/memory/memory-queue-ledger.ts";
import { MemoryStore } from "../../src/adapters/memory/memory-store.ts";
import { IdMint } from "../../src/domain/id-mint.ts";
import { parseAdjustmentId, parsePurchaseId, type BuyerId, type PurchaseId, type SaleId } from "../../src/domain/ids.ts";
import type { Movement, Take } from "../../src/domain/movement.ts";
import type { Purchase } from "../../src/domain/purchase.ts";
import type { Sale, SaleDraft } from "../../src/domain/sale.ts";
import type { Answer } from "../../src/ports/acceptance.ts";
import { FaultyLedger } from "./faulty-ledger.ts";
import { internNow } from "./live-sale.ts";
import { eventually, ManualTime, turns } from "./manual-time.ts";
import { ModelRedis } from "./model-redis.ts";
import { queuedStack, type QueuedStack, type StackOptions } from "./queued-stack.ts";
import { money, must, productId, saleId, sampleDraft } from "./samples.ts";
import { SeededEntropy } from "./seeded-entropy.ts";

const partitions = 2;
const startMs = Date.UTC(2026, 0, 1);
const hourMs = 3_600_000;

type ProcessOptions = Partial<Pick<StackOptions, "batchMax" | "queueMax" | "answerTimeoutMs" | "outboxMax">> & {
  /** Whether it settles, opens and feeds, besides answering. */
  readonly works?: boolean;
};

export type Bought = {
  readonly buyer: BuyerId;
  readonly key?: string;
  readonly quantity?: number;
  readonly id?: PurchaseId;
  readonly wait?: boolean;
};

export class QueuedShop {
  readonly time = new ManualTime(startMs);
  readonly redis = new ModelRedis(() => this.time.nowMs());
  readonly broker = new MemoryBroker();
  readonly store: MemoryStore;
  readonly stockLedger: FaultyLedger;
  readonly ledger: MemoryQueueLedger;
  readonly processes: QueuedStack[] = [];
  readonly #mint: IdMint;

  constructor() {
    const living = () => this.processes.filter(({ presence }) => presence.unbroken !== undefined).map(({ presence }) => presence);
    this.store = new MemoryStore({ queue: { partitions, living } });
    this.stockLedger = new FaultyLedger(this.store);
    this.ledger = new MemoryQueueLedger({ store: this.store, nowMs: () => this.time.nowMs() });
    const entropy = new SeededEntropy(5);
    this.#mint = new IdMint({ nowMs: () => this.time.nowMs(), random: () => entropy.random() });
    this.store.addProductNow({ id: productId(), name: "Lamp", price: money(500), seller: "shop", createdAtMs: 0 });
  }

  /** One more process, by default with all roles. */
  process({ works = true, ...options }: ProcessOptions = {}): QueuedStack {
    const number = this.processes.length + 1;
    const stack = queuedStack({
      stockLedger: this.stockLedger,
      ledger: this.ledger,
      cache: this.redis,
      records: this.store,
      time: this.time,
      broker: this.broker,
      partitions: works ? partitions : 0,
      presence: { number, life: `life ${number}`, unbroken: 1 },
      works,
      ...options,
    });
    this.processes.push(stack);
    return stack;
  }

  newPurchaseId = () => must(parsePurchaseId(this.#mint.mint()));
  newAdjustmentId = () => must(parseAdjustmentId(this.#mint.mint()));
  buyer = (name: string) => internNow(this.store, name);
  buyers = (count: number) => Array.from({ length: count }, (_, i) => this.buyer(`buyer-${i}`));

  /** A sale that is published and, by a process that works, open. */
  async sale(process: QueuedStack, change: Partial<SaleDraft> = {}, id = "700"): Promise<SaleId> {
    const of = saleId(id);
    await this.store.addSale({
      id: of,
      draft: sampleDraft({ perBuyerLimit: 1, startsAtMs: startMs - hourMs, endsAtMs: startMs + hourMs, ...change }),
      createdAtMs: 0,
    });
    await process.acceptance.submit(of, [{ kind: "switch", change: { kind: "publish", pastAllowed: true } }]);
    await this.open(process, of);
    return of;
  }

  /** Until the process may ask the cache of the sale. */
  async open(process: QueuedStack, id: SaleId): Promise<void> {
    const { scopeId } = this.read(id);
    await eventually(async () => {
      const isOpen = process.book.peek(must(scopeId))?.kind === "open";
      // A cache that could not be loaded is tried again after a while.
      if (!isOpen) await this.time.advance(10);
      return isOpen;
    }, "the sale's cache to be open");
  }

  async buy(
    process: QueuedStack,
    of: SaleId,
    { buyer, key, quantity = 1, id = this.newPurchaseId(), wait = true }: Bought,
  ): Promise<Answer<Take>> {
    const take: Take = { kind: "take", purchaseId: id, buyerId: buyer, key, quantity };
    const [answer] = await process.acceptance.submit(of, [take], { wait });
    return must(answer);
  }

  async send<M extends Movement>(process: QueuedStack, of: SaleId, movement: M): Promise<Answer<M>> {
    const [answer] = await process.acceptance.submit(of, [movement]);
    return must(answer);
  }

  read(id: SaleId): Sale {
    return must(this.store.tables.sales.get(id));
  }

  purchases(): Purchase[] {
    return [...this.store.tables.purchases.values()];
  }

  purchase(id: PurchaseId): Purchase | undefined {
    return this.store.tables.purchases.get(id);
  }

  /** Lets all that can go on go on, a while. */
  settle = () => turns(40);

  async close(): Promise<void> {
    // A test that failed in the middle leaves commits held.
    this.stockLedger.goOn();
    for (const process of this.processes) await process.close();
  }
}

/** Runs a test on a shop of its own. */
export async function withShop(run: (shop: QueuedShop) => Promise<void>): Promise<void> {
  const shop = new QueuedShop();
  try {
    await run(shop);
  } finally {
    await shop.close();
  }
}
