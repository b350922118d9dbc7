import { describe, expect, test } from "bun:test";
import { sampleEndMs, sampleNowMs, sampleSale, sampleStartMs } from "../../tests/kit/samples.ts";
import { answerOf, refusalToAll, saleAnswers, type SaleAnswer } from "./availability.ts";
import { decideTake } from "./purchase.ts";
import type { Sale } from "./sale.ts";

type Change = Parameters<typeof sampleSale>[0];
const free = { issued: 10, available: 4, held: 3, sold: 3 };
const held = { issued: 10, available: 0, held: 1, sold: 9 };
const gone = { issued: 10, available: 0, held: 0, sold: 10 };

// Status first, then stock: a paused sale with nothing left is paused, and an ended one has ended.
// oxfmt-ignore
const table: readonly (readonly [what: string, change: Change, nowMs: number, answer: SaleAnswer])[] = [
  ["a draft", { phase: "draft", balances: { issued: 0, available: 0 } }, sampleNowMs, "not_published"],
  ["a draft whose window has passed", { phase: "draft" }, sampleEndMs, "not_published"],
  ["before the start", { balances: free }, sampleStartMs - 1, "not_started"],
  ["before the start, paused", { paused: true }, sampleStartMs - 1, "not_started"],
  ["before the start, nothing left", { balances: gone }, sampleStartMs - 1, "not_started"],
  ["at the start", { balances: free }, sampleStartMs, "on_sale"],
  ["the last unit", { balances: { issued: 10, available: 1, held: 0, sold: 9 } }, sampleNowMs, "on_sale"],
  ["some free, some held", { balances: free }, sampleNowMs, "on_sale"],
  ["none free, one unpaid", { balances: held }, sampleNowMs, "all_taken"],
  ["none free, all unpaid", { balances: { issued: 10, available: 0, held: 10 } }, sampleNowMs, "all_taken"],
  ["none free, none unpaid", { balances: gone }, sampleNowMs, "sold_out"],
  ["everything withdrawn", { balances: { issued: 10, available: 0, withdrawn: 10 } }, sampleNowMs, "sold_out"],
  ["paused", { paused: true, balances: free }, sampleNowMs, "paused"],
  ["paused, nothing left", { paused: true, balances: gone }, sampleNowMs, "paused"],
  ["the last moment", { balances: free }, sampleEndMs - 1, "on_sale"],
  ["at the end", { balances: free }, sampleEndMs, "ended"],
  ["over, with unpaid units", { balances: held }, sampleEndMs, "ended"],
  ["cancelled", { phase: "cancelled", balances: free }, sampleNowMs, "sale_cancelled"],
  ["cancelled before the start", { phase: "cancelled" }, sampleStartMs - 1, "sale_cancelled"],
];

describe("[LP1] what a sale can still give", () => {
  test.each(table)("%s", (_, change, nowMs, answer) => expect(answerOf(sampleSale(change), nowMs)).toBe(answer));

  test("every answer stands in the table", () => {
    expect(new Set(table.map(([, , , answer]) => answer))).toEqual(new Set(saleAnswers));
  });

  test.each(table)("is what the decider tells a newcomer who wants one unit: %s", (_, change, nowMs, answer) => {
    const sale: Sale = sampleSale(change);
    const decision = decideTake({ sale, quantity: 1, units: 0, limit: 1, attempts: 0 }, nowMs);
    const told = decision.kind === "refuse" ? decision.refusal.reason : "on_sale";
    expect(told === "sale_unknown" ? "not_published" : told).toBe(answer);
    expect(decision.kind === "refuse" ? decision.refusal : undefined).toEqual(refusalToAll(sale, nowMs));
  });
});
