/** Payments, captures, refunds. */
import { expect } from "bun:test";
import { paymentGraceMs } from "../../src/domain/purchase.ts";
import { parseCurrency } from "../../src/domain/money.ts";
import type { ContractCase } from "./fixture.ts";
import { must } from "../kit/samples.ts";
import { euros, minuteMs, payWindowMs, price, type Shop } from "./shop.ts";

async function reserved(shop: Shop, stock = 2) {
  const saleId = await shop.sale({ stock });
  const buyer = await shop.buyer("ann");
  return { saleId, buyer, purchase: await shop.accept(saleId, { buyer }) };
}

export const moneyCases: readonly ContractCase[] = [
  {
    rule: "PA1",
    title: "a payment starts for the whole amount, and an open one is answered again",
    run: async (shop) => {
      const saleId = await shop.sale({ perBuyerLimit: 3 });
      const buyer = await shop.buyer("ann");
      const purchase = await shop.accept(saleId, { buyer, quantity: 3 });
      const first = await shop.startPayment(purchase, { buyerId: buyer });
      expect(first).toMatchObject({ kind: "started", repeated: false, payment: { state: "created", money: euros(3 * price.minor) } });
      const again = await shop.startPayment(purchase, { buyerId: buyer });
      expect(again).toMatchObject({ kind: "started", repeated: true });
      if (first.kind === "started" && again.kind === "started") expect(again.payment).toEqual(first.payment);
      expect(await shop.fixture.records.paymentsOf(purchase.id)).toHaveLength(1);
    },
  },
  {
    rule: "PA1",
    title: "after a failed payment a new one may start",
    run: async (shop) => {
      const { saleId, purchase } = await reserved(shop);
      const { id: paymentId } = await shop.openPayment(purchase);
      expect(await shop.send(saleId, { kind: "update_payment", paymentId, event: "failed" })).toMatchObject({
        payment: { state: "failed" },
      });
      expect(await shop.startPayment(purchase)).toMatchObject({ kind: "started", repeated: false });
      expect(await shop.fixture.records.paymentsOf(purchase.id)).toHaveLength(2);
    },
  },
  {
    rule: "PA1",
    title: "no payment starts for a released, paid or overdue order, not even where one is still open",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 5 });
      const buyers = await shop.buyers(5);
      const [cancelled, paid, overdue, abandoned, late] = await Promise.all(buyers.map((buyer) => shop.accept(saleId, { buyer })));
      await shop.cancel(must(cancelled));
      await shop.pay(must(paid));
      await shop.openPayment(must(abandoned));
      await shop.cancel(must(abandoned));
      await shop.openPayment(must(late));
      await shop.fixture.time.advance(payWindowMs + paymentGraceMs);
      for (const purchase of [cancelled, paid, overdue, abandoned, late])
        expect(await shop.startPayment(must(purchase))).toMatchObject({ kind: "not_payable", purchase: { id: must(purchase).id } });
    },
  },
  {
    rule: "PA2",
    title: "payments move the deadline by at most 120 s in all, and only if they need it",
    run: async (shop) => {
      const { saleId, purchase } = await reserved(shop);
      const early = await shop.openPayment(purchase);
      expect((await shop.order(purchase)).holdUntilMs).toBe(purchase.payByMs);
      await shop.fixture.time.advance(payWindowMs - minuteMs);
      let { id: paymentId } = early;
      const restart = async () => {
        await shop.send(saleId, { kind: "update_payment", paymentId, event: "failed" });
        paymentId = (await shop.openPayment(purchase)).id;
        return (await shop.order(purchase)).holdUntilMs - purchase.payByMs;
      };
      expect(await restart()).toBe(paymentGraceMs - minuteMs);
      await shop.fixture.time.advance(minuteMs);
      expect(await restart()).toBe(paymentGraceMs);
      await shop.fixture.time.advance(minuteMs);
      expect(await restart()).toBe(paymentGraceMs);
      expect(await shop.expire(purchase)).toMatchObject({ kind: "too_early" });
      await shop.fixture.time.advance(minuteMs);
      expect(await shop.expire(purchase)).toMatchObject({ kind: "released" });
    },
  },
  {
    rule: "PA3",
    title: "a capture pays the order, its units are sold",
    run: async (shop) => {
      const { saleId, purchase } = await reserved(shop);
      const payment = await shop.openPayment(purchase);
      const answer = await shop.capture(payment, { id: "c1" });
      expect(answer).toMatchObject({ kind: "captured", kept: true, repeated: false, purchase: { state: "paid" } });
      expect(await shop.balances(saleId)).toMatchObject({ available: 1, held: 0, sold: 1 });
      expect(await shop.fixture.records.payment(payment.id)).toMatchObject({ state: "captured" });
      expect(await shop.fixture.records.refundsOf(purchase.id)).toEqual([]);
    },
  },
  {
    rule: "ST6",
    title: "payment moves held to sold and leaves what is free alone",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 5, perBuyerLimit: 3 });
      const purchase = await shop.accept(saleId, { buyer: await shop.buyer("ann"), quantity: 3 });
      await shop.pay(purchase);
      expect(await shop.balances(saleId)).toEqual({ issued: 5, available: 2, held: 0, sold: 3, withdrawn: 0 });
    },
  },
  {
    rule: "OR4",
    title: "money after the deadline but before the sweep pays, and the sweep finds nothing",
    run: async (shop) => {
      const { purchase } = await reserved(shop);
      const payment = await shop.openPayment(purchase);
      await shop.fixture.time.advance(payWindowMs + paymentGraceMs);
      const answers = await Promise.all([shop.capture(payment, { id: "c1" }), shop.expire(purchase)]);
      expect(answers).toMatchObject([
        { kind: "captured", kept: true },
        { kind: "not_allowed", purchase: { state: "paid" } },
      ]);
    },
  },
  {
    rule: "PA6",
    title: "money for an expired, cancelled or closed order goes back in full and moves no unit",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 3 });
      const orders = await Promise.all((await shop.buyers(3)).map((buyer) => shop.accept(saleId, { buyer })));
      const payments = await Promise.all(orders.map((order) => shop.openPayment(order)));
      await shop.fixture.time.advance(payWindowMs + paymentGraceMs);
      await Promise.all([shop.expire(must(orders[0])), shop.cancel(must(orders[1])), shop.closeOrder(must(orders[2]))]);
      for (const [i, payment] of payments.entries()) {
        const answer = await shop.capture(payment, { id: `c${i}` });
        expect(answer).toMatchObject({ kind: "captured", kept: false, refundReason: "order_closed" });
        const refunds = await shop.fixture.records.refundsOf(payment.purchaseId);
        expect(refunds).toMatchObject([
          { money: price, reason: "order_closed", state: "requested", returnStock: false, captureId: `c${i}` },
        ]);
      }
      expect(await shop.balances(saleId)).toMatchObject({ available: 3, held: 0, sold: 0 });
    },
  },
  {
    rule: "PA4",
    title: "a wrong amount or currency goes back in full, the order waits on and the right amount pays it",
    run: async (shop) => {
      const { saleId, purchase } = await reserved(shop);
      const payment = await shop.openPayment(purchase);
      const dollars = { minor: price.minor, currency: must(parseCurrency("USD")) };
      for (const [i, money] of [euros(price.minor - 1), euros(price.minor + 1), dollars].entries()) {
        const answer = await shop.capture(payment, { id: `wrong-${i}`, money });
        expect(answer).toMatchObject({ kind: "captured", kept: false, refundReason: "wrong_amount", purchase: { state: "reserved" } });
      }
      const refunds = await shop.fixture.records.refundsOf(purchase.id);
      const refunded = refunds.map((refund) => refund.money.minor).toSorted((a, b) => a - b);
      expect(refunded).toEqual([price.minor - 1, price.minor, price.minor + 1]);
      expect(await shop.capture(payment, { id: "right" })).toMatchObject({ kind: "captured", kept: true });
      expect(await shop.balances(saleId)).toMatchObject({ held: 0, sold: 1 });
    },
  },
  {
    rule: "PA5",
    title: "a second capture goes back in full, also one of another payment of the order",
    run: async (shop) => {
      const { saleId, purchase } = await reserved(shop);
      const first = await shop.openPayment(purchase);
      await shop.send(saleId, { kind: "update_payment", paymentId: first.id, event: "failed" });
      const second = await shop.openPayment(purchase);
      const answers = await Promise.all([
        shop.capture(second, { id: "c1" }),
        shop.capture(second, { id: "c2" }),
        shop.capture(first, { id: "c3" }),
      ]);
      expect(answers).toMatchObject([
        { kept: true },
        { kept: false, refundReason: "second_capture" },
        { kept: false, refundReason: "second_capture" },
      ]);
      expect(await shop.fixture.records.refundsOf(purchase.id)).toHaveLength(2);
      expect(await shop.balances(saleId)).toMatchObject({ held: 0, sold: 1 });
    },
  },
  {
    rule: "PA7",
    title: "one capture reported many times, by one callback or several, has one effect",
    run: async (shop) => {
      const { saleId, purchase } = await reserved(shop);
      const payment = await shop.openPayment(purchase);
      const reports = [{ callbackId: "w1" }, { callbackId: "w1" }, { callbackId: "w2" }, {}];
      const answers = await Promise.all(reports.map((report) => shop.capture(payment, { id: "c1", ...report })));
      expect(answers.map((answer) => answer.kind === "captured" && answer.repeated)).toEqual([false, true, true, true]);
      expect(answers.every((answer) => answer.kind === "captured" && answer.kept)).toBe(true);
      await shop.capture(payment, { id: "c1", callbackId: "w1" });
      expect(await shop.balances(saleId)).toMatchObject({ sold: 1 });
      expect(await shop.fixture.records.refundsOf(purchase.id)).toEqual([]);
    },
  },
  {
    rule: "PA7",
    title: "a refunded capture reported again is not refunded twice",
    run: async (shop) => {
      const { purchase } = await reserved(shop);
      const payment = await shop.openPayment(purchase);
      await shop.cancel(purchase);
      for (let i = 0; i < 3; i++) expect(await shop.capture(payment, { id: "c1" })).toMatchObject({ kept: false, repeated: i > 0 });
      expect(await shop.fixture.records.refundsOf(purchase.id)).toHaveLength(1);
    },
  },
  {
    rule: "PA7",
    title: "a callback's word is applied once, whatever came between",
    run: async (shop) => {
      const { saleId, purchase } = await reserved(shop);
      const { id: paymentId } = await shop.openPayment(purchase);
      const say = (event: "submitted" | "failed", callbackId: string) =>
        shop.send(saleId, { kind: "update_payment", paymentId, event, callbackId, providerRef: "ref" });
      expect(await say("submitted", "w1")).toMatchObject({
        kind: "updated",
        repeated: false,
        payment: { state: "pending", providerRef: "ref" },
      });
      expect(await say("failed", "w2")).toMatchObject({ repeated: false, payment: { state: "failed" } });
      expect(await say("failed", "w2")).toMatchObject({ repeated: true });
      expect(await say("submitted", "w1")).toMatchObject({ repeated: true, payment: { state: "failed" } });
    },
  },
  {
    rule: "PA8",
    title: "money beats the word that the payment failed",
    run: async (shop) => {
      const { saleId, purchase } = await reserved(shop);
      const payment = await shop.openPayment(purchase);
      await shop.send(saleId, { kind: "update_payment", paymentId: payment.id, event: "failed" });
      expect(await shop.capture(payment, { id: "c1" })).toMatchObject({ kept: true });
      await shop.send(saleId, { kind: "update_payment", paymentId: payment.id, event: "failed" });
      expect(await shop.fixture.records.payment(payment.id)).toMatchObject({ state: "captured" });
    },
  },
  {
    rule: "PA8",
    title: "an unknown payment or refund is unknown",
    run: async (shop) => {
      const { saleId } = await reserved(shop);
      const [paymentId, refundId] = [shop.newPaymentId(), shop.newRefundId()];
      expect(await shop.send(saleId, { kind: "update_payment", paymentId, event: "failed" })).toEqual({ kind: "payment_unknown" });
      expect(await shop.send(saleId, { kind: "capture", captureId: "c", paymentId, money: price, refundId })).toEqual({
        kind: "payment_unknown",
      });
      const update = { kind: "update_refund", refundId, event: "send", nextTryAtMs: shop.nowMs } as const;
      expect(await shop.send(saleId, update)).toEqual({ kind: "refund_unknown" });
    },
  },
  {
    rule: "PA9",
    title: "the shop refunds a paid order once; without stock the unit stays sold",
    run: async (shop) => {
      const { saleId, purchase } = await reserved(shop);
      await shop.pay(purchase);
      const first = await shop.refund(purchase, { returnStock: false });
      expect(first).toMatchObject({ kind: "refunding", repeated: false, refund: { money: price, reason: "requested_by_shop" } });
      const again = await shop.refund(purchase, { returnStock: true });
      expect(again).toMatchObject({ kind: "refunding", repeated: true });
      if (first.kind === "refunding" && again.kind === "refunding") expect(again.refund).toEqual(first.refund);
      expect(await shop.balances(saleId)).toMatchObject({ available: 1, sold: 1 });
      expect(await shop.order(purchase)).toMatchObject({ state: "paid", refunded: true });
    },
  },
  {
    rule: "ST7",
    title: "a refund with stock returns the units once, also when asked twice at once",
    run: async (shop) => {
      const { saleId, purchase } = await reserved(shop);
      await shop.pay(purchase);
      await Promise.all([1, 2].map(() => shop.refund(purchase, { returnStock: true })));
      expect(await shop.balances(saleId)).toEqual({ issued: 2, available: 2, held: 0, sold: 0, withdrawn: 0 });
      await shop.accept(saleId, { buyer: await shop.buyer("bob") });
    },
  },
  {
    rule: "PA9",
    title: "only a paid order can be refunded by the shop",
    run: async (shop) => {
      const { purchase } = await reserved(shop);
      expect(await shop.refund(purchase, { returnStock: true })).toMatchObject({ kind: "not_paid", purchase: { state: "reserved" } });
      await shop.cancel(purchase);
      expect(await shop.refund(purchase, { returnStock: true })).toMatchObject({ kind: "not_paid", purchase: { state: "cancelled" } });
    },
  },
  {
    rule: "PA10",
    title: "a refund is sent, may fail, is sent again and ends; due ones are listed until then",
    run: async (shop) => {
      const { saleId, purchase } = await reserved(shop);
      await shop.pay(purchase);
      const started = await shop.refund(purchase, { returnStock: false });
      if (started.kind !== "refunding") throw new Error("expected a refund");
      const { id: refundId } = started.refund;
      const due = async () => (await shop.fixture.records.dueRefunds(shop.nowMs, 10)).map((refund) => refund.id);
      const update = (event: "send" | "done" | "failed", inMs = minuteMs) =>
        shop.send(saleId, { kind: "update_refund", refundId, event, nextTryAtMs: shop.nowMs + inMs });
      expect(await due()).toEqual([refundId]);
      expect(await update("done")).toEqual({ kind: "not_allowed", state: "requested" });
      expect(await update("send")).toMatchObject({ kind: "updated", refund: { state: "sent", tries: 1 } });
      expect(await due()).toEqual([]);
      await shop.fixture.time.advance(minuteMs);
      expect(await due()).toEqual([refundId]);
      expect(await update("failed")).toMatchObject({ refund: { state: "failed" } });
      expect(await update("send")).toMatchObject({ refund: { state: "sent", tries: 2 } });
      expect(await update("done")).toMatchObject({ refund: { state: "done" } });
      await shop.fixture.time.advance(2 * minuteMs);
      expect(await due()).toEqual([]);
      expect(await shop.fixture.records.refund(refundId)).toMatchObject({ state: "done", tries: 2 });
      expect(await shop.fixture.records.totals()).toMatchObject({ refundsOpen: 0 });
    },
  },
  {
    rule: "PA11",
    title: "per capture one fate: kept by its order, or refunded in full",
    run: async (shop) => {
      const { purchase } = await reserved(shop);
      const payment = await shop.openPayment(purchase);
      await Promise.all([
        shop.capture(payment, { id: "c1", money: euros(1) }),
        shop.capture(payment, { id: "c2" }),
        shop.capture(payment, { id: "c3" }),
        shop.capture(payment, { id: "c2" }),
      ]);
      const refunds = await shop.fixture.records.refundsOf(purchase.id);
      const fates = refunds.map((refund) => [refund.captureId, refund.money.minor, refund.reason]);
      expect(fates.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))).toEqual([
        ["c1", 1, "wrong_amount"],
        ["c3", price.minor, "second_capture"],
      ]);
    },
  },
  {
    rule: "PA8",
    title: "quiet payments are those open and not heard of, oldest first",
    run: async (shop) => {
      const saleId = await shop.sale();
      const [ann, bob, cat] = (await shop.buyers(3)).map((buyer) => must(buyer));
      const open = async (buyer: typeof ann) => shop.openPayment(await shop.accept(saleId, { buyer: must(buyer) }));
      const first = await open(ann);
      await shop.fixture.time.advance(minuteMs);
      const second = await open(bob);
      const failed = await open(cat);
      await shop.send(saleId, { kind: "update_payment", paymentId: failed.id, event: "failed" });
      const quiet = async (beforeMs: number) => (await shop.fixture.records.quietPayments(beforeMs, 10)).map((payment) => payment.id);
      expect(await quiet(first.changedAtMs)).toEqual([]);
      expect(await quiet(shop.nowMs)).toEqual([first.id]);
      expect(await quiet(shop.nowMs + 1)).toEqual([first.id, second.id]);
    },
  },
];
