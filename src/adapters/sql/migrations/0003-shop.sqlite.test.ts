/** A store full of sales and purchases, as the version before left it, goes on with everything it held. */
import Database from "better-sqlite3";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { must } from "../../../../tests/kit/samples.ts";
import { outcomes, productId, saleId, StoreBench, batch, nowMs, take } from "../../../../tests/kit/sqlite-shop.ts";
import { parseAdjustmentId } from "../../../domain/ids.ts";
import { verify } from "../../../engine/verify/verify.ts";
import { openAuditSource } from "../audit-source.ts";
import { migrate, migrations } from "../migrate.ts";
import { databaseName } from "../sqlite-connection.ts";

const salesCount = 40;
const purchasesPerSale = 50;
const stock = 60;

/** Every second sale has ended, every fifth product has a seller of its own; half of the purchases were paid. */
function fillAsBefore(database: Database.Database): void {
  migrate(database, migrations.slice(0, 2));
  const addProduct = database.prepare("INSERT INTO product VALUES (?, 'Lamp', 500, 'EUR', ?, NULL, 1)");
  const addSale = database.prepare(`INSERT INTO sale VALUES (?, ?, 'Lamp', 500, 'EUR', ${stock}, 1, ?, 1, 60000, ?, ?, 'published', 0, 0,
    ${stock + 2}, ?, 0, ?, 0, 7, 1, ${purchasesPerSale}, 0, ?, 0, ?, 0)`);
  const addPurchase = database.prepare(
    `INSERT INTO purchase VALUES (?, ?, ?, ?, NULL, 1, 500, 'EUR', 1, NULL, 1000, 61000, ?, 61000, ?, 0)`,
  );
  const addEntry = database.prepare("INSERT INTO ledger (sale_id, source_id, kind, units, buyer_limit, at_ms) VALUES (?, ?, ?, ?, ?, ?)");
  const addBuyer = database.prepare("INSERT INTO buyer VALUES (?, 'local', ?)");
  const paid = purchasesPerSale / 2;
  database.transaction(() => {
    for (let n = 1; n <= purchasesPerSale; n++) addBuyer.run(n, `b${n}`);
    for (let s = 1; s <= salesCount; s++) {
      const [product, sale] = [s, 1_000 + s];
      addProduct.run(product, s % 5 === 0 ? `shop-${s}` : "shop");
      const endsAt = s % 2 === 0 ? 2_000 : nowMs + 3_600_000;
      addSale.run(sale, product, s % 4 === 0 ? `g${s}` : null, 1, endsAt, stock + 2 - paid, paid, paid, purchasesPerSale - paid);
      addEntry.run(sale, sale, "issue", stock, null, 1);
      addEntry.run(sale, 9_000 + s, "issue", 2, null, 500);
      for (let n = 1; n <= purchasesPerSale; n++) {
        const id = 100_000 * s + n;
        const isPaid = n <= paid;
        addPurchase.run(id, sale, product, n, isPaid ? "paid" : "expired", isPaid ? 1_500 : 61_000);
        addEntry.run(sale, id, "take", 1, 1, 1_000);
      }
      for (let n = 1; n <= purchasesPerSale; n++)
        addEntry.run(sale, 100_000 * s + n, n <= paid ? "pay" : "expire", 1, null, n <= paid ? 1_500 : 61_000);
    }
  })();
}

test("[G10] [A1] a store of the version before has sellers, versions and adjustments afterwards, and goes on selling and settling", async () => {
  await using bench = new StoreBench();
  const database = new Database(join(bench.dataDir, databaseName));
  fillAsBefore(database);
  database.close();

  const store = await bench.open();
  const { records } = store;
  expect(store.migrations).toEqual(migrations.map(({ name }) => name));
  expect(await records.product(productId("5"))).toMatchObject({ seller: "shop-5", version: 1, inventory: null });
  const sale = must(await records.sale(saleId("1005")));
  expect(sale).toMatchObject({ seller: "shop-5", fromInventory: false, feed: 7, balances: { issued: stock + 2, sold: 25 } });
  const { items } = await records.adjustmentsOf(sale.id, { offset: 0, limit: 10 });
  expect(items).toMatchObject([{ id: "9005", kind: "adjust", asked: 2, applied: 2, reason: "not recorded", actor: "system", atMs: 500 }]);
  expect((await records.products({ seller: "shop-5" }, { offset: 0, limit: 10 })).total).toBe(1);
  expect((await records.sales({ seller: "shop", nowMs, withDrafts: true }, { offset: 0, limit: 1 })).total).toBe(salesCount * 0.8);

  expect(await outcomes(store, batch(sale.id, take("900000", 77, "k")))).toMatchObject([{ kind: "accepted" }]);
  const due = await records.salesToSettle(nowMs, 1_000);
  expect(due.length).toBe(salesCount / 2);
  for (const [i, id] of due.entries()) {
    const adjustmentId = must(parseAdjustmentId(String(5_000_000 + i)));
    expect(await outcomes(store, batch(id, { kind: "settle", adjustmentId }))).toMatchObject([{ kind: "settled", units: 37 }]);
  }
  expect(await records.salesToSettle(nowMs, 1_000)).toEqual([]);
  await bench.close();

  const { verdict, checks } = await verify({
    source: openAuditSource(bench.dataDir),
    rest: { nowMs, atRest: false, lateMaxMs: 5_000 },
  });
  // Money was left out above, which is all that it finds.
  expect(checks.filter(({ off }) => off.length > 0).map(({ id }) => id)).toEqual(["I9"]);
  expect(verdict).toBe("invalid");
});
