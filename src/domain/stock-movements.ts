/** Decisions about units and switches: takes, releases, adjustments, publishing and its like. */
import { unreachable } from "../lib/assert.ts";
import type { BatchState } from "./batch-state.ts";
import type { Adjust, AdjustOutcome, Release, ReleaseOutcome, Switch, SwitchOutcome, Take, TakeOutcome } from "./movement.ts";
import { decideTake, transitions, type Purchase } from "./purchase.ts";
import { limitInForce } from "./quota.ts";
import { statusOf, switchTable, windowMaxMs, type Sale } from "./sale.ts";

export function take(state: BatchState, take: Take): TakeOutcome {
  const { sale } = state.writes;
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

export function adjust(state: BatchState, adjust: Adjust): AdjustOutcome {
  const { sale } = state.writes;
  const earlier = state.facts.adjustments.get(adjust.adjustmentId);
  if (earlier !== undefined) return { kind: "adjusted", applied: earlier, sale };
  const status = statusOf(sale, state.nowMs);
  if (status === "draft" || status === "ended" || status === "cancelled") return { kind: "not_adjustable", status };
  // Subtracted, not negated: nothing taken is 0 and not -0.
  const applied = adjust.units > 0 ? adjust.units : 0 - Math.min(-adjust.units, sale.balances.available);
  if (applied !== 0) state.post(applied > 0 ? "issue" : "withdraw", adjust.adjustmentId, Math.abs(applied));
  state.facts.adjustments.set(adjust.adjustmentId, applied);
  return { kind: "adjusted", applied, sale: state.writes.sale };
}

export function flip(state: BatchState, { change }: Switch): SwitchOutcome {
  const { sale } = state.writes;
  const status = statusOf(sale, state.nowMs);
  const verdict = switchTable[change.kind][status];
  if (verdict === "same") return { kind: "switched", sale, repeated: true };
  if (verdict === "refuse") return { kind: "not_allowed", status };
  switch (change.kind) {
    case "publish":
      return publish(state, change.pastAllowed ?? false);
    case "pause":
      return switched(state, { paused: true });
    case "resume":
      return sale.paused ? switched(state, { paused: false }) : { kind: "switched", sale, repeated: true };
    case "extend":
      // A repeat, or a commit made again because nobody knew of its first: the same end is no mistake.
      if (change.endsAtMs === sale.endsAtMs) return { kind: "switched", sale, repeated: true };
      if (change.endsAtMs < sale.endsAtMs) return { kind: "invalid", field: "ends_at", problem: "must be later than it is now" };
      if (change.endsAtMs - sale.startsAtMs > windowMaxMs)
        return { kind: "invalid", field: "ends_at", problem: "must be within ten years of starts_at" };
      return switched(state, { endsAtMs: change.endsAtMs });
    case "cancel_sale":
      return cancelSale(state);
    default:
      return unreachable(change);
  }
}

function publish(state: BatchState, pastAllowed: boolean): SwitchOutcome {
  const { sale } = state.writes;
  const { groupLimit, productHasQuotas } = state.facts;
  if (!pastAllowed && sale.endsAtMs <= state.nowMs) return { kind: "invalid", field: "ends_at", problem: "must lie in the future" };
  if (groupLimit !== undefined && groupLimit !== sale.perBuyerLimit)
    return { kind: "invalid", field: "per_buyer_limit", problem: `must be ${groupLimit} like that of the group's other sales` };
  state.post("issue", sale.id, sale.stock);
  state.writes.copyQuotas = productHasQuotas;
  return switched(state, { phase: "published", hasQuotas: productHasQuotas });
}

/** Free units are withdrawn at once. Held ones become free when the closer closes their orders, for nobody: the sale sells no more. Paid orders stay. */
function cancelSale(state: BatchState): SwitchOutcome {
  const { sale } = state.writes;
  if (sale.balances.available > 0) state.post("withdraw", sale.id, sale.balances.available);
  return switched(state, { phase: "cancelled" });
}

function switched(state: BatchState, change: Partial<Sale>): SwitchOutcome {
  state.writes.sale = { ...state.writes.sale, ...change };
  return { kind: "switched", sale: state.writes.sale, repeated: false };
}
