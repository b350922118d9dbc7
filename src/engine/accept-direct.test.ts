import { expect, test } from "bun:test";
import { MemoryStore } from "../adapters/memory/memory-store.ts";
import type { BuyerId } from "../domain/ids.ts";
import { FaultyLedger } from "../../tests/kit/faulty-ledger.ts";
import { internNow, storeWith, takeBy } from "../../tests/kit/live-sale.ts";
import { ManualTime, eventually, turns } from "../../tests/kit/manual-time.ts";
import { must, sampleNowMs, saleId } from "../../tests/kit/samples.ts";
import { SeededEntropy } from "../../tests/kit/seeded-entropy.ts";
import { DirectAcceptance, type DirectOptions } from "./accept-direct.ts";
import { SaleBoard } from "./sale-board.ts";

const one = saleId("11");
const two = saleId("12");

function direct(options: Partial<DirectOptions> = {}, store = new MemoryStore()) {
  storeWith(
    [
      [one, { stock: 100 }],
      [two, { stock: 100 }],
    ],
    store,
  );
  const time = new ManualTime(sampleNowMs);
  const ledger = new FaultyLedger(store);
  const board = new SaleBoard({ records: store, clock: time, entropy: new SeededEntropy(1) }, { salesMax: 10, buyersMax: 1_000 });
  const bounds = { batchMax: 4, queueMax: 12, answerTimeoutMs: 1_000, ...options };
  const acceptance = new DirectAcceptance({ ledger, board, clock: time, tasks: time }, bounds);
  const buyers = Array.from({ length: 30 }, (_, i) => internNow(store, `buyer-${i}`));
  const take = async (buyerId: BuyerId, change = {}, id = one) => must((await acceptance.submit(id, [takeBy(buyerId, change)]))[0]);
  const sizes = () => ledger.batches.map((batch) => batch.groups.map((group) => group.movements.length));
  return { store, time, ledger, board, acceptance, buyers, take, sizes };
}

test("[PU17] what arrives in one turn shares a commit; what arrives during it shares the next ones", async () => {
  const { ledger, take, buyers, sizes } = direct();
  const first = buyers.slice(0, 3).map((buyer) => take(buyer));
  const release = ledger.hold();
  await turns();
  const later = buyers.slice(3, 9).map((buyer) => take(buyer));
  await turns();
  expect(sizes()).toEqual([[3]]);
  release();
  await Promise.all([...first, ...later]);
  expect(sizes()).toEqual([[3], [4], [2]]);
});

test("[ST11] one commit may hold several sales, each line answered in its place", async () => {
  const { take, buyers, sizes, store } = direct();
  const [ann, bob] = [must(buyers[0]), must(buyers[1])];
  const answers = await Promise.all([take(ann), take(ann, {}, two), take(bob, { quantity: 9 }), take(bob, {}, two)]);
  expect(answers.map((answer) => answer.kind)).toEqual(["accepted", "accepted", "refused", "accepted"]);
  expect(sizes()).toEqual([[2, 2]]);
  expect(store.tables.sales.get(two)?.balances.held).toBe(2);
});

test("[ST11] where each sale's lock wants its own commit, sales do not wait for each other", async () => {
  const { take, buyers, ledger, sizes } = direct({}, new MemoryStore({ batchesAcrossSales: false }));
  const release = ledger.hold();
  const answers = [take(must(buyers[0])), take(must(buyers[1]), {}, two)];
  await turns();
  expect(sizes()).toEqual([[1], [1]]);
  release();
  await Promise.all(answers);
});

test("[PU1] the board hears of a commit before any of its lines is answered", async () => {
  const { board, take, buyers } = direct();
  const ann = must(buyers[0]);
  const answer = take(ann).then((each) => ({ each, view: board.peek(one) }));
  const { each, view } = await answer;
  expect(each.kind).toBe("accepted");
  expect(view?.buyers.has(ann)).toBe(true);
  expect(view?.sale.balances.held).toBe(1);
});

