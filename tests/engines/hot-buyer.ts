/**
 * One of several processes that sell the same few units, started by hot-sale.test.ts: opens the store, waits for the word,
 * and takes one unit after another until nobody gets any more. Prints which purchases it was told yes to.
 *
 *   hot-buyer.ts <url> <sale> <number of this process> [planted]
 *
 * `planted`: decides on rows that it did not lock, and writes over what others wrote. The test must see it.
 */
import { ServerLedger } from "../../src/adapters/sql/server-ledger.ts";
import type { SqlTransaction } from "../../src/adapters/sql/sql-transaction.ts";
import { decideAndWrite } from "../../src/adapters/sql/stock-ledger.ts";
import { eachLine } from "../../src/adapters/load/child-process.ts";
import { buyerId, must, purchaseId, saleId } from "../kit/samples.ts";
import { openTestStore } from "../kit/server-database.ts";

const batchSize = 4;
/** Only to end: with every batch refused it ends much sooner. */
const batchesMax = 200;
const laneCount = 3;
const guard = " AND feed = ?";

const [url = "", sale = "", number = "", plant] = process.argv.slice(2);

const careless = (tx: SqlTransaction): SqlTransaction => ({
  dialect: tx.dialect,
  query: (sql, params) => tx.query(sql.replaceAll("{lock}", ""), params),
  execute: (sql, params) => (sql.endsWith(guard) ? tx.execute(sql.slice(0, -guard.length), params.slice(0, -1)) : tx.execute(sql, params)),
  insert: (...ask) => tx.insert(...ask),
});

const store = await openTestStore(url);
const decide: typeof decideAndWrite = (tx, ...ask) => decideAndWrite(plant === "planted" ? careless(tx) : tx, ...ask);
const ledger = new ServerLedger(store.database, { reopenDelayMs: 0 }, decide);
const accepted: string[] = [];
let next = Number(number) * 1_000_000;

async function sell(): Promise<void> {
  for (let batches = 0; batches < batchesMax; batches++) {
    const movements = Array.from({ length: batchSize }, () => {
      next += 1;
      return { kind: "take", purchaseId: purchaseId(String(next)), buyerId: buyerId(next), quantity: 1 } as const;
    });
    let result = await ledger.commit({ nowMs: Date.now(), groups: [{ saleId: saleId(sale), movements }] });
    // The same batch again has one effect, whatever became of the one before.
    while (result.kind !== "committed") result = await ledger.commit({ nowMs: Date.now(), groups: [{ saleId: saleId(sale), movements }] });
    const took = must(result.groups[0]).outcomes.flatMap((outcome) => (outcome.kind === "accepted" ? [outcome.purchase.id] : []));
    accepted.push(...took);
    if (took.length === 0) return;
  }
}

process.stdout.write("ready\n");
await new Promise<void>((resolve) => eachLine(process.stdin, () => resolve()));
await Promise.all(Array.from({ length: laneCount }, sell));
process.stdout.write(`${JSON.stringify(accepted)}\n`);
await store.close();
process.exit(0);
