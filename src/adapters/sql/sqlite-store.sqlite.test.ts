import { expect, test } from "bun:test";
import { chmodSync, statSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { parsePaymentId, type BuyerId } from "../../domain/ids.ts";
import { addSale, batch, nowMs, outcomes, productId, saleId, StoreBench, take } from "../../../tests/kit/sqlite-shop.ts";
import { databaseName, openReadOnly, openWriter } from "./sqlite-connection.ts";
import { openSqliteStore } from "./sqlite-store.ts";

const largest = "9223372036854775807";
const page = { offset: 0, limit: 10 };
const buyer = 1 as BuyerId;

test("[I4] a restart keeps everything, to the last digit of the largest id", async () => {
  await using bench = new StoreBench();
  const store = await bench.open();
  expect(store).toMatchObject({ idFloor: "0", lastAtMs: 0 });
  const id = await addSale(store, "9223372036854775806");
  await outcomes(store, batch(id, take(largest, 1, "key", 1)));
  const [purchase, sale] = [(await store.records.purchasesOf(buyer, {}, page)).items[0], await store.records.sale(id)];
  expect(purchase).toMatchObject({ id: largest, saleId: "9223372036854775806", productId: "77", key: "key", state: "reserved" });
  await bench.close();

  const again = await bench.open();
  expect(again).toMatchObject({ idFloor: largest, lastAtMs: nowMs });
  expect((await again.records.purchasesOf(buyer, {}, page)).items[0]).toEqual(purchase);
  expect(await again.records.purchaseByKey({ saleId: id, buyerId: buyer, key: "key" })).toEqual(purchase);
  expect(await again.records.sale(id)).toEqual(sale);
  expect(await again.records.counts(id)).toEqual({ byState: { reserved: 1 }, buyers: 1 });
});

test("the database and its log are their owner's alone, also in a folder that anybody may look into", async () => {
  await using bench = new StoreBench();
  chmodSync(bench.dataDir, 0o755);
  await addSale(await bench.open(), "5");
  const modes = ["", "-wal", "-shm"].map((suffix) => statSync(join(bench.dataDir, databaseName + suffix)).mode & 0o777);
  expect(modes).toEqual([0o600, 0o600, 0o600]);
});

test("ids sort as numbers, not as text", async () => {
  await using bench = new StoreBench();
  const store = await bench.open();
  const id = await addSale(store, "5", { perBuyerLimit: 9 });
  const ids = ["9", "10", "9007199254740993", "9007199254740992", largest, "1000"];
  await outcomes(store, batch(id, ...ids.map((each) => take(each, 1))));
  const { items, total } = await store.records.purchasesOf(buyer, {}, page);
  expect(items.map((each) => String(each.id))).toEqual([largest, "9007199254740993", "9007199254740992", "1000", "10", "9"]);
  expect(total).toBe(6);
  await addSale(store, "10");
  await addSale(store, "9");
  const sales = await store.records.sales({ nowMs, withDrafts: true }, page);
  expect(sales.items.map((each) => String(each.id))).toEqual(["10", "9", "5"]);
});

test("one server holds the data folder, and the next hears who", async () => {
  await using bench = new StoreBench();
  await bench.open();
  const second = await openSqliteStore({ dataDir: bench.dataDir }).catch((error: unknown) => error);
  expect(second).toMatchObject({ code: "data_folder_locked", message: expect.stringContaining(`process id ${process.pid}`) });
  await bench.close();
  await (await bench.open()).records.totals();
});

test("control: without the lock a second writer gets in, so the test above can fail", async () => {
  await using bench = new StoreBench();
  await bench.open();
  const second = openWriter(bench.dataDir);
  second.begin();
  second.rollback();
  second.close();
});

test("[I4] a killed server leaves its lock free and its answers durable", async () => {
  await using bench = new StoreBench();
  const program = `
    const { StoreBench, addSale, batch, outcomes, take } = await import(${JSON.stringify(join(import.meta.dir, "../../../tests/kit/sqlite-shop.ts"))});
    const { openSqliteStore } = await import(${JSON.stringify(join(import.meta.dir, "sqlite-store.ts"))});
    const store = await openSqliteStore({ dataDir: ${JSON.stringify(bench.dataDir)} });
    await outcomes(store, batch(await addSale(store, "5"), take("100", 1, "k")));
    console.log("answered");`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
  const reader = child.stdout.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toContain("answered");
  child.kill("SIGKILL");
  await child.exited;
  const store = await bench.open();
  expect(await store.records.purchaseByKey({ saleId: saleId("5"), buyerId: buyer, key: "k" })).toMatchObject({ id: "100" });
  expect(store.lastAtMs).toBe(nowMs);
});

test("opening brings what the log holds into the database and empties the log", async () => {
  await using bench = new StoreBench();
  const store = await bench.open();
  await outcomes(store, batch(await addSale(store, "5"), take("100", 1, "k")));
  const log = (dir: string) => statSync(join(dir, `${databaseName}-wal`)).size;
  expect(log(bench.dataDir)).toBeGreaterThan(0);
  // The files as a kill would leave them.
  await using killed = new StoreBench();
  for (const name of [databaseName, `${databaseName}-wal`]) await cp(join(bench.dataDir, name), join(killed.dataDir, name));
  const again = await killed.open();
  expect(log(killed.dataDir)).toBe(0);
  expect(await again.records.counts(saleId("5"))).toEqual({ byState: { reserved: 1 }, buyers: 1 });
});

test("a data folder can be read beside its server and after it", async () => {
  await using bench = new StoreBench();
  const store = await bench.open();
  const id = await addSale(store, "5");
  const live = openReadOnly(bench.dataDir);
  await outcomes(store, batch(id, take("100", 1)));
  const count = "SELECT count(*) FROM purchase";
  expect(live.prepare(count).pluck().get()).toBe(1);
  expect(() => live.exec("DELETE FROM purchase")).toThrow("readonly");
  live.close();
  await bench.close();
  const rest = openReadOnly(bench.dataDir);
  expect(rest.prepare(count).pluck().get()).toBe(1);
  rest.close();
});

test("a reader that holds an old snapshot does not keep the server from starting", async () => {
  await using bench = new StoreBench();
  const store = await bench.open();
  const id = await addSale(store, "5");
  const audit = openReadOnly(bench.dataDir);
  audit.exec("BEGIN");
  const count = audit.prepare("SELECT count(*) FROM purchase").pluck();
  expect(count.get()).toBe(0);
  await outcomes(store, batch(id, take("100", 1)));
  await bench.close();
  const again = await bench.open();
  expect(await outcomes(again, batch(id, take("101", 2)))).toMatchObject([{ kind: "accepted" }]);
  expect(await again.records.counts(id)).toMatchObject({ buyers: 2 });
  expect(count.get()).toBe(0);
  audit.close();
});

test("[PU5] sales of one limit group in one batch see each other", async () => {
  await using bench = new StoreBench();
  const store = await bench.open();
  const [one, two] = [await addSale(store, "5", { limitGroup: "g" }), await addSale(store, "6", { limitGroup: "g" })];
  const groups = [
    { saleId: one, movements: [take("100", 1), take("101", 2)] },
    { saleId: two, movements: [take("102", 1), take("103", 3)] },
  ];
  const kinds = (await outcomes(store, { nowMs, groups })).map((outcome) => outcome.kind);
  expect(kinds).toEqual(["accepted", "accepted", "refused", "accepted"]);
});

test("[I3] a quota holds from the very batch that publishes the sale", async () => {
  await using bench = new StoreBench();
  const store = await bench.open();
  const id = await addSale(store, "5", { draftOnly: true });
  await store.catalogue.setQuota(productId("77"), buyer, 2);
  const publish = { kind: "switch", change: { kind: "publish" } } as const;
  const answers = await outcomes(store, batch(id, publish, take("100", 1, "a", 2), take("101", 1, "b"), take("102", 2, "a", 2)));
  expect(answers).toMatchObject([
    { kind: "switched" },
    { kind: "accepted", purchase: { limit: 2 } },
    { kind: "refused", refusal: { reason: "limit_reached", limit: 2 } },
    { kind: "refused", refusal: { reason: "limit_reached", limit: 1 } },
  ]);
});

test("[ST11] a take and its payment fit into one commit", async () => {
  await using bench = new StoreBench();
  const store = await bench.open();
  const id = await addSale(store, "5");
  const order = take("100", 1, "k");
  const { purchaseId } = order;
  const paymentId = parsePaymentId("900");
  if (paymentId === undefined) throw new Error("900 is an id");
  const pay = { kind: "start_payment", paymentId, purchaseId, provider: "simulated" } as const;
  expect(await outcomes(store, batch(id, order, pay))).toMatchObject([{ kind: "accepted" }, { kind: "started" }]);
  expect(await store.records.paymentsOf(purchaseId)).toMatchObject([{ id: "900" }]);
});

test("buyers asked for at once become one write, and keep their ids", async () => {
  await using bench = new StoreBench();
  const store = await bench.open();
  const ask = (subject: string) => store.catalogue.internBuyers([{ issuer: "shop", subject }]);
  const subjects = Array.from({ length: 3_000 }, (_, i) => `buyer-${i % 1_500}`);
  const ids = (await Promise.all(subjects.map(ask))).flat().map(Number);
  expect(ids.slice(0, 1_500)).toEqual(ids.slice(1_500));
  expect(new Set(ids).size).toBe(1_500);
  await bench.close();
  const again = await bench.open();
  expect(await again.catalogue.internBuyers([{ issuer: "shop", subject: "buyer-7" }])).toEqual([ids[7] as BuyerId]);
  expect((await again.records.totals()).buyers).toBe(1_500);
});

test("long lists and long batches go through in pieces", async () => {
  await using bench = new StoreBench();
  const store = await bench.open();
  const id = await addSale(store, "5", { stock: 1_000 });
  const takes = Array.from({ length: 700 }, (_, i) => take(String(1_000 + i), i + 1, `key-${i}`));
  expect((await outcomes(store, batch(id, ...takes))).every((outcome) => outcome.kind === "accepted")).toBe(true);
  const expire = takes.map(({ purchaseId }) => ({ kind: "expire" as const, purchaseId }));
  const later = { nowMs: nowMs + 60_000, groups: [{ saleId: id, movements: expire }] };
  expect((await outcomes(store, later)).every((outcome) => outcome.kind === "released")).toBe(true);
  expect(await store.records.counts(id)).toEqual({ byState: { expired: 700 }, buyers: 700 });
  expect(await store.records.buyersOf(id, 690, 100)).toEqual(Float64Array.from({ length: 10 }, (_, i) => 691 + i));
});
