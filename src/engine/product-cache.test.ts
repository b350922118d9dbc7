import { expect, test } from "bun:test";
import { parseProductId, type ProductId } from "../domain/ids.ts";
import type { Product } from "../domain/product.ts";
import { MemoryStore } from "../adapters/memory/memory-store.ts";
import { SeededRandom } from "../lib/seeded-random.ts";
import { money, must } from "../../tests/kit/samples.ts";
import { StoreUnavailable } from "../ports/store-unavailable.ts";
import { ProductCache } from "./product-cache.ts";

const idOf = (n: number): ProductId => must(parseProductId(String(n)));
const lamp = (n: number, name = "Lamp"): Parameters<MemoryStore["addProductNow"]>[0] => ({
  id: idOf(n),
  name,
  price: money(500),
  seller: "shop",
  createdAtMs: 0,
});

/** A store whose reads wait until they are let go, and a clock that a test moves. */
function rig(random: () => number = () => 0.5) {
  const store = new MemoryStore();
  const time = { nowMs: 1_000_000 };
  const gate = { waiting: [] as (() => void)[], closed: false };
  let reads = 0;
  const records = {
    async product(id: ProductId): Promise<Product | undefined> {
      reads += 1;
      const found = await store.product(id);
      if (gate.closed) await new Promise<void>((go) => gate.waiting.push(go));
      return found;
    },
  };
  const cache = new ProductCache({ records, clock: { nowMs: () => time.nowMs }, entropy: { random } });
  const open = () => {
    gate.closed = false;
    for (const go of gate.waiting.splice(0)) go();
  };
  return { store, time, cache, gate, open, reads: () => reads };
}

test.each(["a product", "an absent id"] as const)("[A1] a thousand readers of %s at once are one read of the store", async (what) => {
  const { store, cache, reads } = rig();
  if (what === "a product") store.addProductNow(lamp(1));
  const found = await Promise.all(Array.from({ length: 1_000 }, () => cache.get(idOf(1))));
  expect([reads(), new Set(found).size, found[0]?.name]).toEqual([1, 1, what === "a product" ? "Lamp" : undefined]);
  await cache.get(idOf(1));
  expect(reads()).toBe(1);
});

test("control: readers of as many ids are as many reads", async () => {
  const { cache, reads } = rig();
  await Promise.all(Array.from({ length: 100 }, (_, i) => cache.get(idOf(i + 1))));
  expect(reads()).toBe(100);
});

/** 200 products read together, and how many of them the store is asked for in each second after that. */
async function readsPerSecondBy(random: () => number): Promise<readonly number[]> {
  const { store, cache, time, reads } = rig(random);
  for (let n = 1; n <= 200; n++) store.addProductNow(lamp(n));
  const readAll = () => Promise.all(Array.from({ length: 200 }, (_, i) => cache.get(idOf(i + 1))));
  await readAll();
  const readsPerSecond: number[] = [];
  for (let second = 1; second <= 8; second++) {
    const before = reads();
    time.nowMs += 1_000;
    await readAll();
    readsPerSecond.push(reads() - before);
  }
  return readsPerSecond;
}

test("[IN9] what was read together does not expire together", async () => {
  const random = new SeededRandom(7);
  const readsPerSecond = await readsPerSecondBy(() => random.next());
  expect(readsPerSecond.slice(0, 2)).toEqual([0, 0]);
  expect(Math.max(...readsPerSecond)).toBeLessThan(100);
});

test("control: without chance all of them are asked for at once", async () => {
  expect(Math.max(...(await readsPerSecondBy(() => 0.5)))).toBe(200);
});

test("[IN9] a write is seen at once, also by who asks while an older read is on its way", async () => {
  const { store, cache, gate, open, reads } = rig();
  store.addProductNow(lamp(1));
  gate.closed = true;
  const before = cache.get(idOf(1));
  await Promise.resolve();
  // Between its read and its answer somebody writes the product and says so.
  store.updateProductNow({ id: idOf(1), changes: { name: "Lampe" } });
  cache.forget(idOf(1));
  const after = cache.get(idOf(1));
  await Promise.resolve();
  open();
  expect([(await before)?.name, (await after)?.name, (await cache.get(idOf(1)))?.name]).toEqual(["Lamp", "Lampe", "Lampe"]);
  expect(reads()).toBe(2);
});

test("control: a write that nobody tells of is not seen, also when the old read comes in afterwards", async () => {
  const { store, cache, gate, open } = rig();
  store.addProductNow(lamp(1));
  gate.closed = true;
  const before = cache.get(idOf(1));
  await Promise.resolve();
  store.updateProductNow({ id: idOf(1), changes: { name: "Lampe" } });
  open();
  expect([(await before)?.name, (await cache.get(idOf(1)))?.name]).toEqual(["Lamp", "Lamp"]);
});

test("an id that was absent is found when its product was written", async () => {
  const { store, cache } = rig();
  expect(await cache.get(idOf(1))).toBeUndefined();
  store.addProductNow(lamp(1));
  // Control: without being told, it is still believed absent.
  expect(await cache.get(idOf(1))).toBeUndefined();
  cache.forget(idOf(1));
  expect((await cache.get(idOf(1)))?.name).toBe("Lamp");
});

test("a store that does not answer is asked again by the next reader", async () => {
  let tries = 0;
  const records = {
    async product(): Promise<Product | undefined> {
      tries += 1;
      throw new StoreUnavailable("unavailable", "gone");
    },
  };
  const cache = new ProductCache({ records, clock: { nowMs: () => 0 }, entropy: { random: () => 0 } });
  for (let i = 1; i <= 2; i++) {
    await expect(cache.get(idOf(1))).rejects.toThrow("gone");
    expect(tries).toBe(i);
  }
});

test("[IN9] never more than its bound is kept, and made-up ids drive no product out", async () => {
  const { store, cache, reads } = rig();
  store.addProductNow(lamp(20_000));
  await cache.get(idOf(20_000));
  for (let n = 1; n <= 10_001; n++) await cache.get(idOf(n));
  await cache.get(idOf(10_001));
  await cache.get(idOf(20_000));
  expect(reads()).toBe(10_002);
  await cache.get(idOf(1));
  expect(reads()).toBe(10_003);
});
