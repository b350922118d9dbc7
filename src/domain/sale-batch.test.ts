import { describe, expect, test } from "bun:test";
import {
  buyerId,
  paymentId,
  purchaseId,
  refundId,
  sampleEndMs,
  sampleNowMs,
  samplePayment,
  samplePurchase,
  sampleSale,
} from "../../tests/kit/samples.ts";
import type { SaleFacts } from "./batch-state.ts";
import type { Movement, Take } from "./movement.ts";
import { decideBatch } from "./sale-batch.ts";
import type { Purchase } from "./purchase.ts";

function facts(change: Partial<SaleFacts> = {}, purchases: readonly Purchase[] = []): SaleFacts {
  return {
    sale: sampleSale(),
    purchases: new Map(purchases.map((purchase) => [purchase.id, purchase])),
    unitsElsewhere: new Map(),
    quotas: new Map(),
    payments: new Map(),
    captures: new Map(),
    refunds: new Map(),
    callbacks: new Set(),
    adjustments: new Map(),
    productHasQuotas: false,
    ...change,
  };
}

const take = (id: string, buyer: number, key?: string): Take => ({
  kind: "take",
  purchaseId: purchaseId(id),
  buyerId: buyerId(buyer),
  key,
  quantity: 1,
});
const held = (balances: { held: number }) => ({ balances: { issued: 10, available: 10 - balances.held, held: balances.held } });

test("[PU11] a batch of refusals writes nothing", () => {
  const sale = sampleSale({ balances: { issued: 10, available: 0, sold: 10 } });
  const decision = decideBatch(facts({ sale }), [take("10", 1), take("11", 2)], sampleNowMs);
  expect(decision.changed).toBe(false);
  expect(decision.writes.sale).toBe(sale);
  expect(decision.writes.ledger).toEqual([]);
  expect(decision.writes.newPurchases.size).toBe(0);
});

test("[ST11] one outcome per movement, in their order, the feed one higher per batch", () => {
  const decision = decideBatch(facts(), [take("10", 1), take("11", 1), take("12", 1), take("13", 2)], sampleNowMs);
  expect(decision.outcomes.map((outcome) => outcome.kind)).toEqual(["accepted", "accepted", "refused", "accepted"]);
  expect(decision.writes.sale.feed).toBe(sampleSale().feed + 1);
  expect(decision.writes.sale.balances).toMatchObject({ available: 7, held: 3 });
  expect(decision.writes.ledger.map((entry) => [entry.sourceId, entry.kind, entry.limit])).toEqual([
    [purchaseId("10"), "take", 2],
    [purchaseId("11"), "take", 2],
    [purchaseId("13"), "take", 2],
  ]);
});

test("[PU19] a batch decided again over what it wrote writes nothing and answers alike", () => {
  const batch: readonly Movement[] = [take("10", 1, "a"), take("11", 2), { kind: "cancel", purchaseId: purchaseId("11") }];
  const first = decideBatch(facts(), batch, sampleNowMs);
  const after = facts({ sale: first.writes.sale }, [...first.writes.newPurchases.values()]);
  const second = decideBatch(after, batch, sampleNowMs);
  expect(second.changed).toBe(false);
  expect(second.outcomes).toMatchObject([
    { kind: "accepted", replayed: false, purchase: { id: purchaseId("10") } },
    { kind: "accepted", replayed: false, purchase: { id: purchaseId("11") } },
    { kind: "released", repeated: true },
  ]);
});

test("[ST5] a purchase taken and cancelled in one batch is one new row, in its last state", () => {
  const decision = decideBatch(facts(), [take("10", 1), { kind: "cancel", purchaseId: purchaseId("10") }], sampleNowMs);
  expect(decision.writes.newPurchases.get(purchaseId("10"))).toMatchObject({ state: "cancelled" });
  expect(decision.writes.changedPurchases.size).toBe(0);
  expect(decision.writes.ledger.map((entry) => entry.kind)).toEqual(["take", "cancel"]);
  expect(decision.writes.sale.balances).toEqual(sampleSale().balances);
});

test("[OR1] an update names the state it was decided in, the first of the batch", () => {
  const purchase = samplePurchase();
  const payment = samplePayment();
  const known = facts({ sale: sampleSale(held({ held: 1 })), payments: new Map([[payment.id, payment]]) }, [purchase]);
  const decision = decideBatch(
    known,
    [
      { kind: "capture", captureId: "c", paymentId: payment.id, money: payment.money, refundId: refundId() },
      { kind: "refund", refundId: refundId("9"), purchaseId: purchase.id, returnStock: true },
    ],
    sampleNowMs,
  );
  expect(decision.writes.changedPurchases.get(purchase.id)).toMatchObject({
    from: "reserved",
    purchase: { state: "paid", refunded: true },
  });
});

