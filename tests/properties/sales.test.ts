import { expect } from "bun:test";
import fc from "fast-check";
import { decideBatch } from "../../src/domain/sale-batch.ts";
import { priceMinorMax } from "../../src/domain/money.ts";
import { problemOf, statusOf, type Sale, type SaleDraft, type SaleStatus } from "../../src/domain/sale.ts";
import { DirectAcceptance } from "../../src/engine/accept-direct.ts";
import { SaleBoard } from "../../src/engine/sale-board.ts";
import { ProductCache } from "../../src/engine/product-cache.ts";
import { createSale, switchSale } from "../../src/engine/sales.ts";
import { idEpochMs, IdMint } from "../../src/domain/id-mint.ts";
import { internNow, takeBy } from "../kit/live-sale.ts";
import { ManualTime } from "../kit/manual-time.ts";
import { money, must, productId, sampleDraft, saleId } from "../kit/samples.ts";
import { SeededEntropy } from "../kit/seeded-entropy.ts";
import { property, type MakeStore } from "./property.ts";

const nowMs = idEpochMs + 1_000_000;

/** Mostly legal, at times just beyond a bound. */
const drafts: fc.Arbitrary<SaleDraft> = fc
  .record({
    name: fc.string({ minLength: 0, maxLength: 201, unit: "grapheme" }),
    price: fc
      .oneof(fc.integer({ min: 1, max: 1_000_000 }), fc.constantFrom(0, priceMinorMax, priceMinorMax + 1))
      .map((minor) => money(minor)),
    stock: fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.constantFrom(0, 1_000_000_000, 1_000_000_001)),
    perBuyerLimit: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(0, 10_000, 10_001)),
    limitGroup: fc.option(fc.constantFrom("a", "b", ""), { nil: undefined }),
    refundedUnitsCount: fc.boolean(),
    payWindowMs: fc.constantFrom(1_000, 60_000, 900_000, 999),
    startsInMs: fc.integer({ min: -70_000, max: 1_000_000 }),
    lengthMs: fc.integer({ min: 0, max: 1_000_000 }),
  })
  .map(({ startsInMs, lengthMs, ...rest }) => ({
    ...sampleDraft(),
    ...rest,
    startsAtMs: nowMs + startsInMs,
    endsAtMs: nowMs + startsInMs + lengthMs,
  }));

function shopOn(makeStore: MakeStore) {
  const store = makeStore();
  store.addProductNow({ id: productId(), name: "Lamp", price: money(500), seller: "shop", createdAtMs: 0 });
  const clock = new ManualTime(nowMs);
  const entropy = new SeededEntropy(1);
  const board = new SaleBoard({ records: store, clock, entropy }, { salesMax: 10, buyersMax: 100 });
  const acceptance = new DirectAcceptance(
    { ledger: store, board, clock, tasks: clock },
    { batchMax: 10, queueMax: 10, answerTimeoutMs: 1_000 },
  );
  const ids = new IdMint({ nowMs: () => clock.nowMs(), random: () => entropy.random() });
  return {
    store,
    board,
    deps: { catalogue: store, acceptance, board, clock, ids, products: new ProductCache({ records: store, clock, entropy }) },
  };
}

property("[J1-1] sale creation is consistent: what was created and published reads back, and its free units are its stock", {
  bug: {
    decide: (facts, movements, atMs) => {
      const short: Sale = { ...facts.sale, stock: Math.max(1, facts.sale.stock - 1) };
      return decideBatch({ ...facts, sale: short }, movements, atMs);
    },
  },
  on: (makeStore) =>
    fc.asyncProperty(drafts, async (draft) => {
      const { store, board, deps } = shopOn(makeStore);
      const answer = await createSale(deps, { draft });
      const problem = problemOf(draft, nowMs);
      if (problem !== undefined) {
        expect(answer).toEqual({ kind: "invalid", ...problem });
        expect(store.tables.sales.size).toBe(0);
        return;
      }
      if (answer.kind !== "added") throw new Error(`a legal draft was not added: ${answer.kind}`);
      expect(await store.sale(answer.sale.id)).toMatchObject({ ...draft, phase: "draft" });
      await switchSale(deps, answer.sale.id, { kind: "publish" });
      const sale = must(await store.sale(answer.sale.id));
      const { stock } = draft;
      expect(sale).toMatchObject({
        ...draft,
        phase: "published",
        balances: { issued: stock, available: stock, held: 0, sold: 0, withdrawn: 0 },
      });
      expect(board.peek(sale.id)?.sale).toEqual(sale);
      expect((await store.sales({ nowMs, withDrafts: false }, { offset: 0, limit: 5 })).items).toEqual([sale]);
    }),
});

const order: readonly SaleStatus[] = ["scheduled", "live", "ended"];

property("[J1-6] status follows time: scheduled, live, ended, never back, and only a live sale accepts", {
  // A decider whose clock is ahead.
  bug: { decide: (facts, movements, atMs) => decideBatch(facts, movements, atMs + 60) },
  on: (makeStore) =>
    fc.property(
      fc.nat({ max: 1_000 }),
      fc.integer({ min: 1, max: 1_000 }),
      fc.array(fc.nat({ max: 2_100 }), { minLength: 1, maxLength: 20 }),
      (startsAtMs, lengthMs, instants) => {
        const { store } = shopOn(makeStore);
        const endsAtMs = startsAtMs + lengthMs;
        const id = saleId("11");
        store.addSaleNow({ id, draft: sampleDraft({ startsAtMs, endsAtMs, stock: 100 }), createdAtMs: 0 });
        store.commitNow({ nowMs: -60, groups: [{ saleId: id, movements: [{ kind: "switch", change: { kind: "publish" } }] }] });
        let reached = 0;
        for (const [i, atMs] of [...instants, startsAtMs, endsAtMs - 1, endsAtMs].toSorted((a, b) => a - b).entries()) {
          const status = statusOf(must(store.tables.sales.get(id)), atMs);
          expect(status).toBe(atMs < startsAtMs ? "scheduled" : atMs < endsAtMs ? "live" : "ended");
          expect(order.indexOf(status)).toBeGreaterThanOrEqual(reached);
          reached = order.indexOf(status);
          const take = takeBy(internNow(store, `buyer-${i}`));
          const { groups } = store.commitNow({ nowMs: atMs, groups: [{ saleId: id, movements: [take] }] });
          expect(groups[0]?.outcomes[0]?.kind).toBe(status === "live" ? "accepted" : "refused");
        }
      },
    ),
});
