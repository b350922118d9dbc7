/**
 * Passes committed changes on to those who listen. What happens between a commit and its answers is one look at a map;
 * telling waits for a later turn of the event loop.
 *
 *   commit ─► board, answers ─► (later turn) ─► listeners
 *
 * Must stay true: what is told was committed, in the order of commits for one sale and one purchase; no listener can
 * delay or break an answer.
 */
import type { BuyerId, SaleId } from "../domain/ids.ts";
import type { MovementOutcome } from "../domain/movement.ts";
import type { Purchase } from "../domain/purchase.ts";
import type { Sale } from "../domain/sale.ts";
import type { Changes, ChangeSink, StopWatching } from "../ports/changes.ts";
import type { Log } from "../ports/log.ts";
import type { Tasks } from "../ports/tasks.ts";

export class ChangeBoard implements Changes, ChangeSink {
  readonly #tasks: Pick<Tasks, "soon">;
  readonly #log: Pick<Log, "error">;
  readonly #bySale = new Map<SaleId, Set<(sale: Sale) => void>>();
  readonly #byBuyer = new Map<BuyerId, Set<(purchase: Purchase) => void>>();
  /** Not told yet. Both are emptied each turn, so they hold at most what one turn committed. */
  #sales = new Map<SaleId, Sale>();
  #purchases: Purchase[] = [];
  #scheduled = false;

  constructor({ tasks, log }: { tasks: Pick<Tasks, "soon">; log: Pick<Log, "error"> }) {
    this.#tasks = tasks;
    this.#log = log;
  }

  /** Sales and buyers that somebody listens to. */
  get watched(): number {
    return this.#bySale.size + this.#byBuyer.size;
  }

  hearsSale(saleId: SaleId): boolean {
    return this.#bySale.has(saleId);
  }

  hearsBuyer(buyerId: BuyerId): boolean {
    return this.#byBuyer.has(buyerId);
  }

  get hearsPurchases(): boolean {
    return this.#byBuyer.size > 0;
  }

  watchSale(saleId: SaleId, hear: (sale: Sale) => void): StopWatching {
    return watch(this.#bySale, saleId, hear);
  }

  watchPurchases(buyerId: BuyerId, hear: (purchase: Purchase) => void): StopWatching {
    return watch(this.#byBuyer, buyerId, hear);
  }

  saleChanged(sale: Sale): void {
    if (!this.#bySale.has(sale.id)) return;
    this.#sales.set(sale.id, sale);
    this.#schedule();
  }

  purchaseChanged(purchase: Purchase): void {
    if (!this.#byBuyer.has(purchase.buyerId)) return;
    this.#purchases.push(purchase);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#tasks.soon(() => this.#tell());
  }

  #tell(): void {
    this.#scheduled = false;
    const [sales, purchases] = [this.#sales, this.#purchases];
    this.#sales = new Map();
    this.#purchases = [];
    for (const sale of sales.values()) this.#tellAll(this.#bySale.get(sale.id), sale);
    for (const purchase of purchases) this.#tellAll(this.#byBuyer.get(purchase.buyerId), purchase);
  }

  #tellAll<News>(listeners: Iterable<(news: News) => void> | undefined, news: News): void {
    for (const hear of listeners ?? []) {
      try {
        hear(news);
      } catch (error) {
        this.#log.error("a listener failed", { err: error });
      }
    }
  }
}

/** The purchases of a commit; also what an earlier one of unknown outcome had done, for only now is it known. */
export function tellPurchases(changes: ChangeSink, outcomes: readonly MovementOutcome[]): void {
  for (const outcome of outcomes) {
    const { kind } = outcome;
    if (kind === "accepted" || kind === "released" || kind === "extended") changes.purchaseChanged(outcome.purchase);
    else if (kind === "started" || kind === "captured" || kind === "refunding") changes.purchaseChanged(outcome.purchase);
  }
}

function watch<Key, News>(all: Map<Key, Set<(news: News) => void>>, key: Key, hear: (news: News) => void): StopWatching {
  const listeners = all.get(key) ?? new Set();
  all.set(key, listeners);
  // The same function may listen twice; each stops for itself.
  const own = (news: News) => hear(news);
  listeners.add(own);
  return () => {
    if (listeners.delete(own) && listeners.size === 0 && all.get(key) === listeners) all.delete(key);
  };
}
