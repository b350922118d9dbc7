import { expect, test } from "bun:test";
import { buyerId, money, purchaseId, samplePurchase, sampleSale, sampleNowMs } from "../../tests/kit/samples.ts";
import { noFacts, type SaleFacts } from "./batch-state.ts";
import { feedOf, type FeedPatch } from "./feed.ts";
import type { Line } from "./journal-message.ts";
import type { Movement } from "./movement.ts";
import { decideBatch } from "./sale-batch.ts";
import type { Sale } from "./sale.ts";
import { newScope, type Scope } from "./scope.ts";

const id = samplePurchase().saleId;
const scopeOf = (change: Partial<Scope> = {}): Scope => ({ ...newScope(id, 1), state: "open", epoch: 2, ...change });
const held = samplePurchase({ quantity: 2 });
const line = (change: Partial<Line> = {}): Line => ({
  purchaseId: purchaseId("90"),
  buyerId: buyerId(8),
  quantity: 1,
  price: money(500),
  limit: 2,
  acceptedAtMs: sampleNowMs - 50,
  ...change,
});

/** What the cache hears of movements, decided over a sale with one purchase of two units. */
function fed(
  movements: readonly Movement[],
  { scope = scopeOf(), sale = {} }: { scope?: Scope; sale?: Partial<Sale> } = {},
): FeedPatch | undefined {
  const balances = { issued: 10, available: 8, held: 2 };
  const facts: SaleFacts = { ...noFacts(sampleSale({ ...sale, balances, scopeId: id })), scope, purchases: new Map([[held.id, held]]) };
  const before = { sale: facts.sale, purchases: new Map(facts.purchases) };
  return feedOf(before, decideBatch(facts, movements, sampleNowMs).writes);
}

type Row = readonly [what: string, movements: readonly Movement[], fed: Partial<FeedPatch> | undefined];

// oxfmt-ignore
const rows: readonly Row[] = [
  ["a return", [{ kind: "cancel", purchaseId: held.id }], { available: 2, buyers: [[held.buyerId, -2]] }],
  ["the same return twice", [{ kind: "cancel", purchaseId: held.id }, { kind: "cancel", purchaseId: held.id }], { available: 2 }],
  ["more units", [{ kind: "adjust", adjustmentId: "91" as never, units: 3, reason: "found", actor: "one" }], { available: 3, buyers: [] }],
  ["a pause", [{ kind: "switch", change: { kind: "pause" } }], { available: 0, paused: true }],
  ["an extension", [{ kind: "switch", change: { kind: "extend", endsAtMs: 2_100_000 } }], { available: 0, endsAtMs: 2_100_000 }],
  ["a cancellation: whatever is free is nobody's", [{ kind: "switch", change: { kind: "cancel_sale" } }], { available: 0, cancelled: true }],
  ["a line that settles: the cache took it before", [{ kind: "admit", line: line(), epoch: 2 }], undefined],
  ["a line that settles, and a return", [{ kind: "admit", line: line(), epoch: 2 }, { kind: "cancel", purchaseId: held.id }], { available: 2, buyers: [[held.buyerId, -2]] }],
  ["a line that is discarded under the epoch that stands", [{ kind: "decline", line: line(), epoch: 2, reason: "discarded" }], { available: 1, buyers: [[buyerId(8), -1]] }],
  ["a line that is discarded under an epoch that is over: a cut has counted it free", [{ kind: "decline", line: line(), epoch: 1, reason: "discarded" }], undefined],
  ["a line beyond its limit: buyer and unit are free", [{ kind: "admit", line: line({ quantity: 3, limit: 2 }), epoch: 2 }], { available: 3, buyers: [[buyerId(8), -3]] }],
  ["a line that met no stock: there is no unit to give back", [{ kind: "admit", line: line({ quantity: 9, limit: 9 }), epoch: 2 }], undefined],
];

test("[QL4] [QL5] what flows back, or is turned, is told to the cache; what the cache did itself is not", () => {
  for (const [what, movements, expected] of rows) {
    const patch = fed(movements);
    if (expected === undefined) expect([what, patch]).toEqual([what, undefined]);
    else expect([what, patch]).toMatchObject([what, expected]);
  }
});

test("[QL5] of a sale that was cancelled, a line on its way is refused, and nothing of it is told", () => {
  const patch = fed([{ kind: "admit", line: line(), epoch: 2 }], { sale: { phase: "cancelled" } });
  expect(patch).toMatchObject({ available: 0, buyers: [[buyerId(8), -1]] });
});

test("[QL2] a line that is parked holds nothing, and tells nothing", () =>
  expect(fed([{ kind: "admit", line: line(), epoch: 1 }], { scope: scopeOf({ state: "opening" }) })).toBeUndefined());
