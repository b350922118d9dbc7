/**
 * What this process remembers of sales: the last committed copy of each, and who was ever accepted in it. It may only
 * say no, and only from committed state; everything else goes on to the decider.
 *
 * A no must never meet a key that may have been accepted. So while a sale is sold out, paused or over, buyers that were
 * ever accepted in it, or whose take is on its way, are let through to the decider, which knows their keys; and until
 * the set of those buyers is loaded, everybody is.
 *
 *   sale's copy ─► refusal by status or stock? ─► buyer ever accepted, or on the way? ─► yes: decider · no: refuse
 */
import { refusalToAll } from "../domain/availability.ts";
import type { BuyerId, SaleId } from "../domain/ids.ts";
import type { Refusal } from "../domain/purchase.ts";
import type { Sale } from "../domain/sale.ts";
import { NumberSet } from "../lib/number-set.ts";
import type { ChangeSink } from "../ports/changes.ts";
import type { Clock } from "../ports/clock.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { Records } from "../ports/records.ts";

export type SaleView = {
  sale: Sale;
  readonly buyers: NumberSet;
  buyersKnown: "no" | "loading" | "all";
  usedAtMs: number;
};

export type BoardOptions = {
  readonly salesMax: number;
  /** Over all sales; when reached, the least used sales forget their buyers and let everybody through. */
  readonly buyersMax: number;
};

const buyersPageMax = 10_000;
const absentMax = 10_000;
const absentForMs = 1_000;

export class SaleBoard {
  readonly #records: Records;
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #changes: ChangeSink | undefined;
  readonly #options: BoardOptions;
  readonly #views = new Map<string, SaleView>();
  readonly #loading = new Map<SaleId, Promise<SaleView | undefined>>();
  /** Sales that do not exist, until when we believe it. */
  readonly #absent = new Map<SaleId, number>();
  #buyers = 0;

  constructor(deps: { records: Records; clock: Clock; entropy: Entropy; changes?: ChangeSink | undefined }, options: BoardOptions) {
    this.#records = deps.records;
    this.#clock = deps.clock;
    this.#entropy = deps.entropy;
    this.#changes = deps.changes;
    this.#options = options;
  }

  peek(saleId: string): SaleView | undefined {
    return this.#views.get(saleId);
  }

  /** The sale's view, read from the store if need be: one reader per sale however many ask. */
  async load(saleId: SaleId): Promise<SaleView | undefined> {
    const view = this.#views.get(saleId);
    if (view !== undefined) return view;
    const absentUntilMs = this.#absent.get(saleId);
    if (absentUntilMs !== undefined && absentUntilMs > this.#clock.nowMs()) return undefined;
    let loading = this.#loading.get(saleId);
    if (loading === undefined) {
      loading = this.#read(saleId).finally(() => this.#loading.delete(saleId));
      this.#loading.set(saleId, loading);
    }
    return loading;
  }

  /** Takes over a committed copy of a sale, unless what we have is newer. */
  observe(sale: Sale): void {
    this.#observed(sale);
  }

  noteAccepted(saleId: SaleId, buyerId: BuyerId): void {
    const view = this.#views.get(saleId);
    if (view === undefined) return;
    const before = view.buyers.size;
    view.buyers.add(buyerId);
    this.#buyers += view.buyers.size - before;
    this.#boundBuyers(view);
  }

  /** A refusal that needs no decider, or undefined. `pending` says whether a take of the buyer is on its way. */
  refuse(view: SaleView, ask: { buyerId: BuyerId; pending: () => boolean; nowMs: number }): Refusal | undefined {
    view.usedAtMs = ask.nowMs;
    const refusal = refusalToAll(view.sale, ask.nowMs);
    // Before the start nobody can have been accepted, and an unpublished sale is nobody's business.
    if (refusal === undefined || refusal.reason === "not_started" || refusal.reason === "sale_unknown") return refusal;
    if (view.buyersKnown !== "all") {
      if (view.buyersKnown === "no") void this.#loadBuyers(view);
      return undefined;
    }
    return view.buyers.has(ask.buyerId) || ask.pending() ? undefined : refusal;
  }

  async #read(saleId: SaleId): Promise<SaleView | undefined> {
    const sale = await this.#records.sale(saleId);
    if (sale !== undefined) return this.#observed(sale);
    if (this.#absent.size >= absentMax) this.#absent.clear();
    this.#absent.set(saleId, this.#clock.nowMs() + absentForMs * (0.5 + this.#entropy.random()));
    return undefined;
  }

  #observed(sale: Sale): SaleView {
    const view = this.#views.get(sale.id);
    if (view === undefined) return this.#add(sale);
    const isNews = sale.feed > view.sale.feed;
    if (isNews || sale.feed === view.sale.feed) view.sale = sale;
    if (isNews) this.#changes?.saleChanged(sale);
    return view;
  }

  #add(sale: Sale): SaleView {
    this.#absent.delete(sale.id);
    // A sale that has issued nothing has accepted nobody.
    const buyersKnown = sale.phase === "draft" ? "all" : "no";
    const view: SaleView = { sale, buyers: new NumberSet(), buyersKnown, usedAtMs: this.#clock.nowMs() };
    this.#views.set(sale.id, view);
    // Whoever listens may have seen an older copy, before it was forgotten here.
    this.#changes?.saleChanged(sale);
    if (this.#views.size > this.#options.salesMax) this.#forget(this.#leastUsed(view), "view");
    return view;
  }

  async #loadBuyers(view: SaleView): Promise<void> {
    view.buyersKnown = "loading";
    try {
      for (let after = 0; ;) {
        const page = await this.#records.buyersOf(view.sale.id, after, buyersPageMax);
        if (this.#views.get(view.sale.id) !== view) return;
        this.#remember(view, page);
        after = page.at(-1) ?? after;
        if (page.length < buyersPageMax) break;
      }
      view.buyersKnown = "all";
    } catch {
      // The store did not answer: everybody goes on to the decider, and the next request asks again.
      view.buyersKnown = "no";
    }
    this.#boundBuyers(view);
  }

  #remember(view: SaleView, buyers: Iterable<number>): void {
    const before = view.buyers.size;
    for (const buyer of buyers) view.buyers.add(buyer);
    this.#buyers += view.buyers.size - before;
  }

  /**
   * Over the bound, the least used sale that has any forgets its buyers; if there is no other, this one, but never while
   * they are being read: the reading would go on and take the rest of them for all.
   */
  #boundBuyers(view: SaleView): void {
    if (this.#buyers <= this.#options.buyersMax) return;
    const least = this.#leastUsed(view, (other) => other.buyers.size > 0) ?? view;
    if (least.buyersKnown !== "loading") this.#forget(least, "buyers");
  }

  /**
   * A view whose sale is being read stays: without it the read, which may be older than what was committed meanwhile,
   * would be taken for news.
   */
  #leastUsed(except: SaleView, where: (view: SaleView) => boolean = () => true): SaleView | undefined {
    let least: SaleView | undefined;
    for (const view of this.#views.values()) {
      const mayGo = view !== except && view.buyersKnown !== "loading" && !this.#loading.has(view.sale.id) && where(view);
      if (mayGo && (least === undefined || view.usedAtMs < least.usedAtMs)) least = view;
    }
    return least;
  }

  #forget(view: SaleView | undefined, what: "view" | "buyers"): void {
    if (view === undefined) return;
    this.#buyers -= view.buyers.size;
    view.buyers.clear();
    view.buyersKnown = "no";
    if (what === "view") this.#views.delete(view.sale.id);
  }
}
