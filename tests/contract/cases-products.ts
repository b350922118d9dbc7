/** Products: kept once, changed by version, deleted when nothing sells them, listed. */
import { expect } from "bun:test";
import type { ProductQuery } from "../../src/ports/records.ts";
import type { ContractCase } from "./fixture.ts";
import { must } from "../kit/samples.ts";
import { euros, minuteMs, price } from "./shop.ts";

const all = { offset: 0, limit: 100 };

export const productCases: readonly ContractCase[] = [
  {
    rule: "IN1",
    title: "the same product again is the first, also with its first count; anything else under its id differs",
    run: async (shop) => {
      const { catalogue } = shop.fixture;
      const id = shop.newProductId();
      const counted = { id: shop.newAdjustmentId(), units: 5, actor: "one" };
      const product = { id, name: "Lamp", price, seller: "shop", createdAtMs: shop.nowMs, counted };
      expect(await catalogue.addProduct(product)).toMatchObject({ kind: "added", product: { inventory: 5, version: 1 } });
      await shop.changeInventory(id, { kind: "adjust", units: 4 });
      const again = { ...product, counted: { ...counted, id: shop.newAdjustmentId() } };
      expect(await catalogue.addProduct(again)).toMatchObject({ kind: "exists", product: { inventory: 9 } });
      expect(await catalogue.addProduct({ ...product, counted: { ...counted, units: 6 } })).toMatchObject({
        kind: "differs",
        product: { id },
      });
      expect(await catalogue.addProduct({ ...product, seller: "other" })).toMatchObject({ kind: "differs" });
    },
  },
  {
    rule: "IN1",
    title: "an owner's key claims one id, for one thing",
    run: async (shop) => {
      const { catalogue } = shop.fixture;
      const claim = (owner: string, key: string, fingerprint = "f", id = shop.newProductId()) =>
        catalogue.claimId({ owner, key, fingerprint, id });
      const first = await claim("one", "k");
      if (first.kind !== "claimed") throw new Error("the first claim is granted");
      expect(first.repeated).toBe(false);
      expect(await claim("one", "k")).toEqual({ kind: "claimed", id: first.id, repeated: true });
      expect(await claim("one", "k", "g")).toEqual({ kind: "differs" });
      for (const other of [await claim("two", "k"), await claim("one", "k2")])
        expect(other).toMatchObject({ kind: "claimed", repeated: false });
    },
  },
  {
    rule: "IN2",
    title: "a product changes from the version that was seen, once; a repeat finds it changed",
    run: async (shop) => {
      const { catalogue, records } = shop.fixture;
      const id = await shop.product({ image: "/lamp.png" });
      const change = (expectedVersion: number, changes: object) => catalogue.updateProduct({ id, expectedVersion, changes });
      expect(await change(1, { name: "Lampe", priceMinor: 5, image: null })).toMatchObject({ kind: "updated", repeated: false });
      const changed = { name: "Lampe", price: { ...price, minor: 5 }, version: 2 };
      expect((await records.product(id))?.image).toBeUndefined();
      expect(await records.product(id)).toMatchObject(changed);
      expect(await change(1, { name: "Lampe", priceMinor: 5, image: null })).toMatchObject({ kind: "updated", repeated: true });
      expect(await change(1, { name: "Leuchte" })).toMatchObject({ kind: "version_differs", product: changed });
      const both = await Promise.all([change(2, { name: "A" }), change(2, { name: "B" })]);
      expect(both.map(({ kind }) => kind).toSorted()).toEqual(["updated", "version_differs"]);
      expect(await catalogue.updateProduct({ id: shop.newProductId(), changes: {} })).toEqual({ kind: "product_unknown" });
    },
  },
  {
    rule: "IN2",
    title: "a sale keeps the name and price it was made with, and the seller of its product",
    run: async (shop) => {
      const productId = await shop.product({ seller: "other" });
      const saleId = await shop.sale({ productId });
      await shop.fixture.catalogue.updateProduct({ id: productId, changes: { name: "Leuchte", priceMinor: 1 } });
      expect(await shop.read(saleId)).toMatchObject({ name: "Lamp", price, seller: "other" });
    },
  },
  {
    rule: "IN5",
    title: "a product is deleted when no sale is going to sell it or sells it, and is then gone, but for its orders",
    run: async (shop) => {
      const { catalogue, records } = shop.fixture;
      const productId = await shop.product();
      const remove = (expectedVersion?: number) => catalogue.deleteProduct({ id: productId, expectedVersion, nowMs: shop.nowMs });
      const draft = await shop.draft({ productId });
      expect(await remove()).toEqual({ kind: "in_use", saleId: draft });
      await shop.flip(draft, { kind: "cancel_sale" });
      const next = await shop.sale({ productId, startsAtMs: shop.nowMs + minuteMs });
      expect(await remove()).toEqual({ kind: "in_use", saleId: next });
      await shop.fixture.time.advance(minuteMs);
      await shop.flip(next, { kind: "pause" });
      expect(await remove()).toEqual({ kind: "in_use", saleId: next });
      await shop.flip(next, { kind: "resume" });
      const order = await shop.accept(next, { buyer: await shop.buyer("ann") });
      await shop.fixture.time.advance(60 * minuteMs);
      expect(await remove(7)).toMatchObject({ kind: "version_differs", product: { version: 1 } });
      expect(await remove(1)).toEqual({ kind: "deleted" });
      expect(await records.product(productId)).toBeUndefined();
      expect((await records.products({ ids: [productId] }, all)).total).toBe(0);
      expect(await records.productStock(productId)).toBeUndefined();
      expect(await records.productEver(productId)).toMatchObject({ name: "Lamp", seller: "shop", deletedAtMs: shop.nowMs });
      expect((await shop.order(order)).productId).toBe(productId);
      expect(await remove()).toEqual({ kind: "product_unknown" });
      expect(await catalogue.updateProduct({ id: productId, changes: { name: "B" } })).toEqual({ kind: "product_unknown" });
      expect(await shop.changeInventory(productId, { kind: "count", units: 1 })).toEqual({ kind: "product_unknown" });
      expect(await catalogue.setQuota(productId, await shop.buyer("ann"), 1)).toBe("product_unknown");
      const again = { id: productId, name: "Lamp", price, seller: "shop", createdAtMs: shop.nowMs };
      expect(await catalogue.addProduct(again)).toMatchObject({ kind: "differs" });
    },
  },
  {
    rule: "IN6",
    title: "products are listed by what is asked for, sorted, in parts, with their number",
    run: async (shop) => {
      const { records, catalogue } = shop.fixture;
      const add = async (name: string, minor: number, units?: number, seller = "shop") => {
        await shop.fixture.time.advance(1_000);
        return shop.product({ name, price: euros(minor), seller, ...(units === undefined ? {} : { units }) });
      };
      const [amp, lamp, 灯, none] = [
        await add("amp", 300, 1),
        await add("Lamp 50%", 100),
        await add("灯_é", 200, 2, "other"),
        await add("Zed", 200, 0),
      ];
      const gone = await add("Lamp gone", 100);
      await catalogue.deleteProduct({ id: gone, nowMs: shop.nowMs });
      const list = async (query: ProductQuery, page = all) => {
        const { items, total } = await records.products(query, page);
        return [items.map(({ id }) => id), total];
      };
      expect(await list({})).toEqual([[none, 灯, lamp, amp], 4]);
      expect(await list({}, { offset: 1, limit: 2 })).toEqual([[灯, lamp], 4]);
      expect(await list({}, { offset: 9, limit: 2 })).toEqual([[], 4]);
      const by = (name: "created_at" | "name" | "price", descending: boolean) => list({ sort: { by: name, descending } });
      expect(await by("created_at", false)).toEqual([[amp, lamp, 灯, none], 4]);
      expect(await by("name", false)).toEqual([[lamp, none, amp, 灯], 4]);
      expect(await by("name", true)).toEqual([[灯, amp, none, lamp], 4]);
      expect(await by("price", false)).toEqual([[lamp, 灯, none, amp], 4]);
      expect(await by("price", true)).toEqual([[amp, none, 灯, lamp], 4]);
      expect(await list({ seller: "other" })).toEqual([[灯], 1]);
      expect(await list({ nameContains: "AMP" })).toEqual([[lamp, amp], 2]);
      expect(await list({ nameContains: "50%" })).toEqual([[lamp], 1]);
      expect(await list({ nameContains: "%" })).toEqual([[lamp], 1]);
      expect(await list({ nameContains: "_" })).toEqual([[灯], 1]);
      expect(await list({ nameContains: "!" })).toEqual([[], 0]);
      expect(await list({ nameContains: "\0" })).toEqual([[], 0]);
      expect(await list({ nameContains: "é" })).toEqual([[灯], 1]);
      expect(await list({ ids: [amp, gone, none] })).toEqual([[none, amp], 2]);
      expect(await list({ ids: [] })).toEqual([[], 0]);
      expect(await list({ inStock: true })).toEqual([[灯, lamp, amp], 3]);
      expect(await list({ inStock: false })).toEqual([[none], 1]);
      expect(await list({ priceMinorMin: 200, priceMinorMax: 299 })).toEqual([[none, 灯], 2]);
      expect(await list({ currency: "USD" })).toEqual([[], 0]);
      expect(await list({ currency: "EUR", seller: "shop", inStock: true, nameContains: "a" })).toEqual([[lamp, amp], 2]);
    },
  },
  {
    rule: "IN6",
    title: "a product's units are told: free ones, and those in its sales",
    run: async (shop) => {
      const { records } = shop.fixture;
      const productId = await shop.product({ units: 20 });
      const nothing = { issued: 0, available: 0, held: 0, sold: 0, withdrawn: 0 };
      await shop.draft({ productId });
      expect(await records.productStock(productId)).toEqual({ inventory: 20, sales: 0, inSales: nothing });
      const [first, second] = [await shop.sale({ productId, stock: 5 }), await shop.sale({ productId, stock: 3 })];
      await shop.accept(first, { buyer: await shop.buyer("ann") });
      await shop.pay(await shop.accept(second, { buyer: await shop.buyer("ann") }));
      expect(await records.productStock(productId)).toEqual({
        inventory: 12,
        sales: 2,
        inSales: { issued: 8, available: 6, held: 1, sold: 1, withdrawn: 0 },
      });
      expect(await records.productStock(shop.newProductId())).toBeUndefined();
    },
  },
  {
    rule: "IN7",
    title: "sales are listed by their seller; drafts of one merchant are for its own eyes",
    run: async (shop) => {
      const { records } = shop.fixture;
      const [mine, theirs] = [await shop.product(), await shop.product({ seller: "other" })];
      const [a, b] = [await shop.sale({ productId: mine }), await shop.sale({ productId: theirs })];
      const [c, d] = [await shop.draft({ productId: mine }), await shop.draft({ productId: theirs })];
      const list = async (query: object) => {
        const { items, total } = await records.sales({ nowMs: shop.nowMs, withDrafts: false, ...query }, all);
        expect(total).toBe(items.length);
        return items.map(({ id }) => id);
      };
      expect(await list({})).toEqual([b, a]);
      expect(await list({ withDrafts: true })).toEqual([d, c, b, a]);
      expect(await list({ withDrafts: { of: "other" } })).toEqual([d, b, a]);
      expect(await list({ seller: "other" })).toEqual([b]);
      expect(await list({ seller: "other", withDrafts: { of: "shop" } })).toEqual([b]);
      expect(await list({ seller: "other", withDrafts: { of: "other" }, status: "draft" })).toEqual([d]);
      expect(must((await records.sales({ nowMs: shop.nowMs, withDrafts: true }, { offset: 0, limit: 1 })).items[0]).seller).toBe("other");
    },
  },
  {
    rule: "PU5",
    title: "a group is a merchant's own: another's of the same name counts no units and binds no limit",
    run: async (shop) => {
      const [mine, theirs] = [await shop.product(), await shop.product({ seller: "other" })];
      const first = await shop.sale({ productId: mine, limitGroup: "g", perBuyerLimit: 1 });
      const second = await shop.sale({ productId: theirs, limitGroup: "g", perBuyerLimit: 2 });
      const buyer = await shop.buyer("ann");
      await shop.accept(first, { buyer });
      await shop.accept(second, { buyer, quantity: 2 });
      expect(await shop.take(second, { buyer })).toMatchObject({ kind: "refused", refusal: { reason: "limit_reached", units: 2 } });
    },
  },
];
