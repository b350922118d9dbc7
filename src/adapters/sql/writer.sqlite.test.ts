import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { FailureSwitch, type Failure } from "../../../tests/kit/failing-connection.ts";
import { addSale, batch, outcomes, StoreBench, take } from "../../../tests/kit/sqlite-shop.ts";
import type { LedgerBatch } from "../../ports/stock-ledger.ts";
import { databaseName } from "./sqlite-connection.ts";
import type { SqliteStore } from "./sqlite-store.ts";

/** Commits as the engine does, until the answer is definite. */
async function commitDefinitely(store: SqliteStore, ledgerBatch: LedgerBatch, triesMax = 20) {
  for (let tries = 1; tries <= triesMax; tries++) {
    const result = await store.ledger.commit(ledgerBatch);
    if (result.kind !== "unknown") return { result, tries };
  }
  throw new Error(`still unknown after ${triesMax} tries`);
}

const unknowns: readonly Failure[] = ["sync_fails_before", "sync_fails_after", "dies_before", "dies_after"];
for (const failure of unknowns) {
  test(`[I8] ${failure}: the commit is unknown, and the same batch again has one effect`, async () => {
    await using bench = new StoreBench();
    const failures = new FailureSwitch();
    const store = await bench.open({ failpoints: failures.failpoints });
    const id = await addSale(store, "5", { perBuyerLimit: 9, draftOnly: true });
    const publish = { kind: "switch", change: { kind: "publish" } } as const;
    const lines = batch(id, publish, take("100", 1, "k"), take("101", 1), take("102", 2));
    failures.next(failure, 3);
    const { result, tries } = await commitDefinitely(store, lines);
    expect(tries).toBe(4);
    expect(failures.opens).toBe(4);
    expect(result).toMatchObject({
      groups: [
        {
          outcomes: [
            { kind: "switched" },
            ...["100", "101", "102"].map((each) => ({ kind: "accepted", replayed: false, purchase: { id: each } })),
          ],
          sale: { phase: "published", balances: { issued: 10, available: 7, held: 3 } },
        },
      ],
    });
    expect(await store.records.counts(id)).toEqual({ byState: { reserved: 3 }, buyers: 2 });
    // Copies of the sale on both sides of the wire are the committed ones again.
    const next = await store.ledger.commit(batch(id, take("103", 3)));
    expect(next).toMatchObject({ groups: [{ sale: { phase: "published", balances: { issued: 10, available: 6, held: 4 } } }] });
    expect(await store.records.sale(id)).toMatchObject({ balances: { available: 6, held: 4 } });
  });
}

test("[I8] control: with other ids and no key the same lines have two effects, so the test above can fail", async () => {
  await using bench = new StoreBench();
  const failures = new FailureSwitch();
  const store = await bench.open({ failpoints: failures.failpoints });
  const id = await addSale(store, "5", { perBuyerLimit: 9 });
  failures.next("sync_fails_after");
  expect(await store.ledger.commit(batch(id, take("100", 1)))).toMatchObject({ kind: "unknown" });
  await outcomes(store, batch(id, take("200", 1)));
  expect(await store.records.counts(id)).toMatchObject({ byState: { reserved: 2 } });
});

test("[I4] a failed checkpoint throws the connection away after its commit is answered, and nothing is lost", async () => {
  await using bench = new StoreBench();
  const failures = new FailureSwitch();
  const store = await bench.open({ failpoints: failures.failpoints });
  const id = await addSale(store, "5");
  failures.next("checkpoint_fails");
  expect(await outcomes(store, batch(id, take("100", 1)))).toMatchObject([{ kind: "accepted" }]);
  expect(failures.opens).toBe(1);
  expect(await outcomes(store, batch(id, take("101", 2)))).toMatchObject([{ kind: "accepted" }]);
  expect(failures.opens).toBe(2);
  expect(await store.records.counts(id)).toEqual({ byState: { reserved: 2 }, buyers: 2 });
});

