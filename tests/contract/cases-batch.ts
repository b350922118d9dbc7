/** What lines of one commit see of each other, and adjustments of the stock. */
import { expect } from "bun:test";
import type { Movement } from "../../src/domain/movement.ts";
import type { ContractCase } from "./fixture.ts";
import { must } from "../kit/samples.ts";
import { minuteMs, refused } from "./shop.ts";

export const batchCases: readonly ContractCase[] = [
  {
    rule: "ST11",
    title: "a line sees the lines before it: the last unit goes to the first, its cancel frees it for the third",
    needs: ["one_commit"],
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 1 });
      const [ann, bob, cat] = (await shop.buyers(3)).map((buyer) => must(buyer));
      const first = shop.movement({ buyer: must(ann) });
      const lines: Movement[] = [
        first,
        shop.movement({ buyer: must(bob) }),
        { kind: "cancel", purchaseId: first.purchaseId },
        shop.movement({ buyer: must(cat) }),
      ];
      const answers = await shop.sendAll(saleId, lines);
      expect(answers.map((answer) => answer.kind)).toEqual(["accepted", "refused", "released", "accepted"]);
      expect(answers[1]).toEqual(refused({ reason: "all_taken", held: 1, available: 0 }));
    },
  },
  {
    rule: "ST11",
    title: "limit and key count within one commit",
    run: async (shop) => {
      const saleId = await shop.sale({ perBuyerLimit: 2 });
      const buyer = await shop.buyer("ann");
      const asks = [{ key: "a" }, { key: "a" }, { key: "a", quantity: 2 }, { key: "b" }, { key: "c" }];
      const answers = await shop.sendAll(
        saleId,
        asks.map((ask) => shop.movement({ buyer, ...ask })),
      );
      expect(answers).toMatchObject([
        { kind: "accepted", replayed: false },
        { kind: "accepted", replayed: true },
        refused({ reason: "key_reused" }),
        { kind: "accepted", replayed: false },
        refused({ reason: "limit_reached", limit: 2, units: 2 }),
      ]);
    },
  },
  {
    rule: "ST11",
    title: "a whole order's life fits into one commit",
    needs: ["one_commit"],
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 1 });
      const take = shop.movement({ buyer: await shop.buyer("ann") });
      const { purchaseId } = take;
      const paymentId = shop.newPaymentId();
      const { price } = await shop.read(saleId);
      const lines: Movement[] = [
        take,
        { kind: "start_payment", paymentId, purchaseId, provider: "simulated" },
        { kind: "capture", captureId: "c1", paymentId, money: price, refundId: shop.newRefundId() },
        { kind: "cancel", purchaseId },
        { kind: "refund", refundId: shop.newRefundId(), purchaseId, returnStock: true },
      ];
      const answers = await shop.sendAll(saleId, lines);
      expect(answers.map((answer) => answer.kind)).toEqual(["accepted", "started", "captured", "not_allowed", "refunding"]);
      expect(await shop.balances(saleId)).toEqual({ issued: 1, available: 1, held: 0, sold: 0, withdrawn: 0 });
    },
  },
  {
    rule: "ST11",
    title: "switches in a commit hold for the lines after them",
    needs: ["one_commit"],
    run: async (shop) => {
      const saleId = await shop.draft();
      const [ann, bob] = (await shop.buyers(2)).map((buyer) => must(buyer));
      const answers = await shop.sendAll(saleId, [
        shop.movement({ buyer: must(ann) }),
        { kind: "switch", change: { kind: "publish" } },
        shop.movement({ buyer: must(ann) }),
        { kind: "switch", change: { kind: "pause" } },
        shop.movement({ buyer: must(bob) }),
      ]);
      expect(answers.map((answer) => answer.kind)).toEqual(["refused", "switched", "accepted", "switched", "refused"]);
    },
  },
  {
    rule: "ST11",
    title: "lines of several sales in flight together stay apart",
    run: async (shop) => {
      const sales = [await shop.sale({ stock: 1 }), await shop.sale({ stock: 2 }), await shop.sale({ stock: 3 })];
      const buyers = await shop.buyers(4);
      await Promise.all(buyers.flatMap((buyer) => sales.map((saleId) => shop.take(saleId, { buyer }))));
      const held = await Promise.all(sales.map(async (saleId) => (await shop.balances(saleId)).held));
      expect(held).toEqual([1, 2, 3]);
    },
  },
  {
    rule: "ST8",
    title: "an increase is sold at once",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 1 });
      const [ann, bob] = (await shop.buyers(2)).map((buyer) => must(buyer));
      await shop.accept(saleId, { buyer: must(ann) });
      expect(await shop.adjust(saleId, 2)).toMatchObject({ kind: "adjusted", applied: 2 });
      await shop.accept(saleId, { buyer: must(bob) });
      expect(await shop.balances(saleId)).toEqual({ issued: 3, available: 1, held: 2, sold: 0, withdrawn: 0 });
    },
  },
  {
    rule: "ST8",
    title: "a decrease takes what is free and says how much that was",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 5 });
      for (const buyer of await shop.buyers(3)) await shop.accept(saleId, { buyer });
      expect(await shop.adjust(saleId, -4)).toMatchObject({ kind: "adjusted", applied: -2 });
      expect(await shop.balances(saleId)).toEqual({ issued: 5, available: 0, held: 3, sold: 0, withdrawn: 2 });
      expect(await shop.adjust(saleId, -1)).toMatchObject({ kind: "adjusted", applied: 0 });
      expect(await shop.take(saleId, { buyer: await shop.buyer("late") })).toMatchObject({ kind: "refused" });
    },
  },
  {
    rule: "ST8",
    title: "the same adjustment again has one effect and the same answer",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 5 });
      const [up, down] = [shop.newAdjustmentId(), shop.newAdjustmentId()];
      for (let i = 0; i < 3; i++) {
        expect(await shop.adjust(saleId, 4, up)).toMatchObject({ kind: "adjusted", applied: 4 });
        expect(await shop.adjust(saleId, -2, down)).toMatchObject({ kind: "adjusted", applied: -2 });
      }
      expect(await shop.balances(saleId)).toEqual({ issued: 9, available: 7, held: 0, sold: 0, withdrawn: 2 });
    },
  },
  {
    rule: "ST10",
    title: "a draft, an ended and a cancelled sale cannot be adjusted, a paused and a scheduled one can",
    run: async (shop) => {
      expect(await shop.adjust(await shop.draft(), 1)).toEqual({ kind: "not_adjustable", status: "draft" });
      const paused = await shop.sale();
      await shop.flip(paused, { kind: "pause" });
      expect(await shop.adjust(paused, 1)).toMatchObject({ kind: "adjusted", applied: 1 });
      const scheduled = await shop.sale({ startsAtMs: shop.nowMs + minuteMs });
      expect(await shop.adjust(scheduled, -1)).toMatchObject({ kind: "adjusted", applied: -1 });
      const cancelled = await shop.sale();
      await shop.flip(cancelled, { kind: "cancel_sale" });
      expect(await shop.adjust(cancelled, 1)).toEqual({ kind: "not_adjustable", status: "cancelled" });
      await shop.fixture.time.advance(61 * minuteMs);
      expect(await shop.adjust(paused, 1)).toEqual({ kind: "not_adjustable", status: "ended" });
    },
  },
  {
    rule: "ST2",
    title: "balances equal the replay of the ledger after a life of everything",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 12, perBuyerLimit: 2 });
      const buyers = await shop.buyers(6);
      const orders = await Promise.all(buyers.map((buyer) => shop.accept(saleId, { buyer, quantity: 2 })));
      const [cancelled, closed, paid, refunded, kept, late] = orders.map((order) => must(order));
      await shop.cancel(must(cancelled));
      await shop.closeOrder(must(closed));
      await shop.pay(must(paid));
      await shop.pay(must(refunded));
      await shop.refund(must(refunded), { returnStock: true });
      await shop.pay(must(kept));
      await shop.refund(must(kept), { returnStock: false });
      await shop.adjust(saleId, 3);
      await shop.adjust(saleId, -5);
      await shop.fixture.time.advance(16 * minuteMs);
      await shop.expire(must(late));
      expect(await shop.balances(saleId)).toEqual({ issued: 15, available: 6, held: 0, sold: 4, withdrawn: 5 });
      const kinds = (await shop.fixture.ledger(saleId)).map((entry) => entry.kind).filter((kind) => kind !== "take");
      expect(kinds).toEqual(["issue", "cancel", "close", "pay", "pay", "return", "pay", "issue", "withdraw", "expire"]);
    },
  },
];
