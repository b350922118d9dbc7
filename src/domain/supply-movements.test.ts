import { expect, test } from "bun:test";
import { must, sampleEndMs, sampleNowMs, sampleSale } from "../../tests/kit/samples.ts";
import { noFacts } from "./batch-state.ts";
import { parseAdjustmentId } from "./ids.ts";
import { unitsMax } from "./ledger.ts";
import type { Adjust, AdjustOutcome, MovementOutcome } from "./movement.ts";
import { decideBatch } from "./sale-batch.ts";
import type { Sale } from "./sale.ts";

const adjustmentId = must(parseAdjustmentId("9"));
const adjustment: Adjust = { kind: "adjust", adjustmentId, units: 2, reason: "a box was found", actor: "one" };

function decided(sale: Sale, inventory: number | null, movement: Adjust | { kind: "settle" }, nowMs = sampleNowMs) {
  const facts = { ...noFacts(sale), product: { inventory } };
  const full = movement.kind === "settle" ? ({ kind: "settle", adjustmentId } as const) : movement;
  const { outcomes, writes, changed } = decideBatch(facts, [full], nowMs);
  return { outcome: must(outcomes[0]), writes, changed };
}

const supplied = (change: Parameters<typeof sampleSale>[0] = {}) => sampleSale({ fromInventory: true, ...change });
const taken = { available: 0, held: 10 };

// oxfmt-ignore
const rows: readonly (readonly [about: string, sale: Sale, free: number | null, change: Partial<Adjust>, expected: Partial<AdjustOutcome>])[] = [
  ["up", sampleSale(), null, {}, { kind: "adjusted", applied: 2 }],
  ["up, out of the inventory", supplied(), 2, {}, { kind: "adjusted", applied: 2 }],
  ["beyond the inventory", supplied(), 1, {}, { kind: "invalid", field: "units", problem: "must be at most 1, the product's free inventory" }],
  ["up, where nobody counts any more", supplied(), null, {}, { kind: "adjusted", applied: 2 }],
  ["up, of a sale that came before the counting", sampleSale(), 0, {}, { kind: "adjusted", applied: 2 }],
  ["down", sampleSale(), null, { units: -3 }, { kind: "adjusted", applied: -3 }],
  ["down, of what is free", sampleSale(), null, { units: -30 }, { kind: "adjusted", applied: -10 }],
  ["down, of nothing", sampleSale({ balances: taken }), null, { units: -3 }, { kind: "adjusted", applied: 0 }],
  ["nothing", sampleSale(), null, { units: 0 }, { kind: "invalid", field: "units" }],
  ["beyond the bound", sampleSale(), null, { units: unitsMax - 9 }, { kind: "invalid", field: "units" }],
  ["no reason", sampleSale(), null, { reason: " " }, { kind: "invalid", field: "reason" }],
  ["no reason and nothing: the reason is asked for first", sampleSale(), null, { reason: "", units: 0 }, { kind: "invalid", field: "reason" }],
  ["a draft, whatever is wrong besides", sampleSale({ phase: "draft" }), null, { units: 0 }, { kind: "not_adjustable", status: "draft" }],
  ["a paused sale", sampleSale({ paused: true }), null, {}, { kind: "adjusted", applied: 2 }],
  ["a cancelled sale", sampleSale({ phase: "cancelled" }), null, {}, { kind: "not_adjustable", status: "cancelled" }],
];

for (const [about, sale, free, change, expected] of rows)
  test(`[A6] an adjustment: ${about}`, () => {
    const { outcome, writes, changed } = decided(sale, free, { ...adjustment, ...change });
    expect(outcome).toMatchObject(expected as MovementOutcome);
    expect(changed).toBe(outcome.kind === "adjusted");
    const applied = outcome.kind === "adjusted" ? outcome.applied : 0;
    expect(writes.ledger.map(({ kind, units }) => (kind === "issue" ? units : -units))).toEqual(applied === 0 ? [] : [applied]);
    const { inventory } = writes;
    expect(inventory.map(({ kind, units }) => (kind === "allot" ? 1 : -1) * (units ?? 0))).toEqual(
      sale.fromInventory && applied !== 0 ? [applied] : [],
    );
    for (const { balance } of inventory) expect(balance).toBe(free === null ? null : free - applied);
    const kept = [...writes.adjustments.values()];
    expect(kept).toEqual(
      outcome.kind === "adjusted"
        ? [
            {
              id: adjustmentId,
              saleId: sale.id,
              kind: "adjust",
              asked: change.units ?? 2,
              applied,
              reason: "a box was found",
              actor: "one",
              atMs: sampleNowMs,
            },
          ]
        : [],
    );
  });

// oxfmt-ignore
const settlements: readonly (readonly [about: string, sale: Sale, nowMs: number, expected: object])[] = [
  ["live", sampleSale(), sampleNowMs, { kind: "not_over", status: "live", held: 0 }],
  ["a moment before its end", sampleSale(), sampleEndMs - 1, { kind: "not_over" }],
  ["at its end", sampleSale(), sampleEndMs, { kind: "settled", units: 10, repeated: false }],
  ["ended, with an order that may still be paid", sampleSale({ balances: { available: 9, held: 1 } }), sampleEndMs, { kind: "not_over", status: "ended", held: 1 }],
  ["ended and sold out", sampleSale({ balances: { available: 0, sold: 10 } }), sampleEndMs, { kind: "settled", units: 0, repeated: false }],
  ["settled before", sampleSale({ settledAtMs: 5, balances: { available: 0, withdrawn: 10 } }), sampleEndMs, { kind: "settled", units: 0, repeated: true }],
  ["settled before, with units that came back", sampleSale({ settledAtMs: 5, balances: { available: 1, sold: 9 } }), sampleEndMs, { kind: "settled", units: 1, repeated: false }],
  ["cancelled", sampleSale({ phase: "cancelled" }), sampleNowMs, { kind: "settled", units: 10, repeated: false }],
  ["a draft", sampleSale({ phase: "draft" }), sampleEndMs, { kind: "not_over", status: "draft" }],
];

for (const [about, sale, nowMs, expected] of settlements)
  test(`[ST13] settling a sale: ${about}`, () => {
    const { outcome, writes } = decided({ ...sale, fromInventory: true }, 3, { kind: "settle" }, nowMs);
    expect(outcome).toMatchObject(expected);
    const units = outcome.kind === "settled" ? outcome.units : 0;
    expect(writes.sale.balances.withdrawn - sale.balances.withdrawn).toBe(units);
    expect(writes.inventory.at(-1)?.balance ?? 3).toBe(3 + units);
    if (outcome.kind === "settled" && !outcome.repeated) expect(writes.sale.settledAtMs).toBe(nowMs);
  });

test("[IN4] two adjustments of one batch see each other's units", () => {
  const facts = { ...noFacts(supplied()), product: { inventory: 3 } };
  const other = { ...adjustment, adjustmentId: must(parseAdjustmentId("10")) };
  const { outcomes, writes } = decideBatch(facts, [adjustment, other, adjustment], sampleNowMs);
  expect(outcomes.map(({ kind }) => kind)).toEqual(["adjusted", "invalid", "adjusted"]);
  expect(outcomes[2]).toMatchObject({ repeated: true });
  expect(writes.inventory).toHaveLength(1);
});
