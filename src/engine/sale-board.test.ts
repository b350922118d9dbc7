import { describe, expect, test } from "bun:test";
import type { MemoryStore } from "../adapters/memory/memory-store.ts";
import { parseAdjustmentId, type BuyerId, type SaleId } from "../domain/ids.ts";
import type { Sale } from "../domain/sale.ts";
import type { Records } from "../ports/records.ts";
import { StoreUnavailable } from "../ports/store-unavailable.ts";
import { internNow, storeWith, switchNow, takeBy } from "../../tests/kit/live-sale.ts";
import { ManualTime, turns } from "../../tests/kit/manual-time.ts";
import { must, sampleDraft, sampleEndMs, sampleNowMs, saleId, sampleStartMs } from "../../tests/kit/samples.ts";
import { SeededEntropy } from "../../tests/kit/seeded-entropy.ts";
import { SaleBoard, type BoardOptions, type SaleView } from "./sale-board.ts";

const one = saleId("11");
const two = saleId("12");

/** Records that count, fail on wish, and can keep a reader waiting. */
function watched(store: MemoryStore) {
  const seen = { sale: 0, buyersOf: 0 };
  const faults = { failing: 0, wait: Promise.resolve() };
  const records: Records = Object.assign(Object.create(store) as Records, {
    sale: async (id: SaleId) => {
      seen.sale += 1;
      const sale = store.tables.sales.get(id);
      await faults.wait;
      return sale;
    },
    buyersOf: async (id: SaleId, after: number, countMax: number) => {
      seen.buyersOf += 1;
      if (faults.failing-- > 0) throw new StoreUnavailable("unavailable", "a planted failure");
      const page = await store.buyersOf(id, after, countMax);
      await faults.wait;
      return page;
    },
  });
  return { records, seen, faults };
}

function boardOn(store: MemoryStore, options: BoardOptions = { salesMax: 10, buyersMax: 1_000 }) {
  const time = new ManualTime(sampleNowMs);
  const { records, seen, faults } = watched(store);
  const board = new SaleBoard({ records, clock: time, entropy: new SeededEntropy(1) }, options);
  const refuse = (view: SaleView, buyerId: BuyerId, ask: { pending?: boolean; nowMs?: number } = {}) =>
    board.refuse(view, { buyerId, pending: () => ask.pending ?? false, nowMs: ask.nowMs ?? time.nowMs() })?.reason;
  return { board, time, seen, faults, refuse };
}

/** A sale of one unit, taken by ann. */
function soldOut() {
  const store = storeWith([[one, { stock: 1 }]]);
  const [ann, bob] = [internNow(store, "ann"), internNow(store, "bob")];
  store.commitNow({ nowMs: sampleNowMs, groups: [{ saleId: one, movements: [takeBy(ann, { key: "k" })] }] });
  return { store, ann, bob };
}

test("[PU16] while units are free nobody is refused locally", async () => {
  const store = storeWith([[one, {}]]);
  const { board, refuse, seen } = boardOn(store);
  expect(refuse(must(await board.load(one)), internNow(store, "ann"))).toBeUndefined();
  expect(seen.buyersOf).toBe(0);
});

test("[PU16] sold out: until the buyers are loaded everybody goes on, then all but those ever accepted are refused", async () => {
  const { store, ann, bob } = soldOut();
  const { board, refuse, seen } = boardOn(store);
  const view = must(await board.load(one));
  expect(refuse(view, bob)).toBeUndefined();
  expect(refuse(view, ann)).toBeUndefined();
  await turns();
  expect(refuse(view, bob)).toBe("all_taken");
  expect(refuse(view, ann)).toBeUndefined();
  for (let i = 0; i < 50; i++) refuse(view, bob);
  expect(seen.buyersOf).toBe(1);
});

test("[PU16] a buyer whose take is on its way goes on", async () => {
  const { store, bob } = soldOut();
  const { board, refuse } = boardOn(store);
  const view = must(await board.load(one));
  refuse(view, bob);
  await turns();
  expect(refuse(view, bob, { pending: true })).toBeUndefined();
  expect(refuse(view, bob)).toBe("all_taken");
});

test("[PU16] a buyer accepted since the mark goes on, also while its order is long cancelled", async () => {
  const { store, ann, bob } = soldOut();
  const { board, refuse } = boardOn(store);
  const view = must(await board.load(one));
  refuse(view, bob);
  await turns();
  board.noteAccepted(one, bob);
  expect(refuse(view, bob)).toBeUndefined();
  expect(refuse(view, ann)).toBeUndefined();
});

