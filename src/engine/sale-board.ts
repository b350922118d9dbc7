/**
 * What this process remembers of sales: the last committed copy of each, and who was ever accepted in it. It may only
 * say no, and only from committed state; everything else goes on to the decider.
 *
 * A no must never meet a key that may have been accepted. So while a sale is sold out, paused or over, buyers that were
 * ever accepted in it, or whose take is on its way, are let through to the decider, which knows their keys; and until
 * the set of those buyers is loaded, everybody is.
 *
 *   sale's copy ─► refusal by status or stock? ─► buyer ever accepted, or on the way? ─► yes: decider · no: refuse
 *
 * Where other processes commit, too (`shared`), memory repeats for a moment what a decider said: a mark. It is made when a
 * commit of this process held the sale's lock and found that everybody is refused, by the decider's clock, and it dies
 * `leaseMs` after that commit was sent. Whoever clears what it says makes everybody wait for longer than that before
 * anybody new is accepted (domain/batch-state.ts), so nobody is refused here who was accepted elsewhere. Between two marks
 * everybody goes on to the decider. The set of buyers must reach as far as the copy; what others added is read from their log.
 *
 *   commit sent ─► lock held: refused to all ─► answer ──► mark refuses … ─► leaseMs after the sending: dead
 *                                  └ cleared elsewhere ──────────── nobody new ────────────┴─► accepted again
 *
 * Must stay true: a mark rests on no clock of this process but for how long it lives, and on no copy that was merely read.
 */
import { refusalToAll, type SaleRefusal } from "../domain/availability.ts";
import type { BuyerId, SaleId } from "../domain/ids.ts";
import type { Refusal } from "../domain/purchase.ts";
import type { Sale } from "../domain/sale.ts";
import { NumberSet } from "../lib/number-set.ts";
import type { ChangeSink } from "../ports/changes.ts";
import type { Clock } from "../ports/clock.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { ChangeFeed } from "../ports/change-feed.ts";
import type { Records } from "../ports/records.ts";

export type SaleView = {
  sale: Sale;
  readonly buyers: NumberSet;
  buyersKnown: "no" | "loading" | "all";
  /** The sale's number up to which `buyers` holds everybody; only where others commit, too. */
  buyersFeed: number;
  /** What a decider said to everybody, and until when it may be repeated; only where others commit, too. */
  mark: { readonly refusal: SaleRefusal; readonly untilMs: number } | undefined;
  /** The largest number that the sale is known to have: a copy with a smaller one is over. */
  newsFeed: number;
  usedAtMs: number;
};

/** Where a board reads from. Throws StoreUnavailable. */
export interface BoardSource {
  sale(id: SaleId): Promise<Sale | undefined>;
  /** Everybody ever accepted in the sale, a page at a time. */
  buyers(id: SaleId): AsyncIterable<Iterable<number>>;
}

/** Of a commit of this process that held the sale's lock: when it was sent, by our clock, and when it was decided, by the decider's. */
export type HeldLock = { readonly sentAtMs: number; readonly decidedAtMs: number };

/** For processes that share a store. */
export type SharedBoard = {
  readonly feed: Pick<ChangeFeed, "buyersBetween">;
  /** Less than half of what a cleared mark makes others wait, for a clock that is being led back may go at half its pace. */
  readonly leaseMs: number;
  /** Time clears "not started" and makes nobody wait: a sale that begins sooner than this after a commit gets no such mark. More than twice `leaseMs`. */
  readonly edgeMs: number;
  /** Whether a copy may refuse at all, whatever its mark says. Asked of every refusal, so at hand. */
  readonly isCurrent?: ((sale: Sale) => boolean) | undefined;
};

export type BoardOptions = {
  readonly salesMax: number;
  /** Over all sales; when reached, the least used sales forget their buyers and let everybody through. */
  readonly buyersMax: number;
  /** Absent where this process alone commits. */
  readonly shared?: SharedBoard | undefined;
};

const buyersPageMax = 10_000;
const absentMax = 10_000;
const absentForMs = 1_000;
/** Readings of one sale in a row, where each was overtaken by news. */
const readsMax = 5;

type BoardRecords = Pick<Records, "sale" | "buyersOf">;
export type BoardDeps = { readonly clock: Clock; readonly entropy: Entropy; readonly changes?: ChangeSink | undefined } & (
  | { readonly records: BoardRecords }
  | { readonly source: BoardSource }
);

