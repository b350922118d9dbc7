/** What a payment provider says it did: docs/spec/history.md has the format. */
import { parseCurrency, type Money } from "../../domain/money.ts";

export type ProviderLine =
  | { readonly kind: "capture"; readonly captureId: string; readonly paymentId: string; readonly money: Money }
  | { readonly kind: "refund"; readonly refundId: string; readonly captureId: string; readonly money: Money };

export class ProviderRecord {
  readonly captures = new Map<string, { readonly paymentId: string; readonly money: Money }>();
  readonly refunds = new Map<string, { readonly captureId: string; readonly money: Money }>();
  /** Ids that came twice: money moved twice. */
  readonly repeated: string[] = [];

  add(line: ProviderLine): void {
    if (line.kind === "capture") {
      if (this.captures.has(line.captureId)) this.repeated.push(`capture ${line.captureId}`);
      this.captures.set(line.captureId, line);
    } else {
      if (this.refunds.has(line.refundId)) this.repeated.push(`refund ${line.refundId}`);
      this.refunds.set(line.refundId, line);
    }
  }
}

export function parseProviderLine(line: string): ProviderLine | { readonly problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { problem: "a line is one JSON object" };
  }
  if (typeof value !== "object" || value === null) return { problem: "a line is one JSON object" };
  const found = new Map<string, unknown>(Object.entries(value));
  const minor = found.get("amount_minor");
  const currencyText = found.get("currency");
  const currency = typeof currencyText === "string" ? parseCurrency(currencyText) : undefined;
  const [captureId, paymentId, refundId] = [found.get("capture"), found.get("payment"), found.get("refund")];
  if (typeof captureId !== "string") return { problem: `"capture" is missing or illegal` };
  if (typeof minor !== "number" || !Number.isSafeInteger(minor)) return { problem: `"amount_minor" is missing or illegal` };
  if (currency === undefined) return { problem: `"currency" is missing or illegal` };
  const money = { minor, currency };
  if (typeof refundId === "string") return { kind: "refund", refundId, captureId, money };
  if (typeof paymentId === "string") return { kind: "capture", captureId, paymentId, money };
  return { problem: `"payment" or "refund" is missing or illegal` };
}
