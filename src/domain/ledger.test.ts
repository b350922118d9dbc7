import { describe, expect, test } from "bun:test";
import { emptyBalances, entryKinds, imbalanceOf, post, replay, type Balances, type EntryKind } from "./ledger.ts";

const some: Balances = { issued: 40, available: 10, held: 10, sold: 10, withdrawn: 10 };

describe("[ST2] each entry moves units between two accounts", () => {
  const rows: readonly (readonly [EntryKind, Partial<Balances>])[] = [
    ["issue", { issued: 43, available: 13 }],
    ["take", { available: 7, held: 13 }],
    ["pay", { held: 7, sold: 13 }],
    ["cancel", { held: 7, available: 13 }],
    ["expire", { held: 7, available: 13 }],
    ["close", { held: 7, available: 13 }],
    ["return", { sold: 7, available: 13 }],
    ["withdraw", { available: 7, withdrawn: 13 }],
  ];
  test.each(rows)("%s", (kind, expected) => expect(post(some, kind, 3)).toEqual({ ...some, ...expected }));
  test("no kind is forgotten", () => expect<string[]>(rows.map(([kind]) => kind)).toEqual([...entryKinds]));
});

describe("[ST1] what would break a balance is never posted", () => {
  const rows: readonly (readonly [EntryKind, Balances])[] = [
    ["take", { ...some, available: 2, issued: 32 }],
    ["pay", { ...some, held: 2, issued: 32 }],
    ["cancel", { ...some, held: 2, issued: 32 }],
    ["expire", { ...some, held: 2, issued: 32 }],
    ["close", { ...some, held: 2, issued: 32 }],
    ["return", { ...some, sold: 2, issued: 32 }],
    ["withdraw", { ...some, available: 2, issued: 32 }],
  ];
  test.each(rows)("%s of more than there is", (kind, before) => expect(() => post(before, kind, 3)).toThrow("I1"));
  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])("%p units", (units) =>
    expect(() => post(some, "issue", units)).toThrow("at least one unit"),
  );
});

describe("[ST2] an imbalance is named", () => {
  const rows: readonly (readonly [string, Balances, string | undefined])[] = [
    ["balanced", some, undefined],
    ["empty", emptyBalances, undefined],
    ["negative", { ...some, available: -1, issued: 29 }, "I1: every balance ≥ 0"],
    ["not a number", { ...some, available: Number.NaN }, "I1: every balance ≥ 0"],
    ["more held and sold than issued", { issued: 9, available: 0, held: 5, sold: 5, withdrawn: 0 }, "I1: held + sold ≤ issued − withdrawn"],
    ["a unit lost", { ...some, available: 9 }, "I2: available + held + sold + withdrawn = issued"],
  ];
  test.each(rows)("%s", (_, balances, expected) => expect(imbalanceOf(balances)).toBe(expected));
});

test("[ST2] a replay is the sum of its entries, and stops at the first illegal one", () => {
  const entries = [
    { kind: "issue", units: 5 },
    { kind: "take", units: 2 },
    { kind: "pay", units: 2 },
    { kind: "withdraw", units: 3 },
  ] as const;
  expect(replay(entries)).toEqual({ issued: 5, available: 0, held: 0, sold: 2, withdrawn: 3 });
  expect(replay([])).toEqual(emptyBalances);
  expect(() => replay([...entries, { kind: "take", units: 1 }])).toThrow("I1");
});
