/**
 * Refusals from memory where the cache decides: a board of its own, whose copies come from the cache and whose buyers
 * from the cache's list of accepted. Its numbers count what changes in the cache, epoch by epoch.
 */
import type { BuyerId, SaleId } from "../../domain/ids.ts";
import type { ScopeId } from "../../domain/journal-message.ts";
import type { Refusal } from "../../domain/purchase.ts";
import type { Sale } from "../../domain/sale.ts";
import type { Scope } from "../../domain/scope.ts";
import type { QueueLedger } from "../../ports/queue-ledger.ts";
import type { Records } from "../../ports/records.ts";
import type { CacheView, StockCache } from "../../ports/stock-cache.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import { buyersInRecords, type BoardSource, type HeldLock, type SaleBoard } from "../sale-board.ts";
import type { ScopeBook } from "./scope-book.ts";

/** A board that the way through the cache feeds. */
export type CacheMarks = Pick<SaleBoard, "observe" | "noteAccepted"> & {
  /** What a buyer hears from memory while a mark of the sale lives, unless the cache may know its key. */
  refusal(saleId: SaleId, ask: Parameters<SaleBoard["refuse"]>[1]): Refusal | undefined;
  /** The ledger's own copy, of a sale that is over. */
  observeOver(sale: Sale, held: HeldLock): void;
};

/** More than the changes of one epoch; an epoch's numbers stand above all of those before it. */
const numbersPerEpoch = 2 ** 32;
const buyersPageMax = 10_000;

/** The ledger's copy with what the cache knows better. */
export function cachedSale(sale: Sale, view: CacheView, epoch: number): Sale {
  const { available, held, paused, cancelled, startsAtMs, endsAtMs, reopensAtMs, accepted, feed } = view;
  return {
    ...sale,
    balances: { ...sale.balances, available, held },
    phase: cancelled ? "cancelled" : "published",
    paused,
    startsAtMs,
    endsAtMs,
    reopensAtMs,
    feed: epoch * numbersPerEpoch + accepted + feed,
  };
}

/**
 * Whether a copy is of the epoch that stands, or the last one. A process answers a closing by its end mark, and no cut is
 * made without it: so by the time at which another epoch accepts somebody, nobody refuses by a copy of the one before.
 */
export function isOfStanding(book: Pick<ScopeBook, "peek">, { scopeId, feed }: Pick<Sale, "scopeId" | "feed">): boolean {
  // What is not published has none.
  if (scopeId === undefined) return true;
  const standing = book.peek(scopeId);
  if (standing === undefined || standing.kind === "rebuilding") return false;
  return Math.floor(feed / numbersPerEpoch) === (standing.kind === "open" ? standing.scope.epoch : standing.epoch);
}

/** Before its first epoch a sale's own number; later the cut's. */
const ledgerSale = (sale: Sale, epoch: number): Sale => (epoch === 0 ? sale : { ...sale, feed: epoch * numbersPerEpoch });

export type CacheSourceDeps = {
  readonly records: Pick<Records, "sale" | "buyersOf">;
  readonly ledger: Pick<QueueLedger, "linesAside">;
  readonly cache: Pick<StockCache, "look" | "accepted">;
  readonly book: ScopeBook;
};

/** Where such a board reads from: the cache while it stands, the ledger before and afterwards. */
export class CacheSource implements BoardSource {
  readonly #deps: CacheSourceDeps;
  /** How far the list of accepted was read, of sales whose buyers are known. */
  readonly #read = new Map<SaleId, { readonly epoch: number; readonly index: number }>();

  constructor(deps: CacheSourceDeps) {
    this.#deps = deps;
  }

  async sale(saleId: SaleId): Promise<Sale | undefined> {
    const { records, book, cache } = this.#deps;
    const sale = await records.sale(saleId);
    if (sale?.scopeId === undefined) return sale;
    const standing = await book.look(sale.scopeId);
    if (standing.kind !== "open") return ledgerSale(sale, standing.epoch);
    const { id: scopeId, epoch } = standing.scope;
    const view = await cache.look({ scopeId, epoch, saleId });
    if (view.kind === "closed") book.lost(standing.scope);
    return view.kind === "ok" ? cachedSale(sale, view.value, epoch) : ledgerSale(sale, epoch);
  }

