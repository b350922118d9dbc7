/**
 * The contract of a cache that decides. What misbehaves around it (answers lost, calls done late, data lost or older than it
 * was) is the fixture's to bring about: a model that permits less of it than the server does fails here.
 */
import { describe, expect, test } from "bun:test";
import { MemoryCache } from "../../src/adapters/memory/memory-cache.ts";
import type { PurchaseId } from "../../src/domain/ids.ts";
import { decodeMessage } from "../../src/domain/journal-message.ts";
import type { ReserveAsk, SaleAnswer, StockCache } from "../../src/ports/stock-cache.ts";
import { StoreUnavailable } from "../../src/ports/store-unavailable.ts";
import { buyerId, must, purchaseId, saleId, sampleNowMs, sampleSale } from "../kit/samples.ts";
import { at, CacheScript, cutOf, scopeId } from "./cache-script.ts";

export interface CacheFixture {
  readonly cache: StockCache;
  /** Sets the time that it decides by. */
  readonly setTime: (nowMs: number) => void;
  /** Everything is gone, as after FLUSHALL. */
  readonly flush: () => Promise<void>;
  /** The server restarts with all of its data. */
  readonly restart: () => Promise<void>;
  /** Remembers the data as they are now; the server later restarts with these, as after a lost tail or a stale promotion. */
  readonly remember: () => Promise<() => Promise<void>>;
  /** The next call is done, and its answer is lost. */
  readonly loseAnswer: () => Promise<void>;
  /** The next call gets no answer and is done only when this is called. */
  readonly delayCall: () => Promise<() => Promise<void>>;
  readonly close: () => Promise<void>;
}

const sale = sampleSale({ id: scopeId, balances: { issued: 5, available: 5 } });
const ids = (count: number) => Array.from({ length: count }, (_, i) => purchaseId(String(100 + i)));
const takes = (...lines: { id: PurchaseId; buyer?: number; key?: string; quantity?: number }[]): ReserveAsk => ({
  ...at,
  saleId: sale.id,
  lines: lines.map(({ id, buyer = 1, key, quantity = 1 }) => ({ purchaseId: id, buyerId: buyerId(buyer), key, quantity })),
});

function valueOf<Value>(answer: SaleAnswer<Value>): Value {
  if (answer.kind !== "ok") throw new Error(`expected an answer, got ${JSON.stringify(answer)}`);
  return answer.value;
}

const kindsOf = (answer: Awaited<ReturnType<StockCache["reserve"]>>) => valueOf(answer).outcomes.map(({ kind }) => kind);

type Case = { readonly rule: string; readonly title: string; readonly run: (fixture: CacheFixture) => Promise<void> };