test("[PU16] a take is pending from its submission until it is settled, however often", async () => {
  const { acceptance, ledger, take, buyers } = direct();
  const [ann, bob] = [must(buyers[0]), must(buyers[1])];
  const release = ledger.hold();
  const answers = [take(ann, { key: "k" }), take(ann, { key: "k" })];
  expect(acceptance.isPending(one, ann)).toBe(true);
  expect(acceptance.isPending(two, ann)).toBe(false);
  expect(acceptance.isPending(one, bob)).toBe(false);
  await turns();
  release();
  await Promise.all(answers);
  expect(acceptance.isPending(one, ann)).toBe(false);
  expect(acceptance.waiting).toBe(0);
});

test("[PU19] an unknown commit is repeated as it was: same ids, same time, nothing joins it", async () => {
  const { ledger, take, buyers, time } = direct();
  ledger.loseAnswers(2, "after");
  const first = take(must(buyers[0]));
  await turns();
  const second = take(must(buyers[1]));
  await time.advance(19);
  expect(ledger.batches.length).toBe(1);
  await time.advance(1);
  expect(ledger.batches.length).toBe(2);
  await time.advance(40);
  expect(await first).toMatchObject({ kind: "accepted", replayed: false });
  await second;
  expect(ledger.batches[1]).toEqual(must(ledger.batches[0]));
  expect(ledger.batches[2]).toEqual(must(ledger.batches[0]));
  expect(ledger.batches.length).toBe(4);
});

test("[PU19] after an unknown commit only a commit is an answer", async () => {
  const { ledger, take, buyers, time, store } = direct();
  ledger.loseAnswers(1, "after");
  ledger.failNext(1, "unavailable");
  ledger.failNext(1, "storage_full");
  const answer = take(must(buyers[0]));
  await turns();
  await time.advance(900);
  expect(await answer).toMatchObject({ kind: "accepted" });
  expect(store.tables.purchases.size).toBe(1);
});

test("[PU19] an unknown commit whose lease went to another process meanwhile is given up: nothing waits behind it for ever", async () => {
  const { ledger, acceptance, take, buyers, time } = direct();
  const accepted = await take(must(buyers[0]));
  if (accepted.kind !== "accepted") throw new Error("expected a purchase");
  const expire = () =>
    acceptance.submit(one, [{ kind: "expire", purchaseId: accepted.purchase.id }], { fence: { lease: "sweeper", term: 1 } });
  ledger.loseAnswers(1, "before");
  ledger.failNext(1, "fenced");
  const first = expire();
  await turns();
  await time.advance(100);
  expect(await first).toEqual([{ kind: "unknown" }]);
  expect(await expire()).toMatchObject([{ kind: "too_early" }]);
  expect(acceptance.waiting).toBe(0);
});

test("[PU22] a bad line is found by halving; a bad line of an unknown commit is not called untried", async () => {
  const { ledger, take, buyers, time, sizes } = direct();
  const bad = must(buyers[2]);
  ledger.poison((movement) => movement.kind === "take" && movement.buyerId === bad);
  const kinds = (await Promise.all(buyers.slice(0, 4).map((buyer) => take(buyer)))).map((answer) => answer.kind);
  expect(kinds).toEqual(["accepted", "accepted", "not_tried", "accepted"]);
  expect(sizes()).toEqual([[4], [2], [2], [1], [1]]);
  ledger.poison(() => false);
  ledger.loseAnswers(1, "after");
  const answer = take(bad);
  await turns();
  ledger.poison(() => true);
  await time.advance(100);
  expect(await answer).toEqual({ kind: "unknown" });
});

test("[PU18] overdue: in flight hears unknown, queued is let go, fresh stays; the commit goes on", async () => {
  const { ledger, take, buyers, time, store, acceptance } = direct();
  const [ann, bob, cat] = [must(buyers[0]), must(buyers[1]), must(buyers[2])];
  const release = ledger.hold();
  const inFlight = take(ann, { key: "k" });
  await turns();
  const queued = take(bob);
  await time.advance(900);
  const fresh = take(cat);
  await time.advance(100);
  expect(await inFlight).toEqual({ kind: "unknown" });
  await time.advance(250);
  expect(await queued).toEqual({ kind: "not_tried", cause: "busy" });
  release();
  expect(await fresh).toMatchObject({ kind: "accepted" });
  expect(await take(ann, { key: "k" })).toMatchObject({ kind: "accepted", replayed: true });
  expect(store.tables.purchases.size).toBe(2);
  expect(acceptance.waiting).toBe(0);
  expect(acceptance.isPending(one, bob)).toBe(false);
});

