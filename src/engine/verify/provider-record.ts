/** What a payment provider says it did: docs/spec/history.md has the format. */
import { parseCurrency, sameMoney, type Money } from "../../domain/money.ts";

export type ProviderLine =
  | { readonly kind: "capture"; readonly id: string; readonly paymentId: string; readonly money: Money }
  | { readonly kind: "refund"; readonly id: string; readonly captureId: string; readonly money: Money }
  /** Something the provider notes that moves no money. */
  | { readonly kind: "other" };

type Captured = { readonly paymentId: string; readonly money: Money };
type Refunded = { readonly captureId: string; readonly money: Money };

export class ProviderRecord {
  readonly captures = new Map<string, Captured>();
  readonly refunds = new Map<string, Refunded>();
  /** What came twice and not the same: one of the two is not in anybody's books. */
  readonly contradictions: string[] = [];

  add(line: ProviderLine): void {
    if (line.kind === "capture") {
      const before = this.captures.get(line.id);
      if (before === undefined) this.captures.set(line.id, line);
      else if (before.paymentId !== line.paymentId || !sameMoney(before.money, line.money)) this.contradictions.push(`capture ${line.id}`);
    } else if (line.kind === "refund") {
      const before = this.refunds.get(line.id);
      if (before === undefined) this.refunds.set(line.id, line);
      else if (before.captureId !== line.captureId || !sameMoney(before.money, line.money)) this.contradictions.push(`refund ${line.id}`);
    }
  }
}

export function parseProviderLine(line: string): ProviderLine | { readonly problem: string } {
  const found = fieldsOf(line);
  if (found === undefined) return { problem: "a line is one JSON object" };
  const kind = found.get("kind");
  if (kind !== "capture" && kind !== "refund") return typeof kind === "string" ? { kind: "other" } : missing("kind");
  const id = found.get("id");
  const money = moneyOf(found.get("money"));
  if (typeof id !== "string") return missing("id");
  if (money === undefined) return missing("money");
  const of = found.get(kind === "capture" ? "paymentId" : "captureId");
  if (typeof of !== "string") return missing(kind === "capture" ? "paymentId" : "captureId");
  return kind === "capture" ? { kind, id, paymentId: of, money } : { kind, id, captureId: of, money };
}

const missing = (name: string) => ({ problem: `"${name}" is missing or illegal` });

function fieldsOf(line: string): Map<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? new Map(Object.entries(value)) : undefined;
  } catch {
    return undefined;
  }
}

function moneyOf(value: unknown): Money | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const found = new Map<string, unknown>(Object.entries(value));
  const [minor, text] = [found.get("minor"), found.get("currency")];
  const currency = typeof text === "string" ? parseCurrency(text) : undefined;
  return typeof minor === "number" && Number.isSafeInteger(minor) && currency !== undefined ? { minor, currency } : undefined;
}