test("[PU16] a buyer accepted while the buyers are being read goes on", async () => {
  const { store, bob } = soldOut();
  const { board, refuse, faults } = boardOn(store);
  const view = must(await board.load(one));
  let release = () => {};
  faults.wait = new Promise((resolve) => (release = resolve));
  refuse(view, bob);
  await turns();
  expect(refuse(view, bob)).toBeUndefined();
  board.noteAccepted(one, bob);
  release();
  await turns();
  expect(view.buyersKnown).toBe("all");
  expect(refuse(view, bob)).toBeUndefined();
});

test("[PU16] paused, ended and cancelled are refused the same way", async () => {
  const { store, ann, bob } = soldOut();
  for (const [change, nowMs, reason] of [
    ["pause", sampleNowMs, "paused"],
    ["pause", sampleEndMs, "ended"],
    ["cancel_sale", sampleNowMs, "sale_cancelled"],
  ] as const) {
    switchNow(store, one, { kind: change });
    const { board, refuse } = boardOn(store);
    const view = must(await board.load(one));
    refuse(view, bob, { nowMs });
    await turns();
    expect<string | undefined>(refuse(view, bob, { nowMs })).toBe(reason);
    expect(refuse(view, ann, { nowMs })).toBeUndefined();
  }
});

test("[PU16] before the start and in a draft everybody is refused at once", async () => {
  const store = storeWith([[one, {}]]);
  store.addSaleNow({ id: two, draft: sampleDraft(), createdAtMs: 0 });
  const ann = internNow(store, "ann");
  const { board, refuse } = boardOn(store);
  expect(refuse(must(await board.load(one)), ann, { nowMs: sampleStartMs - 1 })).toBe("not_started");
  expect(refuse(must(await board.load(two)), ann)).toBe("sale_unknown");
});

test("[PU16] a newer copy of the sale clears the mark, an older one never replaces a newer", async () => {
  const { store, ann, bob } = soldOut();
  const { board, refuse } = boardOn(store);
  const view = must(await board.load(one));
  const older: Sale = view.sale;
  refuse(view, bob);
  await turns();
  const [purchase] = [...store.tables.purchases.values()];
  store.commitNow({ nowMs: sampleNowMs, groups: [{ saleId: one, movements: [{ kind: "cancel", purchaseId: must(purchase).id }] }] });
  const newer = must(store.tables.sales.get(one));
  board.observe(newer);
  expect(refuse(view, bob)).toBeUndefined();
  board.observe(older);
  expect(view.sale).toBe(newer);
  expect(refuse(view, bob)).toBeUndefined();
  expect(refuse(view, ann)).toBeUndefined();
});

test("[PU16] a copy read before a commit does not undo what the commit said", async () => {
  const { store } = soldOut();
  const { board, faults } = boardOn(store);
  let release = () => {};
  faults.wait = new Promise((resolve) => (release = resolve));
  const loading = board.load(one);
  await turns();
  store.commitNow({
    nowMs: sampleNowMs,
    groups: [
      {
        saleId: one,
        movements: [{ kind: "adjust", adjustmentId: must(parseAdjustmentId("77")), units: 5, reason: "found", actor: "one" }],
      },
    ],
  });
  const newer = must(store.tables.sales.get(one));
  board.observe(newer);
  release();
  expect(must(await loading).sale).toBe(newer);
});

test("[PU16] one reader per sale, however many ask", async () => {
  const { store } = soldOut();
  const { board, seen } = boardOn(store);
  const views = await Promise.all(Array.from({ length: 20 }, () => board.load(one)));
  expect(new Set(views).size).toBe(1);
  expect(seen.sale).toBe(1);
});

test("[PU16] a store that does not answer lets everybody on, and is asked again", async () => {
  const { store, bob } = soldOut();
  const { board, refuse, faults, seen } = boardOn(store);
  faults.failing = 1;
  const view = must(await board.load(one));
  refuse(view, bob);
  await turns();
  expect(refuse(view, bob)).toBeUndefined();
  await turns();
  expect(refuse(view, bob)).toBe("all_taken");
  expect(seen.buyersOf).toBe(2);
});

