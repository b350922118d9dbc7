/** Decisions about money: payments, captures, refunds. Where money meets a closed order, it goes back in full. */
import { assert } from "../lib/assert.ts";
import type { BatchState } from "./batch-state.ts";
import {
  openPaymentStates,
  type StartPayment,
  type StartPaymentOutcome,
  type StartRefund,
  type StartRefundOutcome,
  type TakeCapture,
  type TakeCaptureOutcome,
  type UpdatePayment,
  type UpdatePaymentOutcome,
  type UpdateRefund,
  type UpdateRefundOutcome,
} from "./movement.ts";
import { judgeCapture, paymentTransitions, refundTransitions, type Capture, type Payment, type Refund } from "./payment.ts";
import { amountOf, deadlineOf, paymentGraceMs } from "./purchase.ts";

export function startPayment(state: BatchState, start: StartPayment): StartPaymentOutcome {
  const purchase = state.purchaseFor(start.purchaseId, start.buyerId);
  if (purchase === undefined) return { kind: "purchase_unknown" };
  const payments = state.paymentsOf(purchase.id);
  const own = payments.find((p) => p.id === start.paymentId);
  if (own !== undefined) return { kind: "started", payment: own, purchase, repeated: true };
  if (purchase.state !== "reserved" || state.nowMs >= purchase.holdUntilMs) return { kind: "not_payable", purchase };
  const open = payments.find((p) => openPaymentStates.includes(p.state));
  if (open !== undefined) return { kind: "started", payment: open, purchase, repeated: true };
  const payment: Payment = {
    id: start.paymentId,
    purchaseId: purchase.id,
    saleId: purchase.saleId,
    provider: start.provider,
    money: amountOf(purchase),
    state: "created",
    createdAtMs: state.nowMs,
    changedAtMs: state.nowMs,
  };
  state.putPayment(payment);
  const graceEndMs = Math.min(state.nowMs, deadlineOf(purchase)) + paymentGraceMs;
  const held = graceEndMs > purchase.holdUntilMs ? state.put({ ...purchase, holdUntilMs: graceEndMs }, purchase.state) : purchase;
  return { kind: "started", payment, purchase: held, repeated: false };
}

export function updatePayment(state: BatchState, update: UpdatePayment): UpdatePaymentOutcome {
  const payment = state.facts.payments.get(update.paymentId);
  if (payment === undefined) return { kind: "payment_unknown" };
  const seen = state.seen(update.callbackId);
  const step = paymentTransitions[payment.state][update.event];
  if (seen || step === "same" || step === "no") return { kind: "updated", payment, repeated: true };
  const changed: Payment = {
    ...payment,
    state: step,
    providerRef: update.providerRef ?? payment.providerRef,
    payUrl: update.payUrl ?? payment.payUrl,
    changedAtMs: state.nowMs,
  };
  state.putPayment(changed);
  return { kind: "updated", payment: changed, repeated: false };
}

export function capture(state: BatchState, take: TakeCapture): TakeCaptureOutcome {
  const payment = state.facts.payments.get(take.paymentId);
  const purchase = payment && state.facts.purchases.get(payment.purchaseId);
  if (payment === undefined || purchase === undefined) return { kind: "payment_unknown" };
  state.seen(take.callbackId);
  const known = state.facts.captures.get(take.captureId);
  if (known !== undefined) return { kind: "captured", purchase, kept: known.kept, repeated: true };
  const verdict = judgeCapture(purchase, take.money);
  const capture: Capture = {
    id: take.captureId,
    paymentId: payment.id,
    purchaseId: purchase.id,
    saleId: purchase.saleId,
    money: take.money,
    kept: verdict.kind === "keep",
    atMs: state.nowMs,
  };
  state.writes.captures.set(capture.id, capture);
  state.facts.captures.set(capture.id, capture);
  const step = paymentTransitions[payment.state].captured;
  if (step !== "same" && step !== "no") state.putPayment({ ...payment, state: step, changedAtMs: state.nowMs });
  if (verdict.kind === "keep") {
    state.post("pay", purchase.id, purchase.quantity);
    return { kind: "captured", purchase: state.move(purchase, "pay"), kept: true, repeated: false };
  }
  state.requestRefund({ id: take.refundId, capture, provider: payment.provider, reason: verdict.reason, returnStock: false });
  return { kind: "captured", purchase, kept: false, refundReason: verdict.reason, repeated: false };
}

export function startRefund(state: BatchState, start: StartRefund): StartRefundOutcome {
  const purchase = state.facts.purchases.get(start.purchaseId);
  if (purchase === undefined) return { kind: "purchase_unknown" };
  const earlier = [...state.facts.refunds.values()].find((r) => r.purchaseId === purchase.id && r.reason === "requested_by_shop");
  if (earlier !== undefined) return { kind: "refunding", refund: earlier, purchase, repeated: true };
  const capture = [...state.facts.captures.values()].find((c) => c.purchaseId === purchase.id && c.kept);
  if (purchase.state !== "paid" || capture === undefined) return { kind: "not_paid", purchase };
  const provider = state.facts.payments.get(capture.paymentId)?.provider;
  assert(provider !== undefined, "a capture belongs to a payment");
  const { refundId: id, returnStock } = start;
  const refund = state.requestRefund({ id, capture, provider, reason: "requested_by_shop", returnStock });
  if (returnStock) returnUnits(state, refund);
  return { kind: "refunding", refund, purchase: state.put({ ...purchase, refunded: true }, purchase.state), repeated: false };
}

/** In a settled sale they are nobody's until it is settled again. */
function returnUnits(state: BatchState, { id, purchaseId }: Refund): void {
  const quantity = state.facts.purchases.get(purchaseId)?.quantity;
  assert(quantity !== undefined, "a refund's purchase was read");
  state.post("return", id, quantity);
  if (state.writes.sale.settledAtMs !== undefined) state.change({ settledAtMs: undefined });
}

export function updateRefund(state: BatchState, update: UpdateRefund): UpdateRefundOutcome {
  const refund = state.facts.refunds.get(update.refundId);
  if (refund === undefined) return { kind: "refund_unknown" };
  const step = refundTransitions[refund.state][update.event];
  if (step === "no") return { kind: "not_allowed", state: refund.state };
  const next = step === "same" ? refund.state : step;
  const tries = refund.tries + (update.event === "send" ? 1 : 0);
  const changed: Refund = { ...refund, state: next, tries, nextTryAtMs: update.nextTryAtMs, changedAtMs: state.nowMs };
  state.writes.refunds.set(changed.id, changed);
  state.facts.refunds.set(changed.id, changed);
  return { kind: "updated", refund: changed };
}
