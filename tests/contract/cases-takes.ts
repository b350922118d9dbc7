/** Acceptance, limits, quotas, groups, keys, and the order of refusals. */
import { expect } from "bun:test";
import type { Movement } from "../../src/domain/movement.ts";
import { attemptsPerBuyerMax } from "../../src/domain/purchase.ts";
import type { ContractCase } from "./fixture.ts";
import { must } from "../kit/samples.ts";
import { answerFields, minuteMs, payWindowMs, price, refused } from "./shop.ts";

export const takeCases: readonly ContractCase[] = [
  {
    rule: "PU1",
    title: "accepts a purchase of a live sale: the row as asked for, one unit held, one ledger entry with the limit",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 3, perBuyerLimit: 2 });
      const buyer = await shop.buyer("ann");
      const { productId } = await shop.read(saleId);
      const ask = { buyer, key: "k", quantity: 2, metadata: '{"note":"a"}' };
      const purchase = await shop.accept(saleId, ask);
      const nowMs = shop.nowMs;
      expect(purchase).toMatchObject({
        saleId,
        productId,
        buyerId: buyer,
        key: "k",
        quantity: 2,
        price,
        limit: 2,
        metadata: '{"note":"a"}',
      });
      expect(purchase).toMatchObject({
        state: "reserved",
        acceptedAtMs: nowMs,
        payByMs: nowMs + payWindowMs,
        holdUntilMs: nowMs + payWindowMs,
      });
      expect(await shop.balances(saleId)).toEqual({ issued: 3, available: 1, held: 2, sold: 0, withdrawn: 0 });
      const [issue, take, ...rest] = await shop.fixture.ledger(saleId);
      expect(issue).toMatchObject({ kind: "issue", units: 3 });
      expect(take).toMatchObject({ kind: "take", sourceId: purchase.id, units: 2, limit: 2, atMs: nowMs });
      expect(rest).toEqual([]);
    },
  },
  {
    rule: "PU1",
    title: "refuses a sale that does not exist",
    run: async (shop) => {
      const draft = await shop.draft();
      expect(await shop.take(draft, { buyer: await shop.buyer("ann") })).toEqual(refused({ reason: "sale_unknown" }));
      expect(await shop.take(shop.newSaleId(), { buyer: await shop.buyer("ann") })).toEqual({ kind: "sale_unknown" });
    },
  },
  {
    rule: "ST1",
    title: "never accepts more than it holds: ten buyers, three units",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 3 });
      const buyers = await shop.buyers(10);
      const answers = await Promise.all(buyers.map((buyer) => shop.take(saleId, { buyer })));
      expect(answers.filter((answer) => answer.kind === "accepted").length).toBe(3);
      expect(await shop.balances(saleId)).toEqual({ issued: 3, available: 0, held: 3, sold: 0, withdrawn: 0 });
    },
  },
  {
    rule: "ST12",
    title: "demand above the stock sells all of it, over many batches and with units coming back",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 20 });
      const buyers = await shop.buyers(40);
      const first = await Promise.all(buyers.slice(0, 20).map((buyer) => shop.accept(saleId, { buyer })));
      await Promise.all(first.slice(0, 10).map((purchase) => shop.cancel(purchase)));
      const second = await Promise.all(buyers.slice(20).map((buyer) => shop.take(saleId, { buyer })));
      expect(second.filter((answer) => answer.kind === "accepted").length).toBe(10);
      expect(await shop.balances(saleId)).toMatchObject({ available: 0, held: 20 });
    },
  },
  {
    rule: "PU13",
    title: "says all_taken while held units may return, sold_out when none can, and takes a smaller quantity that fits",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 2, perBuyerLimit: 3 });
      const [ann, bob] = await shop.buyers(2);
      expect(await shop.take(saleId, { buyer: must(ann), quantity: 3 })).toEqual(refused({ reason: "sold_out", available: 2 }));
      const purchase = await shop.accept(saleId, { buyer: must(ann), quantity: 1 });
      expect(await shop.take(saleId, { buyer: must(bob), quantity: 2 })).toEqual(refused({ reason: "all_taken", held: 1, available: 1 }));
      await shop.accept(saleId, { buyer: must(bob), quantity: 1 });
      await shop.pay(purchase);
      expect(await shop.take(saleId, { buyer: await shop.buyer("cat") })).toEqual(refused({ reason: "all_taken", held: 1, available: 0 }));
    },
  },
  {
    rule: "PU3",
    title: "counts a buyer's reserved and paid units against the limit, and frees them with the hold",
    run: async (shop) => {
      const saleId = await shop.sale({ perBuyerLimit: 3 });
      const buyer = await shop.buyer("ann");
      await shop.pay(await shop.accept(saleId, { buyer, quantity: 1 }));
      const second = await shop.accept(saleId, { buyer, quantity: 2 });
      expect(await shop.take(saleId, { buyer })).toEqual(refused({ reason: "limit_reached", limit: 3, units: 3 }));
      await shop.cancel(second);
      expect(await shop.take(saleId, { buyer, quantity: 3 })).toEqual(refused({ reason: "limit_reached", limit: 3, units: 1 }));
      await shop.accept(saleId, { buyer, quantity: 2 });
    },
  },
  {
    rule: "PU3",
    title: "paid units count also after a refund",
    run: async (shop) => {
      const saleId = await shop.sale();
      const buyer = await shop.buyer("ann");
      const purchase = await shop.accept(saleId, { buyer });
      await shop.pay(purchase);
      await shop.refund(purchase, { returnStock: true });
      expect(await shop.take(saleId, { buyer })).toEqual(refused({ reason: "limit_reached", limit: 1, units: 1 }));
    },
  },
  {
    rule: "PU3",
    title: "paid units do not count after a refund where the sale says so",
    run: async (shop) => {
      const saleId = await shop.sale({ refundedUnitsCount: false });
      const buyer = await shop.buyer("ann");
      const purchase = await shop.accept(saleId, { buyer });
      await shop.pay(purchase);
      await shop.refund(purchase, { returnStock: true });
      await shop.accept(saleId, { buyer });
    },
  },
  {
    rule: "PU3",
    title: "one buyer's storm without keys ends at the limit",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 30, perBuyerLimit: 2 });
      const buyer = await shop.buyer("ann");
      const answers = await Promise.all(Array.from({ length: 20 }, () => shop.take(saleId, { buyer })));
      expect(answers.filter((answer) => answer.kind === "accepted").length).toBe(2);
    },
  },
  {
    rule: "PU4",
    title: "a quota replaces the limit, upwards and down to nothing",
    run: async (shop) => {
      const productId = await shop.product();
      const [vip, barred, plain] = (await shop.buyers(3)).map((buyer) => must(buyer));
      await shop.fixture.catalogue.setQuota(productId, must(vip), 3);
      await shop.fixture.catalogue.setQuota(productId, must(barred), 0);
      const saleId = await shop.sale({ productId });
      const purchase = await shop.accept(saleId, { buyer: must(vip), quantity: 3 });
      expect(purchase.limit).toBe(3);
      expect(await shop.take(saleId, { buyer: must(vip) })).toEqual(refused({ reason: "limit_reached", limit: 3, units: 3 }));
      expect(await shop.take(saleId, { buyer: must(barred) })).toEqual(refused({ reason: "limit_reached", limit: 0, units: 0 }));
      expect(await shop.take(saleId, { buyer: must(plain), quantity: 2 })).toEqual(
        refused({ reason: "limit_reached", limit: 1, units: 0 }),
      );
    },
  },
  {
    rule: "PU4",
    title: "publishing copies the quotas: later changes are for later sales",
    run: async (shop) => {
      const productId = await shop.product();
      const buyer = await shop.buyer("ann");
      const { catalogue } = shop.fixture;
      await catalogue.setQuota(productId, buyer, 2);
      const first = await shop.sale({ productId });
      await catalogue.setQuota(productId, buyer, 5);
      const second = await shop.sale({ productId });
      await catalogue.setQuota(productId, buyer, undefined);
      const third = await shop.sale({ productId });
      const other = await shop.sale();
      const limits = [];
      for (const saleId of [first, second, third, other]) limits.push((await shop.accept(saleId, { buyer })).limit);
      expect(limits).toEqual([2, 5, 1, 1]);
    },
  },
  {
    rule: "PU4",
    title: "in one commit with a publish, the limit is the one that the publish leaves, also when it only repeats",
    needs: ["one_commit"],
    run: async (shop) => {
      const { catalogue } = shop.fixture;
      const productId = await shop.product();
      const [ann, bob] = (await shop.buyers(2)).map((buyer) => must(buyer));
      const published = await shop.sale({ productId, perBuyerLimit: 1 });
      await catalogue.setQuota(productId, must(ann), 5);
      const publish: Movement = { kind: "switch", change: { kind: "publish" } };
      const takes = (): Movement[] => [ann, bob].map((buyer) => shop.movement({ buyer: must(buyer), quantity: 5 }));
      const over = refused({ reason: "limit_reached", limit: 1, units: 0 });
      expect(await shop.sendAll(published, [publish, ...takes()])).toMatchObject([{ repeated: true }, over, over]);
      const draft = await shop.draft({ productId, perBuyerLimit: 1 });
      expect(await shop.sendAll(draft, [publish, ...takes()])).toMatchObject([
        { repeated: false },
        { kind: "accepted", purchase: { limit: 5 } },
        over,
      ]);
    },
  },
  {
    rule: "PU4",
    title: "a quota needs its product",
    run: async (shop) => {
      const unknown = shop.newProductId();
      expect(await shop.fixture.catalogue.setQuota(unknown, await shop.buyer("ann"), 3)).toBe("product_unknown");
    },
  },
  {
    rule: "PU5",
    title: "sales of one group count a buyer's units together",
    run: async (shop) => {
      const group = { limitGroup: "festival", perBuyerLimit: 2 };
      const [one, two] = [await shop.sale(group), await shop.sale(group)];
      const alone = await shop.sale({ perBuyerLimit: 2 });
      const buyer = await shop.buyer("ann");
      const first = await shop.accept(one, { buyer });
      await shop.accept(two, { buyer });
      expect(await shop.take(one, { buyer })).toEqual(refused({ reason: "limit_reached", limit: 2, units: 2 }));
      expect(await shop.take(two, { buyer })).toEqual(refused({ reason: "limit_reached", limit: 2, units: 2 }));
      await shop.accept(alone, { buyer, quantity: 2 });
      await shop.cancel(first);
      await shop.accept(two, { buyer });
    },
  },
  {
    rule: "PU5",
    title: "two sales of a group at the same instant do not both take the last unit of the limit",
    run: async (shop) => {
      const group = { limitGroup: "festival", perBuyerLimit: 1 };
      const sales = [await shop.sale(group), await shop.sale(group), await shop.sale(group)];
      const buyer = await shop.buyer("ann");
      const answers = await Promise.all(sales.map((saleId) => shop.take(saleId, { buyer })));
      expect(answers.map((answer) => answer.kind).sort()).toEqual(["accepted", "refused", "refused"]);
    },
  },
  {
    rule: "PU5",
    title: "a sale with another limit cannot be published into a group",
    run: async (shop) => {
      await shop.sale({ limitGroup: "festival", perBuyerLimit: 2 });
      const odd = await shop.draft({ limitGroup: "festival", perBuyerLimit: 3 });
      expect(await shop.flip(odd, { kind: "publish" })).toMatchObject({ kind: "invalid", field: "per_buyer_limit" });
      expect((await shop.read(odd)).phase).toBe("draft");
    },
  },
  {
    rule: "PU6",
    title: "a repeat of an accepted key gets the first purchase, whatever happened since",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 1 });
      const buyer = await shop.buyer("ann");
      const first = await shop.accept(saleId, { buyer, key: "k" });
      const repeat = async () => {
        const answer = await shop.take(saleId, { buyer, key: "k" });
        expect(answer).toMatchObject({ kind: "accepted", replayed: true });
        if (answer.kind === "accepted") expect(answerFields(answer.purchase)).toEqual(answerFields(first));
      };
      await repeat();
      await shop.flip(saleId, { kind: "pause" });
      await repeat();
      await shop.cancel(first);
      await repeat();
      await shop.flip(saleId, { kind: "cancel_sale" });
      await repeat();
      await shop.fixture.time.advance(61 * minuteMs);
      await repeat();
      expect((await shop.fixture.ledger(saleId)).filter((entry) => entry.kind === "take").length).toBe(1);
    },
  },
  {
    rule: "PU6",
    title: "a repeat after the sell-out still gets its purchase, others their refusal",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 1 });
      const [ann, bob] = (await shop.buyers(2)).map((buyer) => must(buyer));
      const first = await shop.accept(saleId, { buyer: must(ann), key: "k" });
      await shop.pay(first);
      expect(await shop.take(saleId, { buyer: must(bob), key: "k" })).toEqual(refused({ reason: "sold_out", available: 0 }));
      expect(await shop.take(saleId, { buyer: must(ann), key: "k" })).toMatchObject({
        kind: "accepted",
        replayed: true,
        purchase: { id: first.id },
      });
    },
  },
  {
    rule: "PU7",
    title: "an accepted key with another payload is refused and changes nothing",
    run: async (shop) => {
      const saleId = await shop.sale({ perBuyerLimit: 5 });
      const buyer = await shop.buyer("ann");
      await shop.accept(saleId, { buyer, key: "k", metadata: '{"a":1}' });
      for (const change of [{ quantity: 2, metadata: '{"a":1}' }, { metadata: '{"a":2}' }, {}])
        expect(await shop.take(saleId, { buyer, key: "k", ...change })).toEqual(refused({ reason: "key_reused" }));
      expect(await shop.balances(saleId)).toMatchObject({ held: 1 });
    },
  },
  {
    rule: "PU8",
    title: "two buyers never meet in one key, nor two sales",
    run: async (shop) => {
      const [one, two] = [await shop.sale(), await shop.sale()];
      const [ann, bob] = (await shop.buyers(2)).map((buyer) => must(buyer));
      const ids = new Set<string>();
      for (const [saleId, buyer] of [
        [one, ann],
        [one, bob],
        [two, ann],
        [two, bob],
      ] as const) {
        const answer = await shop.take(saleId, { buyer: must(buyer), key: "k" });
        expect(answer).toMatchObject({ kind: "accepted", replayed: false });
        if (answer.kind === "accepted") ids.add(answer.purchase.id);
      }
      expect(ids.size).toBe(4);
    },
  },
  {
    rule: "PU9",
    title: "without a key each request is its own purchase, and the same purchase id the same one",
    run: async (shop) => {
      const saleId = await shop.sale({ perBuyerLimit: 5 });
      const buyer = await shop.buyer("ann");
      const first = await shop.accept(saleId, { buyer });
      const second = await shop.accept(saleId, { buyer });
      expect(second.id).not.toBe(first.id);
      const again = await shop.accept(saleId, { buyer, id: first.id });
      expect(answerFields(again)).toEqual(answerFields(first));
      expect(await shop.balances(saleId)).toMatchObject({ held: 2 });
    },
  },
  {
    rule: "PU10",
    title: "one key sent a hundred times at once has one effect and equal answers",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 100, perBuyerLimit: 100 });
      const buyer = await shop.buyer("ann");
      const rounds = [];
      for (let round = 0; round < 2; round++)
        rounds.push(...(await Promise.all(Array.from({ length: 50 }, () => shop.accept(saleId, { buyer, key: "k" })))));
      const [first] = rounds;
      for (const purchase of rounds) expect(answerFields(purchase)).toEqual(answerFields(must(first)));
      expect(await shop.balances(saleId)).toMatchObject({ held: 1 });
    },
  },
  {
    rule: "PU11",
    title: "a refusal binds nothing: the same key is accepted once a unit is free",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 1 });
      const [ann, bob] = (await shop.buyers(2)).map((buyer) => must(buyer));
      const first = await shop.accept(saleId, { buyer: must(ann), key: "k" });
      const before = await shop.fixture.ledger(saleId);
      expect(await shop.take(saleId, { buyer: must(bob), key: "k" })).toMatchObject({ kind: "refused" });
      expect(await shop.fixture.ledger(saleId)).toEqual(before);
      expect(await shop.fixture.records.purchaseByKey({ saleId, buyerId: must(bob), key: "k" })).toBeUndefined();
      await shop.cancel(first);
      expect(await shop.take(saleId, { buyer: must(bob), key: "k" })).toMatchObject({ kind: "accepted", replayed: false });
    },
  },
  {
    rule: "PU2",
    title: "refuses in the fixed order: key, status, limit, stock",
    run: async (shop) => {
      const saleId = await shop.sale({ stock: 1 });
      const [ann, bob] = (await shop.buyers(2)).map((buyer) => must(buyer));
      await shop.accept(saleId, { buyer: must(ann), key: "k" });
      // The buyer is over the limit and the stock is gone: the limit speaks first.
      expect(await shop.take(saleId, { buyer: must(ann), key: "new" })).toEqual(refused({ reason: "limit_reached", limit: 1, units: 1 }));
      expect(await shop.take(saleId, { buyer: must(bob), quantity: 2 })).toEqual(refused({ reason: "limit_reached", limit: 1, units: 0 }));
      expect(await shop.take(saleId, { buyer: must(bob) })).toEqual(refused({ reason: "all_taken", held: 1, available: 0 }));
      await shop.flip(saleId, { kind: "pause" });
      expect(await shop.take(saleId, { buyer: must(ann), key: "new" })).toEqual(refused({ reason: "paused" }));
      expect(await shop.take(saleId, { buyer: must(ann), key: "k", quantity: 2 })).toEqual(refused({ reason: "key_reused" }));
    },
  },
  {
    rule: "PU14",
    title: "taking and giving back ends at the attempts' bound",
    run: async (shop) => {
      const saleId = await shop.sale();
      const buyer = await shop.buyer("ann");
      for (let i = 0; i < attemptsPerBuyerMax; i++) await shop.cancel(await shop.accept(saleId, { buyer }));
      expect(await shop.take(saleId, { buyer })).toEqual(refused({ reason: "attempts_exhausted", attemptsMax: attemptsPerBuyerMax }));
      await shop.accept(saleId, { buyer: await shop.buyer("bob") });
    },
  },
  {
    rule: "PU12",
    title: "accepts from the start until before the end, by the decider's clock",
    run: async (shop) => {
      const startsAtMs = shop.nowMs + minuteMs;
      const endsAtMs = startsAtMs + minuteMs;
      const saleId = await shop.sale({ startsAtMs, endsAtMs, stock: 9, perBuyerLimit: 9 });
      const buyer = await shop.buyer("ann");
      await shop.fixture.time.advance(minuteMs - 1);
      expect(await shop.take(saleId, { buyer })).toEqual(refused({ reason: "not_started", startsAtMs, nowMs: startsAtMs - 1 }));
      await shop.fixture.time.advance(1);
      await shop.accept(saleId, { buyer });
      await shop.fixture.time.advance(minuteMs - 1);
      await shop.accept(saleId, { buyer });
      await shop.fixture.time.advance(1);
      expect(await shop.take(saleId, { buyer })).toEqual(refused({ reason: "ended", endedAtMs: endsAtMs }));
    },
  },
  {
    rule: "PU24",
    title: "the answer's fields stay as they were at acceptance through the order's whole life",
    run: async (shop) => {
      const saleId = await shop.sale({ perBuyerLimit: 2 });
      const buyer = await shop.buyer("ann");
      const purchase = await shop.accept(saleId, { buyer, key: "k", quantity: 2 });
      await shop.fixture.time.advance(minuteMs);
      await shop.pay(purchase);
      await shop.refund(purchase, { returnStock: true });
      expect(answerFields(await shop.order(purchase))).toEqual(answerFields(purchase));
      expect(await shop.order(purchase)).toMatchObject({ state: "paid", refunded: true });
    },
  },
];