test("[PU1] a sale that does not exist is believed absent for a while, then looked for again, and at once when it appears", async () => {
  const store = storeWith([]);
  const { board, seen, time } = boardOn(store);
  expect(await board.load(one)).toBeUndefined();
  expect(await board.load(one)).toBeUndefined();
  expect(seen.sale).toBe(1);
  await time.advance(1_500);
  expect(await board.load(one)).toBeUndefined();
  expect(seen.sale).toBe(2);
  store.addSaleNow({ id: one, draft: sampleDraft(), createdAtMs: 0 });
  board.observe(must(store.tables.sales.get(one)));
  expect((await board.load(one))?.sale.id).toBe(one);
  expect(seen.sale).toBe(2);
});

test("[PU17] it remembers no more sales than it may; a forgotten one is read again", async () => {
  const store = storeWith([
    [one, {}],
    [two, {}],
  ]);
  const { board, seen, time } = boardOn(store, { salesMax: 1, buyersMax: 10 });
  await board.load(one);
  await time.advance(1);
  await board.load(two);
  expect(board.peek(one)).toBeUndefined();
  expect(board.peek(two)).toBeDefined();
  await board.load(one);
  expect(seen.sale).toBe(3);
});

test("[PU17] it remembers no more buyers than it may: the least used sale forgets its own and lets everybody on", async () => {
  const store = storeWith([
    [one, { stock: 2 }],
    [two, { stock: 2 }],
  ]);
  const buyers = ["a", "b", "c"].map((name) => internNow(store, name));
  const [ann, bob, cat] = [must(buyers[0]), must(buyers[1]), must(buyers[2])];
  for (const id of [one, two]) store.commitNow({ nowMs: sampleNowMs, groups: [{ saleId: id, movements: [takeBy(ann), takeBy(bob)] }] });
  const { board, refuse, time } = boardOn(store, { salesMax: 10, buyersMax: 3 });
  const first = must(await board.load(one));
  const second = must(await board.load(two));
  refuse(first, cat);
  await turns();
  await time.advance(1);
  refuse(second, cat);
  await turns();
  expect(refuse(second, cat)).toBe("all_taken");
  expect(first.buyers.size).toBe(0);
  expect(refuse(first, ann)).toBeUndefined();
  expect(refuse(first, cat)).toBeUndefined();
});

test("[PU1] a sale that exists is found also when no other can make room for it", async () => {
  const store = storeWith([
    [one, {}],
    [two, {}],
  ]);
  const { board } = boardOn(store, { salesMax: 1, buyersMax: 10 });
  // While its buyers are being loaded, the first view has to stay.
  must(await board.load(one)).buyersKnown = "loading";
  expect((await board.load(two))?.sale.id).toBe(two);
});

test("[PU16] a slow read does not bring back an older copy after the newer one was forgotten", async () => {
  const store = storeWith([
    [one, {}],
    [two, {}],
  ]);
  const { board, faults } = boardOn(store, { salesMax: 1, buyersMax: 10 });
  let arrive: () => void = () => {};
  faults.wait = new Promise((resolve) => (arrive = resolve));
  const reading = board.load(one);
  faults.wait = Promise.resolve();
  switchNow(store, one, { kind: "pause" });
  board.observe(must(store.tables.sales.get(one)));
  await board.load(two);
  arrive();
  expect((await reading)?.sale.paused).toBe(true);
  expect(board.peek(one)?.sale.paused).toBe(true);
});

test("[PU17] accepting beyond what it may remember forgets too, at last the hot sale's own", async () => {
  const store = storeWith([[one, { stock: 10 }]]);
  const buyers = ["a", "b", "c", "d"].map((name) => internNow(store, name));
  const { board, refuse } = boardOn(store, { salesMax: 10, buyersMax: 3 });
  const view = must(await board.load(one));
  for (const buyerId of buyers) board.noteAccepted(one, buyerId);
  expect(view.buyers.size).toBeLessThanOrEqual(3);
  board.observe({ ...view.sale, paused: true, feed: view.sale.feed + 1 });
  for (const buyerId of buyers) expect(refuse(view, buyerId)).toBeUndefined();
});