const cases: readonly Case[] = [
  {
    rule: "QU1",
    title: "accepts in one step: units are taken, the record is there and its message waits in the outbox",
    run: async ({ cache }) => {
      await cache.load(cutOf({ sale }));
      const [first, second] = ids(2);
      const reply = valueOf(await cache.reserve(takes({ id: must(first), key: "k" }, { id: must(second), buyer: 2, quantity: 2 })));
      expect(reply.outcomes).toEqual([{ kind: "accepted" }, { kind: "accepted" }]);
      expect(reply.view).toMatchObject({ available: 2, held: 3, accepted: 2, feed: 5 });
      const message = decodeMessage(must(reply.entry).text);
      expect(message).toMatchObject({
        message: { kind: "lines", scopeId, epoch: 3, saleId: sale.id, lines: [{ purchaseId: first }, { purchaseId: second }] },
      });
      expect(valueOf(await cache.outbox({ ...at, olderThanMs: 0, countMax: 10 }))).toEqual([must(reply.entry)]);
      const [record] = valueOf(await cache.records({ ...at, purchaseIds: [must(first)] }));
      expect(record).toMatchObject({ saleId: sale.id, line: { purchaseId: first, limit: 2, quantity: 1 }, entry: reply.entry });
    },
  },
  {
    rule: "QU1",
    title: "never accepts more than there is, in whatever batches it is asked",
    run: async ({ cache }) => {
      await cache.load(cutOf({ sale }));
      const lines = ids(20).map((id, i) => ({ id, buyer: i + 1 }));
      const answers = await Promise.all([0, 5, 10, 15].map((from) => cache.reserve(takes(...lines.slice(from, from + 5)))));
      expect(answers.flatMap(kindsOf).filter((kind) => kind === "accepted").length).toBe(5);
    },
  },
  {
    rule: "QU2",
    title: "a repeat by id or key gets its purchase, with its message until that is confirmed",
    run: async ({ cache }) => {
      await cache.load(cutOf({ sale }));
      const [first, second] = ids(2);
      const reply = valueOf(await cache.reserve(takes({ id: must(first), key: "k" })));
      const entry = must(reply.entry);
      for (const repeat of [takes({ id: must(first), key: "k" }), takes({ id: must(second), key: "k" })]) {
        expect(valueOf(await cache.reserve(repeat)).outcomes).toMatchObject([{ kind: "known", purchaseId: first, record: { entry } }]);
      }
      await cache.journaled({ ...at, entries: [entry.id] });
      const [known] = valueOf(await cache.reserve(takes({ id: must(second), key: "k" }))).outcomes;
      expect(known).toMatchObject({ kind: "known", purchaseId: first, record: { line: { purchaseId: first } } });
      expect(known?.kind === "known" && known.record?.entry).toBeUndefined();
      const other = valueOf(await cache.reserve(takes({ id: must(second), key: "k", quantity: 2 })));
      expect(other.outcomes).toEqual([{ kind: "refused", refusal: { reason: "key_reused" } }]);
      expect(other.view.available).toBe(4);
    },
  },
  {
    rule: "QU2",
    title: "keys that were loaded with the epoch are known, without a record: their purchases are in the ledger",
    run: async ({ cache }) => {
      const [first, second] = ids(2);
      await cache.load(cutOf({ sale, keys: [[buyerId(1), "k", must(first), "0"]], attempts: [[buyerId(1), 1]] }, [[buyerId(1), 1]]));
      const { outcomes } = valueOf(
        await cache.reserve(takes({ id: must(second), key: "k" }, { id: must(second), key: "k2", quantity: 2 })),
      );
      expect(outcomes).toEqual([
        { kind: "refused", refusal: { reason: "key_reused" } },
        { kind: "refused", refusal: { reason: "limit_reached", limit: 2, units: 1 } },
      ]);
      expect(valueOf(await cache.findKey({ ...at, saleId: sale.id, buyerId: buyerId(1), key: "k" }))).toBe(must(first));
    },
  },
  {
    rule: "QU3",
    title: "of the outbox go the entries that are named, and no others",
    run: async ({ cache }) => {
      await cache.load(cutOf({ sale }));
      const [first, second] = ids(2);
      const one = valueOf(await cache.reserve(takes({ id: must(first) })));
      const two = valueOf(await cache.reserve(takes({ id: must(second), buyer: 2 })));
      await cache.journaled({ ...at, entries: [must(two.entry).id] });
      expect(valueOf(await cache.outbox({ ...at, olderThanMs: 0, countMax: 10 }))).toEqual([must(one.entry)]);
    },
  },
  {
    rule: "QU3",
    title: "the outbox tells how old its entries are, by the clock that dated them",
    run: async ({ cache, setTime }) => {
      await cache.load(cutOf({ sale }));
      await cache.reserve(takes({ id: must(ids(1)[0]) }));
      expect(valueOf(await cache.outbox({ ...at, olderThanMs: 60_000, countMax: 10 }))).toEqual([]);
      setTime(sampleNowMs + 61_000);
      expect(valueOf(await cache.outbox({ ...at, olderThanMs: 60_000, countMax: 10 }))).toHaveLength(1);
    },
  },
  {
    rule: "QU8",
    title: "when its clock was set back the outbox tells of all its entries: nobody waits until it has caught up",
    run: async ({ cache, setTime }) => {
      await cache.load(cutOf({ sale }));
      const [first, second] = ids(2);
      setTime(sampleNowMs - 1_000);
      const one = valueOf(await cache.reserve(takes({ id: must(first) })));
      setTime(sampleNowMs);
      const two = valueOf(await cache.reserve(takes({ id: must(second), buyer: 2 })));
      const old = async () => valueOf(await cache.outbox({ ...at, olderThanMs: 2_000, countMax: 10 }));
      expect(await old()).toEqual([]);
      setTime(sampleNowMs - 60_000);
      expect(await old()).toEqual([must(one.entry), must(two.entry)]);
      // Those of later than now are there no more, and age counts again.
      setTime(sampleNowMs - 500);
      await cache.journaled({ ...at, entries: [must(two.entry).id] });
      expect(await old()).toEqual([]);
    },
  },
  {
    rule: "QU4",
    title: "rows of the feed are applied in order, each once, and clearing a mark lets nobody new in for a while",
    run: async ({ cache, setTime }) => {
      await cache.load(cutOf({ sale: { ...sale, balances: { ...sale.balances, available: 0, held: 5 } } }, [[buyerId(1), 2]]));
      const row = (number: number) => ({ number, patch: { saleId: sale.id, available: 2, buyers: [[buyerId(1), -2] as const] } });
      expect(valueOf(await cache.apply({ ...at, row: row(7), reopenDelayMs: 500 }))).toBe(5);
      expect(valueOf(await cache.apply({ ...at, row: row(6), reopenDelayMs: 500 }))).toBe(6);
      expect(valueOf(await cache.apply({ ...at, row: row(6), reopenDelayMs: 500 }))).toBe(6);
      expect(valueOf(await cache.look({ ...at, saleId: sale.id }))).toMatchObject({
        available: 2,
        feed: 6,
        reopensAtMs: sampleNowMs + 500,
      });
      const [first] = ids(1);
      expect(valueOf(await cache.reserve(takes({ id: must(first) }))).outcomes).toEqual([
        { kind: "refused", refusal: { reason: "all_taken", held: 3, available: 2 } },
      ]);
      setTime(sampleNowMs + 500);
      expect(kindsOf(await cache.reserve(takes({ id: must(first), quantity: 2 })))).toEqual(["accepted"]);
    },
  },
  {
    rule: "QU4",
    title: "nor does it in a sale that ends before that while is over, nor when a sale that had ended goes on",
    run: async ({ cache }) => {
      const endsAtMs = sampleNowMs + 300;
      const [first] = ids(1);
      const sold = { ...sale, endsAtMs, balances: { ...sale.balances, available: 0, held: 5 } };
      await cache.load(cutOf({ sale: sold }));
      const back = { number: 6, patch: { saleId: sale.id, available: 1, buyers: [] } };
      await cache.apply({ ...at, row: back, reopenDelayMs: 500 });
      expect(kindsOf(await cache.reserve(takes({ id: must(first) })))).toEqual(["refused"]);
      await cache.load(cutOf({ sale: { ...sale, endsAtMs } }, [], at.epoch));
      // Whoever looked ahead has heard that it ends.
      const longer = { number: 6, patch: { saleId: sale.id, available: 0, buyers: [], endsAtMs: sampleNowMs + 5_000 } };
      await cache.apply({ ...at, row: longer, reopenDelayMs: 500 });
      expect(kindsOf(await cache.reserve(takes({ id: must(first) })))).toEqual(["refused"]);
    },
  },
  {
    rule: "QU5",
    title: "what is not loaded, was flushed, or is of another epoch is closed to every call",
    run: async ({ cache, flush }) => {
      const [id] = ids(1);
      await closedToAll(cache);
      await cache.load(cutOf({ sale }, [], 2));
      await closedToAll(cache);
      await cache.load(cutOf({ sale }));
      expect(kindsOf(await cache.reserve(takes({ id: must(id) })))).toEqual(["accepted"]);
      await flush();
      await closedToAll(cache);
    },
  },
  {
    rule: "QU5",
    title: "a server that restarted is closed, whatever of its data is there",
    run: async ({ cache, restart }) => {
      await cache.load(cutOf({ sale }));
      const [first] = ids(1);
      await cache.reserve(takes({ id: must(first) }));
      await restart();
      await closedToAll(cache);
    },
  },
  {
    rule: "QU5",
    title: "a server that fell back to older data is closed, and stays so until another epoch is loaded",
    run: async ({ cache, remember }) => {
      await cache.load(cutOf({ sale }));
      const [first, second, third] = ids(3);
      await cache.reserve(takes({ id: must(first) }));
      const fallBack = await remember();
      await cache.reserve(takes({ id: must(second), buyer: 2 }));
      await fallBack();
      await closedToAll(cache);
      await cache.load(cutOf({ sale }, [], 4));
      await cache.drop({ scopeId, epoch: 4 });
      await closedToAll(cache);
      expect(kindsOf(await cache.reserve({ ...takes({ id: must(third) }), epoch: 4 }))).toEqual(["accepted"]);
    },
  },
  {
    rule: "QU5",
    title: "it says of which scopes something may be left, until all of their epochs were removed",
    run: async ({ cache }) => {
      expect(valueOf(await cache.loaded())).toEqual([]);
      await cache.load(cutOf({ sale }, [], 2));
      await cache.load(cutOf({ sale }));
      expect(valueOf(await cache.drop(at))).toBeUndefined();
      expect(valueOf(await cache.loaded())).toEqual([scopeId]);
      expect(valueOf(await cache.look({ ...at, saleId: sale.id }))).toMatchObject({ available: 5 });
      expect(valueOf(await cache.drop({ scopeId, epoch: at.epoch + 1 }))).toBeUndefined();
      expect(valueOf(await cache.loaded())).toEqual([]);
      await closedToAll(cache);
    },
  },
  {
    rule: "QU5",
    title: "what it is loaded with may come in pages, and a page that fails leaves it closed",
    run: async ({ cache }) => {
      const count = 5_000;
      const pages = async function* <Row>(row: (buyer: number) => Row, failsAt = Infinity): AsyncGenerator<readonly Row[]> {
        for (let from = 1; from <= count; from += 2_000) {
          if (from > failsAt) throw new StoreUnavailable("unavailable", "down, as planned");
          yield Array.from({ length: Math.min(2_000, count + 1 - from) }, (_, i) => row(from + i));
        }
      };
      const [first, second] = ids(2);
      const one = (buyer: number) => [buyerId(buyer), 1] as const;
      const key = (buyer: number) => [buyerId(buyer), "k", purchaseId(String(50_000 + buyer)), "0"] as const;
      const cutInPages = (failsAt?: number) => ({
        ...cutOf({ sale, attempts: pages(one), keys: pages(key, failsAt) }),
        units: pages((buyer) => [buyerId(buyer), 2] as const),
      });
      await expect(cache.load(cutInPages(2_500))).rejects.toThrow(StoreUnavailable);
      await closedToAll(cache);
      expect(valueOf(await cache.load(cutInPages()))).toBeUndefined();
      const last = takes({ id: must(first), buyer: count, key: "k2" }, { id: must(second), buyer: count, key: "k", quantity: 2 });
      expect(kindsOf(await cache.reserve(last))).toEqual(["refused", "refused"]);
      expect(valueOf(await cache.look({ ...at, saleId: sale.id })).accepted).toBe(count);
      expect(valueOf(await cache.findKey({ ...at, saleId: sale.id, buyerId: buyerId(count), key: "k" }))).toBe(
        purchaseId(String(50_000 + count)),
      );
    },
  },
  {
    rule: "QU5",
    title: "a sale that is not part of the epoch is told apart from an epoch that is not there",
    run: async ({ cache }) => {
      await cache.load(cutOf({ sale }));
      const other = saleId("7777");
      expect(await cache.look({ ...at, saleId: other })).toEqual({ kind: "absent" });
      expect(await cache.reserve({ ...takes({ id: must(ids(1)[0]) }), saleId: other })).toEqual({ kind: "absent" });
      // What flows back of it counts for its buyers.
      const row = { number: 6, patch: { saleId: other, available: 1, buyers: [[buyerId(1), -1] as const] } };
      expect(valueOf(await cache.apply({ ...at, row, reopenDelayMs: 0 }))).toBe(6);
    },
  },
  {
    rule: "QU4",
    title: "a key whose purchase was refused after all may be used again, and no other is forgotten",
    run: async ({ cache }) => {
      await cache.load(cutOf({ sale }));
      const [first, second, third] = ids(3);
      await cache.reserve(takes({ id: must(first), key: "k 1" }, { id: must(second), buyer: 2, key: "k 1" }));
      const keys = [[buyerId(1), "k 1", must(first)] as const, [buyerId(2), "k 1", must(third)] as const];
      const row = { number: 6, patch: { saleId: sale.id, available: 1, buyers: [[buyerId(1), -1] as const], keys } };
      expect(valueOf(await cache.apply({ ...at, row, reopenDelayMs: 0 }))).toBe(6);
      const again = takes({ id: must(third), key: "k 1", quantity: 2 }, { id: must(third), buyer: 2, key: "k 1" });
      expect(valueOf(await cache.reserve(again)).outcomes).toMatchObject([{ kind: "accepted" }, { kind: "known" }]);
      expect(valueOf(await cache.findKey({ ...at, saleId: sale.id, buyerId: buyerId(2), key: "k 1" }))).toBe(must(second));
    },
  },
  {
    rule: "QU6",
    title: "a call whose answer was lost was done: the same again is known, and takes nothing more",
    run: async ({ cache, loseAnswer }) => {
      await cache.load(cutOf({ sale }));
      const [first] = ids(1);
      await loseAnswer();
      expect((await cache.reserve(takes({ id: must(first), key: "k" }))).kind).toBe("unknown");
      const { outcomes, view } = valueOf(await patiently(() => cache.reserve(takes({ id: must(first), key: "k" }))));
      expect(outcomes).toMatchObject([{ kind: "known", purchaseId: first, record: { entry: {} } }]);
      expect(view.available).toBe(4);
    },
  },
  {
    rule: "QU6",
    title: "a call that is done after its own retry takes nothing more",
    run: async ({ cache, delayCall }) => {
      await cache.load(cutOf({ sale }));
      const [first] = ids(1);
      const doIt = await delayCall();
      expect((await cache.reserve(takes({ id: must(first), key: "k" }))).kind).toBe("unknown");
      expect(kindsOf(await patiently(() => cache.reserve(takes({ id: must(first), key: "k" }))))).toEqual(["accepted"]);
      await doIt();
      expect(valueOf(await patiently(() => cache.look({ ...at, saleId: sale.id })))).toMatchObject({ available: 4, accepted: 1 });
    },
  },
  {
    rule: "QU6",
    title: "a call of an epoch that is over changes nothing of the next, however late it is done",
    run: async ({ cache, delayCall }) => {
      await cache.load(cutOf({ sale }));
      const doIt = await delayCall();
      expect((await cache.reserve(takes({ id: must(ids(1)[0]) }))).kind).toBe("unknown");
      await patiently(() => cache.load(cutOf({ sale }, [], 4)));
      await doIt();
      expect(valueOf(await patiently(() => cache.look({ ...at, epoch: 4, saleId: sale.id })))).toMatchObject({ available: 5, accepted: 0 });
    },
  },
];

