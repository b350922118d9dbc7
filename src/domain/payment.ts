import type { PaymentId, PurchaseId, RefundId, SaleId } from "./ids.ts";
import { sameMoney, type Money } from "./money.ts";
import { amountOf, type Purchase } from "./purchase.ts";

/** One attempt to take a purchase's money. */
export type Payment = {
  readonly id: PaymentId;
  readonly purchaseId: PurchaseId;
  readonly saleId: SaleId;
  readonly provider: string;
  /** The provider's own name for it, known once the provider has answered. */
  readonly providerRef?: string | undefined;
  /** Where the buyer pays, if the provider wants the buyer to go somewhere. */
  readonly payUrl?: string | undefined;
  readonly money: Money;
  readonly state: PaymentState;
  readonly createdAtMs: number;
  readonly changedAtMs: number;
};
export type PaymentState = "created" | "pending" | "captured" | "failed" | "expired";
export type PaymentEvent = "submitted" | "captured" | "failed" | "expired";

type Step = PaymentState | "same" | "no";
/** Money beats any earlier word: a capture after "failed" or "expired" is recorded, and refunded if it has no order. */
export const paymentTransitions: Readonly<Record<PaymentState, Readonly<Record<PaymentEvent, Step>>>> = {
  created: { submitted: "pending", captured: "captured", failed: "failed", expired: "expired" },
  pending: { submitted: "same", captured: "captured", failed: "failed", expired: "expired" },
  captured: { submitted: "same", captured: "same", failed: "no", expired: "no" },
  failed: { submitted: "no", captured: "captured", failed: "same", expired: "same" },
  expired: { submitted: "no", captured: "captured", failed: "same", expired: "same" },
};

/** Money the provider says it took. Its id is the provider's; a second report of it is a repeat. */
export type Capture = {
  readonly id: string;
  readonly paymentId: PaymentId;
  readonly purchaseId: PurchaseId;
  readonly saleId: SaleId;
  readonly money: Money;
  /** Kept by its order, or to be refunded in full (I9). */
  readonly kept: boolean;
  readonly atMs: number;
};

export type Refund = {
  readonly id: RefundId;
  readonly captureId: string;
  readonly paymentId: PaymentId;
  readonly purchaseId: PurchaseId;
  readonly saleId: SaleId;
  readonly provider: string;
  readonly money: Money;
  readonly reason: RefundReason;
  readonly returnStock: boolean;
  readonly state: RefundState;
  readonly tries: number;
  readonly nextTryAtMs: number;
  readonly createdAtMs: number;
  readonly changedAtMs: number;
};
export type RefundReason = "order_closed" | "second_capture" | "wrong_amount" | "requested_by_shop";
export type RefundState = "requested" | "sent" | "done" | "failed";
export type RefundEvent = "send" | "done" | "failed";
export const refundTransitions: Readonly<Record<RefundState, Readonly<Record<RefundEvent, RefundState | "same" | "no">>>> = {
  requested: { send: "sent", done: "no", failed: "no" },
  sent: { send: "same", done: "done", failed: "failed" },
  done: { send: "no", done: "same", failed: "no" },
  failed: { send: "sent", done: "done", failed: "same" },
};

export type CaptureVerdict = { readonly kind: "keep" } | { readonly kind: "refund"; readonly reason: RefundReason };

/**
 * What happens to money that arrived. In this order: a wrong amount never pays an order; an order that waits is paid,
 * even past its deadline as long as the sweep has not closed it; a paid one needs no second capture; a closed one
 * cannot take it any more.
 */
export function judgeCapture(purchase: Purchase, money: Money): CaptureVerdict {
  if (!sameMoney(money, amountOf(purchase))) return { kind: "refund", reason: "wrong_amount" };
  if (purchase.state === "reserved") return { kind: "keep" };
  if (purchase.state === "paid") return { kind: "refund", reason: "second_capture" };
  return { kind: "refund", reason: "order_closed" };
}
