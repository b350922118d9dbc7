import { expect, test } from "bun:test";
import type { StockCache } from "../../ports/stock-cache.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import type { ModelRedis } from "../../../tests/kit/model-redis.ts";
import { eventually, turns } from "../../../tests/kit/manual-time.ts";
import { withShop, type QueuedShop } from "../../../tests/kit/queued-shop.ts";
import { saleId, sampleDraft } from "../../../tests/kit/samples.ts";

/** The next call of a kind has this fate, all others are done. */
function nextCall(redis: ModelRedis, call: keyof StockCache, fate: ReturnType<ModelRedis["fate"]>): void {
  let left = 1;
  redis.fate = (each) => (each === call && left-- > 0 ? fate : "done");
}

test("[QE1] 202 follows the broker's confirm: while it is out, there is no answer", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api);
    const buyer = shop.buyer("ann");
    api.work.isOn = false;
    api.journal.fate = () => "lost";
    let answered = false;
    const answer = shop.buy(api, sale, { buyer, key: "k", wait: false }).finally(() => (answered = true));
    await turns(30);
    expect(answered).toBe(false);
    api.journal.fate = () => "taken";
    expect(await answer).toMatchObject({ kind: "queued", replayed: false, purchase: { state: "queued", key: "k", limit: 1 } });
  }));

test("[QE1] a confirm that is lost is asked for again, and the line settles once", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api);
    let losses = 3;
    api.journal.fate = () => (losses-- > 0 ? "confirm_lost" : "taken");
    expect(await shop.buy(api, sale, { buyer: shop.buyer("ann") })).toMatchObject({ kind: "accepted" });
    await shop.settle();
    expect(shop.read(sale).balances).toMatchObject({ available: 9, held: 1 });
    expect(shop.purchases()).toHaveLength(1);
  }));

/** What a process says of a line whose confirm came after the others took it for dead. */
async function saidAfterDeath(shop: QueuedShop, { hearsOfIt }: { hearsOfIt: boolean }) {
  const api = shop.process();
  const sale = await shop.sale(api);
  const ask = { buyer: shop.buyer("ann"), key: "k" };
  api.journal.fate = () => "lost";
  const answer = shop.buy(api, sale, { ...ask, wait: false });
  await turns(10);
  if (hearsOfIt) api.presence.unbroken = undefined;
  await turns(2);
  if (hearsOfIt) api.presence.unbroken = 2;
  api.journal.fate = () => "taken";
  const said = await answer;
  await shop.open(api, sale);
  return { said, repeated: await shop.buy(api, sale, ask) };
}

test("[QE1] a process that was taken for dead since it asked the cache says unknown, and the repeat finds the order", () =>
  withShop(async (shop) => {
    const { said, repeated } = await saidAfterDeath(shop, { hearsOfIt: true });
    expect(said).toEqual({ kind: "unknown" });
    expect(repeated).toMatchObject({ kind: "accepted", replayed: true });
  }));

test("[QE1] control: one that does not know of its death says 202", () =>
  withShop(async (shop) => expect((await saidAfterDeath(shop, { hearsOfIt: false })).said).toMatchObject({ kind: "queued" })));

test("[QE2] a call without an answer is made again with the same id, and takes one unit, whenever the first is done", async () => {
  for (const fate of ["answer_lost", "late"] as const)
    await withShop(async (shop) => {
      const api = shop.process();
      const sale = await shop.sale(api);
      nextCall(shop.redis, "reserve", fate);
      expect(await shop.buy(api, sale, { buyer: shop.buyer("ann"), key: "k" })).toMatchObject({ kind: "accepted", replayed: false });
      shop.redis.doLate();
      await shop.settle();
      expect(shop.read(sale).balances).toMatchObject({ available: 9, held: 1 });
      expect((await shop.redis.look({ scopeId: sale, epoch: 1, saleId: sale })).kind).toBe("ok");
    });
});

