/**
 * The memory store and the SQLite store play the same batches and must agree on every answer and every row. They share
 * the decision, so a difference is in the facts one of them read or in what it kept.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { MemoryStore } from "../../src/adapters/memory/memory-store.ts";
import { openSqliteStore, type SqliteStore } from "../../src/adapters/sql/sqlite-store.ts";
import { must, sampleDraft, sampleNowMs } from "../kit/samples.ts";
import { check, stepsOf } from "./property.ts";
import { limits, productFor, spares, steps, stocks, World, type Played, type Step } from "./world.ts";

let dataDir: string;
let sqlite: SqliteStore;
let worlds = 0;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "doorbuster-differential-"));
  sqlite = await openSqliteStore({ dataDir });
  await sqlite.catalogue.internBuyers([0, 1, 2, 3].map((i) => ({ issuer: "local", subject: `buyer-${i}` })));
});

afterAll(async () => {
  await sqlite.close();
  await rm(dataDir, { recursive: true, force: true });
});

type Setting = { stock: number; perBuyerLimit: number; spare: number | undefined };

/** Each world is a sale of its own in the one SQLite store. */
function played(setting: Setting, script: readonly Step[], store = new MemoryStore()): World {
  worlds += 1;
  const world = new World(store, { ...setting, firstId: 1_000_000 * worlds });
  for (const step of script) world.play(step);
  return world;
}

async function openIn(world: World, { spare, ...setting }: Setting): Promise<void> {
  await sqlite.catalogue.addProduct(productFor(world.productId, setting.stock, spare));
  const draft = sampleDraft({ payWindowMs: 30_000, ...setting, productId: world.productId });
  await sqlite.catalogue.addSale({ id: world.saleId, draft, createdAtMs: 0 });
  const movements = [{ kind: "switch", change: { kind: "publish", pastAllowed: true } }] as const;
  await sqlite.ledger.commit({ nowMs: sampleNowMs, groups: [{ saleId: world.saleId, movements }] });
}

async function replay({ batch, twice, outcomes }: Played): Promise<void> {
  if (twice) await sqlite.ledger.commit(batch);
  const result = await sqlite.ledger.commit(batch);
  if (result.kind !== "committed") throw new Error(`SQLite did not commit: ${result.message}`);
  expect(result.groups[0]?.outcomes).toEqual([...outcomes]);
}

async function compareRows(world: World): Promise<void> {
  expect(await sqlite.records.sale(world.saleId)).toEqual(must(world.store.tables.sales.get(world.saleId)));
  expect(await sqlite.records.counts(world.saleId)).toEqual(await world.store.counts(world.saleId));
  expect(await sqlite.records.buyersOf(world.saleId, 0, 100)).toEqual(await world.store.buyersOf(world.saleId, 0, 100));
  for (const id of world.known.keys()) {
    expect(await sqlite.records.purchase(id)).toEqual(await world.store.purchase(id));
    expect(await sqlite.records.paymentsOf(id)).toEqual(await world.store.paymentsOf(id));
    expect(await sqlite.records.refundsOf(id)).toEqual(await world.store.refundsOf(id));
  }
  const all = { offset: 0, limit: 1_000 };
  const { saleId, productId, store } = world;
  expect(await sqlite.records.product(productId)).toEqual(await store.product(productId));
  expect(await sqlite.records.productStock(productId)).toEqual(await store.productStock(productId));
  expect(await sqlite.records.inventoryOf(productId, all)).toEqual(await store.inventoryOf(productId, all));
  expect(await sqlite.records.adjustmentsOf(saleId, all)).toEqual(await store.adjustmentsOf(saleId, all));
  const toSettle = await sqlite.records.salesToSettle(world.nowMs, 10_000);
  expect(toSettle.filter((id) => id === saleId)).toEqual([...(await store.salesToSettle(world.nowMs, 10_000))]);
  const query = { saleId: world.saleId };
  for (const buyer of world.buyers)
    expect(await sqlite.records.purchasesOf(buyer, query, all)).toEqual(await world.store.purchasesOf(buyer, query, all));
}

const agree = (makeStore: () => MemoryStore) =>
  fc.asyncProperty(stocks, limits, spares, steps, async (stock, perBuyerLimit, spare, script) => {
    const setting = { stock, perBuyerLimit, spare };
    const world = played(setting, script, makeStore());
    await openIn(world, setting);
    for (const each of world.played) await replay(each);
    await compareRows(world);
  });

test("[PU1] memory and SQLite agree on every answer and every row", async () => {
  await check(
    "[PU1] memory and SQLite agree",
    agree(() => new MemoryStore()),
    40,
  );
}, 60_000);

test("[PU1] memory and SQLite agree (control: a memory store that forgets keys is noticed)", async () => {
  const forgetful = () => new MemoryStore({ steps: stepsOf("keys are forgotten") });
  expect((await fc.check(agree(forgetful), { numRuns: 200, endOnFailure: true })).failed).toBe(true);
}, 60_000);
