/**
 * Where every capture's money is (I9): kept by one paid order that costs exactly it, or refunded in full by one refund
 * with the right reason. Refunds are few and kept in memory; payments and captures are streams.
 */
import { NumberColumn } from "../../lib/number-column.ts";
import { sameMoney, type Money } from "../../domain/money.ts";
import { openPaymentStates } from "../../domain/movement.ts";
import { paymentTransitions, refundTransitions, type Capture, type Payment, type Refund, type RefundReason } from "../../domain/payment.ts";
import { extensionMs, paymentGraceMs, type PurchaseState } from "../../domain/purchase.ts";
import type { Check, Checks } from "./check.ts";
import { IdIndex } from "./id-index.ts";
import type { ProviderCheck } from "./check-provider.ts";
import type { StoreTables } from "./store-tables.ts";

const closedStates: readonly (PurchaseState | undefined)[] = ["cancelled", "expired", "closed"];

/** Refunds come first: the ledger's returns and the limits need them. */
export function readRefund(tables: StoreTables, checks: Checks, refund: Refund): void {
  const check = checks.of("I9");
  check.count();
  if (tables.refunds.has(refund.id)) return check.off(`refund ${refund.id}`, "is there twice");
  check.expect(
    Object.hasOwn(refundTransitions, refund.state),
    () => `refund ${refund.id}`,
    () => "its state does not exist",
  );
  tables.refunds.set(refund.id, { refund, returned: false });
  const others = tables.refundsOfCapture.get(refund.captureId);
  if (others === undefined) tables.refundsOfCapture.set(refund.captureId, [refund]);
  else others.push(refund);
  const row = tables.purchaseIn(refund.saleId, refund.purchaseId);
  if (row < 0) return check.off(`refund ${refund.id}`, `has no purchase in sale ${refund.saleId}`);
  if (refund.reason === "requested_by_shop") tables.purchases.shopRefunds.add(row, 1);
}

export class MoneyCheck {
  readonly #tables: StoreTables;
  readonly #check: Check;
  readonly #provider: ProviderCheck | undefined;
  readonly #payments = new IdIndex();
  readonly #purchaseOf = new NumberColumn();
  readonly #captured = new NumberColumn();
  readonly #captures = new NumberColumn();
  /** Purchases with a payment that may still take money, of which there is one at a time. */
  readonly #open = new NumberColumn();

  constructor(tables: StoreTables, checks: Checks, provider: ProviderCheck | undefined) {
    this.#tables = tables;
    this.#check = checks.of("I9");
    this.#provider = provider;
  }

  payment(payment: Payment): void {
    this.#check.count();
    const off = (problem: string) => this.#check.off(`payment ${payment.id}`, problem);
    const purchase = this.#tables.purchaseIn(payment.saleId, payment.purchaseId);
    if (purchase < 0) return off(`has no purchase in sale ${payment.saleId}`);
    const row = this.#payments.add(payment.id);
    if (row < 0) return off("its id is not one payment's alone");
    this.#purchaseOf.set(row, purchase);
    this.#captured.set(row, payment.state === "captured" ? 1 : 0);
    const { purchases } = this.#tables;
    if (!purchases.costs(purchase, payment.money)) off(`asks ${inWords(payment.money)}, not its order's price`);
    if (!Object.hasOwn(paymentTransitions, payment.state)) off("its state does not exist");
    if (openPaymentStates.includes(payment.state)) {
      this.#open.add(purchase, 1);
      if (this.#open.get(purchase) > 1) off("its order has another payment that may still take money");
    }
    this.#grace(purchase, payment.createdAtMs);
    this.#provider?.payment(payment);
  }

  /**
   * Extensions after the payment move its grace, those before it do not. A program that knows of none counts from the first
   * deadline, and may have started the payment beside one that extended the order.
   */
  #grace(row: number, startedAtMs: number): void {
    const { purchases } = this.#tables;
    const payByMs = purchases.payByMs.get(row);
    const extendedMs = purchases.extensions.get(row) * extensionMs;
    const fromMs = Math.min(startedAtMs, payByMs) + paymentGraceMs;
    const toMs = Math.min(startedAtMs, payByMs) + extendedMs + paymentGraceMs;
    purchases.graceFromMs.set(row, Math.max(purchases.graceFromMs.get(row), fromMs));
    purchases.graceToMs.set(row, Math.max(purchases.graceToMs.get(row), toMs));
  }

