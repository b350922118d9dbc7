/** Publishing, pausing, extending, cancelling; what was submitted reads back. */
import { expect } from "bun:test";
import type { SaleSwitch } from "../../src/domain/sale.ts";
import type { ContractCase } from "./fixture.ts";
import { must } from "../kit/samples.ts";
import { euros, minuteMs, price, refused } from "./shop.ts";

const publish: SaleSwitch = { kind: "publish" };

export const switchCases: readonly ContractCase[] = [
  {
    rule: "ST4",
    title: "publishing issues the stock once, however often and however parallel it is repeated",
    run: async (shop) => {
      const saleId = await shop.draft({ stock: 7 });
      expect(await shop.balances(saleId)).toEqual({ issued: 0, available: 0, held: 0, sold: 0, withdrawn: 0 });
      const answers = await Promise.all([1, 2, 3].map(() => shop.flip(saleId, publish)));
      expect(answers.map((answer) => answer.kind === "switched" && answer.repeated)).toEqual([false, true, true]);
      expect(await shop.flip(saleId, publish)).toMatchObject({ kind: "switched", repeated: true });
      expect(await shop.balances(saleId)).toEqual({ issued: 7, available: 7, held: 0, sold: 0, withdrawn: 0 });
    },
  },
  {
    rule: "PU15",
    title: "a sale whose end has passed cannot be published",
    run: async (shop) => {
      const saleId = await shop.draft();
      await shop.fixture.time.advance(60 * minuteMs);
      expect(await shop.flip(saleId, publish)).toMatchObject({ kind: "invalid", field: "ends_at" });
      expect((await shop.read(saleId)).phase).toBe("draft");
    },
  },
  {
    rule: "PU15",
    title: "pause refuses, resume sells again, repeats change nothing",
    run: async (shop) => {
      const saleId = await shop.sale();
      const buyer = await shop.buyer("ann");
      expect(await shop.flip(saleId, { kind: "resume" })).toMatchObject({ kind: "switched", repeated: true });
      expect(await shop.flip(saleId, { kind: "pause" })).toMatchObject({ kind: "switched", repeated: false });
      const { feed } = await shop.read(saleId);
      expect(await shop.flip(saleId, { kind: "pause" })).toMatchObject({ kind: "switched", repeated: true });
      expect((await shop.read(saleId)).feed).toBe(feed);
      expect(await shop.take(saleId, { buyer })).toEqual(refused({ reason: "paused" }));
      expect(await shop.flip(saleId, { kind: "resume" })).toMatchObject({ kind: "switched", repeated: false });
      await shop.accept(saleId, { buyer });
    },
  },
  {
    rule: "PU15",
    title: "extend moves the end later only, and sells past the old end",
    run: async (shop) => {
      const saleId = await shop.sale();
      const { endsAtMs } = await shop.read(saleId);
      for (const wrong of [endsAtMs - 1, endsAtMs + 4_000 * 86_400_000])
        expect(await shop.flip(saleId, { kind: "extend", endsAtMs: wrong })).toMatchObject({ kind: "invalid", field: "ends_at" });
      expect(await shop.flip(saleId, { kind: "extend", endsAtMs: endsAtMs + minuteMs })).toMatchObject({
        kind: "switched",
        repeated: false,
      });
      // Its answer may have been lost: the same end again is a repeat.
      expect(await shop.flip(saleId, { kind: "extend", endsAtMs: endsAtMs + minuteMs })).toMatchObject({
        kind: "switched",
        repeated: true,
      });
      await shop.fixture.time.advance(60 * minuteMs);
      await shop.accept(saleId, { buyer: await shop.buyer("ann") });
      await shop.fixture.time.advance(minuteMs);
      expect(await shop.flip(saleId, { kind: "extend", endsAtMs: endsAtMs + 9 * minuteMs })).toEqual({
        kind: "not_allowed",
        status: "ended",
      });
    },
  },
  {
    rule: "ST9",
    title: "cancelling withdraws free units at once, held ones follow their orders, sold ones stay",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 5 });
      const [ann, bob] = (await shop.buyers(2)).map((buyer) => must(buyer));
      const held = await shop.accept(saleId, { buyer: must(ann) });
      await shop.pay(await shop.accept(saleId, { buyer: must(bob) }));
      expect(await shop.flip(saleId, { kind: "cancel_sale" })).toMatchObject({ kind: "switched", repeated: false });
      expect(await shop.balances(saleId)).toEqual({ issued: 5, available: 0, held: 1, sold: 1, withdrawn: 3 });
      expect(await shop.take(saleId, { buyer: await shop.buyer("cat") })).toEqual(refused({ reason: "sale_cancelled" }));
      expect(await shop.flip(saleId, { kind: "cancel_sale" })).toMatchObject({ kind: "switched", repeated: true });
      expect(await shop.fixture.records.purchasesToClose(10)).toMatchObject([{ id: held.id, saleId }]);
      await shop.closeOrder(held);
      expect(await shop.fixture.records.purchasesToClose(10)).toEqual([]);
      expect(await shop.balances(saleId)).toMatchObject({ held: 0, sold: 1 });
      expect(await shop.flip(saleId, publish)).toEqual({ kind: "not_allowed", status: "cancelled" });
    },
  },
  {
    rule: "PU25",
    title: "a sale reads back as submitted, before and after publishing",
    run: async (shop) => {
      const fields = {
        name: "Mittsommer 夏至",
        price: euros(12_345),
        stock: 77,
        perBuyerLimit: 4,
        limitGroup: "g",
        refundedUnitsCount: false,
        payWindowMs: 90_000,
        startsAtMs: shop.nowMs + minuteMs,
        endsAtMs: shop.nowMs + 9 * minuteMs,
      };
      const saleId = await shop.draft(fields);
      expect(await shop.read(saleId)).toMatchObject({ ...fields, phase: "draft", paused: false, feed: 0 });
      await shop.flip(saleId, publish);
      expect(await shop.read(saleId)).toMatchObject({ ...fields, phase: "published", balances: { issued: 77, available: 77 } });
    },
  },
  {
    rule: "PU25",
    title: "the same submission again is the same sale, another under its key differs, another owner's is its own",
    run: async (shop) => {
      const { catalogue } = shop.fixture;
      const first = await shop.draft();
      const { id: _, createdAtMs, phase: _p, paused: _q, hasQuotas: _h, balances: _b, feed: _f, ...draft } = await shop.read(first);
      const add = (owner: string, fingerprint: string) =>
        catalogue.addSale({ id: shop.newSaleId(), draft, createdAtMs, submission: { owner, key: "s", fingerprint } });
      const added = await add("key-1", "f");
      expect(added.kind).toBe("added");
      const again = await add("key-1", "f");
      expect(again).toMatchObject({ kind: "exists" });
      if (added.kind === "added" && again.kind === "exists") expect(again.sale).toEqual(added.sale);
      expect(await add("key-1", "g")).toEqual({ kind: "differs" });
      expect((await add("key-2", "f")).kind).toBe("added");
    },
  },
  {
    rule: "PU25",
    title: "a sale needs its product; a product's id with other fields differs",
    run: async (shop) => {
      const { catalogue } = shop.fixture;
      const saleId = await shop.draft();
      const { id: _, createdAtMs, phase: _p, paused: _q, hasQuotas: _h, balances: _b, feed: _f, ...draft } = await shop.read(saleId);
      const orphan = { ...draft, productId: shop.newProductId() };
      expect(await catalogue.addSale({ id: shop.newSaleId(), draft: orphan, createdAtMs })).toEqual({ kind: "product_unknown" });
      const product = { id: shop.newProductId(), name: "Lamp", price, seller: "shop", image: "/lamp.png", createdAtMs };
      const kept = { ...product, inventory: null, version: 1 };
      expect(await catalogue.addProduct(product)).toEqual({ kind: "added", product: kept });
      expect(await catalogue.addProduct({ ...product, createdAtMs: createdAtMs + 5 })).toEqual({ kind: "exists", product: kept });
      expect(await catalogue.addProduct({ ...product, price: euros(1) })).toMatchObject({ kind: "differs" });
      expect(await catalogue.addProduct({ ...product, image: undefined })).toMatchObject({ kind: "differs" });
      expect(await shop.fixture.records.product(product.id)).toEqual(kept);
    },
  },
  {
    rule: "PU25",
    title: "one buyer has one id, by issuer and subject",
    run: async (shop) => {
      const { catalogue } = shop.fixture;
      const names = [
        { issuer: "local", subject: "a" },
        { issuer: "shop", subject: "a" },
        { issuer: "local", subject: "A" },
        { issuer: "local", subject: "a" },
      ];
      const { records } = shop.fixture;
      expect(await records.buyerId({ issuer: "shop", subject: "a" })).toBeUndefined();
      const ids = await catalogue.internBuyers(names);
      expect(await records.buyerId({ issuer: "shop", subject: "a" })).toBe(must(ids[1]));
      expect(ids[0]).toBe(must(ids[3]));
      expect(new Set(ids).size).toBe(3);
      expect(await catalogue.internBuyers(names)).toEqual(ids);
    },
  },
  {
    rule: "PU25",
    title: "sales are listed newest first, by product and by status, drafts for the shop only",
    run: async (shop) => {
      const { records } = shop.fixture;
      const productId = await shop.product();
      const ended = await shop.sale({ productId, endsAtMs: shop.nowMs + minuteMs });
      await shop.fixture.time.advance(2 * minuteMs);
      const live = await shop.sale({ productId, endsAtMs: shop.nowMs + 9 * minuteMs });
      const next = await shop.sale({ productId, startsAtMs: shop.nowMs + minuteMs });
      const draft = await shop.draft({ productId });
      await shop.sale();
      const all = { offset: 0, limit: 10 };
      const list = async (query: object, page = all) => {
        const found = await records.sales({ nowMs: shop.nowMs, withDrafts: false, productId, ...query }, page);
        return { ids: found.items.map((sale) => sale.id), total: found.total };
      };
      expect(await list({})).toEqual({ ids: [next, live, ended], total: 3 });
      expect(await list({ withDrafts: true })).toEqual({ ids: [draft, next, live, ended], total: 4 });
      expect(await list({ status: "live" })).toEqual({ ids: [live], total: 1 });
      expect(await list({ status: "scheduled" })).toEqual({ ids: [next], total: 1 });
      expect(await list({ status: "ended" })).toEqual({ ids: [ended], total: 1 });
      expect(await list({}, { offset: 1, limit: 1 })).toEqual({ ids: [live], total: 3 });
      expect((await records.currentSaleOf(productId, shop.nowMs))?.id).toBe(live);
      expect((await records.currentSaleOf(productId, shop.nowMs + 10 * minuteMs))?.id).toBe(next);
      expect((await records.currentSaleOf(productId, shop.nowMs + 100 * minuteMs))?.id).toBe(next);
      expect(await records.currentSaleOf(shop.newProductId(), shop.nowMs)).toBeUndefined();
    },
  },
];
