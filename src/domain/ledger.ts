/**
 * Stock is a double-entry ledger, not a counter. Five accounts per sale; every entry moves units between two of them,
 * and entering from outside counts as a move out of nowhere into `issued`.
 *
 *   issue ──► available ──take──► held ──pay──► sold
 *                 │  ◄──cancel, expire, close──┘     │
 *                 │  ◄─────────────return────────────┘
 *                 └──withdraw──► withdrawn
 *
 * Invariants I1 and I2 hold after every entry; `post` checks them before and after.
 */
import { assert } from "../lib/assert.ts";
import type { PurchaseId, RefundId, AdjustmentId, SaleId } from "./ids.ts";

export type Balances = {
  readonly issued: number;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  readonly withdrawn: number;
};

export const entryKinds = ["issue", "take", "pay", "cancel", "expire", "close", "return", "withdraw"] as const;
export type EntryKind = (typeof entryKinds)[number];

/** What caused an entry. With the kind it is unique: nothing is entered twice. */
export type EntrySource = PurchaseId | RefundId | AdjustmentId | SaleId;

export type LedgerEntry = {
  readonly saleId: SaleId;
  readonly sourceId: EntrySource;
  readonly kind: EntryKind;
  readonly units: number;
  /** For a take: the buyer's limit in force at that moment (I3). */
  readonly limit?: number | undefined;
  readonly atMs: number;
};

export const emptyBalances: Balances = { issued: 0, available: 0, held: 0, sold: 0, withdrawn: 0 };

/** Units a sale may hold; far below where sums of integers lose exactness. */
export const unitsMax = 1_000_000_000;

type Account = keyof Balances;
const moves: Readonly<Record<EntryKind, { from?: Account; to: Account }>> = {
  issue: { to: "available" },
  take: { from: "available", to: "held" },
  pay: { from: "held", to: "sold" },
  cancel: { from: "held", to: "available" },
  expire: { from: "held", to: "available" },
  close: { from: "held", to: "available" },
  return: { from: "sold", to: "available" },
  withdraw: { from: "available", to: "withdrawn" },
};

/** The balances after an entry. Throws if an invariant would break: deciding must have prevented it. */
export function post(before: Balances, kind: EntryKind, units: number): Balances {
  assert(Number.isSafeInteger(units) && units > 0, () => `an entry moves at least one unit, "${kind}" got ${units}`);
  const { from, to } = moves[kind];
  const after = { ...before };
  if (from === undefined) after.issued += units;
  else after[from] -= units;
  after[to] += units;
  assertBalanced(after);
  return after;
}

export function assertBalanced(balances: Balances): void {
  const broken = imbalanceOf(balances);
  assert(broken === undefined, () => `balances are legal: ${broken} in ${JSON.stringify(balances)}`);
}

/** The broken invariant in words, or undefined. */
export function imbalanceOf(b: Balances): string | undefined {
  if (!(b.issued >= 0 && b.available >= 0 && b.held >= 0 && b.sold >= 0 && b.withdrawn >= 0)) return "I1: every balance ≥ 0";
  if (b.held + b.sold > b.issued - b.withdrawn) return "I1: held + sold ≤ issued − withdrawn";
  if (b.available + b.held + b.sold + b.withdrawn !== b.issued) return "I2: available + held + sold + withdrawn = issued";
  return undefined;
}

export function replay(entries: Iterable<Pick<LedgerEntry, "kind" | "units">>): Balances {
  let balances = emptyBalances;
  for (const entry of entries) balances = post(balances, entry.kind, entry.units);
  return balances;
}