export async function* buyersInRecords(records: Pick<Records, "buyersOf">, saleId: SaleId): AsyncGenerator<Iterable<number>> {
  for (let after = 0; ;) {
    const page = await records.buyersOf(saleId, after, buyersPageMax);
    yield page;
    after = page.at(-1) ?? after;
    if (page.length < buyersPageMax) return;
  }
}

const recordsSource = (records: BoardRecords): BoardSource => ({
  sale: (id) => records.sale(id),
  buyers: (id) => buyersInRecords(records, id),
});

export class SaleBoard {
  readonly #source: BoardSource;
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #changes: ChangeSink | undefined;
  readonly #options: BoardOptions;
  readonly #views = new Map<string, SaleView>();
  readonly #loading = new Map<SaleId, Promise<SaleView | undefined>>();
  /** Sales being read that there is no view of, with the largest number that was heard of meanwhile. */
  readonly #unseen = new Map<SaleId, { readers: number; newsFeed: number }>();
  /** Sales that do not exist, until when we believe it. */
  readonly #absent = new Map<SaleId, number>();
  #buyers = 0;

  constructor(deps: BoardDeps, options: BoardOptions) {
    this.#source = "source" in deps ? deps.source : recordsSource(deps.records);
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
    if (view !== undefined && view.sale.feed >= view.newsFeed) return view;
    if (this.#isAbsent(saleId)) return undefined;
    const isJoined = this.#loading.has(saleId);
    const found = await this.#readOnce(saleId);
    // What others began to read before we asked may be older than what was made, and taken, before we asked.
    return found === undefined && isJoined && !this.#isAbsent(saleId) ? this.#readOnce(saleId) : found;
  }

  #isAbsent(saleId: SaleId): boolean {
    return (this.#absent.get(saleId) ?? 0) > this.#clock.nowMs();
  }

  /** Whether others commit, too, so that what is known may be over. */
  get isShared(): boolean {
    return this.#options.shared !== undefined;
  }

  /** For who may have changed the sale by way of another process a moment ago. */
  async loadFresh(saleId: SaleId): Promise<SaleView | undefined> {
    return this.#options.shared === undefined ? this.load(saleId) : this.#read(saleId);
  }

  async #readOnce(saleId: SaleId): Promise<SaleView | undefined> {
    let loading = this.#loading.get(saleId);
    if (loading === undefined) {
      loading = this.#read(saleId).finally(() => this.#loading.delete(saleId));
      this.#loading.set(saleId, loading);
    }
    return loading;
  }

  /** Takes over a committed copy of a sale, unless what we have is newer. `held`: it comes from a commit that held the sale's lock. */
  observe(sale: Sale, held?: HeldLock): void {
    const view = this.#observed(sale);
    const { shared } = this.#options;
    // A copy from elsewhere that is newer says that what we have is over; an older one says nothing.
    if (shared === undefined || held === undefined || sale.feed < view.newsFeed) return;
    const refusal = refusalToAll(sale, held.decidedAtMs);
    const untilMs = held.sentAtMs + shared.leaseMs;
    const startsSoon = refusal?.reason === "not_started" && refusal.startsAtMs - held.decidedAtMs <= shared.edgeMs;
    if (refusal === undefined || startsSoon) view.mark = undefined;
    else if (view.mark === undefined || view.mark.untilMs < untilMs) view.mark = { refusal, untilMs };
  }

  /** Another process gave the sale this number: a copy with a smaller one refuses nobody, and is read again by who asks. */
  noteNews(saleId: SaleId, feed: number): void {
    this.#absent.delete(saleId);
    const view = this.#views.get(saleId);
    const known = view ?? this.#unseen.get(saleId);
    if (known === undefined || feed <= known.newsFeed) return;
    known.newsFeed = feed;
    if (view !== undefined) view.mark = undefined;
  }