  async *buyers(saleId: SaleId): AsyncGenerator<Iterable<number>> {
    this.#read.delete(saleId);
    const scope = await this.#openScope(saleId);
    // Before the cache's list: how far that was read is noted at its end, and must not be where what comes behind it fails.
    yield await this.#aside(saleId);
    if (scope === undefined) yield* buyersInRecords(this.#deps.records, saleId);
    else yield* this.#accepted(saleId, scope, 0);
  }

  /** Whoever waits for somebody to look at what was put aside may ask for it by its key, whatever became of the sale. */
  async #aside(saleId: SaleId): Promise<readonly BuyerId[]> {
    const { records, ledger } = this.#deps;
    const scopeId = (await records.sale(saleId))?.scopeId;
    const aside = scopeId === undefined ? [] : await ledger.linesAside(scopeId);
    return aside.flatMap((letter) => (letter.saleId === saleId ? [letter.line.buyerId] : []));
  }

  async buyersBetween({ saleId }: { saleId: SaleId }): Promise<readonly BuyerId[] | undefined> {
    const read = this.#read.get(saleId);
    const scope = await this.#openScope(saleId);
    if (scope === undefined || read?.epoch !== scope.epoch) return undefined;
    const buyers: BuyerId[] = [];
    for await (const page of this.#accepted(saleId, scope, read.index)) buyers.push(...page);
    return buyers;
  }

  /** Undefined where the ledger has everybody: nothing is accepted any more. Throws StoreUnavailable while that is not known. */
  async #openScope(saleId: SaleId): Promise<Scope | undefined> {
    const { records, book } = this.#deps;
    const scopeId: ScopeId | undefined = (await records.sale(saleId))?.scopeId;
    const standing = scopeId === undefined ? undefined : await book.look(scopeId);
    if (standing?.kind === "rebuilding") throw new StoreUnavailable("unavailable", "The sale's stock is being counted anew");
    if (standing?.kind !== "open") return undefined;
    const { id, epoch } = standing.scope;
    const view = await this.#deps.cache.look({ scopeId: id, epoch, saleId });
    if (view.kind !== "ok" && view.kind !== "absent") throw new StoreUnavailable("unavailable", "The cache did not answer");
    return view.kind === "ok" ? standing.scope : undefined;
  }

  async *#accepted(saleId: SaleId, scope: Scope, from: number): AsyncGenerator<readonly BuyerId[]> {
    const { id: scopeId, epoch } = scope;
    for (let index = from; ;) {
      const page = await this.#deps.cache.accepted({ scopeId, epoch, saleId, from: index, countMax: buyersPageMax });
      if (page.kind !== "ok") throw new StoreUnavailable("unavailable", "The cache did not answer");
      yield page.value.map(({ buyerId }) => buyerId);
      index += page.value.length;
      if (page.value.length < buyersPageMax) {
        this.#read.set(saleId, { epoch, index });
        return;
      }
    }
  }
}

/** `board`: one that reads from a CacheSource. */
export function cacheMarks(board: SaleBoard, book: ScopeBook): CacheMarks {
  return {
    observe: (sale, held) => board.observe(sale, held),
    noteAccepted: (saleId, buyerId) => board.noteAccepted(saleId, buyerId),
    refusal: (saleId, ask) => {
      const view = board.peek(saleId);
      return view && board.refuse(view, ask);
    },
    observeOver: (sale, held) => {
      const standing = sale.scopeId === undefined ? undefined : book.peek(sale.scopeId);
      if (standing?.kind === "over") board.observe(ledgerSale(sale, standing.epoch), held);
      // The scope's other sales go on without it.
      if (standing?.kind === "open") board.observe(ledgerSale(sale, standing.scope.epoch), held);
    },
  };
}
