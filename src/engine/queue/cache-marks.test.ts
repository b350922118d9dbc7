import { expect, test } from "bun:test";
import { purchase } from "../purchase.ts";
import type { SaleId } from "../../domain/ids.ts";
import type { BuyerId } from "../../domain/ids.ts";
import { eventually, turns } from "../../../tests/kit/manual-time.ts";
import { withShop, type QueuedShop } from "../../../tests/kit/queued-shop.ts";
import type { QueuedStack } from "../../../tests/kit/queued-stack.ts";
import { must } from "../../../tests/kit/samples.ts";

/** As the API asks: from memory if it may, else through the acceptance. */
function ask(shop: QueuedShop, process: QueuedStack, { saleId, buyerId, key }: { saleId: SaleId; buyerId: BuyerId; key?: string }) {
  const deps = { ...process, clock: shop.time, ids: { mint: () => shop.newPurchaseId() } };
  return purchase(deps, { saleId, buyerId, key, issuer: "shop", quantity: 1 });
}

/** A sale that is sold out, with its mark in memory; `calls` counts what the cache is asked. */
async function soldOut(shop: QueuedShop, process: QueuedStack) {
  const saleId = await shop.sale(process, { stock: 2 });
  const [ann, bob] = [shop.buyer("ann"), shop.buyer("bob")];
  for (const buyerId of [ann, bob]) expect(await ask(shop, process, { saleId, buyerId, key: "k" })).toMatchObject({ kind: "accepted" });
  await eventually(async () => !(ask(shop, process, { saleId, buyerId: shop.buyer("early") }) instanceof Promise), "a refusal from memory");
  const calls = { reserve: 0 };
  shop.redis.fate = (call) => {
    if (call === "reserve") calls.reserve += 1;
    return "done";
  };
  return { saleId, ann, calls };
}

test("[QE5] [B3] a sold-out sale is refused from memory while its mark lives, and then one call asks for all", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const { saleId, calls } = await soldOut(shop, api);
    for (let i = 0; i < 50; i++)
      expect(await ask(shop, api, { saleId, buyerId: shop.buyer(`x${i}`) })).toMatchObject({ refusal: { reason: "all_taken", held: 2 } });
    expect(calls.reserve).toBe(0);
    for (let second = 0; second < 4; second++) {
      await shop.time.advance(250);
      const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => ask(shop, api, { saleId, buyerId: shop.buyer(`y${i}`) })));
      for (const answer of answers) expect(answer).toMatchObject({ refusal: { reason: "all_taken" } });
    }
    // Four a second, however many ask.
    expect(calls.reserve).toBe(4);
  }));

test("[QE5] who comes while that call is out is refused by what it heard, and a buyer ever accepted is asked for", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const { saleId, ann, calls } = await soldOut(shop, api);
    await shop.time.advance(250);
    // More than one call takes: most of them wait for the answer to the first.
    const strangers = Array.from({ length: 20 }, (_, i) => ask(shop, api, { saleId, buyerId: shop.buyer(`x${i}`) }));
    const [again, other] = [ask(shop, api, { saleId, buyerId: ann, key: "k" }), ask(shop, api, { saleId, buyerId: ann, key: "other" })];
    for (const stranger of strangers) expect(await stranger).toMatchObject({ refusal: { reason: "all_taken" } });
    expect(await again).toMatchObject({ kind: "accepted", replayed: true });
    expect(await other).toMatchObject({ refusal: { reason: "limit_reached" } });
    expect(calls.reserve).toBe(2);
  }));

test("[QE5] a buyer ever accepted goes through to the cache, which knows the key", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const { saleId, ann } = await soldOut(shop, api);
    expect(await ask(shop, api, { saleId, buyerId: ann, key: "k" })).toMatchObject({ kind: "accepted", replayed: true });
    expect(await ask(shop, api, { saleId, buyerId: ann, key: "other" })).toMatchObject({ refusal: { reason: "limit_reached" } });
  }));

test("[QE5] who was accepted by another process is let through, too", () =>
  withShop(async (shop) => {
    const [one, two] = [shop.process(), shop.process({ works: false })];
    const { saleId } = await soldOut(shop, one);
    await shop.open(two, saleId);
    const bob = shop.buyer("bob");
    await eventually(async () => !(ask(shop, two, { saleId, buyerId: shop.buyer("early") }) instanceof Promise), "the other's mark");
    expect(await ask(shop, two, { saleId, buyerId: bob, key: "k" })).toMatchObject({ kind: "accepted", replayed: true });
  }));

test("[QE5] after a loss of the cache a mark refuses nobody it should not: the next epoch's numbers are larger", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const { saleId } = await soldOut(shop, api);
    shop.redis.flush();
    await shop.time.advance(300);
    await eventually(async () => (await ask(shop, api, { saleId, buyerId: shop.buyer("cat") })).kind === "not_tried", "the loss");
    await eventually(() => shop.store.tables.scopes.get(saleId)?.epoch === 2, "the next epoch");
    await shop.open(api, saleId);
    expect(await ask(shop, api, { saleId, buyerId: shop.buyer("ann"), key: "k" })).toMatchObject({ kind: "accepted", replayed: true });
    const [ann] = shop.purchases();
    await shop.send(api, saleId, { kind: "cancel", purchaseId: must(ann).id });
    await shop.settle();
    await shop.time.advance(1_000);
    expect(await ask(shop, api, { saleId, buyerId: shop.buyer("dan") })).toMatchObject({ kind: "accepted" });
  }));

test("[QE5] a sale that is over is refused from memory, and a key that was accepted in it gets its answer", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const { saleId, ann } = await soldOut(shop, api);
    await shop.time.advance(2 * 3_600_000);
    for (const { id } of shop.purchases()) await shop.send(api, saleId, { kind: "expire", purchaseId: id });
    await shop.send(api, saleId, { kind: "settle", adjustmentId: shop.newAdjustmentId() });
    await turns(10);
    expect(shop.store.tables.scopes.get(saleId)).toMatchObject({ state: "closed" });
    await eventually(
      async () => (await ask(shop, api, { saleId, buyerId: shop.buyer("eve") })).kind === "refused",
      "the word that it is over",
    );
    await eventually(async () => !(ask(shop, api, { saleId, buyerId: shop.buyer("fay") }) instanceof Promise), "a refusal from memory");
    expect(await ask(shop, api, { saleId, buyerId: shop.buyer("gil") })).toMatchObject({ refusal: { reason: "ended" } });
    expect(await ask(shop, api, { saleId, buyerId: ann, key: "k" })).toMatchObject({ kind: "accepted", replayed: true });
    expect(await ask(shop, api, { saleId, buyerId: ann, key: "new" })).toMatchObject({ refusal: { reason: "ended" } });
  }));

test("[QE5] once it knows of a closing a process refuses nobody by what the cache said before: its end mark says so", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const { saleId } = await soldOut(shop, api);
    const stranger = () => ask(shop, api, { saleId, buyerId: shop.buyer("stranger"), key: "k" });
    expect(stranger()).not.toBeInstanceOf(Promise);
    await shop.ledger.close({ scopeId: saleId, epoch: 1, cause: "operator" });
    await api.book.refresh();
    expect(stranger()).toBeInstanceOf(Promise);
  }));
