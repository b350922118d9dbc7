/** Losses of the cache and what follows: closing, marks, the cut, and lines that come late. */
import { expect, test } from "bun:test";
import { decodeMessage, encodeMessage } from "../../domain/journal-message.ts";
import { eventually, turns } from "../../../tests/kit/manual-time.ts";
import { withShop, type QueuedShop } from "../../../tests/kit/queued-shop.ts";
import type { QueuedStack } from "../../../tests/kit/queued-stack.ts";
import { must, sampleDraft, saleId } from "../../../tests/kit/samples.ts";

const rebuilding = { kind: "not_tried", cause: "rebuilding" } as const;
const reads = (shop: QueuedShop, sale: Parameters<QueuedShop["read"]>[0]) => shop.read(sale).balances;

async function reopened(shop: QueuedShop, api: QueuedStack, sale: Parameters<QueuedShop["read"]>[0], epoch: number): Promise<void> {
  await eventually(async () => {
    const is = shop.store.tables.scopes.get(sale)?.epoch ?? 0;
    if (is < epoch) await shop.time.advance(10);
    return is >= epoch;
  }, `epoch ${epoch}`);
  await shop.open(api, sale);
}

test("[QE6] the first call after a loss says so, nobody does anything, and the sale goes on where it was", async () => {
  for (const lose of ["flush", "restart"] as const)
    await withShop(async (shop) => {
      const api = shop.process();
      const sale = await shop.sale(api, { stock: 3 });
      const [ann, bob, cat, dan] = shop.buyers(4).map((buyer) => must(buyer));
      expect(await shop.buy(api, sale, { buyer: must(ann), key: "k" })).toMatchObject({ kind: "accepted" });
      shop.redis[lose]();
      expect(await shop.buy(api, sale, { buyer: must(bob), key: "k" })).toEqual(rebuilding);
      await reopened(shop, api, sale, 2);
      // Its purchase, its limit and its key are known again.
      expect(await shop.buy(api, sale, { buyer: must(ann), key: "k" })).toMatchObject({ kind: "accepted", replayed: true });
      expect(await shop.buy(api, sale, { buyer: must(ann), key: "k2" })).toMatchObject({ refusal: { reason: "limit_reached" } });
      expect(await shop.buy(api, sale, { buyer: must(bob), key: "k" })).toMatchObject({ kind: "accepted", replayed: false });
      expect(await shop.buy(api, sale, { buyer: must(cat) })).toMatchObject({ kind: "accepted" });
      expect(await shop.buy(api, sale, { buyer: must(dan) })).toMatchObject({ refusal: { reason: "all_taken", held: 3 } });
      expect(reads(shop, sale)).toMatchObject({ available: 0, held: 3 });
    });
});

test("[QE6] [I10] what was carried and has not settled yet is not sold again after a loss", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 4 });
    const release = shop.stockLedger.hold("before");
    const buyers = shop.buyers(10);
    for (const buyer of buyers.slice(0, 4)) expect(await shop.buy(api, sale, { buyer, wait: false })).toMatchObject({ kind: "queued" });
    shop.redis.flush();
    expect(await shop.buy(api, sale, { buyer: must(buyers[4]) })).toEqual(rebuilding);
    await turns(30);
    // Its own mark stands behind the lines, which the ledger does not take yet.
    expect(shop.store.tables.scopes.get(sale)).toMatchObject({ state: "closing", epoch: 1 });
    release();
    await reopened(shop, api, sale, 2);
    for (const buyer of buyers.slice(4)) expect(await shop.buy(api, sale, { buyer })).toMatchObject({ refusal: { reason: "all_taken" } });
    expect(reads(shop, sale)).toMatchObject({ available: 0, held: 4 });
  }));