test("[QE2] what was called twice is never refused: its first call may run yet", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 1 });
    const [ann, bob] = [shop.buyer("ann"), shop.buyer("bob")];
    // The second buyer's call comes between the first one's and its repeat.
    const line = { purchaseId: shop.newPurchaseId(), buyerId: bob, quantity: 1 };
    let calls = 0;
    shop.redis.fate = () => {
      if (calls++ > 0) return "done";
      shop.redis.server.reserveNow({ scopeId: sale, epoch: 1, saleId: sale, lines: [line] });
      return "late";
    };
    const first = shop.buy(api, sale, { buyer: ann, key: "k" });
    expect(await first).toEqual({ kind: "unknown" });
  }));

test("[QE2] a cache that is away refuses cleanly, and sells again when it is back", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api);
    shop.redis.fate = () => "refused";
    expect(await shop.buy(api, sale, { buyer: shop.buyer("ann") })).toEqual({ kind: "not_tried", cause: "busy" });
    shop.redis.fate = () => "done";
    expect(await shop.buy(api, sale, { buyer: shop.buyer("ann") })).toMatchObject({ kind: "accepted" });
  }));

test("[QE4] a synchronous purchase waits for its order, an asynchronous one does not", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api);
    const release = shop.stockLedger.hold("before");
    const [ann, bob] = [shop.buyer("ann"), shop.buyer("bob")];
    const sync = shop.buy(api, sale, { buyer: ann });
    expect(await shop.buy(api, sale, { buyer: bob, wait: false })).toMatchObject({ kind: "queued" });
    await shop.time.advance(2_000);
    expect(await sync).toMatchObject({ kind: "queued", purchase: { buyerId: ann } });
    release();
    const later = shop.buy(api, sale, { buyer: shop.buyer("cat") });
    expect(await later).toMatchObject({ kind: "accepted", purchase: { state: "reserved" } });
  }));

test("[QE4] past the answer timeout a line that nobody has confirmed is unknown", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api);
    api.journal.fate = () => "lost";
    const answer = shop.buy(api, sale, { buyer: shop.buyer("ann") });
    await turns(10);
    await shop.time.advance(1_500);
    expect(await answer).toEqual({ kind: "unknown" });
    expect(shop.purchases()).toEqual([]);
    api.journal.fate = () => "taken";
    await eventually(() => shop.purchases().length === 1, "the line to settle all the same");
  }));

test("[QE4] who was refused after all hears why", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api);
    const release = shop.stockLedger.hold("before");
    const answer = shop.buy(api, sale, { buyer: shop.buyer("ann") });
    await turns(10);
    // The shop cancels while the line is on its way.
    shop.store.commitNow({
      nowMs: shop.time.nowMs(),
      groups: [{ saleId: sale, movements: [{ kind: "switch", change: { kind: "cancel_sale" } }] }],
    });
    release();
    expect(await answer).toEqual({ kind: "refused", refusal: { reason: "sale_cancelled" } });
    expect(shop.purchases()).toMatchObject([{ state: "refused", refusedFor: "sale_cancelled" }]);
  }));

test("[QE7] nothing is asked of the cache that the broker would not take", () =>
  withShop(async (shop) => {
    const api = shop.process({ outboxMax: 3 });
    const sale = await shop.sale(api, { perBuyerLimit: 9, stock: 20 });
    api.journal.isBlocked = true;
    expect(await shop.buy(api, sale, { buyer: shop.buyer("ann") })).toEqual({ kind: "not_tried", cause: "busy" });
    api.journal.isBlocked = false;
    api.journal.fate = () => "lost";
    const waiting = [];
    for (const name of ["bob", "cat", "dan"]) {
      waiting.push(shop.buy(api, sale, { buyer: shop.buyer(name), wait: false }));
      await turns(6);
    }
    expect(await shop.buy(api, sale, { buyer: shop.buyer("eve") })).toEqual({ kind: "not_tried", cause: "busy" });
    api.journal.fate = () => "taken";
    for (const answer of waiting) expect(await answer).toMatchObject({ kind: "queued" });
    await shop.time.advance(500);
    expect(await shop.buy(api, sale, { buyer: shop.buyer("eve") })).toMatchObject({ kind: "accepted" });
  }));

