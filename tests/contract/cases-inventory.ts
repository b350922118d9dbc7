/** Units between a product's inventory and its sales. That the two ledgers agree is checked at the end of every case. */
import { expect } from "bun:test";
import { unitsMax } from "../../src/domain/ledger.ts";
import type { ContractCase } from "./fixture.ts";
import { must } from "../kit/samples.ts";
import { minuteMs } from "./shop.ts";

export const inventoryCases: readonly ContractCase[] = [
  {
    rule: "IN8",
    title: "a count says how many there are, an adjustment how many more or fewer; the same again has one effect",
    run: async (shop) => {
      const { records } = shop.fixture;
      const id = await shop.product();
      expect(await shop.free(id)).toBe(null);
      expect(await shop.changeInventory(id, { kind: "adjust", units: 1 })).toMatchObject({ kind: "invalid", field: "units" });
      const [count, adjust] = [shop.newAdjustmentId(), shop.newAdjustmentId()];
      for (const repeated of [false, true]) {
        expect(await shop.changeInventory(id, { kind: "count", units: 10 }, count)).toMatchObject({ kind: "changed", repeated });
        expect(await shop.changeInventory(id, { kind: "adjust", units: -4 }, adjust)).toMatchObject({ kind: "changed", repeated });
      }
      expect(await records.product(id)).toMatchObject({ inventory: 6, version: 3 });
      const { items, total } = await records.inventoryOf(id, { offset: 0, limit: 1 });
      expect(total).toBe(2);
      const by = { reason: "as counted", actor: "one", atMs: shop.nowMs };
      expect(items).toEqual([{ productId: id, sourceId: adjust, kind: "adjust", units: -4, balance: 6, ...by }]);
      expect(await shop.changeInventory(id, { kind: "count", units: null })).toMatchObject({
        kind: "changed",
        product: { inventory: null },
      });
      expect(await shop.free(id)).toBe(null);
    },
  },
  {
    rule: "IN8",
    title: "what sales give back may lift a count above its bound, and from there units can be taken away one by one",
    run: async (shop) => {
      const productId = await shop.product({ units: 10 });
      const saleId = await shop.sale({ productId, stock: 10 });
      await shop.changeInventory(productId, { kind: "count", units: unitsMax });
      await shop.flip(saleId, { kind: "cancel_sale" });
      expect(await shop.free(productId)).toBe(unitsMax + 10);
      expect(await shop.changeInventory(productId, { kind: "adjust", units: 1 })).toMatchObject({ kind: "invalid", field: "units" });
      expect(await shop.changeInventory(productId, { kind: "adjust", units: -1 })).toMatchObject({ product: { inventory: unitsMax + 9 } });
    },
  },
  {
    rule: "IN8",
    title: "an inventory is never below zero nor beyond its bound, and every change has a reason",
    run: async (shop) => {
      const id = await shop.product({ units: 3 });
      for (const units of [-4, 0, 0.5, unitsMax - 2, NaN])
        expect(await shop.changeInventory(id, { kind: "adjust", units })).toMatchObject({ kind: "invalid", field: "units" });
      for (const units of [-1, 0.5, unitsMax + 1])
        expect(await shop.changeInventory(id, { kind: "count", units })).toMatchObject({ kind: "invalid", field: "units" });
      const change = { id: shop.newAdjustmentId(), productId: id, change: { kind: "count", units: 1 }, actor: "one", atMs: 0 } as const;
      for (const reason of ["", " ", "x".repeat(201), "a\nb"])
        expect(await shop.fixture.catalogue.changeInventory({ ...change, reason })).toMatchObject({ kind: "invalid", field: "reason" });
      expect(await shop.free(id)).toBe(3);
      expect(await shop.changeInventory(id, { kind: "adjust", units: -3 })).toMatchObject({ kind: "changed", product: { inventory: 0 } });
    },
  },
  {
    rule: "IN3",
    title: "publishing takes the stock out of what is free, once, and never more than there is",
    run: async (shop) => {
      const productId = await shop.product({ units: 7 });
      const [first, second] = [await shop.draft({ productId, stock: 5 }), await shop.draft({ productId, stock: 3 })];
      await Promise.all([1, 2, 3].map(() => shop.flip(first, { kind: "publish" })));
      expect(await shop.free(productId)).toBe(2);
      expect(await shop.flip(second, { kind: "publish" })).toEqual({
        kind: "invalid",
        field: "stock",
        problem: "must be at most 2, the product's free inventory",
      });
      expect(await shop.read(second)).toMatchObject({ phase: "draft", fromInventory: false, balances: { issued: 0 } });
      await shop.changeInventory(productId, { kind: "adjust", units: 1 });
      expect(await shop.flip(second, { kind: "publish" })).toMatchObject({ kind: "switched", sale: { fromInventory: true } });
      expect(await shop.free(productId)).toBe(0);
    },
  },
  {
    rule: "IN3",
    title: "two sales published in one commit do not both take the last units",
    needs: ["hold"],
    run: async (shop) => {
      const productId = await shop.product({ units: 5 });
      const drafts = [await shop.draft({ productId, stock: 3 }), await shop.draft({ productId, stock: 3 })];
      const other = await shop.sale();
      const release = shop.fixture.faults.hold("before");
      const first = shop.take(other, { buyer: await shop.buyer("ann") });
      await shop.inFlight();
      const both = Promise.all(drafts.map((saleId) => shop.flip(saleId, { kind: "publish" })));
      release();
      await first;
      // Where each sale has a commit of its own, either may be the first.
      expect((await both).map(({ kind }) => kind).toSorted()).toEqual(["invalid", "switched"]);
      expect(await shop.free(productId)).toBe(2);
    },
  },
  {
    rule: "IN3",
    title: "where nobody counts, nothing is allotted; counting later is for later sales",
    run: async (shop) => {
      const productId = await shop.product();
      const saleId = await shop.sale({ productId, stock: 5 });
      await shop.changeInventory(productId, { kind: "count", units: 2 });
      await shop.adjust(saleId, 10);
      await shop.adjust(saleId, -15);
      await shop.flip(saleId, { kind: "cancel_sale" });
      expect(await shop.free(productId)).toBe(2);
    },
  },
  {
    rule: "IN4",
    title: "an increase takes from what is free and no more, a decrease gives back, each once",
    run: async (shop) => {
      const productId = await shop.product({ units: 12 });
      const saleId = await shop.sale({ productId, stock: 10 });
      expect(await shop.adjust(saleId, 3)).toEqual({
        kind: "invalid",
        field: "units",
        problem: "must be at most 2, the product's free inventory",
      });
      const [up, down] = [shop.newAdjustmentId(), shop.newAdjustmentId()];
      for (let i = 0; i < 2; i++) expect(await shop.adjust(saleId, 2, up)).toMatchObject({ kind: "adjusted", applied: 2 });
      expect(await shop.free(productId)).toBe(0);
      await shop.accept(saleId, { buyer: await shop.buyer("ann") });
      for (let i = 0; i < 2; i++) expect(await shop.adjust(saleId, -20, down)).toMatchObject({ kind: "adjusted", applied: -11 });
      expect(await shop.free(productId)).toBe(11);
    },
  },
  {
    rule: "IN4",
    title: "cancelling gives back what is free at once, and settling what its orders held, each once",
    run: async (shop) => {
      const productId = await shop.product({ units: 10 });
      const saleId = await shop.sale({ productId, stock: 6 });
      const [ann, bob] = (await shop.buyers(2)).map((buyer) => must(buyer));
      const held = await shop.accept(saleId, { buyer: must(ann) });
      await shop.pay(await shop.accept(saleId, { buyer: must(bob) }));
      await shop.flip(saleId, { kind: "cancel_sale" });
      await shop.flip(saleId, { kind: "cancel_sale" });
      expect(await shop.free(productId)).toBe(8);
      expect(await shop.settle(saleId)).toMatchObject({ kind: "not_over", held: 1 });
      await shop.closeOrder(held);
      for (let i = 0; i < 3; i++) await shop.settle(saleId);
      expect(await shop.free(productId)).toBe(9);
      expect(await shop.balances(saleId)).toEqual({ issued: 6, available: 0, held: 0, sold: 1, withdrawn: 5 });
    },
  },
  {
    rule: "IN4",
    title: "a sale that ended gives back what it did not sell, and later what refunds return",
    run: async (shop) => {
      const productId = await shop.product({ units: 10 });
      const saleId = await shop.sale({ productId, stock: 10 });
      const order = await shop.accept(saleId, { buyer: await shop.buyer("ann") });
      await shop.pay(order);
      await shop.fixture.time.advance(61 * minuteMs);
      expect(await shop.settle(saleId)).toMatchObject({ kind: "settled", units: 9, repeated: false });
      expect(await shop.free(productId)).toBe(9);
      await shop.refund(order, { returnStock: true });
      expect(await shop.free(productId)).toBe(9);
      expect(await shop.settle(saleId)).toMatchObject({ kind: "settled", units: 1, repeated: false });
      expect(await shop.free(productId)).toBe(10);
      expect(await shop.settle(saleId)).toMatchObject({ kind: "settled", units: 0, repeated: true });
    },
  },
  {
    rule: "IN4",
    title: "units that come back after the counting ended, or after the product was deleted, are entered all the same",
    run: async (shop) => {
      const productId = await shop.product({ units: 5 });
      const saleId = await shop.sale({ productId, stock: 5 });
      await shop.changeInventory(productId, { kind: "count", units: null });
      await shop.adjust(saleId, 7);
      await shop.adjust(saleId, -1);
      await shop.fixture.time.advance(61 * minuteMs);
      expect(await shop.fixture.catalogue.deleteProduct({ id: productId, nowMs: shop.nowMs })).toEqual({ kind: "deleted" });
      expect(await shop.settle(saleId)).toMatchObject({ kind: "settled", units: 11 });
      expect(await shop.free(productId)).toBe(null);
      const { items } = await shop.fixture.records.inventoryOf(productId, { offset: 0, limit: 10 });
      expect(items.map(({ kind, units, balance }) => [kind, units, balance])).toEqual([
        ["return", 11, null],
        ["return", 1, null],
        ["allot", 7, null],
        ["count", null, null],
        ["allot", 5, 0],
        ["count", 5, 5],
      ]);
    },
  },
  {
    rule: "ST13",
    title: "a sale is settled when it is over and holds nothing, and listed until then",
    run: async (shop) => {
      const { records } = shop.fixture;
      const toSettle = () => records.salesToSettle(shop.nowMs, 10);
      const saleId = await shop.sale({ stock: 4, endsAtMs: shop.nowMs + 5 * minuteMs });
      const draft = await shop.draft();
      const buyer = await shop.buyer("ann");
      const order = await shop.accept(saleId, { buyer });
      expect(await shop.settle(saleId)).toEqual({ kind: "not_over", status: "live", held: 1 });
      expect(await shop.settle(draft)).toEqual({ kind: "not_over", status: "draft", held: 0 });
      await shop.fixture.time.advance(5 * minuteMs);
      expect(await toSettle()).toEqual([]);
      expect(await shop.settle(saleId)).toEqual({ kind: "not_over", status: "ended", held: 1 });
      await shop.cancel(order);
      expect(await toSettle()).toEqual([saleId]);
      const settlement = shop.newAdjustmentId();
      expect(await shop.settle(saleId, settlement)).toMatchObject({ kind: "settled", units: 4, repeated: false });
      expect(await shop.settle(saleId, settlement)).toMatchObject({ kind: "settled", units: 0, repeated: true });
      expect(await toSettle()).toEqual([]);
      expect(await shop.read(saleId)).toMatchObject({ settledAtMs: shop.nowMs, balances: { available: 0, withdrawn: 4 } });
      expect(await shop.flip(saleId, { kind: "extend", endsAtMs: shop.nowMs + minuteMs })).toEqual({
        kind: "not_allowed",
        status: "ended",
      });
    },
  },
  {
    rule: "ST13",
    title: "a sale is settled again after a refund returned its units, and one that sold out, once for nothing",
    run: async (shop) => {
      const { records } = shop.fixture;
      const saleId = await shop.sale({ stock: 1, endsAtMs: shop.nowMs + 5 * minuteMs });
      const order = await shop.accept(saleId, { buyer: await shop.buyer("ann") });
      await shop.pay(order);
      await shop.fixture.time.advance(5 * minuteMs);
      expect(await records.salesToSettle(shop.nowMs, 10)).toEqual([saleId]);
      expect(await shop.settle(saleId)).toMatchObject({ kind: "settled", units: 0, repeated: false });
      expect(await records.salesToSettle(shop.nowMs, 10)).toEqual([]);
      await shop.refund(order, { returnStock: true });
      expect(await records.salesToSettle(shop.nowMs, 10)).toEqual([saleId]);
      expect(await shop.settle(saleId)).toMatchObject({ kind: "settled", units: 1, repeated: false });
      expect(await shop.balances(saleId)).toEqual({ issued: 1, available: 0, held: 0, sold: 0, withdrawn: 1 });
    },
  },
  {
    rule: "ST14",
    title: "an adjustment keeps its reason and who made it, also when it found nothing to take",
    run: async (shop) => {
      const { records } = shop.fixture;
      const saleId = await shop.sale({ stock: 1 });
      const order = await shop.accept(saleId, { buyer: await shop.buyer("ann") });
      const [idle, up] = [shop.newAdjustmentId(), shop.newAdjustmentId()];
      expect(await shop.adjust(saleId, -5, idle)).toMatchObject({ kind: "adjusted", applied: 0, repeated: false });
      const feed = (await shop.read(saleId)).feed;
      await shop.cancel(order);
      // It is the same adjustment, which found nothing.
      expect(await shop.adjust(saleId, -5, idle)).toMatchObject({ kind: "adjusted", applied: 0, repeated: true });
      expect((await shop.read(saleId)).feed).toBe(feed + 1);
      await shop.adjust(saleId, 2, up);
      const by = { saleId, kind: "adjust", reason: "as counted", actor: "one", atMs: shop.nowMs } as const;
      expect(await records.adjustmentsOf(saleId, { offset: 0, limit: 5 })).toEqual({
        items: [
          { id: up, asked: 2, applied: 2, ...by },
          { id: idle, asked: -5, applied: 0, ...by },
        ],
        total: 2,
      });
      await shop.flip(saleId, { kind: "cancel_sale" });
      expect((await records.adjustmentsOf(saleId, { offset: 0, limit: 5 })).total).toBe(2);
    },
  },
  {
    rule: "ST14",
    title: "an adjustment without a reason, of nothing, or beyond what a sale may issue is refused",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 10 });
      for (const units of [0, 0.5, unitsMax - 9, -unitsMax - 1])
        expect(await shop.adjust(saleId, units)).toMatchObject({ kind: "invalid", field: "units" });
      const ask = { kind: "adjust", adjustmentId: shop.newAdjustmentId(), units: 1, actor: "one" } as const;
      for (const reason of ["", "\t", "x".repeat(201)])
        expect(await shop.send(saleId, { ...ask, reason })).toMatchObject({ kind: "invalid", field: "reason" });
      expect(await shop.adjust(saleId, unitsMax - 10)).toMatchObject({ kind: "adjusted", applied: unitsMax - 10 });
      expect(await shop.adjust(saleId, 1)).toMatchObject({ kind: "invalid", field: "units" });
    },
  },
  {
    rule: "IN4",
    title: "a settlement whose commit nobody knows of gives back once",
    needs: ["lose_answers", "restart"],
    run: async (shop) => {
      const productId = await shop.product({ units: 8 });
      const saleId = await shop.sale({ productId, stock: 8 });
      await shop.fixture.time.advance(61 * minuteMs);
      shop.fixture.faults.loseAnswers(2, "after");
      expect(await shop.patiently(shop.settle(saleId))).toMatchObject({ kind: "settled" });
      expect(await shop.free(productId)).toBe(8);
      await shop.fixture.restart();
      expect(await shop.free(productId)).toBe(8);
    },
  },
];