test("[QL3] control: a cut that does not wait for what was carried sells it again", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 2 });
    const release = shop.stockLedger.hold("before");
    const buyers = shop.buyers(4);
    for (const buyer of buyers.slice(0, 2)) await shop.buy(api, sale, { buyer, wait: false });
    shop.redis.flush();
    // The planted bug: everybody's mark is there before anybody sent it.
    const { number: process, life } = api.presence;
    await shop.ledger.close({ scopeId: sale, epoch: 1, cause: "cache_lost" });
    for (const of of [life, `${life}.opener`])
      await shop.ledger.noteMark({ kind: "mark", scopeId: sale, epoch: 1, closing: 1, process, life: of });
    await reopened(shop, api, sale, 2);
    const again = [];
    for (const buyer of buyers.slice(2)) again.push(await shop.buy(api, sale, { buyer, wait: false }));
    expect(again).toMatchObject([{ kind: "queued" }, { kind: "queued" }]);
    release();
    await eventually(() => shop.purchases().length === 4, "all lines");
    // The ledger keeps the stock, so somebody who was told yes is refused.
    expect(shop.purchases().filter(({ state }) => state === "refused")).toHaveLength(2);
  }));

test("[QE3] [QM5] marks that the broker lost with their queue are sent again", () =>
  withShop(async (shop) => {
    const worker = shop.process();
    const sale = await shop.sale(worker, { stock: 5 });
    const api = shop.process({ works: false });
    await shop.open(api, sale);
    // Nobody reads while the closing is answered.
    const before = api.book.counts.marks;
    api.journal.publish = () => Promise.resolve(true);
    worker.journal.publish = () => Promise.resolve(true);
    await shop.ledger.close({ scopeId: sale, epoch: 1, cause: "operator" });
    await eventually(() => api.book.counts.marks > before, "the mark to be sent");
    for (const { journal } of [api, worker]) Reflect.deleteProperty(journal, "publish");
    await turns(50);
    expect(shop.store.tables.scopes.get(sale)).toMatchObject({ state: "closing" });
    await shop.time.advance(5_000);
    await reopened(shop, api, sale, 2);
    expect(await shop.buy(api, sale, { buyer: shop.buyer("ann") })).toMatchObject({ kind: "accepted" });
  }));

test("[QE3] a process marks a closing behind the last of its own lines, and asks the cache no more", () =>
  withShop(async (shop) => {
    const worker = shop.process();
    const sale = await shop.sale(worker, { stock: 5 });
    const api = shop.process({ works: false });
    await shop.open(api, sale);
    api.journal.fate = () => "lost";
    const first = shop.buy(api, sale, { buyer: shop.buyer("ann"), wait: false });
    await turns(10);
    await shop.ledger.close({ scopeId: sale, epoch: 1, cause: "operator" });
    await turns(30);
    // One of its lines is not confirmed: it owes its mark still.
    expect(shop.store.tables.scopes.get(sale)).toMatchObject({ state: "closing" });
    expect(await shop.buy(api, sale, { buyer: shop.buyer("bob") })).toEqual(rebuilding);
    api.journal.fate = () => "taken";
    expect(await first).toMatchObject({ kind: "queued" });
    await reopened(shop, api, sale, 2);
    expect(shop.purchases()).toMatchObject([{ state: "reserved" }]);
  }));

test("[QL3] a process that is dead is not waited for, and what it publishes when it wakes is asked for anew", () =>
  withShop(async (shop) => {
    const worker = shop.process();
    const sale = await shop.sale(worker, { stock: 2 });
    const zombie = shop.process({ works: false });
    await shop.open(zombie, sale);
    const buyers = shop.buyers(4);
    zombie.journal.fate = () => "lost";
    const asleep = [0, 1].map((i) => shop.buy(zombie, sale, { buyer: must(buyers[i]), key: "k", wait: false }));
    await turns(10);
    zombie.presence.unbroken = undefined;
    shop.redis.flush();
    expect(await shop.buy(worker, sale, { buyer: must(buyers[2]) })).toEqual(rebuilding);
    await reopened(shop, worker, sale, 2);
    expect(await shop.buy(worker, sale, { buyer: must(buyers[2]) })).toMatchObject({ kind: "accepted" });
    zombie.presence.unbroken = 2;
    zombie.journal.fate = () => "taken";
    for (const answer of asleep) expect(await answer).toEqual({ kind: "unknown" });
    await eventually(() => shop.purchases().length === 3, "the late lines");
    const states = shop.purchases().map(({ state, refusedFor }) => `${state} ${refusedFor ?? ""}`.trim());
    expect(states.toSorted()).toEqual(["refused stock", "reserved", "reserved"]);
    await shop.settle();
    expect(reads(shop, sale)).toMatchObject({ available: 0, held: 2 });
    const stock = await shop.redis.look({ scopeId: sale, epoch: 2, saleId: sale });
    expect(stock).toMatchObject({ value: { available: 0 } });
  }));

