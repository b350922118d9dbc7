/** Ways an order gives its units back, and how orders are found. */
import { expect } from "bun:test";
import type { BuyerId } from "../../src/domain/ids.ts";
import { paymentGraceMs, type Purchase } from "../../src/domain/purchase.ts";
import type { ContractCase } from "./fixture.ts";
import { must } from "../kit/samples.ts";
import { answerFields, minuteMs, payWindowMs } from "./shop.ts";

export const orderCases: readonly ContractCase[] = [
  {
    rule: "OR2",
    title: "its buyer cancels, the shop closes: the units are free again",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 2 });
      const [ann, bob] = (await shop.buyers(2)).map((buyer) => must(buyer));
      const first = await shop.accept(saleId, { buyer: must(ann) });
      const second = await shop.accept(saleId, { buyer: must(bob) });
      expect(await shop.cancel(first, must(ann))).toMatchObject({ kind: "released", repeated: false, purchase: { state: "cancelled" } });
      expect(await shop.closeOrder(second)).toMatchObject({ kind: "released", repeated: false, purchase: { state: "closed" } });
      expect(await shop.balances(saleId)).toMatchObject({ available: 2, held: 0 });
      await shop.accept(saleId, { buyer: await shop.buyer("cat") });
    },
  },
  {
    rule: "OR8",
    title: "somebody else's purchase, another sale's and none at all are unknown, and stay untouched",
    run: async (shop) => {
      const [saleId, other] = [await shop.sale(), await shop.sale()];
      const [ann, bob] = (await shop.buyers(2)).map((buyer) => must(buyer));
      const purchase = await shop.accept(saleId, { buyer: must(ann) });
      const { id: purchaseId } = purchase;
      const unknown = { kind: "purchase_unknown" as const };
      expect(await shop.cancel(purchase, must(bob))).toEqual(unknown);
      expect(await shop.startPayment(purchase, { buyerId: must(bob) })).toEqual(unknown);
      for (const kind of ["cancel", "expire", "close"] as const) expect(await shop.send(other, { kind, purchaseId })).toEqual(unknown);
      expect(await shop.send(other, { kind: "start_payment", paymentId: shop.newPaymentId(), purchaseId, provider: "simulated" })).toEqual(
        unknown,
      );
      expect(await shop.send(other, { kind: "refund", refundId: shop.newRefundId(), purchaseId, returnStock: true })).toEqual(unknown);
      expect(await shop.send(saleId, { kind: "cancel", purchaseId: shop.newPurchaseId() })).toEqual(unknown);
      expect((await shop.order(purchase)).state).toBe("reserved");
    },
  },
  {
    rule: "OR3",
    title: "a hold does not expire before its deadline, and does at it",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 1 });
      const purchase = await shop.accept(saleId, { buyer: await shop.buyer("ann") });
      await shop.fixture.time.advance(payWindowMs - 1);
      expect(await shop.expire(purchase)).toEqual({ kind: "too_early", holdUntilMs: purchase.holdUntilMs });
      expect(await shop.balances(saleId)).toMatchObject({ held: 1 });
      await shop.fixture.time.advance(1);
      expect(await shop.expire(purchase)).toMatchObject({ kind: "released", purchase: { state: "expired" } });
      expect(await shop.balances(saleId)).toMatchObject({ available: 1, held: 0 });
    },
  },
  {
    rule: "OR11",
    title: "its buyer is given a minute more, once for each deadline that it names, whatever is repeated and by whomever",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 1, payExtensionsMax: 3 });
      const [ann, bob] = (await shop.buyers(2)).map((buyer) => must(buyer));
      const first = await shop.accept(saleId, { buyer: must(ann) });
      expect(await shop.extend(first, must(bob))).toEqual({ kind: "purchase_unknown" });
      const answers = await Promise.all([1, 2, 3].map(() => shop.extend(first)));
      expect(answers.map((answer) => answer.kind === "extended" && answer.repeated)).toEqual([false, true, true]);
      const second = await shop.order(first);
      expect(second).toEqual({ ...first, extensions: 1, holdUntilMs: first.holdUntilMs + minuteMs });
      expect(await shop.extend(second)).toMatchObject({ kind: "extended", repeated: false, purchase: { extensions: 2 } });
      for (const seen of [first, second]) expect(await shop.extend(seen)).toMatchObject({ repeated: true, purchase: { extensions: 2 } });
      for (const payByMs of [first.payByMs - minuteMs, first.payByMs + 1, first.payByMs + 3 * minuteMs])
        expect(await shop.extend({ ...first, payByMs })).toMatchObject({ kind: "deadline_unknown", purchase: { extensions: 2 } });
      expect(await shop.balances(saleId)).toMatchObject({ available: 0, held: 1 });
      await shop.fixture.time.advance(payWindowMs + 2 * minuteMs - 1);
      expect(await shop.expire(first)).toMatchObject({ kind: "too_early" });
      await shop.fixture.time.advance(1);
      expect(await shop.expire(first)).toMatchObject({ kind: "released", purchase: { state: "expired", extensions: 2 } });
    },
  },
  {
    rule: "OR11",
    title: "after the deadline, and for an order that is over, there is no more time; a repeat hears what has become of it",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 3, perBuyerLimit: 3 });
      const buyer = await shop.buyer("ann");
      const [cancelled, paid, overdue] = await Promise.all([1, 2, 3].map(() => shop.accept(saleId, { buyer })));
      await shop.extend(must(paid));
      await shop.cancel(must(cancelled));
      await shop.pay(must(paid));
      expect(await shop.extend(must(cancelled))).toMatchObject({ kind: "not_extendable", purchase: { state: "cancelled" } });
      expect(await shop.extend(await shop.order(must(paid)))).toMatchObject({ kind: "not_extendable", purchase: { state: "paid" } });
      expect(await shop.extend(must(paid))).toMatchObject({ kind: "extended", repeated: true, purchase: { state: "paid", extensions: 1 } });
      await shop.fixture.time.advance(payWindowMs);
      expect(await shop.extend(must(overdue))).toMatchObject({ kind: "not_extendable", purchase: { state: "reserved", extensions: 0 } });
    },
  },
  {
    rule: "OR12",
    title: "an order is extended as often as its sale gives, and no more",
    run: async (shop) => {
      for (const payExtensionsMax of [0, 2]) {
        const saleId = await shop.sale({ payExtensionsMax });
        const purchase = await shop.accept(saleId, { buyer: await shop.buyer("ann") });
        const refused = { kind: "extensions_used_up", extensionsMax: payExtensionsMax, purchase: { extensions: payExtensionsMax } };
        for (let used = 0; used < payExtensionsMax; used++)
          expect(await shop.extend(await shop.order(purchase))).toMatchObject({ kind: "extended", repeated: false });
        expect(await shop.extend(await shop.order(purchase))).toMatchObject(refused);
        const wanted = { extensions: payExtensionsMax, holdUntilMs: purchase.payByMs + payExtensionsMax * minuteMs };
        expect(await shop.order(purchase)).toEqual({ ...purchase, ...wanted });
      }
    },
  },
  {
    rule: "OR13",
    title: "extensions and the grace of payments add up, whichever comes first, and the grace is no longer for it",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 3, payExtensionsMax: 1 });
      const buyers = await shop.buyers(3);
      const [before, after, between] = await Promise.all(buyers.map((buyer) => shop.accept(saleId, { buyer: must(buyer) })));
      const heldFor = async (purchase: Purchase) => (await shop.order(purchase)).holdUntilMs - purchase.payByMs;
      await shop.fixture.time.advance(payWindowMs - minuteMs);
      await shop.openPayment(must(before));
      expect(await heldFor(must(before))).toBe(paymentGraceMs - minuteMs);
      await shop.extend(must(before));
      expect(await heldFor(must(before))).toBe(paymentGraceMs);
      await shop.extend(must(after));
      const { id: paymentId } = await shop.openPayment(must(between));
      await shop.fixture.time.advance(2 * minuteMs - 1);
      await shop.openPayment(must(after));
      expect(await heldFor(must(after))).toBe(paymentGraceMs + minuteMs - 1);
      // A minute more of a deadline that has passed is none.
      await shop.send(saleId, { kind: "update_payment", paymentId, event: "failed" });
      expect(await shop.extend(must(between))).toMatchObject({ kind: "not_extendable" });
      expect(await heldFor(must(between))).toBe(paymentGraceMs - minuteMs);
      await shop.fixture.time.advance(paymentGraceMs);
      expect(await shop.expire(must(between))).toMatchObject({ kind: "released" });
    },
  },
  {
    rule: "OR5",
    title: "a release twice, also at once, moves its units once",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 3, perBuyerLimit: 3 });
      const purchase = await shop.accept(saleId, { buyer: await shop.buyer("ann"), quantity: 3 });
      const answers = await Promise.all([1, 2, 3].map(() => shop.cancel(purchase)));
      expect(answers.map((answer) => answer.kind === "released" && answer.repeated)).toEqual([false, true, true]);
      expect(await shop.cancel(purchase)).toMatchObject({ kind: "released", repeated: true });
      expect(await shop.balances(saleId)).toMatchObject({ available: 3, held: 0 });
    },
  },
  {
    rule: "ST5",
    title: "cancel, expiry and close of one order at once: one of them wins and its units return once",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 2, perBuyerLimit: 2 });
      const purchase = await shop.accept(saleId, { buyer: await shop.buyer("ann"), quantity: 2 });
      await shop.fixture.time.advance(payWindowMs);
      const answers = await Promise.all([shop.expire(purchase), shop.cancel(purchase), shop.closeOrder(purchase)]);
      expect(answers.map((answer) => answer.kind).sort()).toEqual(["not_allowed", "not_allowed", "released"]);
      expect(await shop.balances(saleId)).toMatchObject({ available: 2, held: 0 });
    },
  },
  {
    rule: "OR6",
    title: "a paid order is released by nothing, a released one by nothing else",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 2 });
      const [ann, bob] = (await shop.buyers(2)).map((buyer) => must(buyer));
      const paid = await shop.accept(saleId, { buyer: must(ann) });
      await shop.pay(paid);
      const cancelled = await shop.accept(saleId, { buyer: must(bob) });
      await shop.cancel(cancelled);
      await shop.fixture.time.advance(payWindowMs * 2);
      for (const release of [shop.cancel, shop.expire, shop.closeOrder])
        expect(await release(paid)).toMatchObject({ kind: "not_allowed", purchase: { state: "paid" } });
      for (const release of [shop.expire, shop.closeOrder])
        expect(await release(cancelled)).toMatchObject({ kind: "not_allowed", purchase: { state: "cancelled" } });
      expect(await shop.balances(saleId)).toEqual({ issued: 2, available: 1, held: 0, sold: 1, withdrawn: 0 });
    },
  },
  {
    rule: "OR7",
    title: "every accepted purchase is found by id, by key and in its buyer's list, with its state",
    run: async (shop) => {
      const { records } = shop.fixture;
      const [one, two] = [await shop.sale({ perBuyerLimit: 9 }), await shop.sale({ perBuyerLimit: 9 })];
      const [ann, bob] = (await shop.buyers(2)).map((buyer) => must(buyer));
      const first = await shop.accept(one, { buyer: must(ann), key: "k1" });
      const second = await shop.accept(two, { buyer: must(ann), key: "k1" });
      const third = await shop.accept(one, { buyer: must(ann), key: "k2" });
      await shop.accept(one, { buyer: must(bob), key: "k1" });
      await shop.cancel(third);
      const ids = async (query: object, page = { offset: 0, limit: 10 }) => {
        const list = await records.purchasesOf(must(ann), query, page);
        return { ids: list.items.map((item) => item.id), total: list.total };
      };
      expect(await ids({})).toEqual({ ids: [third.id, second.id, first.id], total: 3 });
      expect(await ids({ saleId: one })).toEqual({ ids: [third.id, first.id], total: 2 });
      expect(await ids({ state: "reserved" })).toEqual({ ids: [second.id, first.id], total: 2 });
      expect(await ids({ saleId: one, state: "cancelled" })).toEqual({ ids: [third.id], total: 1 });
      expect(await ids({}, { offset: 1, limit: 1 })).toEqual({ ids: [second.id], total: 3 });
      const byKey = await records.purchaseByKey({ saleId: one, buyerId: must(ann), key: "k2" });
      // A field left out and one undefined are the same: a store may carry rows as JSON.
      expect(byKey && { ...answerFields(byKey), state: byKey.state }).toEqual({ ...answerFields(third), state: "cancelled" });
      expect(await records.purchaseByKey({ saleId: two, buyerId: must(bob), key: "k1" })).toBeUndefined();
      expect(await records.purchase(shop.newPurchaseId())).toBeUndefined();
    },
  },
  {
    rule: "OR7",
    title: "a key is found by its product, in whichever of its sales it was accepted, the latest first",
    run: async (shop) => {
      const { records } = shop.fixture;
      const productId = await shop.product();
      const [one, two, other] = [await shop.sale({ productId }), await shop.sale({ productId }), await shop.sale()];
      const [ann, bob] = (await shop.buyers(2)).map((buyer) => must(buyer));
      const first = await shop.accept(one, { buyer: must(ann), key: "k" });
      await shop.accept(other, { buyer: must(ann), key: "elsewhere" });
      const find = async (buyer: BuyerId | undefined, key: string) =>
        (await records.purchaseByProductKey({ productId, buyerId: must(buyer), key }))?.id;
      expect([await find(ann, "k"), await find(bob, "k"), await find(ann, "elsewhere")]).toEqual([first.id, undefined, undefined]);
      const second = await shop.accept(two, { buyer: must(ann), key: "k" });
      expect(await find(ann, "k")).toBe(second.id);
    },
  },
  {
    rule: "OR7",
    title: "counts and the set of buyers are those of the sale",
    run: async (shop) => {
      const { records } = shop.fixture;
      const [saleId, other] = [await shop.sale({ perBuyerLimit: 2 }), await shop.sale()];
      const buyers = await shop.buyers(5);
      const orders = [];
      for (const buyer of buyers) orders.push(await shop.accept(saleId, { buyer }));
      await shop.cancel(must(orders[0]));
      await shop.pay(must(orders[1]));
      await shop.accept(saleId, { buyer: must(buyers[1]) });
      await shop.accept(other, { buyer: await shop.buyer("elsewhere") });
      expect(await records.counts(saleId)).toEqual({ byState: { reserved: 4, paid: 1, cancelled: 1 }, buyers: 5 });
      const sorted = buyers.toSorted((a, b) => a - b);
      expect([...(await records.buyersOf(saleId, 0, 100))]).toEqual(sorted);
      const page = await records.buyersOf(saleId, 0, 3);
      const rest = await records.buyersOf(saleId, must(page.at(-1)), 3);
      expect([...page, ...rest]).toEqual(sorted);
      expect(await records.totals()).toEqual({ sales: 2, purchases: 7, buyers: 6, refundsOpen: 0 });
    },
  },
  {
    rule: "OR10",
    title: "overdue orders are listed from their deadline on, earliest first, until they are released",
    run: async (shop) => {
      const { records, time } = shop.fixture;
      const saleId = await shop.sale();
      const [ann, bob, cat] = (await shop.buyers(3)).map((buyer) => must(buyer));
      const first = await shop.accept(saleId, { buyer: must(ann) });
      await time.advance(minuteMs);
      const second = await shop.accept(saleId, { buyer: must(bob) });
      const paid = await shop.accept(saleId, { buyer: must(cat) });
      await shop.pay(paid);
      const due = async (nowMs: number, countMax = 10) => (await records.duePurchases(nowMs, countMax)).map((row) => row.id);
      expect(await due(first.holdUntilMs - 1)).toEqual([]);
      expect(await due(first.holdUntilMs)).toEqual([first.id]);
      expect(await due(second.holdUntilMs + 1)).toEqual([first.id, second.id]);
      expect(await due(second.holdUntilMs + 1, 1)).toEqual([first.id]);
      await time.advance(payWindowMs + minuteMs);
      await shop.expire(first);
      expect(await due(shop.nowMs)).toEqual([second.id]);
    },
  },
];
