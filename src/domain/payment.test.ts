import { describe, expect, test } from "bun:test";
import { money, samplePurchase } from "../../tests/kit/samples.ts";
import {
  judgeCapture,
  paymentTransitions,
  refundTransitions,
  type PaymentEvent,
  type PaymentState,
  type RefundEvent,
  type RefundState,
} from "./payment.ts";
import type { PurchaseState } from "./purchase.ts";

const purchase = samplePurchase({ quantity: 2, price: money(500) });
const refund = (reason: string) => ({ kind: "refund", reason });

describe("[PA3] money by the state of its order", () => {
  const rows: readonly (readonly [PurchaseState, unknown])[] = [
    ["reserved", { kind: "keep" }],
    ["paid", refund("second_capture")],
    ["cancelled", refund("order_closed")],
    ["expired", refund("order_closed")],
    ["closed", refund("order_closed")],
    ["refused", refund("order_closed")],
    ["queued", refund("order_closed")],
    ["offered", refund("order_closed")],
    ["stuck", refund("order_closed")],
  ];
  test.each(rows)("%s", (state, expected) => expect<unknown>(judgeCapture({ ...purchase, state }, money(1_000))).toEqual(expected));
});

test("[PA4] a wrong amount outranks the order's state", () => {
  for (const state of ["reserved", "paid", "expired"] as const)
    for (const wrong of [money(999), money(1_001), money(500), money(1_000, "USD")])
      expect<unknown>(judgeCapture({ ...purchase, state }, wrong)).toEqual(refund("wrong_amount"));
});

test("[OR4] the deadline does not matter to money, only the sweep", () => {
  expect(judgeCapture({ ...purchase, holdUntilMs: 0, payByMs: 0 }, money(1_000))).toEqual({ kind: "keep" });
});

describe("[PA8] every payment state and event", () => {
  const expected: Record<PaymentState, Record<PaymentEvent, string>> = {
    created: { submitted: "pending", captured: "captured", failed: "failed", expired: "expired" },
    pending: { submitted: "same", captured: "captured", failed: "failed", expired: "expired" },
    captured: { submitted: "same", captured: "same", failed: "no", expired: "no" },
    failed: { submitted: "no", captured: "captured", failed: "same", expired: "same" },
    expired: { submitted: "no", captured: "captured", failed: "same", expired: "same" },
  };
  test("is as written", () => expect<unknown>(paymentTransitions).toEqual(expected));
  test("money is recorded in every state", () => {
    for (const row of Object.values(paymentTransitions)) expect(["captured", "same"]).toContain(row.captured);
  });
});

describe("[PA10] every refund state and event", () => {
  const expected: Record<RefundState, Record<RefundEvent, string>> = {
    requested: { send: "sent", done: "no", failed: "no" },
    sent: { send: "same", done: "done", failed: "failed" },
    done: { send: "no", done: "same", failed: "no" },
    failed: { send: "sent", done: "done", failed: "same" },
  };
  test("is as written", () => expect<unknown>(refundTransitions).toEqual(expected));
  test("nothing is done that was not sent, and done is the end", () => {
    expect(refundTransitions.requested.done).toBe("no");
    for (const step of Object.values(refundTransitions.done)) expect(["same", "no"]).toContain(step);
  });
});