  /** Buyers that a commit with this number touched: the set reaches one further, if it reached up to it. */
  noteCommit(saleId: SaleId, { feed, buyers }: { feed: number; buyers: readonly BuyerId[] }): void {
    const view = this.#views.get(saleId);
    if (view === undefined) return;
    this.#remember(view, buyers);
    if (view.buyersFeed === feed - 1) view.buyersFeed = feed;
    this.#boundBuyers(view);
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
    const refusal = this.#options.shared === undefined ? refusalToAll(view.sale, ask.nowMs) : markAt(view, ask.nowMs);
    if (refusal === undefined || this.#options.shared?.isCurrent?.(view.sale) === false) return undefined;
    // Before the start nobody can have been accepted, and an unpublished sale is nobody's business.
    if (refusal.reason === "not_started" || refusal.reason === "sale_unknown") return refusal;
    if (!this.#knowsBuyers(view)) return undefined;
    return view.buyers.has(ask.buyerId) || ask.pending() ? undefined : refusal;
  }

  /** Whether the set holds everybody accepted up to the copy; if not, sees to it. */
  #knowsBuyers(view: SaleView): boolean {
    if (view.buyersKnown === "loading") return false;
    const isShort = this.#options.shared !== undefined && view.buyersFeed < view.sale.feed;
    if (view.buyersKnown === "all" && !isShort) return true;
    void this.#loadBuyers(view);
    return false;
  }

  async #read(saleId: SaleId): Promise<SaleView | undefined> {
    const unseen = this.#unseen.get(saleId) ?? { readers: 0, newsFeed: 0 };
    unseen.readers += 1;
    this.#unseen.set(saleId, unseen);
    try {
      for (let reads = 1; ; reads++) {
        const askedMs = this.#clock.nowMs();
        const sale = await this.#source.sale(saleId);
        if (sale === undefined) return this.#noteAbsent(saleId, askedMs);
        const view = this.#observed(sale);
        // News came while it was being read: whoever listens must not be left with what is over.
        if (view.sale.feed >= view.newsFeed || reads === readsMax) return view;
      }
    } finally {
      unseen.readers -= 1;
      if (unseen.readers === 0) this.#unseen.delete(saleId);
    }
  }

  /** Where others make sales, too, an absence is a mark: nobody is accepted in a sale made after `askedMs` before it is dead. */
  #noteAbsent(saleId: SaleId, askedMs: number): undefined {
    if (this.#absent.size >= absentMax) this.#absent.clear();
    const forMs = this.#options.shared?.leaseMs ?? absentForMs;
    this.#absent.set(saleId, askedMs + (forMs * (1 + this.#entropy.random())) / 2);
  }

  #observed(sale: Sale): SaleView {
    const view = this.#views.get(sale.id);
    if (view === undefined) return this.#add(sale);
    if (sale.feed < view.sale.feed) return view;
    const isNews = sale.feed > view.sale.feed;
    view.sale = sale;
    view.newsFeed = Math.max(view.newsFeed, sale.feed);
    if (isNews) view.mark = undefined;
    if (isNews) this.#changes?.saleChanged(sale);
    return view;
  }

  #add(sale: Sale): SaleView {
    this.#absent.delete(sale.id);
    const newsFeed = Math.max(sale.feed, this.#unseen.get(sale.id)?.newsFeed ?? 0);
    // A sale that has issued nothing has accepted nobody.
    const buyersKnown = sale.phase === "draft" ? "all" : "no";
    const buyers = new NumberSet();
    const usedAtMs = this.#clock.nowMs();
    const view: SaleView = { sale, buyers, buyersKnown, buyersFeed: sale.feed, mark: undefined, newsFeed, usedAtMs };
    this.#views.set(sale.id, view);
    // Whoever listens may have seen an older copy, before it was forgotten here.
    this.#changes?.saleChanged(sale);
    if (this.#views.size > this.#options.salesMax) this.#forget(this.#leastUsed(view), "view");
    return view;
  }

  async #loadBuyers(view: SaleView): Promise<void> {
    const knewAll = view.buyersKnown === "all";
    view.buyersKnown = "loading";
    try {
      // Everything up to a committed copy is there to be read.
      const until = view.sale.feed;
      const later = knewAll
        ? await this.#options.shared?.feed.buyersBetween({ saleId: view.sale.id, feed: view.buyersFeed, until })
        : undefined;
      if (this.#views.get(view.sale.id) !== view) return;
      if (later !== undefined) this.#remember(view, later);
      else if (!(await this.#readAllBuyers(view))) return;
      view.buyersFeed = Math.max(view.buyersFeed, until);
      view.buyersKnown = "all";
    } catch {
      // The store did not answer: everybody goes on to the decider, and the next request asks again.
      view.buyersKnown = knewAll ? "all" : "no";
    }
    this.#boundBuyers(view);
  }

  /** Whether the view is still wanted. */
  async #readAllBuyers(view: SaleView): Promise<boolean> {
    for await (const page of this.#source.buyers(view.sale.id)) {
      if (this.#views.get(view.sale.id) !== view) return false;
      this.#remember(view, page);
    }
    return this.#views.get(view.sale.id) === view;
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

function markAt({ mark }: SaleView, nowMs: number): SaleRefusal | undefined {
  return mark !== undefined && nowMs < mark.untilMs ? mark.refusal : undefined;
}