test("[QL3] the opener's own mark is another than that which its process owes: it stands behind what the dead published", () =>
  withShop(async (shop) => {
    const worker = shop.process();
    const sale = await shop.sale(worker, { stock: 3 });
    const doomed = shop.process({ works: false });
    await shop.open(doomed, sale);
    doomed.journal.fate = () => "lost";
    const { partition } = must(shop.store.tables.scopes.get(sale));
    await shop.ledger.close({ scopeId: sale, epoch: 1, cause: "operator" });
    await eventually(() => shop.store.tables.scopeMarks.size > 0, "the worker's mark as a process that answers");
    // It publishes a line, has no time to mark, and dies.
    const release = shop.stockLedger.hold("before");
    const { text } = await lateMessage(shop, sale, 1);
    shop.broker.append(partition, text);
    doomed.presence.unbroken = undefined;
    await turns(60);
    expect(shop.store.tables.scopes.get(sale)).toMatchObject({ state: "closing", epoch: 1 });
    release();
    await reopened(shop, worker, sale, 2);
    expect(shop.purchases()).toMatchObject([{ state: "reserved" }]);
    expect(await shop.redis.look({ scopeId: sale, epoch: 2, saleId: sale })).toMatchObject({ value: { available: 2 } });
  }));

test("[QL2] one key under two ids, across a cut: the first to settle stands, the other is refused and names it", () =>
  withShop(async (shop) => {
    const worker = shop.process();
    const sale = await shop.sale(worker, { stock: 5, perBuyerLimit: 3 });
    const zombie = shop.process({ works: false });
    await shop.open(zombie, sale);
    const ann = shop.buyer("ann");
    zombie.journal.fate = () => "lost";
    const asleep = shop.buy(zombie, sale, { buyer: ann, key: "k", wait: false });
    await turns(10);
    zombie.presence.unbroken = undefined;
    shop.redis.flush();
    expect(await shop.buy(worker, sale, { buyer: ann, key: "k" })).toEqual(rebuilding);
    await reopened(shop, worker, sale, 2);
    const second = await shop.buy(worker, sale, { buyer: ann, key: "k" });
    expect(second).toMatchObject({ kind: "accepted", replayed: false });
    zombie.presence.unbroken = 2;
    zombie.journal.fate = () => "taken";
    await asleep;
    await eventually(() => shop.purchases().length === 2, "the late line");
    const refused = must(shop.purchases().find(({ state }) => state === "refused"));
    expect(refused).toMatchObject({ refusedFor: "superseded", supersededBy: second.kind === "accepted" ? second.purchase.id : "" });
    expect(reads(shop, sale)).toMatchObject({ available: 4, held: 1 });
  }));

/** A line of an epoch that is over, as a message that came late. */
async function lateMessage(shop: QueuedShop, sale: Parameters<QueuedShop["read"]>[0], epoch: number) {
  const line = {
    purchaseId: shop.newPurchaseId(),
    buyerId: shop.buyer("late"),
    quantity: 1,
    price: shop.read(sale).price,
    limit: 1,
    acceptedAtMs: shop.time.nowMs(),
  };
  return { line, text: encodeMessage({ kind: "lines", scopeId: sale, epoch, saleId: sale, lines: [line] }) };
}

test("[QL2] a late line that comes while the cache is being loaded waits in the ledger, holds nothing, and is asked for afterwards", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 3 });
    const { partition } = must(shop.store.tables.scopes.get(sale));
    shop.redis.fate = (call) => (call === "load" ? "refused" : "done");
    shop.redis.flush();
    expect(await shop.buy(api, sale, { buyer: shop.buyer("ann") })).toEqual(rebuilding);
    await eventually(() => shop.store.tables.scopes.get(sale)?.state === "opening", "a cut that is not loaded");
    const { line, text } = await lateMessage(shop, sale, 1);
    await api.journal.publish(partition, text);
    await eventually(() => shop.purchase(line.purchaseId)?.state === "queued", "the parked line");
    expect(reads(shop, sale)).toMatchObject({ available: 3, held: 0 });
    shop.redis.fate = () => "done";
    await shop.open(api, sale);
    await eventually(() => shop.purchase(line.purchaseId)?.state === "reserved", "the line to be taken in");
    expect(reads(shop, sale)).toMatchObject({ available: 2, held: 1 });
  }));

