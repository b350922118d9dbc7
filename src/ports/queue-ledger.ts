import type { BuyerId, PurchaseId, SaleId } from "../domain/ids.ts";
import type { FeedRow } from "../domain/feed.ts";
import type { LineAside } from "../domain/lines-aside.ts";
import type { Line, MarkMessage, ScopeId } from "../domain/journal-message.ts";
import type { Adjust, AdjustOutcome, Settle, SettleOutcome, SaleUnknown } from "../domain/movement.ts";
import type { Purchase } from "../domain/purchase.ts";
import type { Sale } from "../domain/sale.ts";
import type { Scope } from "../domain/scope.ts";
import type { Fence } from "./leases.ts";

/**
 * The ledger's side of a sale that the cache decides: scopes with their epochs and feeds, closings and cuts. Lines
 * themselves settle through StockLedger, as movements.
 *
 * Throws StoreUnavailable; every method may be repeated.
 */
export interface QueueLedger {
  /** All scopes that are not over: those that are open, on their way, or wait to be. Where it is known, those first whose sales changed last. */
  scopes(): Promise<readonly Scope[]>;
  scope(id: ScopeId): Promise<Scope | undefined>;
  /** The sales that were ever published into it. */
  salesOf(scopeId: ScopeId): Promise<readonly SaleId[]>;
  /**
   * An open scope of this epoch begins to close, and the API processes alive at that moment are noted: they owe an end
   * mark. Answers the scope as it is then; of another epoch or state nothing happens.
   */
  close(ask: { scopeId: ScopeId; epoch: number; cause: CloseCause }): Promise<Scope | undefined>;
  /** A process has nothing of its epoch on its way any more; its mark came by the broker, behind all its lines. */
  noteMark(mark: MarkMessage): Promise<void>;
  /** Whether every process that owes a mark has sent it, or is no longer alive. */
  isDrained(scopeId: ScopeId): Promise<boolean>;
  /**
   * The cut: in one transaction under the scope's locks it raises the epoch, and decides the lines that waited and what waits
   * for a cut; lines put aside hold their units, limits and keys, and are of the new epoch from then on. What the cache is to
   * be loaded with is read behind it, from one view of the ledger: what is committed while it is loaded is in the feed.
   * Undefined when it was fenced, or when the scope is open, or is closing and not drained, or its opener's own mark has not
   * come: all that others published stands before that mark.
   *
   * A scope that is `opening` is cut anew. Whoever holds the lease of the fence may: the one who loads it has the lease no more,
   * or is the same, and knows that it failed.
   */
  cut(ask: { scopeId: ScopeId; opener: OpenerMark; fence?: Fence | undefined; nowMs: number }): Promise<CutResult | undefined>;
  /** The cache was loaded: purchases may come. False when another cut was made since, or when the holder was fenced. */
  opened(ask: { scopeId: ScopeId; epoch: number; fence?: Fence | undefined }): Promise<boolean>;
  /** Purchases of an open scope that wait for a cut although there is a cache to ask: they came while it was being loaded. */
  parked(ask: { scopeId: ScopeId; countMax: number }): Promise<readonly Purchase[]>;
  /** Open scopes of which there are such. */
  withParked(): Promise<readonly ScopeId[]>;
  /** Of all sales in open scopes what the cache cannot know by itself. */
  quotes(): Promise<readonly SaleQuote[]>;
  /** Rows of the feed behind a number, in order. */
  feedAfter(ask: { scopeId: ScopeId; number: number; countMax: number }): Promise<readonly FeedRow[]>;
  /**
   * Asks for what takes units out of a sale, which only a cut can do: it is done at the next one, which is brought about.
   * Answers the id to ask for the outcome by: a settling that waits already stands for another of the same sale.
   */
  askAtCut(ask: AtCut): Promise<string>;
  /** What became of it; undefined while it waits. */
  outcomeAtCut(id: string): Promise<AtCutOutcome | undefined>;
  /** Notes that a line could not be settled; how often that was so far. */
  noteFailedLine(ask: { line: Line; saleId: SaleId; scopeId: ScopeId; epoch: number; problem: string; nowMs: number }): Promise<number>;
  /** Puts a line aside that fails again and again, or a message that nobody can read. Somebody has to look at it. A later one of the same id stands for both, and is of the higher of their epochs. */
  bury(letter: NewDeadLetter): Promise<void>;
  deadLetters(): Promise<readonly DeadLetter[]>;
  deadLetter(id: string): Promise<DeadLetter | undefined>;
  /** Lines of the scope that were put aside and have not been decided since. */
  linesAside(scopeId: ScopeId): Promise<readonly LineAside[]>;
  /** It was settled or discarded, or published anew; unless it was buried again since, or counted by a cut. */
  unbury(letter: LetterSeen): Promise<void>;
}

export type SaleQuote = {
  readonly scopeId: ScopeId;
  readonly saleId: SaleId;
  readonly sold: number;
  readonly withdrawn: number;
  readonly issued: number;
};

/** The process that opens: its mark stands behind everything that was published before. */
export type OpenerMark = Pick<MarkMessage, "process" | "life">;

export type CloseCause = "cache_lost" | "drift" | "sale_over" | "sale_published" | "at_cut" | "operator";

export type AtCut = {
  /** The movement's own id: the same ask again is one. */
  readonly id: string;
  readonly scopeId: ScopeId;
  readonly saleId: SaleId;
  readonly movement: Adjust | Settle;
};
export type AtCutOutcome = AdjustOutcome | SettleOutcome | SaleUnknown;

export type CutResult = {
  readonly scope: Scope;
  /** Sales that can still sell; without any the scope stays closed. */
  readonly sales: readonly CutSale[];
  /** Units of buyers that count against their limit, over all of the scope's sales. */
  readonly units: CutRows<readonly [buyerId: BuyerId, units: number]>;
  /** The view is given back; nothing is read any more. */
  readonly end?: (() => Promise<void>) | undefined;
};

/** A large sale comes in pages, which are read once and throw StoreUnavailable; no buyer, or key, comes twice. */
export type CutRows<Row> = readonly Row[] | AsyncIterable<readonly Row[]>;

export type CutSale = {
  /** What its lines aside hold is held, and not available. */
  readonly sale: Sale;
  /** Limits of buyers' own. */
  readonly quotas: readonly (readonly [buyerId: BuyerId, units: number])[];
  /** Everybody who ever had a purchase in the sale, with how many rows. */
  readonly attempts: CutRows<readonly [buyerId: BuyerId, rows: number]>;
  readonly keys: CutRows<CutKey>;
};

/** A key that has its purchase, with the fingerprint of what was asked under it. */
export type CutKey = readonly [buyerId: BuyerId, key: string, purchaseId: PurchaseId, fingerprint: string];

export type NewDeadLetter = {
  /** The purchase's id, or one made for a message without. */
  readonly id: string;
  readonly problem: string;
  readonly atMs: number;
} & (
  | { readonly kind: "line"; readonly scopeId: ScopeId; readonly saleId: SaleId; readonly epoch: number; readonly line: Line }
  | { readonly kind: "message"; readonly text: string }
);
export type DeadLetter = NewDeadLetter & { readonly tries: number };
/** As somebody saw it: what tells it from a later one of the same id, and a line's from before a cut. */
export type LetterSeen = { readonly id: string; readonly atMs: number; readonly epoch?: number | undefined };
