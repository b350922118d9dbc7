/**
 * What one line costs in the SQLite store: CPU of this whole process (this thread, the wire, the writer, the kernel) per
 * line, by length of batch, kind of answer and rows there are already. Prints a table; judge by ratios, not by digits.
 *
 *   bun bench/sqlite-commit.ts [--old-rows 1000000] [--lines 60000]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openSqliteStore, type SqliteStore } from "../src/adapters/sql/sqlite-store.ts";
import { IdMint } from "../src/domain/id-mint.ts";
import type { SaleId } from "../src/domain/ids.ts";
import type { Take } from "../src/domain/movement.ts";
import type { SaleGroup } from "../src/ports/stock-ledger.ts";
import { price, productId, saleId, take } from "../tests/kit/sqlite-shop.ts";

const { values } = parseArgs({ options: { "old-rows": { type: "string", default: "0" }, lines: { type: "string", default: "60000" } } });
const oldRows = Number(values["old-rows"]);
const lines = Number(values.lines);
const dataDir = mkdtempSync(join(tmpdir(), "doorbuster-bench-"));
const mint = new IdMint({ nowMs: () => Date.now(), random: Math.random });
let nextBuyer = 1;

const sequential = () => nextBuyer++;
const random = () => 1 + Math.floor(Math.random() * 1_000_000);

async function makeSales(store: SqliteStore, count: number, stock: number): Promise<SaleId[]> {
  const product = productId(mint.mint());
  await store.catalogue.addProduct({ id: product, name: "Bench", price, seller: "shop", createdAtMs: Date.now() });
  const rules = { stock, perBuyerLimit: 1_000, refundedUnitsCount: true, payWindowMs: 900_000, payExtensionsMax: 0 };
  const startsAtMs = Date.now() - 1_000;
  const draft = { productId: product, name: "Bench", price, ...rules, startsAtMs, endsAtMs: startsAtMs + 86_400_000 };
  const sales = Array.from({ length: count }, () => saleId(mint.mint()));
  for (const id of sales) await store.catalogue.addSale({ id, draft, createdAtMs: Date.now() });
  for (let at = 0; at < count; at += 500) {
    const publish = { kind: "switch", change: { kind: "publish" } } as const;
    const groups = sales.slice(at, at + 500).map((id): SaleGroup => ({ saleId: id, movements: [publish] }));
    await store.ledger.commit({ nowMs: Date.now(), groups });
  }
  return sales;
}

function newTake(buyer: () => number): Take {
  const id = mint.mint();
  return take(id, buyer(), `key-${id}-0123456789`);
}

function batchOf(sales: readonly SaleId[], size: number, buyer: () => number): SaleGroup[] {
  const bySale = Map.groupBy(
    Array.from({ length: size }, () => newTake(buyer)),
    () => Math.floor(Math.random() * sales.length),
  );
  return [...bySale].flatMap(([i, movements]) => sales.slice(i, i + 1).map((id) => ({ saleId: id, movements })));
}

type Run = {
  readonly name: string;
  readonly sales: readonly SaleId[];
  readonly size: number;
  readonly buyer: () => number;
  readonly expect: string;
};

type Cost = { readonly cpu: number; readonly user: number; readonly system: number; readonly wall: number };
const roundsMax = 10;

/** The cheapest of some rounds: other load on the machine only ever adds. */
async function measure(store: SqliteStore, { name, sales, size, buyer, expect }: Run, count = lines): Promise<void> {
  const batches = Math.max(1, Math.floor(count / size / roundsMax));
  let best: Cost | undefined;
  for (let round = 0; round <= roundsMax; round++) {
    const work = Array.from({ length: batches }, () => batchOf(sales, size, buyer));
    const before = process.cpuUsage();
    const started = performance.now();
    for (const groups of work) {
      const result = await store.ledger.commit({ nowMs: Date.now(), groups });
      if (result.kind !== "committed" || result.groups.some((group) => group.outcomes.some((outcome) => outcome.kind !== expect)))
        throw new Error(`expected only "${expect}", got ${JSON.stringify(result).slice(0, 300)}`);
    }
    const { user, system } = process.cpuUsage(before);
    const total = batches * size;
    const wall = ((performance.now() - started) * 1_000) / total;
    const cost = { cpu: (user + system) / total, user: user / total, system: system / total, wall };
    // The first round warms up.
    if (round > 0 && (best === undefined || cost.cpu < best.cpu)) best = cost;
  }
  if (best === undefined) return;
  const cells = [best.cpu, best.user, best.system, best.wall].map((us) => us.toFixed(2).padStart(8));
  console.log(`${name.padEnd(44)}${cells.join("")}${String(Math.round(1e6 / best.wall)).padStart(10)}`);
}

try {
  const store = await openSqliteStore({ dataDir });
  if (oldRows > 0) {
    const old = await makeSales(store, 1, 1_000_000_000);
    const started = performance.now();
    nextBuyer = 1;
    await measure(
      store,
      { name: `filling with ${oldRows} rows, 1000 a batch`, sales: old, size: 1_000, buyer: random, expect: "accepted" },
      oldRows,
    );
    console.log(`filled in ${((performance.now() - started) / 1_000).toFixed(1)} s`);
    for (const size of [64, 256])
      await measure(store, {
        name: `accept, batch ${size}, random buyers, same sale`,
        sales: old,
        size,
        buyer: random,
        expect: "accepted",
      });
  }
  console.log(
    `${"µs per line".padEnd(44)}${["cpu", "user", "system", "wall"].map((h) => h.padStart(8)).join("")}${"lines/s".padStart(10)}`,
  );
  for (const size of [1, 16, 64, 256]) {
    const sale = await makeSales(store, 1, 1_000_000_000);
    await measure(
      store,
      { name: `accept, batch ${size}, new buyers`, sales: sale, size, buyer: sequential, expect: "accepted" },
      size === 1 ? 3_000 : lines,
    );
  }
  for (const size of [64, 256]) {
    const sale = await makeSales(store, 1, 1_000_000_000);
    await measure(store, { name: `accept, batch ${size}, random of 1 M buyers`, sales: sale, size, buyer: random, expect: "accepted" });
  }
  for (const size of [64, 256]) {
    const sale = await makeSales(store, 1, 1);
    await store.ledger.commit({ nowMs: Date.now(), groups: batchOf(sale, 1, sequential) });
    await measure(store, { name: `refuse (all taken), batch ${size}`, sales: sale, size, buyer: sequential, expect: "refused" });
  }
  const many = await makeSales(store, 10_000, 1_000_000);
  for (const size of [64, 256])
    await measure(store, {
      name: `accept, batch ${size}, random of 10,000 sales`,
      sales: many,
      size,
      buyer: sequential,
      expect: "accepted",
    });
  console.log(`memory: ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB resident`);
  await store.close();
  const started = performance.now();
  const again = await openSqliteStore({ dataDir });
  console.log(`opened again in ${(performance.now() - started).toFixed(0)} ms`);
  await again.close();
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}