test("[QE7] an outbox that others have filled is heard of from the cache", () =>
  withShop(async (shop) => {
    const [worker, other] = [shop.process(), shop.process({ works: false, outboxMax: 2 })];
    const sale = await shop.sale(worker, { stock: 20 });
    await shop.open(other, sale);
    worker.journal.fate = () => "lost";
    for (const name of ["bob", "cat", "dan"]) {
      void shop.buy(worker, sale, { buyer: shop.buyer(name), wait: false });
      await turns(6);
    }
    expect(await shop.buy(other, sale, { buyer: shop.buyer("eve"), wait: false })).toMatchObject({ kind: "queued" });
    expect(await shop.buy(other, sale, { buyer: shop.buyer("fay"), wait: false })).toEqual({ kind: "not_tried", cause: "busy" });
    worker.journal.fate = () => "taken";
  }));

test("[QL6] units leave a running sale at a cut, and no line in flight is robbed of its unit", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 5, perBuyerLimit: 5 });
    const release = shop.stockLedger.hold("before");
    const bought = shop.buy(api, sale, { buyer: shop.buyer("ann"), quantity: 3 });
    await turns(10);
    const adjusted = shop.send(api, sale, {
      kind: "adjust",
      adjustmentId: shop.newAdjustmentId(),
      units: -4,
      reason: "broken",
      actor: "one",
    });
    await turns(10);
    release();
    expect(await bought).toMatchObject({ kind: "accepted" });
    expect(await adjusted).toMatchObject({ kind: "adjusted", applied: -2 });
    await shop.open(api, sale);
    expect(shop.read(sale).balances).toEqual({ issued: 5, available: 0, held: 3, sold: 0, withdrawn: 2 });
    expect(await shop.buy(api, sale, { buyer: shop.buyer("bob") })).toMatchObject({ kind: "refused", refusal: { reason: "all_taken" } });
  }));

test("[QL6] so does who knows the sale as it was before another process published it", () =>
  withShop(async (shop) => {
    const [api, late] = [shop.process(), shop.process({ works: false })];
    const sale = saleId("700");
    await shop.store.addSale({
      id: sale,
      draft: sampleDraft({ startsAtMs: shop.time.nowMs() + 1_000, endsAtMs: shop.time.nowMs() + 60_000 }),
      createdAtMs: 0,
    });
    expect((await late.board.load(sale))?.sale.phase).toBe("draft");
    await api.acceptance.submit(sale, [{ kind: "switch", change: { kind: "publish" } }]);
    await shop.open(api, sale);
    const leaves = { kind: "adjust", adjustmentId: shop.newAdjustmentId(), units: -1, reason: "broken", actor: "one" } as const;
    expect(await shop.send(late, sale, leaves)).toMatchObject({ kind: "adjusted", applied: -1 });
    // It was done where all lines are in.
    expect(shop.store.tables.scopes.get(sale)?.epoch).toBe(2);
  }));

test("[PU2] a draft is nobody's business, and one that was cancelled says so", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = saleId("700");
    await shop.store.addSale({ id: sale, draft: sampleDraft(), createdAtMs: 0 });
    expect(await shop.buy(api, sale, { buyer: shop.buyer("ann") })).toEqual({ kind: "refused", refusal: { reason: "sale_unknown" } });
    await shop.send(api, sale, { kind: "switch", change: { kind: "cancel_sale" } });
    expect(await shop.buy(api, sale, { buyer: shop.buyer("ann") })).toEqual({ kind: "refused", refusal: { reason: "sale_cancelled" } });
  }));

