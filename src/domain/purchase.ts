import type { BuyerId, ProductId, PurchaseId, SaleId } from "./ids.ts";
import type { Money } from "./money.ts";
import { statusOf, type Sale } from "./sale.ts";
import { unreachable } from "../lib/assert.ts";
import { fingerprint } from "../lib/fingerprint.ts";

/**
 * The accepted attempt, the reservation and the order are this one row with one state. The first eleven fields never
 * change, and the answer to the purchase is a function of them alone, so every repeat of a key gets equal bytes.
 */
export type Purchase = {
  readonly id: PurchaseId;
  readonly saleId: SaleId;
  readonly productId: ProductId;
  readonly buyerId: BuyerId;
  readonly key?: string | undefined;
  readonly quantity: number;
  /** Price of one unit at acceptance. */
  readonly price: Money;
  readonly limit: number;
  /** The caller's own JSON text, carried and never read. */
  readonly metadata?: string | undefined;
  readonly acceptedAtMs: number;
  /** As it was accepted. What its buyer has to pay by is `deadlineOf`. */
  readonly payByMs: number;
  readonly state: PurchaseState;
  /** How often its buyer asked for more time, and got it. */
  readonly extensions: number;
  /**
   * Until when its units are kept: every extension moves it by `extensionMs`, a pending payment by at most
   * `paymentGraceMs` in all, whatever was extended (I11).
   */
  readonly holdUntilMs: number;
  readonly changedAtMs: number;
  readonly refunded: boolean;
  /** Why it was refused after the cache had accepted it; of a refused one alone. */
  readonly refusedFor?: SettleRefusal | undefined;
  /** The purchase under the same key that was settled first. */
  readonly supersededBy?: PurchaseId | undefined;
};

/**
 * Why the ledger does not settle what the cache accepted (I6): only after a cache was lost, or by somebody's act.
 * `stock` under an epoch that stands proves that the cache has drifted.
 */
export const settleRefusals = ["stock", "limit", "superseded", "sale_cancelled", "ended", "discarded"] as const;
export type SettleRefusal = (typeof settleRefusals)[number];

export type PurchaseState = "queued" | "refused" | "offered" | "reserved" | "paid" | "cancelled" | "expired" | "closed" | "stuck";
export type PurchaseEvent = "settle" | "refuse" | "take_offer" | "pay" | "cancel" | "expire" | "close" | "dead_letter";

/** The next state, "same" for a repeat that changes nothing, "no" for an event the state does not allow. */
type Step = PurchaseState | "same" | "no";
// oxfmt-ignore
export const transitions: Readonly<Record<PurchaseState, Readonly<Record<PurchaseEvent, Step>>>> = {
  queued: { settle: "reserved", refuse: "refused", take_offer: "no", pay: "no", cancel: "no", expire: "no", close: "no", dead_letter: "stuck" },
  refused: { settle: "no", refuse: "same", take_offer: "no", pay: "no", cancel: "no", expire: "no", close: "no", dead_letter: "no" },
  offered: { settle: "no", refuse: "no", take_offer: "reserved", pay: "no", cancel: "no", expire: "expired", close: "closed", dead_letter: "no" },
  reserved: { settle: "same", refuse: "no", take_offer: "same", pay: "paid", cancel: "cancelled", expire: "expired", close: "closed", dead_letter: "no" },
  paid: { settle: "same", refuse: "no", take_offer: "no", pay: "same", cancel: "no", expire: "no", close: "no", dead_letter: "no" },
  cancelled: { settle: "same", refuse: "no", take_offer: "no", pay: "no", cancel: "same", expire: "no", close: "no", dead_letter: "no" },
  expired: { settle: "same", refuse: "no", take_offer: "no", pay: "no", cancel: "no", expire: "same", close: "no", dead_letter: "no" },
  closed: { settle: "same", refuse: "no", take_offer: "no", pay: "no", cancel: "no", expire: "no", close: "same", dead_letter: "no" },
  stuck: { settle: "reserved", refuse: "refused", take_offer: "no", pay: "no", cancel: "no", expire: "no", close: "closed", dead_letter: "same" },
};

export const metadataLengthMax = 1024;
/** How far payments in flight may move a hold's deadline, in all. */
export const paymentGraceMs = 120_000;
/** More time to pay, each time that the buyer asks for it. */
export const extensionMs = 60_000;
/** Rows one buyer may leave behind in one sale: a loop of taking and cancelling ends here. */
export const attemptsPerBuyerMax = 100;

/** A definite no. It speaks for this request only: the same key may be accepted later. */
export type Refusal =
  | { readonly reason: "key_reused" }
  | { readonly reason: "sale_cancelled" }
  | { readonly reason: "not_started"; readonly startsAtMs: number; readonly nowMs: number }
  | { readonly reason: "ended"; readonly endedAtMs: number }
  | { readonly reason: "paused" }
  | { readonly reason: "limit_reached"; readonly limit: number; readonly units: number }
  | { readonly reason: "attempts_exhausted"; readonly attemptsMax: number }
  | { readonly reason: "all_taken"; readonly held: number; readonly available: number }
  | { readonly reason: "sold_out"; readonly available: number }
  /** By an operator, after it had been accepted: it could not be settled. */
  | { readonly reason: "discarded" }
  | { readonly reason: "sale_unknown" };
export type RefusalReason = Refusal["reason"];
type RefusalOf<Reason extends RefusalReason> = Extract<Refusal, { readonly reason: Reason }>;
type StatusReason = "sale_unknown" | "sale_cancelled" | "not_started" | "ended" | "paused";

