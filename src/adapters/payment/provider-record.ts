/**
 * What the simulated provider did, as its journal tells it. It is evidence: an auditor compares it with the shop's books,
 * so it holds every unit of money that was taken or returned, whoever was told of it.
 */
import type { Money } from "../../domain/money.ts";
import { unreachable } from "../../lib/assert.ts";

export type ProviderLine =
  | ({ readonly kind: "payment"; readonly id: string } & PaymentTerms)
  | { readonly kind: "failed"; readonly paymentId: string; readonly atMs: number }
  | ({ readonly kind: "capture"; readonly id: string } & CaptureTerms)
  | ({ readonly kind: "refund"; readonly id: string } & RefundTerms)
  | { readonly kind: "delivered"; readonly callbackId: string; readonly atMs: number };

type PaymentTerms = {
  readonly purchaseId: string;
  readonly money: Money;
  readonly holdUntilMs: number;
  readonly scenario: string;
  readonly atMs: number;
};
type CaptureTerms = { readonly paymentId: string; readonly money: Money; readonly atMs: number };
type RefundTerms = { readonly captureId: string; readonly money: Money; readonly atMs: number };

export type ProviderPayment = { readonly id: string; failedAtMs?: number | undefined; readonly captures: ProviderMoney[] } & PaymentTerms;
export type ProviderMoney = { readonly id: string; refundedMinor: number } & CaptureTerms;
export type ProviderRefund = { readonly id: string } & RefundTerms;

export class ProviderRecord {
  readonly payments = new Map<string, ProviderPayment>();
  readonly captures = new Map<string, ProviderMoney>();
  readonly refunds = new Map<string, ProviderRefund>();
  /** Ids of callbacks that the shop has acknowledged. */
  readonly delivered = new Set<string>();

  /** A line that comes twice, because its first writing seemed to fail, counts once. */
  apply(line: ProviderLine): void {
    switch (line.kind) {
      case "payment":
        if (!this.payments.has(line.id)) this.payments.set(line.id, { ...line, captures: [] });
        return;
      case "failed": {
        const payment = this.payments.get(line.paymentId);
        if (payment !== undefined) payment.failedAtMs ??= line.atMs;
        return;
      }
      case "capture": {
        if (this.captures.has(line.id)) return;
        const capture = { ...line, refundedMinor: 0 };
        this.captures.set(line.id, capture);
        this.payments.get(line.paymentId)?.captures.push(capture);
        return;
      }
      case "refund": {
        if (this.refunds.has(line.id)) return;
        this.refunds.set(line.id, line);
        const capture = this.captures.get(line.captureId);
        if (capture !== undefined) capture.refundedMinor += line.money.minor;
        return;
      }
      case "delivered":
        this.delivered.add(line.callbackId);
        return;
      default:
        unreachable(line);
    }
  }
}

export function readProviderLines(lines: readonly string[]): ProviderRecord {
  const record = new ProviderRecord();
  applyProviderLines(record, lines);
  return record;
}

export function applyProviderLines(record: ProviderRecord, lines: readonly string[]): void {
  for (const line of lines) {
    // Only providers write these lines.
    record.apply(JSON.parse(line) as ProviderLine);
  }
}