test("[PU18] a store that is slow but never stands still does not make anybody wait longer either", async () => {
  const { ledger, take, buyers, time, acceptance } = direct({ batchMax: 1 });
  const heard: string[] = [];
  const first = ledger.hold();
  for (const buyer of buyers.slice(0, 6)) void take(buyer).then((answer) => heard.push(answer.kind));
  await turns();
  await time.advance(800);
  first();
  const second = ledger.hold();
  await turns();
  await time.advance(800);
  // One commit has ended, the second is under way, and all of them came 1.6 s ago.
  expect(heard.toSorted()).toEqual(["accepted", "not_tried", "not_tried", "not_tried", "not_tried", "unknown"]);
  second();
  await turns();
  expect(acceptance.waiting).toBe(0);
});

test("[PU18] no timer is left when nothing is in flight", async () => {
  const { take, buyers, time } = direct();
  await Promise.all(buyers.slice(0, 6).map((buyer) => take(buyer)));
  await turns();
  expect(time.timers).toBe(0);
});

test("[PU17] beyond its bound nothing is tried: a call is taken in whole or not at all", async () => {
  const { acceptance, ledger, buyers, take, store } = direct();
  const release = ledger.hold();
  const inside = buyers.slice(0, 11).map((buyer) => take(buyer));
  const [last, spare] = [must(buyers[11]), must(buyers[12])];
  const tooMany = await acceptance.submit(one, [takeBy(last), takeBy(spare)]);
  expect(tooMany).toEqual([
    { kind: "not_tried", cause: "busy" },
    { kind: "not_tried", cause: "busy" },
  ]);
  expect(acceptance.waiting).toBe(11);
  expect(acceptance.counts.shed).toBe(2);
  release();
  await Promise.all(inside);
  expect(store.tables.purchases.size).toBe(11);
  expect(await take(last)).toMatchObject({ kind: "accepted" });
});

test("[PU17] nothing to do is answered at once", async () => {
  const { acceptance, ledger } = direct();
  expect(await acceptance.submit(one, [])).toEqual([]);
  expect(ledger.batches.length).toBe(0);
});

test("[PU21] a drain answers what was taken in, refuses the rest, and ends", async () => {
  const { acceptance, ledger, buyers, take, time } = direct();
  const release = ledger.hold();
  const inside = buyers.slice(0, 10).map((buyer) => take(buyer));
  await turns();
  let drained = false;
  const drain = acceptance.drain().then(() => (drained = true));
  expect(await take(must(buyers[20]))).toEqual({ kind: "not_tried", cause: "draining" });
  await time.advance(50);
  expect(drained).toBe(false);
  release();
  expect((await Promise.all(inside)).every((answer) => answer.kind === "accepted")).toBe(true);
  await eventually(async () => (await time.advance(5), drained), "the drain");
  await drain;
});

test("[PU21] a drain that a dead store keeps from its end is given up: what is unknown is said to be, and nothing goes on", async () => {
  const { acceptance, ledger, buyers, take, time } = direct({ batchMax: 2 });
  ledger.loseAnswers(1_000, "before");
  const inside = buyers.slice(0, 3).map((buyer) => take(buyer));
  await turns();
  const drain = acceptance.drain();
  await time.advance(500);
  expect(acceptance.waiting).toBe(3);
  acceptance.close();
  await time.advance(2_000);
  expect(await Promise.all(inside)).toEqual([{ kind: "unknown" }, { kind: "unknown" }, { kind: "unknown" }]);
  await drain;
  expect([acceptance.waiting, time.timers]).toEqual([0, 0]);
});
