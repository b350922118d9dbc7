import type { FeedRow } from "../domain/feed.ts";
import type { BuyerId, PurchaseId, SaleId } from "../domain/ids.ts";
import type { Line, ScopeId } from "../domain/journal-message.ts";
import type { Refusal } from "../domain/purchase.ts";
import type { CutResult } from "./queue-ledger.ts";
import type { StopSignal } from "./tasks.ts";

/**
 * The decider of queued mode: stock, limits and keys of a scope's sales under one epoch, each call one atomic step. What
 * belongs to an epoch can be touched by calls of that epoch alone; where the epoch is not there (never loaded, lost, or
 * replaced) every call says `closed`, in the same round trip.
 *
 * `unknown`: the call may have been done, or may be done yet. `failed`: it was not and will not be. Neither is thrown.
 */
export interface StockCache {
  /** Decides takes of one sale in their order, and keeps of the accepted ones a record each and an entry of the outbox for all. */
  reserve(ask: ReserveAsk): Promise<SaleAnswer<ReserveReply>>;
  /** Their messages are confirmed: these entries, and no others, leave the outbox. */
  journaled(ask: AtEpoch & { entries: readonly string[] }): Promise<CacheAnswer<void>>;
  /** Applies a row of the feed, if it is the next one. The number at which the cache stands then. */
  apply(ask: AtEpoch & { row: FeedRow; reopenDelayMs: number }): Promise<CacheAnswer<number>>;
  /** Tells the cache how many units are paid, which it cannot know, for what refusals quote. */
  quote(ask: AtEpoch & { saleId: SaleId; sold: number; withdrawn: number; issued: number }): Promise<CacheAnswer<void>>;
  look(ask: AtEpoch & { saleId: SaleId }): Promise<SaleAnswer<CacheView>>;
  /** Everybody ever accepted in the sale, in order, from a place on; loaded ones come without their purchase. */
  accepted(ask: AtEpoch & { saleId: SaleId; from: number; countMax: number }): Promise<CacheAnswer<readonly AcceptedEntry[]>>;
  /** Entries that are older than so long: their process may be dead. */
  outbox(ask: AtEpoch & { olderThanMs: number; countMax: number }): Promise<CacheAnswer<readonly OutboxEntry[]>>;
  /** The purchase under a key. */
  findKey(ask: AtEpoch & { saleId: SaleId; buyerId: BuyerId; key: string }): Promise<CacheAnswer<PurchaseId | undefined>>;
  records(ask: AtEpoch & { purchaseIds: readonly PurchaseId[] }): Promise<CacheAnswer<readonly (CacheRecord | undefined)[]>>;
  /** Loads an epoch; its sign is set last. What another try left of it is removed first. A signal ends it soon, as `failed`. */
  load(state: CutResult, signal?: StopSignal): Promise<CacheAnswer<void>>;
  /** Removes what is left of epochs before this one. */
  drop(ask: AtEpoch): Promise<CacheAnswer<void>>;
  /** Scopes that were begun to be loaded and of which something may be left. */
  loaded(): Promise<CacheAnswer<readonly ScopeId[]>>;
}

export type AtEpoch = { readonly scopeId: ScopeId; readonly epoch: number };

export type CacheAnswer<Value> =
  | { readonly kind: "ok"; readonly value: Value }
  | { readonly kind: "closed" }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "unknown"; readonly message: string };

/** `absent`: the epoch is here, and the sale is not part of it: it was over when the epoch was loaded, or published since. */
export type SaleAnswer<Value> = CacheAnswer<Value> | { readonly kind: "absent" };

export type ReserveLine = {
  readonly purchaseId: PurchaseId;
  readonly buyerId: BuyerId;
  readonly key?: string | undefined;
  readonly quantity: number;
  readonly metadata?: string | undefined;
  /** Of a line that another cache accepted before, which keeps its time; the cache's now otherwise. */
  readonly acceptedAtMs?: number | undefined;
};
export type ReserveAsk = AtEpoch & {
  readonly saleId: SaleId;
  readonly lines: readonly ReserveLine[];
  /** Of lines accepted by a cache that is gone: decided by limit and stock, not by window and switches. */
  readonly readmit?: boolean | undefined;
  /** For tests that turn the clock; the cache's own otherwise. */
  readonly nowMs?: number | undefined;
};

export type ReserveOutcome =
  | { readonly kind: "accepted" }
  /** The key has its purchase, or the id came before. Without a record it was loaded: it is in the ledger. */
  | { readonly kind: "known"; readonly purchaseId: PurchaseId; readonly record: CacheRecord | undefined }
  | { readonly kind: "refused"; readonly refusal: Refusal };

export type ReserveReply = {
  readonly outcomes: readonly ReserveOutcome[];
  readonly view: CacheView;
  /** What was appended to the outbox: the message to publish, and the accepted lines in it, in their order; absent when nothing was accepted. */
  readonly entry?: OutboxEntry | undefined;
  readonly lines: readonly Line[];
  /** How long the outbox is. */
  readonly outbox: number;
};

/** The cache's copy of a sale, as far as refusals need it. */
export type CacheView = {
  readonly nowMs: number;
  readonly available: number;
  /** Not paid, as last quoted. */
  readonly held: number;
  readonly paused: boolean;
  readonly cancelled: boolean;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly reopensAtMs: number;
  /** How long the list of accepted is. */
  readonly accepted: number;
  /** The row of the feed at which it stands. */
  readonly feed: number;
};

export type AcceptedEntry = { readonly buyerId: BuyerId; readonly purchaseId: PurchaseId | undefined };
export type OutboxEntry = { readonly id: string; readonly text: string };
/** With its message while that is not known to be confirmed. */
export type CacheRecord = { readonly saleId: SaleId; readonly line: Line; readonly entry?: OutboxEntry | undefined };
