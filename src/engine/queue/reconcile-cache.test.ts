import { expect, test } from "bun:test";
import { eventually, turns } from "../../../tests/kit/manual-time.ts";
import { withShop } from "../../../tests/kit/queued-shop.ts";
import { must } from "../../../tests/kit/samples.ts";
import { relayScope } from "./relay-outbox.ts";

const oldEnough = 60_000;

test("[QE8] [C3] what a process accepted and did not publish before it died is published by another", () =>
  withShop(async (shop) => {
    const worker = shop.process();
    const sale = await shop.sale(worker, { stock: 5 });
    const doomed = shop.process({ works: false });
    await shop.open(doomed, sale);
    doomed.journal.fate = () => "lost";
    void shop.buy(doomed, sale, { buyer: shop.buyer("ann"), wait: false });
    await turns(10);
    doomed.acceptance.close();
    doomed.presence.unbroken = undefined;
    expect(shop.purchases()).toEqual([]);
    await shop.time.advance(oldEnough);
    const scope = must(shop.store.tables.scopes.get(sale));
    expect(await relayScope({ cache: shop.redis, carrier: worker.carrier }, scope, { olderThanMs: 2_000 })).toBe(1);
    await eventually(() => shop.purchases().length === 1, "the order");
    await shop.settle();
    expect(await relayScope({ cache: shop.redis, carrier: worker.carrier }, scope, { olderThanMs: 0 })).toBe(0);
  }));

test("[QE8] [C3] an entry that could not be taken out of the outbox is published once more, harmlessly", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 5 });
    shop.redis.fate = (call) => (call === "journaled" ? "refused" : "done");
    expect(await shop.buy(api, sale, { buyer: shop.buyer("ann") })).toMatchObject({ kind: "accepted" });
    await turns(4);
    shop.redis.fate = () => "done";
    const scope = must(shop.store.tables.scopes.get(sale));
    expect(await relayScope({ cache: shop.redis, carrier: api.carrier }, scope, { olderThanMs: 0 })).toBe(1);
    await eventually(() => shop.broker.depth === 0, "the broker to be empty");
    expect(shop.read(sale).balances).toMatchObject({ available: 4, held: 1 });
  }));

test("[QE8] [D6] a message that the broker lost is published again from the cache's record", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 5 });
    const publish = api.journal.publish.bind(api.journal);
    // It says that it has the message, and has not.
    api.journal.publish = () => Promise.resolve(true);
    const answer = await shop.buy(api, sale, { buyer: shop.buyer("ann"), wait: false });
    api.journal.publish = publish;
    const id = answer.kind === "queued" ? answer.purchase.id : shop.newPurchaseId();
    await api.reconciler.round();
    await turns(10);
    expect(shop.purchase(id)).toBeUndefined();
    await shop.time.advance(oldEnough);
    await api.reconciler.round();
    await eventually(() => shop.purchase(id)?.state === "reserved", "the order");
    expect(api.reconciler.counts.republished).toBe(1);
    await api.reconciler.round();
    expect(api.reconciler.counts.republished).toBe(1);
  }));

test("[QE8] [D6] [I10] a cache that has other stock than the ledger, at rest, is counted anew", async () => {
  for (const plant of [-1, 1])
    await withShop(async (shop) => {
      const api = shop.process();
      const sale = await shop.sale(api, { stock: 5 });
      await shop.buy(api, sale, { buyer: shop.buyer("ann") });
      await shop.settle();
      await api.reconciler.round();
      expect(api.reconciler.counts).toMatchObject({ compared: 1, drifted: 0 });
      const cached = must([...shop.redis.server.epochs.values()][0]?.sales.get(sale));
      const { balances } = cached.sale;
      cached.sale = { ...cached.sale, balances: { ...balances, available: balances.available + plant } };
      await api.reconciler.round();
      expect(api.reconciler.counts.drifted).toBe(1);
      await eventually(() => shop.store.tables.scopes.get(sale)?.epoch === 2, "the next epoch");
      await shop.open(api, sale);
      expect(await shop.redis.look({ scopeId: sale, epoch: 2, saleId: sale })).toMatchObject({ value: { available: 4 } });
    });
});

test("[QE8] [D6] a difference is found although nothing moves in the sale, only later", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 5 });
    await api.reconciler.round();
    const { tables } = shop.store;
    const kept = must(tables.sales.get(sale));
    // What nothing of ours does: the ledger's stock is another, and its feed does not say so.
    tables.sales.set(sale, { ...kept, balances: { ...kept.balances, available: 4, held: 1 } });
    for (let round = 0; round < 11; round++) await api.reconciler.round();
    expect(api.reconciler.counts).toMatchObject({ compared: 1, drifted: 0 });
    await api.reconciler.round();
    expect(api.reconciler.counts).toMatchObject({ compared: 2, drifted: 1 });
  }));

test("[QE8] [D6] what is on its way is no difference", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 5 });
    const release = shop.stockLedger.hold("before");
    await shop.buy(api, sale, { buyer: shop.buyer("ann"), wait: false });
    await api.reconciler.round();
    expect(api.reconciler.counts).toEqual({ compared: 0, drifted: 0, republished: 0 });
    release();
  }));