/** A server that was away for a moment is asked until it answers. */
async function patiently<Value>(ask: () => Promise<SaleAnswer<Value>>): Promise<SaleAnswer<Value>> {
  for (let tries = 0; ; tries++) {
    const answer = await ask();
    if (answer.kind === "ok" || answer.kind === "closed" || answer.kind === "absent" || tries >= 200) return answer;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function closedToAll(cache: StockCache): Promise<void> {
  const row = { number: 6, patch: { saleId: sale.id, available: 1, buyers: [] } };
  const calls: (() => Promise<SaleAnswer<unknown>>)[] = [
    () => cache.reserve(takes({ id: purchaseId("999") })),
    () => cache.journaled({ ...at, entries: ["1-1"] }),
    () => cache.apply({ ...at, row, reopenDelayMs: 0 }),
    () => cache.quote({ ...at, saleId: sale.id, sold: 0, withdrawn: 0, issued: 5 }),
    () => cache.look({ ...at, saleId: sale.id }),
    () => cache.accepted({ ...at, saleId: sale.id, from: 0, countMax: 10 }),
    () => cache.outbox({ ...at, olderThanMs: 0, countMax: 10 }),
    () => cache.findKey({ ...at, saleId: sale.id, buyerId: buyerId(1), key: "k" }),
    () => cache.records({ ...at, purchaseIds: [purchaseId("999")] }),
  ];
  for (const call of calls) expect((await patiently(call)).kind).toBe("closed");
}

const seeds = 40;
const steps = 60;

export function stockCacheContract(name: string, open: () => Promise<CacheFixture>): void {
  describe(name, () => {
    for (const { rule, title, run } of cases)
      test(`[${rule}] ${title}`, async () => {
        const fixture = await open();
        try {
          fixture.setTime(sampleNowMs);
          await run(fixture);
        } finally {
          await fixture.close();
        }
      }, 30_000);

    test("[QU1] decides as the domain does, whatever it is asked in whatever order", async () => {
      const fixture = await open();
      try {
        for (let seed = 1; seed <= seeds; seed++) expect([seed, await firstDifference(seed, fixture)]).toEqual([seed, undefined]);
      } finally {
        await fixture.close();
      }
    }, 60_000);
  });
}

/** Runs a script against the cache and the domain's own; what they answered differently first. */
export async function firstDifference(
  seed: number,
  { cache, setTime, flush }: Pick<CacheFixture, "cache" | "setTime" | "flush">,
): Promise<unknown> {
  await flush();
  const script = new CacheScript(seed);
  const model = new MemoryCache(() => script.nowMs);
  const start = script.start();
  for (const each of [model, cache]) valueOf(await each.load(start));
  for (let step = 0; step < steps; step++) {
    const run = script.next();
    setTime(script.nowMs);
    const [expected, got] = await run([model, cache]);
    if (!Bun.deepEquals(expected, got)) return { step, expected, got };
  }
  return undefined;
}