test("[PU3] a release in the batch frees the buyer's units for the lines after it", () => {
  const purchase = samplePurchase({ quantity: 2, key: undefined });
  const known = facts({ sale: sampleSale(held({ held: 2 })) }, [purchase]);
  const lines: Movement[] = [take("10", 6), { kind: "close", purchaseId: purchase.id }, take("11", 6), take("12", 6), take("13", 6)];
  const { outcomes } = decideBatch(known, lines, sampleNowMs);
  expect(outcomes.map((outcome) => outcome.kind)).toEqual(["refused", "released", "accepted", "accepted", "refused"]);
});

test("[PU5] units in the group's other sales count", () => {
  const elsewhere = facts({ unitsElsewhere: new Map([[buyerId(1), 1]]) });
  const { outcomes } = decideBatch(elsewhere, [take("10", 1), take("11", 1)], sampleNowMs);
  expect(outcomes).toMatchObject([{ kind: "accepted" }, { refusal: { reason: "limit_reached", limit: 2, units: 2 } }]);
});

test("[PA1] the same payment id again is the same payment, whatever became of its order", () => {
  const payment = samplePayment();
  const purchase = samplePurchase({ state: "cancelled" });
  const known = facts({ payments: new Map([[payment.id, payment]]) }, [purchase]);
  const start = { kind: "start_payment", paymentId: payment.id, purchaseId: purchase.id, provider: "simulated" } as const;
  expect(decideBatch(known, [start], sampleNowMs).outcomes).toMatchObject([{ kind: "started", repeated: true }]);
  const other = { ...start, paymentId: paymentId("99") };
  expect(decideBatch(known, [other], sampleNowMs).outcomes).toMatchObject([{ kind: "not_payable" }]);
});

test("[PA7] a callback's id is noted once, also when it changed nothing", () => {
  const payment = samplePayment({ state: "captured" });
  const known = facts({ payments: new Map([[payment.id, payment]]) });
  const word = { kind: "update_payment", paymentId: payment.id, event: "failed", callbackId: "w" } as const;
  const { writes, changed } = decideBatch(known, [word, word], sampleNowMs);
  expect([...writes.callbacks]).toEqual(["w"]);
  expect(writes.payments.size).toBe(0);
  expect(changed).toBe(true);
});

test("[ST1] an illegal quantity breaks an invariant instead of being taken", () => {
  for (const quantity of [0, -1, 1.5])
    expect(() => decideBatch(facts(), [{ ...take("10", 1), quantity }], sampleNowMs)).toThrow("at least one unit");
});

describe("[PU27] where others refuse from memory, nobody new is accepted for a while after what they may still say was cleared:", () => {
  const reopenDelayMs = 600;
  const soldOut = { balances: { issued: 10, available: 0, held: 10 } };
  const cancel: Movement = { kind: "cancel", purchaseId: purchaseId("3") };
  const flip = (kind: "pause" | "resume"): Movement => ({ kind: "switch", change: { kind } });
  const justBeforeEnd = sampleEndMs - 100;
  // oxfmt-ignore
  test.each<[string, Parameters<typeof sampleSale>[0], Movement, nowMs: number, waits: boolean]>([
    ["a unit of a sold-out sale comes back", soldOut, cancel, sampleNowMs, true],
    ["a unit comes back while others are free", { }, cancel, sampleNowMs, false],
    ["a paused sale is resumed", { paused: true }, flip("resume"), sampleNowMs, true],
    ["a paused, sold-out sale is resumed", { ...soldOut, paused: true }, flip("resume"), sampleNowMs, false],
    ["a unit of a paused sale comes back", { ...soldOut, paused: true }, cancel, sampleNowMs, false],
    ["a sale is paused", { }, flip("pause"), sampleNowMs, false],
    ["a unit comes back shortly before the end", soldOut, cancel, justBeforeEnd, true],
    ["a paused sale is resumed shortly before the end", { paused: true }, flip("resume"), justBeforeEnd, true],
    ["the end that is near is put off", { }, { kind: "switch", change: { kind: "extend", endsAtMs: sampleEndMs + 60_000 } }, justBeforeEnd, true],
  ])("%s", (_what, change, movement, nowMs, waits) => {
    const given = facts({ sale: sampleSale({ balances: { issued: 10, available: 9, held: 1 }, ...change }), reopenDelayMs }, [samplePurchase()]);
    const { sale } = decideBatch(given, [movement], nowMs).writes;
    expect(sale.reopensAtMs).toBe(waits ? nowMs + reopenDelayMs : undefined);
  });
});