test("a log that grows long is copied between commits and starts anew", async () => {
  await using bench = new StoreBench();
  const store = await bench.open();
  const id = await addSale(store, "5", { stock: 100_000 });
  const metadata = "x".repeat(1_800);
  let next = 1_000;
  for (let commits = 0; commits < 24; commits++) {
    const takes = Array.from({ length: 800 }, () => ({ ...take(String(++next), next), metadata }));
    await outcomes(store, batch(id, ...takes));
  }
  // 24 commits of more than 400 pages each, of which the log keeps fewer.
  expect(statSync(join(bench.dataDir, `${databaseName}-wal`)).size).toBeLessThan(24 * 400 * 4_096);
});

test("a full disk refuses the batch whole, reads go on, and it sells again when there is room", async () => {
  await using bench = new StoreBench();
  const failures = new FailureSwitch();
  const store = await bench.open({ failpoints: failures.failpoints });
  const id = await addSale(store, "5", { stock: 1_000 });
  const lines = batch(id, ...Array.from({ length: 500 }, (_, i) => take(String(1_000 + i), i + 1, `a-longer-key-${i}`)));
  failures.next("disk_full", 2);
  expect(await store.ledger.commit(lines)).toMatchObject({ kind: "failed", cause: "storage_full" });
  const buyers = Array.from({ length: 900 }, (_, i) => ({ issuer: "shop", subject: `buyer-number-${i}` }));
  const interned = await store.catalogue.internBuyers(buyers).catch((error: unknown) => error);
  expect(interned).toMatchObject({ name: "StoreUnavailable", code: "storage_full" });
  expect(await store.records.sale(id)).toMatchObject({ balances: { available: 1_000, held: 0 } });
  expect((await outcomes(store, lines)).every((outcome) => outcome.kind === "accepted")).toBe(true);
  expect(failures.opens).toBe(1);
  expect(await store.records.counts(id)).toEqual({ byState: { reserved: 500 }, buyers: 500 });
});

test("a held write lock is not an outcome: nothing was tried", async () => {
  await using bench = new StoreBench();
  const failures = new FailureSwitch();
  const store = await bench.open({ failpoints: failures.failpoints });
  const id = await addSale(store, "5");
  failures.next("busy");
  expect(await store.ledger.commit(batch(id, take("100", 1)))).toMatchObject({ kind: "failed", cause: "unavailable" });
  expect(await outcomes(store, batch(id, take("100", 1)))).toMatchObject([{ kind: "accepted" }]);
});

test("a line that breaks a constraint takes its batch back and nothing else", async () => {
  await using bench = new StoreBench();
  const store = await bench.open();
  const id = await addSale(store, "5");
  await outcomes(store, batch(id, take("100", 1, "k")));
  const twice = batch(id, take("200", 2, "k"), take("100", 3, "k"), take("201", 4));
  expect(await store.ledger.commit(twice)).toMatchObject({ kind: "failed", cause: "bad_line" });
  expect(await store.records.counts(id)).toEqual({ byState: { reserved: 1 }, buyers: 1 });
  expect(await outcomes(store, batch(id, take("200", 2, "k"), take("201", 4)))).toMatchObject([{ kind: "accepted" }, { kind: "accepted" }]);
  expect(await store.records.sale(id)).toMatchObject({ balances: { available: 7, held: 3 } });
});

test("refusals write nothing", async () => {
  await using bench = new StoreBench();
  const store = await bench.open();
  const id = await addSale(store, "5");
  await outcomes(store, batch(id, take("100", 1, "k")));
  const before = await store.records.sale(id);
  const later = { nowMs: 1_900_000_000_000, groups: [{ saleId: id, movements: [take("200", 2)] }] };
  expect(await outcomes(store, later)).toMatchObject([{ kind: "refused", refusal: { reason: "ended" } }]);
  expect(await store.records.sale(id)).toEqual(before);
  await bench.close();
  expect((await bench.open()).lastAtMs).toBe(1_800_000_000_000);
});