test("[QL3] an opener that died between cut and load is followed by one that cuts again, and two of them open one epoch", () =>
  withShop(async (shop) => {
    const [one, two] = [shop.process(), shop.process()];
    const sale = await shop.sale(one, { stock: 3 });
    let loads = 0;
    shop.redis.fate = (call) =>
      call === "load" && loads++ < 3 ? ((["late", "answer_lost", "refused"] as const)[loads - 1] ?? "done") : "done";
    shop.redis.flush();
    await shop.buy(one, sale, { buyer: shop.buyer("ann") });
    await reopened(shop, one, sale, 3);
    await shop.open(two, sale);
    // What a stalled opener writes now is of an epoch that nobody asks.
    shop.redis.doLate();
    const answers = await Promise.all([one, two].map((process, i) => shop.buy(process, sale, { buyer: shop.buyer(`b${i}`) })));
    expect(answers).toMatchObject([{ kind: "accepted" }, { kind: "accepted" }]);
    await shop.settle();
    expect(reads(shop, sale)).toMatchObject({ available: 1, held: 2 });
  }));

test("[QL5] a phantom unit in the cache refuses one line for stock, and the scope is counted anew", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 2 });
    const epoch = must([...shop.redis.server.epochs.values()][0]);
    const cached = must(epoch.sales.get(sale));
    cached.sale = { ...cached.sale, balances: { ...cached.sale.balances, available: 3, issued: 3 } };
    const answers = [];
    for (const buyer of shop.buyers(3)) answers.push(await shop.buy(api, sale, { buyer }));
    expect(answers).toMatchObject([{ kind: "accepted" }, { kind: "accepted" }, { kind: "refused", refusal: { reason: "sold_out" } }]);
    await reopened(shop, api, sale, 2);
    await shop.settle();
    expect(await shop.redis.look({ scopeId: sale, epoch: 2, saleId: sale })).toMatchObject({ value: { available: 0 } });
  }));

test("[QL5] an expiry that commits while the opener loads is in the feed, and comes to the new epoch", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 1, payWindowMs: 1_000 });
    const first = await shop.buy(api, sale, { buyer: shop.buyer("ann") });
    const id = first.kind === "accepted" ? first.purchase.id : shop.newPurchaseId();
    shop.redis.fate = (call) => (call === "load" ? "refused" : "done");
    shop.redis.flush();
    await shop.buy(api, sale, { buyer: shop.buyer("bob") });
    await eventually(() => shop.store.tables.scopes.get(sale)?.state === "opening", "a cut that is not loaded");
    api.work.isOn = false;
    await turns(4);
    await shop.time.advance(2_000);
    expect(await shop.send(api, sale, { kind: "expire", purchaseId: id })).toMatchObject({ kind: "released" });
    shop.redis.fate = () => "done";
    api.work.isOn = true;
    await shop.open(api, sale);
    await eventually(
      async () => (await shop.buy(api, sale, { buyer: shop.buyer("bob"), key: "k" })).kind === "accepted",
      "the unit to be sold",
    );
    expect(reads(shop, sale)).toMatchObject({ available: 0, held: 1 });
  }));

test("[QL5] of a sale that is cancelled, lines on their way are refused and its orders closed; it opens no more", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 3 });
    const release = shop.stockLedger.hold("before");
    expect(await shop.buy(api, sale, { buyer: shop.buyer("ann"), key: "k", wait: false })).toMatchObject({ kind: "queued" });
    shop.store.commitNow({
      nowMs: shop.time.nowMs(),
      groups: [{ saleId: sale, movements: [{ kind: "switch", change: { kind: "cancel_sale" } }] }],
    });
    release();
    await eventually(() => shop.purchases()[0]?.refusedFor === "sale_cancelled", "the line's refusal");
    await eventually(async () => (await shop.buy(api, sale, { buyer: shop.buyer("bob") })).kind === "refused", "the cache to hear of it");
    expect(await shop.buy(api, sale, { buyer: shop.buyer("ann"), key: "k" })).toEqual({
      kind: "refused",
      refusal: { reason: "sale_cancelled" },
    });
    expect(await shop.send(api, sale, { kind: "settle", adjustmentId: shop.newAdjustmentId() })).toMatchObject({ kind: "settled" });
    expect(shop.store.tables.scopes.get(sale)).toMatchObject({ state: "closed" });
    expect(await shop.buy(api, sale, { buyer: shop.buyer("cat") })).toEqual({ kind: "refused", refusal: { reason: "sale_cancelled" } });
  }));