export type TakeFacts = {
  readonly sale: Sale;
  /** The purchase already accepted under this (sale, buyer, key). */
  readonly known?: Purchase | undefined;
  readonly quantity: number;
  readonly metadata?: string | undefined;
  /** The buyer's units that count against the limit, over the sale's whole limit group. */
  readonly units: number;
  readonly limit: number;
  /** Rows the buyer already has in this sale, in whatever state. */
  readonly attempts: number;
};

export type TakeDecision =
  | { readonly kind: "accept" }
  | { readonly kind: "replay"; readonly purchase: Purchase }
  | { readonly kind: "refuse"; readonly refusal: Refusal };

/**
 * Decides one take. The order is part of the contract: the key first, for an accepted key must get its answer whatever
 * happened since; then what no buyer can change (switches and time), then what this buyer did, then stock.
 */
export function decideTake(facts: TakeFacts, nowMs: number): TakeDecision {
  const { sale, known, quantity } = facts;
  if (known !== undefined)
    return known.quantity === quantity && known.metadata === facts.metadata
      ? { kind: "replay", purchase: known }
      : refuse({ reason: "key_reused" });
  const closed = refusalByStatus(sale, nowMs);
  if (closed !== undefined) return refuse(closed);
  if (facts.units + quantity > facts.limit) return refuse({ reason: "limit_reached", limit: facts.limit, units: facts.units });
  if (facts.attempts >= attemptsPerBuyerMax) return refuse({ reason: "attempts_exhausted", attemptsMax: attemptsPerBuyerMax });
  if (sale.reopensAtMs !== undefined && nowMs < sale.reopensAtMs) return refuse(refusalBeforeReopening(sale));
  if (sale.balances.available < quantity) return refuse(refusalByStock(sale));
  return { kind: "accept" };
}

const refuse = (refusal: Refusal): TakeDecision => ({ kind: "refuse", refusal });

/** The refusal that the sale's switches and window give at this moment, whoever asks. */
export function refusalByStatus(sale: Sale, nowMs: number): RefusalOf<StatusReason> | undefined {
  const status = statusOf(sale, nowMs);
  switch (status) {
    case "draft":
      return { reason: "sale_unknown" };
    case "cancelled":
      return { reason: "sale_cancelled" };
    case "scheduled":
      return { reason: "not_started", startsAtMs: sale.startsAtMs, nowMs };
    case "ended":
      return { reason: "ended", endedAtMs: sale.endsAtMs };
    case "paused":
      return { reason: "paused" };
    case "live":
      return undefined;
    default:
      return unreachable(status);
  }
}

/** Units that came back are not to be had for a moment; "sold out" would say that it is no use to come again. */
const refusalBeforeReopening = ({ balances: { held, available } }: Sale): Refusal => ({ reason: "all_taken", held, available });

/** "All taken" while unpaid units may still return, "sold out" when none can. */
export function refusalByStock(sale: Sale): RefusalOf<"all_taken" | "sold_out"> {
  const { held, available } = sale.balances;
  return held > 0 ? { reason: "all_taken", held, available } : { reason: "sold_out", available };
}

/** How far a purchase has come, for copies of one and the same moment. */
// oxfmt-ignore
const progress: Readonly<Record<PurchaseState, number>> = {
  queued: 0, stuck: 1, offered: 1, reserved: 2, refused: 3, paid: 3, cancelled: 3, expired: 3, closed: 3,
};

/** Whether a copy of a purchase says more than another copy of it: later, further, held longer, or refunded since. */
export function isNewer(copy: Purchase, than: Purchase): boolean {
  if (copy.changedAtMs !== than.changedAtMs) return copy.changedAtMs > than.changedAtMs;
  if (copy.state !== than.state) return progress[copy.state] > progress[than.state];
  if (copy.refunded !== than.refunded) return copy.refunded;
  return copy.holdUntilMs > than.holdUntilMs;
}

/** Whether a purchase's units count against its buyer's limit (I3). One that waits in the ledger for a cut holds nothing. */
export function countsAgainstLimit(purchase: Pick<Purchase, "state" | "refunded">, refundedUnitsCount: boolean): boolean {
  if (purchase.state === "paid") return refundedUnitsCount || !purchase.refunded;
  return purchase.state === "reserved";
}

/** Whether its key is its own: one that was not decided yet, or not accepted after all, keeps it for look-up only. */
export function holdsKey({ state }: Pick<Purchase, "state">): boolean {
  return state !== "refused" && state !== "queued" && state !== "stuck";
}

/** What the buyer has to pay by: each extension moves it, a payment that is under way does not. */
export const deadlineOf = ({ payByMs, extensions }: Pick<Purchase, "payByMs" | "extensions">): number => payByMs + extensions * extensionMs;

/** How often its buyer may ask for more time yet; of an order that nobody waits for, never. */
export function extensionsLeft({ state, extensions }: Pick<Purchase, "state" | "extensions">, extensionsMax: number): number {
  return state === "reserved" ? Math.max(0, extensionsMax - extensions) : 0;
}

export function amountOf(purchase: Pick<Purchase, "price" | "quantity">): Money {
  return { minor: purchase.price.minor * purchase.quantity, currency: purchase.price.currency };
}

/** What a repeat of a key must ask for again, as a short text to compare. */
export const payloadFingerprint = ({ quantity, metadata }: Pick<Purchase, "quantity" | "metadata">): string =>
  fingerprint(`${quantity}\n${metadata ?? ""}`);