test("[PU16] a buyer accepted beyond the bound while others are being read does not make the reading forget any", async () => {
  const store = storeWith([[one, { stock: 10 }]]);
  const buyers = ["a", "b", "c", "d"].map((name) => internNow(store, name));
  const read = buyers.slice(0, 3);
  store.commitNow({ nowMs: sampleNowMs, groups: [{ saleId: one, movements: read.map((buyerId) => takeBy(buyerId)) }] });
  switchNow(store, one, { kind: "pause" });
  const { board, refuse, faults } = boardOn(store, { salesMax: 10, buyersMax: 3 });
  const view = must(await board.load(one));
  const page = Promise.withResolvers<void>();
  const [last] = buyers.slice(3);
  faults.wait = page.promise;
  refuse(view, must(last));
  await turns();
  for (const buyerId of buyers) board.noteAccepted(one, buyerId);
  expect(view.buyersKnown).toBe("loading");
  page.resolve();
  await turns();
  for (const buyerId of buyers) expect(refuse(view, buyerId)).toBeUndefined();
});

describe("[PU27] where other processes commit, too,", () => {
  const leaseMs = 100;
  const edgeMs = 240;

  /** A board beside others: what they commit is in `store`, and known by their log as far as `log` goes. */
  function sharedBoard(store: MemoryStore, log: readonly BuyerId[] | undefined = []) {
    const asked: { feed: number; until: number }[] = [];
    const feed = {
      buyersBetween: async ({ feed: after, until }: { feed: number; until: number }) => {
        asked.push({ feed: after, until });
        return log;
      },
    };
    const rig = boardOn(store, { salesMax: 10, buyersMax: 1_000, shared: { feed, leaseMs, edgeMs } });
    /** A commit of this process that held the sale's lock at this moment, and what it found. */
    const held = (decidedAtMs = rig.time.nowMs(), sentAtMs = rig.time.nowMs()) =>
      rig.board.observe(must(store.tables.sales.get(one)), { sentAtMs, decidedAtMs });
    return { ...rig, held, asked };
  }

  const commit = (store: MemoryStore, ...movements: Parameters<MemoryStore["commitNow"]>[0]["groups"][number]["movements"]) =>
    store.commitNow({ nowMs: sampleNowMs, groups: [{ saleId: one, movements }] });
  const adjust = (units: number) =>
    ({ kind: "adjust", adjustmentId: must(parseAdjustmentId(String(++adjustments))), units, reason: "found", actor: "one" }) as const;
  let adjustments = 700;

  test("a copy that was merely read refuses nobody; one that a commit held under its lock does, until its lease is over", async () => {
    const { store, ann, bob } = soldOut();
    const { board, refuse, held, time } = sharedBoard(store);
    const view = must(await board.load(one));
    refuse(view, bob);
    await turns();
    expect(refuse(view, bob)).toBeUndefined();
    held();
    refuse(view, bob);
    await turns();
    expect([refuse(view, bob), refuse(view, ann)]).toEqual(["all_taken", undefined]);
    await time.advance(leaseMs - 1);
    expect(refuse(view, bob)).toBe("all_taken");
    await time.advance(1);
    expect(refuse(view, bob)).toBeUndefined();
  });

  test("a lease is measured from the sending of the commit, however late its answer comes", async () => {
    const { store, bob } = soldOut();
    const { board, refuse, held, time } = sharedBoard(store);
    const view = must(await board.load(one));
    held(time.nowMs(), time.nowMs() - leaseMs + 10);
    refuse(view, bob);
    await turns();
    expect(refuse(view, bob)).toBe("all_taken");
    await time.advance(10);
    expect(refuse(view, bob)).toBeUndefined();
  });

  test("what time alone ends is no mark until a decider has seen it: somebody may have been accepted in the last moment", async () => {
    const store = storeWith([[one, {}]]);
    const bob = internNow(store, "bob");
    const { board, refuse, held } = sharedBoard(store);
    const view = must(await board.load(one));
    held(sampleEndMs - 1);
    refuse(view, bob, { nowMs: sampleEndMs });
    await turns();
    expect(refuse(view, bob, { nowMs: sampleEndMs })).toBeUndefined();
    held(sampleEndMs);
    refuse(view, bob);
    await turns();
    expect(refuse(view, bob)).toBe("ended");
  });

  test("before its start a sale is refused by the decider's clock, whatever ours says, and not shortly before", async () => {
    const store = storeWith([[one, {}]]);
    const bob = internNow(store, "bob");
    const { board, refuse, held } = sharedBoard(store);
    const view = must(await board.load(one));
    expect(refuse(view, bob, { nowMs: sampleStartMs - 60_000 })).toBeUndefined();
    held(sampleStartMs - edgeMs - 1);
    expect(refuse(view, bob)).toBe("not_started");
    held(sampleStartMs - edgeMs);
    expect(refuse(view, bob)).toBeUndefined();
  });

  test("a buyer whom another process accepted goes on: until their log is read everybody does", async () => {
    const store = storeWith([[one, { stock: 2 }]]);
    const [ann, bob, cat] = [internNow(store, "ann"), internNow(store, "bob"), internNow(store, "cat")];
    commit(store, takeBy(ann));
    const { board, refuse, held, asked } = sharedBoard(store, [bob]);
    const view = must(await board.load(one));
    store.commitNow({ nowMs: sampleNowMs, groups: [{ saleId: one, movements: [{ kind: "switch", change: { kind: "pause" } }] }] });
    held();
    refuse(view, cat);
    await turns();
    expect(refuse(view, cat)).toBe("paused");
    store.commitNow({
      nowMs: sampleNowMs,
      groups: [{ saleId: one, movements: [{ kind: "switch", change: { kind: "resume" } }, takeBy(bob)] }],
    });
    held();
    expect(refuse(view, cat)).toBeUndefined();
    await turns();
    expect(asked).toEqual([{ feed: 3, until: 4 }]);
    expect([refuse(view, cat), refuse(view, bob), refuse(view, ann)]).toEqual(["all_taken", undefined, undefined]);
  });

  test("news ends a mark, and the answer to an older commit does not bring it back", async () => {
    const { store, bob } = soldOut();
    const { board, refuse, held } = sharedBoard(store);
    const view = must(await board.load(one));
    held();
    refuse(view, bob);
    await turns();
    expect(refuse(view, bob)).toBe("all_taken");
    board.noteNews(one, view.sale.feed + 1);
    expect(refuse(view, bob)).toBeUndefined();
    held();
    expect(refuse(view, bob)).toBeUndefined();
  });

  test("[LP2] a copy that is newer than ours and older than the news is not taken for the last", async () => {
    const { store } = soldOut();
    const { board, seen } = sharedBoard(store);
    const first = must(await board.load(one)).sale;
    for (const units of [1, 1]) commit(store, adjust(units));
    const last = must(store.tables.sales.get(one));
    board.noteNews(one, last.feed);
    board.observe({ ...last, feed: first.feed + 1 });
    expect((await board.load(one))?.sale).toBe(last);
    expect(seen.sale).toBe(2);
  });

  test("[LP2] news that comes while a sale is read for the first time makes it be read again", async () => {
    const { store } = soldOut();
    const { board, faults } = sharedBoard(store);
    const wait = Promise.withResolvers<void>();
    faults.wait = wait.promise;
    const reading = board.load(one);
    await turns();
    commit(store, adjust(5));
    const last = must(store.tables.sales.get(one));
    board.noteNews(one, last.feed);
    wait.resolve();
    expect((await reading)?.sale).toBe(last);
  });

  test("[PU1] an absence lives as long as a mark, from the asking", async () => {
    const store = storeWith([]);
    const { board, faults, seen, time } = sharedBoard(store);
    const wait = Promise.withResolvers<void>();
    faults.wait = wait.promise;
    const reading = board.load(one);
    await time.advance(leaseMs);
    wait.resolve();
    expect(await reading).toBeUndefined();
    expect(await board.load(one)).toBeUndefined();
    expect(seen.sale).toBe(2);
  });

  test("[PU1] whoever waits for a reading that others began is not told of an absence from before it asked", async () => {
    const store = storeWith([]);
    const { board, faults, time } = sharedBoard(store);
    const wait = Promise.withResolvers<void>();
    faults.wait = wait.promise;
    const early = board.load(one);
    await time.advance(leaseMs);
    store.addSaleNow({ id: one, draft: sampleDraft(), createdAtMs: 0 });
    const late = board.load(one);
    wait.resolve();
    expect([await early, (await late)?.sale.id]).toEqual([undefined, one]);
  });

  test("[PU1] news of a sale ends its absence", async () => {
    const store = storeWith([]);
    const { board } = sharedBoard(store);
    expect(await board.load(one)).toBeUndefined();
    store.addSaleNow({ id: one, draft: sampleDraft(), createdAtMs: 0 });
    board.noteNews(one, 1);
    expect((await board.load(one))?.sale.id).toBe(one);
  });
});
