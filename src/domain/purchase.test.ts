import { describe, expect, test } from "bun:test";
import { money, sampleEndMs, sampleNowMs, samplePurchase, sampleSale, sampleStartMs } from "../../tests/kit/samples.ts";
import {
  amountOf,
  attemptsPerBuyerMax,
  countsAgainstLimit,
  decideTake,
  refusalByStatus,
  refusalByStock,
  transitions,
  type PurchaseEvent,
  type PurchaseState,
  type TakeFacts,
} from "./purchase.ts";

const known = samplePurchase({ quantity: 2, metadata: "{}" });
const refuse = (reason: string, more: object = {}) => ({ kind: "refuse", refusal: { reason, ...more } });

/** Everything is wrong with it at once; each row repairs one thing more, so each answer outranks all below it. */
const worst: TakeFacts = {
  sale: sampleSale({ phase: "cancelled", paused: true, balances: { issued: 10, available: 0, held: 10 } }),
  known: { ...known, quantity: 1 },
  quantity: 2,
  metadata: "{}",
  units: 9,
  limit: 2,
  attempts: attemptsPerBuyerMax,
};
const unkeyed: TakeFacts = { ...worst, known: undefined };
const paused: TakeFacts = { ...unkeyed, sale: { ...worst.sale, phase: "published" } };
const live: TakeFacts = { ...unkeyed, sale: { ...paused.sale, paused: false } };
const within: TakeFacts = { ...live, units: 0 };
const fresh: TakeFacts = { ...within, attempts: attemptsPerBuyerMax - 1 };
const soldOut: TakeFacts = { ...fresh, sale: { ...live.sale, balances: { issued: 10, available: 1, held: 0, sold: 9, withdrawn: 0 } } };
const free: TakeFacts = { ...fresh, sale: sampleSale({ balances: { issued: 2, available: 2 } }) };

describe("[PU2] by descending precedence", () => {
  const rows: readonly (readonly [string, TakeFacts, number, unknown])[] = [
    ["key with another quantity", worst, sampleNowMs, refuse("key_reused")],
    ["key with other metadata", { ...worst, known: { ...known, metadata: undefined } }, sampleNowMs, refuse("key_reused")],
    ["key with the same payload", { ...worst, known }, sampleNowMs, { kind: "replay", purchase: known }],
    ["draft", { ...unkeyed, sale: { ...worst.sale, phase: "draft" } }, sampleNowMs, refuse("sale_unknown")],
    ["cancelled, also after its end", unkeyed, sampleEndMs, refuse("sale_cancelled")],
    ["ended, also if paused", paused, sampleEndMs, refuse("ended", { endedAtMs: sampleEndMs })],
    [
      "not started, also if paused",
      paused,
      sampleStartMs - 1,
      refuse("not_started", { startsAtMs: sampleStartMs, nowMs: sampleStartMs - 1 }),
    ],
    ["paused", paused, sampleNowMs, refuse("paused")],
    ["limit", live, sampleNowMs, refuse("limit_reached", { limit: 2, units: 9 })],
    ["limit by one unit", { ...within, units: 1 }, sampleNowMs, refuse("limit_reached", { limit: 2, units: 1 })],
    ["attempts", within, sampleNowMs, refuse("attempts_exhausted", { attemptsMax: attemptsPerBuyerMax })],
    ["all taken, some held", fresh, sampleNowMs, refuse("all_taken", { held: 10, available: 0 })],
    ["sold out, one unit too few", soldOut, sampleNowMs, refuse("sold_out", { available: 1 })],
    ["everything right", free, sampleNowMs, { kind: "accept" }],
    ["everything right at the first instant", free, sampleStartMs, { kind: "accept" }],
    ["everything right at the last instant", free, sampleEndMs - 1, { kind: "accept" }],
  ];
  test.each(rows)("%s", (_, facts, nowMs, expected) => expect<unknown>(decideTake(facts, nowMs)).toEqual(expected));
});

describe("[PU12] the refusal by status and time", () => {
  const sale = sampleSale();
  const rows: readonly (readonly [string, typeof sale, number, string | undefined])[] = [
    ["before its start", sale, sampleStartMs - 1, "not_started"],
    ["at its start", sale, sampleStartMs, undefined],
    ["before its end", sale, sampleEndMs - 1, undefined],
    ["at its end", sale, sampleEndMs, "ended"],
  ];
  test.each(rows)("%s", (_, each, nowMs, expected) => expect<string | undefined>(refusalByStatus(each, nowMs)?.reason).toBe(expected));
});

test("[PU13] all taken while a unit is held, sold out when none is", () => {
  expect(refusalByStock(sampleSale({ balances: { available: 0, held: 1, sold: 9 } })).reason).toBe("all_taken");
  expect(refusalByStock(sampleSale({ balances: { available: 0, sold: 10 } })).reason).toBe("sold_out");
  expect(refusalByStock(sampleSale({ balances: { available: 0, withdrawn: 10 } })).reason).toBe("sold_out");
});

describe("[OR1] every state and every event", () => {
  const expected: Record<PurchaseState, Partial<Record<PurchaseEvent, string>>> = {
    queued: { settle: "reserved", refuse: "refused", dead_letter: "stuck" },
    refused: { refuse: "same" },
    offered: { take_offer: "reserved", expire: "expired", close: "closed" },
    reserved: { settle: "same", take_offer: "same", pay: "paid", cancel: "cancelled", expire: "expired", close: "closed" },
    paid: { settle: "same", pay: "same" },
    cancelled: { settle: "same", cancel: "same" },
    expired: { settle: "same", expire: "same" },
    closed: { settle: "same", close: "same" },
    stuck: { settle: "reserved", refuse: "refused", close: "closed", dead_letter: "same" },
  };
  const events: readonly PurchaseEvent[] = ["settle", "refuse", "take_offer", "pay", "cancel", "expire", "close", "dead_letter"];
  for (const [state, steps] of Object.entries(expected))
    for (const event of events)
      // The keys are the states, by the type above.
      test(`${state} on ${event}: ${steps[event] ?? "no"}`, () =>
        expect<string>(transitions[state as PurchaseState][event]).toBe(steps[event] ?? "no"));
});

test("[OR6] a terminal state has no way out", () => {
  for (const state of ["paid", "cancelled", "expired", "closed", "refused"] as const)
    for (const step of Object.values(transitions[state])) expect(["same", "no"]).toContain(step);
});

describe("[PU3] what counts against the limit", () => {
  const rows: readonly (readonly [PurchaseState, boolean, boolean, boolean])[] = [
    // state, refunded, refunded units count, counts
    ["queued", false, false, false],
    ["reserved", false, true, true],
    ["paid", false, true, true],
    ["paid", false, false, true],
    ["paid", true, true, true],
    ["paid", true, false, false],
    ["cancelled", false, true, false],
    ["expired", false, true, false],
    ["closed", false, true, false],
    ["refused", false, true, false],
    ["offered", false, true, false],
    ["stuck", false, true, false],
  ];
  test.each(rows)("%s, refunded %p, refunded units count %p: %p", (state, refunded, refundedUnitsCount, counts) =>
    expect(countsAgainstLimit({ state, refunded }, refundedUnitsCount)).toBe(counts),
  );
});

test("[PA1] the amount is the price times the quantity, in the price's currency", () => {
  expect(amountOf({ price: money(1_999), quantity: 3 })).toEqual(money(5_997));
});