test("[PU21] draining answers what was taken in and refuses the rest", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api);
    const release = shop.stockLedger.hold("before");
    const answers = shop.buyers(5).map((buyer) => shop.buy(api, sale, { buyer }));
    await turns(4);
    const drained = api.acceptance.drain();
    expect(await shop.buy(api, sale, { buyer: shop.buyer("late") })).toEqual({ kind: "not_tried", cause: "draining" });
    release();
    await drained;
    for (const answer of answers) expect(await answer).toMatchObject({ kind: "accepted" });
  }));

test("[QE10] [I8] [I12] a repeat that does not wait hears what the ledger says: an order, once there is one, and never again 202", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 3 });
    const ask = { buyer: shop.buyer("ann"), key: "k" };
    const first = await shop.buy(api, sale, ask);
    expect(first).toMatchObject({ kind: "accepted", replayed: false });
    const id = first.kind === "accepted" ? first.purchase.id : shop.newPurchaseId();
    const repeat = (wait: boolean) => shop.buy(api, sale, { ...ask, wait });
    for (const wait of [false, true]) expect(await repeat(wait)).toMatchObject({ kind: "accepted", replayed: true, purchase: { id } });
    // It was confirmed, and its entry has not left the outbox.
    shop.redis.fate = (call) => (call === "journaled" ? "refused" : "done");
    const other = { buyer: shop.buyer("bob"), key: "k" };
    expect(await shop.buy(api, sale, other)).toMatchObject({ kind: "accepted" });
    expect(await shop.buy(api, sale, { ...other, wait: false })).toMatchObject({ kind: "accepted", replayed: true });
    await shop.send(api, sale, { kind: "cancel", purchaseId: id });
    expect(await repeat(false)).toMatchObject({ kind: "accepted", replayed: true, purchase: { id, state: "cancelled" } });
  }));

test("[QE10] [I12] while the ledger cannot be read a repeat hears nothing definite; a first one hears that it is queued", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 3 });
    const ask = { buyer: shop.buyer("ann"), key: "k" };
    expect(await shop.buy(api, sale, ask)).toMatchObject({ kind: "accepted" });
    const read = shop.store.purchasesWithIds;
    shop.store.purchasesWithIds = () => Promise.reject(new StoreUnavailable("unavailable", "away"));
    for (const wait of [false, true]) expect(await shop.buy(api, sale, { ...ask, wait })).toEqual({ kind: "unknown" });
    expect(await shop.buy(api, sale, { buyer: shop.buyer("bob"), key: "k", wait: false })).toMatchObject({
      kind: "queued",
      replayed: false,
    });
    shop.store.purchasesWithIds = read;
    expect(await shop.buy(api, sale, { ...ask, wait: false })).toMatchObject({ kind: "accepted", replayed: true });
  }));

test("[QE10] a line that was refused after all: where the reason cannot be read the answer is unknown, and the process goes on", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 3 });
    const release = shop.stockLedger.hold("before");
    const waiting = shop.buy(api, sale, { buyer: shop.buyer("ann"), key: "k" });
    await eventually(() => shop.stockLedger.batches.some(({ groups }) => groups[0]?.movements[0]?.kind === "admit"), "the line to come");
    const cancelled = shop.store.commit({ nowMs: shop.time.nowMs(), groups: [{ saleId: sale, movements: [cancelSale] }] });
    expect(await cancelled).toMatchObject({ kind: "committed" });
    const { sale: read } = shop.store;
    shop.store.sale = () => Promise.reject(new StoreUnavailable("unavailable", "away"));
    release();
    expect(await waiting).toEqual({ kind: "unknown" });
    shop.store.sale = read;
    expect(shop.purchases()).toMatchObject([{ state: "refused", refusedFor: "sale_cancelled" }]);
  }));

const cancelSale = { kind: "switch", change: { kind: "cancel_sale" } } as const;
