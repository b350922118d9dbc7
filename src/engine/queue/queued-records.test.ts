import { expect, test } from "bun:test";
import { eventually, turns } from "../../../tests/kit/manual-time.ts";
import { withShop } from "../../../tests/kit/queued-shop.ts";
import { purchaseId } from "../../../tests/kit/samples.ts";

test("[QE9] [J1-8] who was told yes finds the purchase by id and by key, from the confirm on", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api);
    const ann = shop.buyer("ann");
    const release = shop.stockLedger.hold("before");
    const answer = await shop.buy(api, sale, { buyer: ann, key: "k", wait: false });
    const id = answer.kind === "queued" ? answer.purchase.id : shop.newPurchaseId();
    const byKey = () => api.records.purchaseByKey({ saleId: sale, buyerId: ann, key: "k" });
    expect(await api.records.purchase(id)).toMatchObject({ id, state: "queued", key: "k", saleId: sale });
    expect(await byKey()).toMatchObject({ id, state: "queued" });
    release();
    await eventually(() => shop.purchase(id) !== undefined, "the order");
    expect(await api.records.purchase(id)).toMatchObject({ id, state: "reserved" });
    expect(await byKey()).toMatchObject({ id, state: "reserved" });
  }));

test("[QE9] while it cannot be known, it is not said that there is none", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api);
    const old = shop.newPurchaseId();
    await shop.time.advance(120_000);
    await turns(4);
    expect(await api.records.purchase(old)).toBeUndefined();
    // So young an id may be on its way, by a process that was stopped in the middle.
    await expect(api.records.purchase(shop.newPurchaseId())).rejects.toThrow("cannot be said");
    expect(await api.records.purchase(purchaseId("17"))).toBeUndefined();
    api.work.isOn = false;
    shop.redis.flush();
    expect(await shop.buy(api, sale, { buyer: shop.buyer("ann") })).toEqual({ kind: "not_tried", cause: "rebuilding" });
    await expect(api.records.purchase(old)).rejects.toThrow("cannot be said");
    await expect(api.records.purchaseByKey({ saleId: sale, buyerId: shop.buyer("ann"), key: "k" })).rejects.toThrow("cannot be said");
  }));

test("[QE9] a purchase that could not be settled is found, and waits for somebody to look at it", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api);
    shop.stockLedger.poison((movement) => movement.kind === "admit");
    const answer = await shop.buy(api, sale, { buyer: shop.buyer("ann"), key: "k", wait: false });
    const id = answer.kind === "queued" ? answer.purchase.id : shop.newPurchaseId();
    await eventually(() => shop.store.tables.deadLetters.size === 1, "the line to be put aside");
    expect(await api.records.purchase(id)).toMatchObject({ id, state: "stuck", key: "k" });
    shop.redis.flush();
    expect(await api.records.purchase(id)).toMatchObject({ state: "stuck" });
  }));
