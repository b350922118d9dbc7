/** A store that the version before left, with an order that waits: it keeps its terms, and new sales give more time. */
import Database from "better-sqlite3";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { must } from "../../../../tests/kit/samples.ts";
import { batch, nowMs, outcomes, saleId, StoreBench, take } from "../../../../tests/kit/sqlite-shop.ts";
import { parsePurchaseId } from "../../../domain/ids.ts";
import { migrate, migrations } from "../migrate.ts";
import { databaseName } from "../sqlite-connection.ts";

const purchaseId = must(parsePurchaseId("501"));

function fillAsBefore(database: Database.Database): void {
  migrate(database, migrations.slice(0, 5));
  database.exec(`
    INSERT INTO product (id, name, price_minor, currency, seller, created_at) VALUES (1, 'Lamp', 500, 'EUR', 'shop', 1);
    INSERT INTO buyer VALUES (1, 'local', 'b1');
    INSERT INTO sale (id, product_id, name, price_minor, currency, stock, per_buyer_limit, refunded_units_count, pay_window, starts_at, ends_at,
      phase, paused, has_quotas, issued, available, held, sold, withdrawn, feed, created_at, seller, buyer_count, reserved_count)
      VALUES (7, 1, 'Lamp', 500, 'EUR', 5, 1, 1, 60000, 1, ${nowMs + 3_600_000}, 'published', 0, 0, 5, 4, 1, 0, 0, 2, 1, 'shop', 1, 1);
    INSERT INTO ledger (sale_id, source_id, kind, units, buyer_limit, at_ms) VALUES (7, 7, 'issue', 5, NULL, 1), (7, 501, 'take', 1, 1, ${nowMs});
    INSERT INTO purchase (id, sale_id, product_id, buyer_id, quantity, price_minor, currency, buyer_limit, accepted_at, pay_by, state, hold_until,
      changed_at, refunded) VALUES (501, 7, 1, 1, 1, 500, 'EUR', 1, ${nowMs}, ${nowMs + 60_000}, 'reserved', ${nowMs + 60_000}, ${nowMs}, 0);
  `);
}

test("[G10] [OR12] an order of before is held as long as it was promised, and goes on to be paid or cancelled", async () => {
  await using bench = new StoreBench();
  const before = new Database(join(bench.dataDir, databaseName));
  fillAsBefore(before);
  before.close();

  const store = await bench.open();
  const id = saleId("7");
  const order = must(await store.records.purchase(purchaseId));
  expect(order).toMatchObject({ state: "reserved", extensions: 0, holdUntilMs: nowMs + 60_000 });
  const extend = { kind: "extend_hold", purchaseId, buyerId: order.buyerId, payByMs: order.payByMs } as const;
  expect(await outcomes(store, batch(id, extend))).toMatchObject([{ kind: "extensions_used_up", extensionsMax: 0 }]);
  expect(await outcomes(store, batch(id, take("502", 2), { kind: "cancel", purchaseId }))).toMatchObject([
    { kind: "accepted", purchase: { extensions: 0 } },
    { kind: "released", purchase: { extensions: 0 } },
  ]);
});
