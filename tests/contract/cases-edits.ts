/** Drafts change until they are published; a version that was not seen is not overwritten. */
import { expect } from "bun:test";
import type { ContractCase } from "./fixture.ts";
import { euros, minuteMs } from "./shop.ts";

export const editCases: readonly ContractCase[] = [
  {
    rule: "PU26",
    title: "a draft reads back as edited, sells as edited, and a repeat of the edit changes nothing",
    run: async (shop) => {
      const saleId = await shop.draft({ stock: 5, limitGroup: "g" });
      const changes = {
        name: "Lampe",
        priceMinor: 42,
        stock: 2,
        perBuyerLimit: 2,
        limitGroup: null,
        endsAtMs: shop.nowMs + 5 * minuteMs,
      };
      const { feed } = await shop.read(saleId);
      const edit = { kind: "edit", changes, expectedFeed: feed } as const;
      expect(await shop.send(saleId, edit)).toMatchObject({ kind: "edited", repeated: false });
      const edited = await shop.read(saleId);
      const { limitGroup: _, priceMinor: __, ...fields } = changes;
      const kept = { ...fields, price: euros(42) };
      expect(edited).toMatchObject({ ...kept, phase: "draft" });
      expect(edited.limitGroup).toBeUndefined();
      expect(edited.feed).toBeGreaterThan(feed);
      expect(await shop.send(saleId, edit)).toMatchObject({ kind: "edited", repeated: true, sale: { feed: edited.feed } });
      await shop.flip(saleId, { kind: "publish" });
      expect(await shop.read(saleId)).toMatchObject({ ...kept, balances: { issued: 2 } });
      const { price } = await shop.accept(saleId, { buyer: await shop.buyer("ann"), quantity: 2 });
      expect(price).toEqual(euros(42));
    },
  },
  {
    rule: "PU26",
    title: "an edit of another version changes nothing and says what is there; two edits at once do not both win",
    run: async (shop) => {
      const saleId = await shop.draft();
      const { feed } = await shop.read(saleId);
      const edit = (stock: number) => shop.send(saleId, { kind: "edit", changes: { stock }, expectedFeed: feed });
      const answers = await Promise.all([edit(11), edit(12), edit(13)]);
      expect(answers.map(({ kind }) => kind)).toEqual(["edited", "version_differs", "version_differs"]);
      expect(answers[1]).toMatchObject({ sale: { stock: 11 } });
      expect((await shop.read(saleId)).stock).toBe(11);
    },
  },
  {
    rule: "PU26",
    title: "an edit that breaks a bound is refused, and a published sale is edited by its switches only",
    run: async (shop) => {
      const saleId = await shop.draft();
      const edit = (changes: object) => shop.send(saleId, { kind: "edit", changes });
      expect(await edit({ stock: 0 })).toMatchObject({ kind: "invalid", field: "stock" });
      expect(await edit({ endsAtMs: shop.nowMs - 1 })).toMatchObject({ kind: "invalid", field: "ends_at" });
      await shop.fixture.time.advance(10 * minuteMs);
      // Its start has passed, which is nothing that this edit changes.
      expect(await edit({ name: "Lampe" })).toMatchObject({ kind: "edited" });
      expect(await shop.flip(saleId, { kind: "publish" })).toMatchObject({ kind: "invalid", field: "starts_at" });
      expect(await edit({ startsAtMs: shop.nowMs })).toMatchObject({ kind: "edited" });
      expect(await shop.flip(saleId, { kind: "publish" })).toMatchObject({ kind: "switched" });
      expect(await edit({ name: "Lamp" })).toEqual({ kind: "not_allowed", status: "live" });
      await shop.flip(saleId, { kind: "cancel_sale" });
      expect(await edit({ name: "Lamp" })).toEqual({ kind: "not_allowed", status: "cancelled" });
    },
  },
  {
    rule: "PU15",
    title: "a sale whose start has passed is not published, except by who may: its buyers were promised the start",
    run: async (shop) => {
      const saleId = await shop.draft();
      await shop.fixture.time.advance(minuteMs);
      const other = await shop.draft({ startsAtMs: shop.nowMs - minuteMs });
      expect(await shop.flip(other, { kind: "publish" })).toMatchObject({ kind: "switched" });
      await shop.fixture.time.advance(1);
      expect(await shop.flip(saleId, { kind: "publish" })).toMatchObject({ kind: "invalid", field: "starts_at" });
      expect(await shop.flip(saleId, { kind: "publish", pastAllowed: true })).toMatchObject({ kind: "switched" });
    },
  },
];
