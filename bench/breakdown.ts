/** Where the microseconds of a purchase go, each part alone in this process: CPU time over many repeats. */
import { join } from "node:path";
import { createTokens } from "../src/adapters/auth/tokens.ts";
import { openSqliteStore } from "../src/adapters/sql/sqlite-store.ts";
import { SystemEntropy } from "../src/adapters/system/system-entropy.ts";
import type { PurchaseId, SaleId } from "../src/domain/ids.ts";
import type { Take } from "../src/domain/movement.ts";
import { decideBatch } from "../src/domain/sale-batch.ts";
import type { Sale } from "../src/domain/sale.ts";
import { addBuyers, addSales, newFiller } from "./fill.ts";

export type Parts = Readonly<Record<string, number>>;
const linesPerCommit = 64;
const commits = 1_500;

export async function measureParts(root: string): Promise<Parts> {
  const store = await openSqliteStore({ dataDir: join(root, "parts") });
  try {
    const filler = newFiller(store);
    const [buyerId] = await addBuyers(filler, { from: 0, count: 1 });
    const buyers = await addBuyers(filler, { from: 1, count: linesPerCommit * commits });
    const [saleId] = await addSales(filler, { count: 1, stock: 1_000_000_000, limit: 1 });
    const sale = saleId && (await store.records.sale(saleId));
    if (buyerId === undefined || sale === undefined) throw new Error("The parts have a buyer and a sale");
    const entropy = new SystemEntropy();
    const tokens = createTokens({ keys: [{ kid: "1", secret: Buffer.alloc(32, 7) }], issuer: "bench", entropy });
    const token = tokens.mint({ buyer: { issuer: "shop", subject: "b0" }, buyerId, nowMs: Date.now(), lifetimeMs: 3_600_000 });
    const takes = buyers.map((id, i): Take => {
      // Minted here, so it is a purchase's id.
      const purchaseId = filler.ids.mint() as PurchaseId;
      return { kind: "take", purchaseId, buyerId: id, key: `parts-${i}`, quantity: 1 };
    });
    const batches = Array.from({ length: commits }, (_, i) => takes.slice(i * linesPerCommit, (i + 1) * linesPerCommit));
    return {
      "token: one HMAC and its claims": await cpuUs(100_000, () => tokens.check(token, Date.now())),
      "id: mint a purchase's id": await cpuUs(100_000, () => filler.ids.mint()),
      [`decision, per line of ${linesPerCommit}`]: (await decisions(sale, batches)) / linesPerCommit,
      [`SQLite with fsync, both threads and the wire, per line of ${linesPerCommit}`]:
        (await commitsOf(store, sale.id, batches)) / linesPerCommit,
    };
  } finally {
    await store.close();
  }
}

async function decisions(sale: Sale, batches: readonly Take[][]): Promise<number> {
  let i = 0;
  return cpuUs(batches.length, () => {
    const empty = {
      unitsElsewhere: new Map(),
      quotas: new Map(),
      payments: new Map(),
      captures: new Map(),
      refunds: new Map(),
      callbacks: new Set<string>(),
      adjustments: new Map(),
    };
    decideBatch({ sale, purchases: new Map(), ...empty, productHasQuotas: false }, batches[i++] ?? [], Date.now());
  });
}

async function commitsOf(store: Awaited<ReturnType<typeof openSqliteStore>>, saleId: SaleId, batches: readonly Take[][]): Promise<number> {
  let i = 0;
  return cpuUs(batches.length, async () => {
    const result = await store.ledger.commit({ nowMs: Date.now(), groups: [{ saleId, movements: batches[i++] ?? [] }] });
    if (result.kind !== "committed") throw new Error(`A commit failed: ${result.message}`);
  });
}

/** CPU time of one run, all threads of this process, after a warm-up of a tenth. */
async function cpuUs(times: number, run: () => unknown): Promise<number> {
  const warm = Math.floor(times / 10);
  for (let i = 0; i < warm; i++) await run();
  const before = process.cpuUsage();
  for (let i = warm; i < times; i++) await run();
  const used = process.cpuUsage(before);
  return (used.user + used.system) / (times - warm);
}