test("[QE3] end marks say which closing they answer: one of an earlier closing does not answer the next", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 3 });
    const marks: unknown[] = [];
    const publish = api.journal.publish.bind(api.journal);
    api.journal.publish = (partition, text) => {
      const decoded = decodeMessage(text);
      if (decoded.kind === "message" && decoded.message.kind === "mark") marks.push(decoded.message.closing);
      return publish(partition, text);
    };
    for (const epoch of [2, 3]) {
      shop.redis.flush();
      await shop.buy(api, sale, { buyer: shop.buyer("ann") });
      await reopened(shop, api, sale, epoch);
    }
    expect(new Set(marks)).toEqual(new Set([1, 2]));
  }));

test("[QL3] a cache that takes nothing is not cut for again and again", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const sale = await shop.sale(api, { stock: 3 });
    shop.redis.fate = (call) => (call === "load" ? "refused" : "done");
    shop.redis.flush();
    await shop.buy(api, sale, { buyer: shop.buyer("ann") });
    await eventually(() => shop.store.tables.scopes.get(sale)?.state === "opening", "the cut");
    await turns(40);
    expect(api.opener.counts.cuts).toBe(2);
    for (let second = 0; second < 10; second++) await shop.time.advance(1_000);
    expect(api.opener.counts.cuts).toBeLessThan(12);
  }));

test("[QE6] of a group one sale is over: its buyers hear so, its keys get their answer, and the others go on selling", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const group = { limitGroup: "festival", perBuyerLimit: 2, stock: 5 };
    const endsAtMs = shop.time.nowMs() + 60_000;
    const first = await shop.sale(api, { ...group, endsAtMs });
    const ann = shop.buyer("ann");
    expect(await shop.buy(api, first, { buyer: ann, key: "k" })).toMatchObject({ kind: "accepted" });
    await shop.time.advance(61_000);
    // Publishing the next one closes the scope, and the cut leaves out what is over.
    const second = await shop.sale(api, group, "701");
    await reopened(shop, api, first, 2);
    const { losses } = api.book.counts;
    for (const buyer of shop.buyers(5)) expect(await shop.buy(api, first, { buyer })).toMatchObject({ refusal: { reason: "ended" } });
    expect(await shop.buy(api, first, { buyer: ann, key: "k" })).toMatchObject({ kind: "accepted", replayed: true });
    expect(await shop.buy(api, first, { buyer: ann, key: "new" })).toMatchObject({ refusal: { reason: "ended" } });
    expect(await shop.buy(api, second, { buyer: ann })).toMatchObject({ kind: "accepted" });
    // Units of both count together.
    expect(await shop.buy(api, second, { buyer: ann })).toMatchObject({ refusal: { reason: "limit_reached", units: 2 } });
    expect(api.book.counts.losses).toBe(losses);
    expect(shop.store.tables.scopes.get(first)).toMatchObject({ state: "open", epoch: 2 });
  }));

test("[A4] publishing answers when the cache has the sale: the next purchase is not told to come again", () =>
  withShop(async (shop) => {
    const api = shop.process();
    await shop.sale(api, {}, "710");
    const draft = saleId("711");
    const window = { startsAtMs: shop.time.nowMs() - 1, endsAtMs: shop.time.nowMs() + 60_000 };
    await shop.store.addSale({ id: draft, draft: sampleDraft({ ...window, perBuyerLimit: 1 }), createdAtMs: 0 });
    expect(await shop.send(api, draft, { kind: "switch", change: { kind: "publish", pastAllowed: true } })).toMatchObject({
      kind: "switched",
    });
    expect(await shop.buy(api, draft, { buyer: shop.buyer("ann") })).toMatchObject({ kind: "accepted" });
  }));
