/** Decisions about units between a sale and its buyers: takes, releases, and how long they are held. */
import { assert, unreachable } from "../lib/assert.ts";
import type { BatchState } from "./batch-state.ts";
import type { ExtendHold, ExtendHoldOutcome, Release, ReleaseOutcome, Take, TakeOutcome } from "./movement.ts";
import { deadlineOf, decideTake, extensionMs, transitions, type Purchase } from "./purchase.ts";
import { limitInForce } from "./quota.ts";
import type { Sale } from "./sale.ts";

export function take(state: BatchState, take: Take): TakeOutcome {
  const { sale } = state.writes;
  assert(sale.scopeId === undefined, "where the cache decides, nobody else accepts");
  const buyer = state.buyer(take.buyerId);
  const known = take.key === undefined ? state.facts.purchases.get(take.purchaseId) : buyer.byKey.get(take.key);
  const limit = limitInForce(sale, state.facts.quotas.get(take.buyerId));
  const units = buyer.units + (state.facts.unitsElsewhere.get(take.buyerId) ?? 0);
  const decision = decideTake(
    { sale, known, quantity: take.quantity, metadata: take.metadata, units, limit, attempts: buyer.attempts },
    state.nowMs,
  );
  switch (decision.kind) {
    case "refuse":
      return { kind: "refused", refusal: decision.refusal };
    case "replay":
      return { kind: "accepted", purchase: decision.purchase, replayed: decision.purchase.id !== take.purchaseId };
    case "accept":
      return { kind: "accepted", purchase: accept(state, take, limit), replayed: false };
    default:
      return unreachable(decision);
  }
}

function accept(state: BatchState, take: Take, limit: number): Purchase {
  const purchase = acceptedPurchase(take, { sale: state.writes.sale, limit, nowMs: state.nowMs });
  state.post("take", take.purchaseId, take.quantity, limit);
  state.add(purchase);
  return purchase;
}

/** The purchase that accepting a take makes: a function of these alone, so that a ledger may carry less than the row. */
export function acceptedPurchase(take: Take, { sale, limit, nowMs }: { sale: Sale; limit: number; nowMs: number }): Purchase {
  const payByMs = nowMs + sale.payWindowMs;
  return {
    id: take.purchaseId,
    saleId: sale.id,
    productId: sale.productId,
    buyerId: take.buyerId,
    key: take.key,
    quantity: take.quantity,
    price: sale.price,
    limit,
    metadata: take.metadata,
    acceptedAtMs: nowMs,
    payByMs,
    state: "reserved",
    extensions: 0,
    holdUntilMs: payByMs,
    changedAtMs: nowMs,
    refunded: false,
  };
}

export function release(state: BatchState, release: Release): ReleaseOutcome {
  const purchase = state.purchaseFor(release.purchaseId, release.buyerId);
  if (purchase === undefined) return { kind: "purchase_unknown" };
  const step = transitions[purchase.state][release.kind];
  if (step === "same") return { kind: "released", purchase, repeated: true };
  if (step === "no") return { kind: "not_allowed", purchase };
  if (release.kind === "expire" && state.nowMs < purchase.holdUntilMs) return { kind: "too_early", holdUntilMs: purchase.holdUntilMs };
  state.post(release.kind, purchase.id, purchase.quantity);
  return { kind: "released", purchase: state.move(purchase, release.kind), repeated: false };
}

/**
 * One more stretch for who named the deadline in force; who names an earlier one hears what is true, and gets no second for
 * it. The grace of a payment under way stays as long as it was, behind the new deadline.
 */
export function extendHold(state: BatchState, { purchaseId, buyerId, payByMs }: ExtendHold): ExtendHoldOutcome {
  const purchase = state.purchaseFor(purchaseId, buyerId);
  if (purchase === undefined) return { kind: "purchase_unknown" };
  const named = (payByMs - purchase.payByMs) / extensionMs;
  if (!Number.isInteger(named) || named < 0 || payByMs > deadlineOf(purchase)) return { kind: "deadline_unknown", purchase };
  if (named < purchase.extensions) return { kind: "extended", purchase, repeated: true };
  // Not by the hold, which a payment under way keeps longer: a minute more of a deadline that has passed is none.
  if (purchase.state !== "reserved" || state.nowMs >= deadlineOf(purchase)) return { kind: "not_extendable", purchase };
  const { payExtensionsMax } = state.writes.sale;
  if (purchase.extensions >= payExtensionsMax) return { kind: "extensions_used_up", purchase, extensionsMax: payExtensionsMax };
  const extended = { ...purchase, extensions: purchase.extensions + 1, holdUntilMs: purchase.holdUntilMs + extensionMs };
  return { kind: "extended", purchase: state.put(extended, purchase.state), repeated: false };
}
