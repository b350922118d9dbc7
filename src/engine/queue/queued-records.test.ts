import { expect, test } from "bun:test";
import type { Records } from "../../ports/records.ts";
import { eventually, turns } from "../../../tests/kit/manual-time.ts";
import { withShop } from "../../../tests/kit/queued-shop.ts";
import { purchaseId, saleId, sampleNowMs } from "../../../tests/kit/samples.ts";
import { cachesAtOnceMax, queuedRecords } from "./queued-records.ts";
import type { ScopeBook } from "./scope-book.ts";

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

test("[QE9] for an order that is nowhere the caches of all sales are asked side by side, and no more than so many in one go", async () => {
  const count = 2 * cachesAtOnceMax + 1;
  const open = Array.from({ length: count }, (_, i) => ({ id: saleId(String(100 + i)), epoch: 1 }));
  const waiting: (() => void)[] = [];
  const goes: number[] = [];
  const records = queuedRecords({
    records: { purchase: async () => undefined } as unknown as Records,
    ledger: { deadLetter: async () => undefined, linesAside: async () => [] },
    cache: {
      records: () => new Promise((resolve) => waiting.push(() => resolve({ kind: "ok", value: [undefined] }))),
      findKey: async () => ({ kind: "ok", value: undefined }),
    },
    book: { open: () => open, isWhole: true } as unknown as ScopeBook,
    clock: { nowMs: () => sampleNowMs },
  });
  const found = records.purchase(purchaseId("17"));
  while (goes.length < 3) {
    await turns(2);
    goes.push(waiting.length);
    for (const answer of waiting.splice(0)) answer();
  }
  expect(await found).toBeUndefined();
  expect(goes).toEqual([cachesAtOnceMax, cachesAtOnceMax, 1]);
});