  capture(capture: Capture): void {
    this.#check.count();
    const off = (problem: string) => this.#check.off(`capture ${capture.id}`, problem);
    const row = this.#payments.find(capture.paymentId);
    const purchase = this.#tables.purchaseIn(capture.saleId, capture.purchaseId);
    const refunds = this.#tables.refundsOfCapture.get(capture.id) ?? [];
    this.#tables.refundsOfCapture.delete(capture.id);
    this.#provider?.capture(capture);
    if (row < 0) off(`has no payment ${capture.paymentId}`);
    else {
      this.#captures.add(row, 1);
      if (this.#purchaseOf.get(row) !== purchase) off("its payment belongs to another purchase");
      if (this.#captured.get(row) === 0) off("its payment does not say captured");
    }
    if (purchase < 0) return off(`has no purchase in sale ${capture.saleId}`);
    for (const refund of refunds) this.#refundOf(capture, refund);
    if (capture.kept) this.#kept(capture, purchase, refunds, off);
    else this.#givenBack(capture, purchase, refunds, off);
  }

  end(): void {
    const { purchases, refundsOfCapture, refunds } = this.#tables;
    for (const orphans of refundsOfCapture.values())
      for (const refund of orphans) this.#check.off(`refund ${refund.id}`, `has no capture ${refund.captureId}`);
    for (const { refund, returned } of refunds.values())
      if (refund.returnStock && !returned) this.#check.off(`refund ${refund.id}`, "gave units back that the ledger does not return");
    for (let row = 0; row < this.#payments.size; row++)
      if (this.#captured.get(row) === 1 && this.#captures.get(row) === 0)
        this.#check.off(`payment ${this.#payments.idAt(row)}`, "says captured without a capture");
    for (let row = 0; row < purchases.ids.size; row++) {
      const kept = purchases.keptCaptures.get(row);
      const paid = purchases.stateAt(row) === "paid";
      if (kept !== (paid ? 1 : 0)) this.#check.off(purchases.nameAt(row), `is ${purchases.stateAt(row)} and keeps ${kept} captures`);
      const flagged = purchases.refundedFlag.get(row);
      const refunds = purchases.shopRefunds.get(row);
      if (flagged !== refunds)
        this.#check.off(
          purchases.nameAt(row),
          `${flagged === 1 ? "says refunded" : "does not say refunded"}; the shop asked for ${refunds} refunds`,
        );
    }
    this.#provider?.end();
  }

  #kept(capture: Capture, purchase: number, refunds: readonly Refund[], off: (problem: string) => void): void {
    const { purchases } = this.#tables;
    purchases.keptCaptures.add(purchase, 1);
    if (!purchases.costs(purchase, capture.money)) off(`keeps ${inWords(capture.money)}, not its order's price`);
    if (refunds.length > 1) off(`is kept and refunded ${refunds.length} times`);
    for (const refund of refunds) if (refund.reason !== "requested_by_shop") off(`is kept and refunded as ${refund.reason}`);
  }

  #givenBack(capture: Capture, purchase: number, refunds: readonly Refund[], off: (problem: string) => void): void {
    if (refunds.length !== 1) off(`is not kept and has ${refunds.length} refunds`);
    for (const refund of refunds)
      if (!this.#isRight(refund.reason, capture, purchase)) off(`is refunded as ${refund.reason}, which it is not`);
  }

  #isRight(reason: RefundReason, capture: Capture, purchase: number): boolean {
    const { purchases } = this.#tables;
    if (!purchases.costs(purchase, capture.money)) return reason === "wrong_amount";
    const state = purchases.stateAt(purchase);
    return reason === "second_capture" ? state === "paid" : reason === "order_closed" && closedStates.includes(state);
  }

  #refundOf(capture: Capture, refund: Refund): void {
    const same = refund.paymentId === capture.paymentId && refund.purchaseId === capture.purchaseId && refund.saleId === capture.saleId;
    if (!same) this.#check.off(`refund ${refund.id}`, `names another order than its capture ${capture.id}`);
    if (!sameMoney(refund.money, capture.money))
      this.#check.off(`refund ${refund.id}`, `gives ${inWords(refund.money)} of a capture of ${inWords(capture.money)}`);
    if (refund.returnStock && refund.reason !== "requested_by_shop")
      this.#check.off(`refund ${refund.id}`, "gives units back that its order never sold");
    this.#provider?.refund(refund);
  }
}

export const inWords = ({ minor, currency }: Money) => `${minor} ${currency} (smallest units)`;
