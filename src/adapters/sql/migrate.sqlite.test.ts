import Database from "better-sqlite3";
import { expect, test } from "bun:test";
import { migrate, migrations, type Migration } from "./migrate.ts";
import { compareVersions, sqliteVersionMin } from "./sqlite-connection.ts";

const tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
const second: Migration = { number: migrations.length + 1, name: "second", sql: "CREATE TABLE extra (id INTEGER PRIMARY KEY) STRICT" };

test("[G10] migrating twice is migrating once", () => {
  const database = new Database(":memory:");
  expect(migrate(database)).toEqual(migrations.map(({ name }) => name));
  const first = database.prepare(tables).pluck().all();
  expect(migrate(database)).toEqual([]);
  expect(database.prepare(tables).pluck().all()).toEqual(first);
});

test("a later step is applied alone, and a failing one leaves nothing behind", () => {
  const database = new Database(":memory:");
  migrate(database);
  const broken = { ...second, sql: `${second.sql}; CREATE TABLE extra (id INTEGER)` };
  expect(() => migrate(database, [...migrations, broken])).toThrow("already exists");
  expect(database.prepare(tables).pluck().all()).not.toContain("extra");
  expect(migrate(database, [...migrations, second])).toEqual(["second"]);
});

test("a database of a newer program is left alone", () => {
  const database = new Database(":memory:");
  migrate(database, [...migrations, second]);
  expect(() => migrate(database)).toThrow(`newer than ${migrations.length}`);
});

test("[I1] [I2] the schema refuses balances that do not balance", () => {
  const database = new Database(":memory:");
  migrate(database);
  database.exec(`INSERT INTO product (id, name, price_minor, currency, seller, created_at) VALUES (1, 'Lamp', 1, 'EUR', 'shop', 0);
    INSERT INTO sale (id, product_id, name, price_minor, currency, stock, per_buyer_limit, refunded_units_count, pay_window, starts_at,
      ends_at, phase, paused, has_quotas, issued, available, held, sold, withdrawn, feed, created_at)
    VALUES (1, 1, 'Lamp', 1, 'EUR', 5, 1, 1, 1, 0, 1, 'published', 0, 0, 5, 5, 0, 0, 0, 1, 0)`);
  const set = (change: string) => () => database.exec(`UPDATE sale SET ${change}`);
  set("available = 3, held = 2")();
  expect(set("available = -1, held = 6")).toThrow("CHECK");
  expect(set("held = 3")).toThrow("CHECK");
});

test("versions compare by number", () => {
  expect(compareVersions("3.51.2", sqliteVersionMin)).toBeLessThan(0);
  expect(compareVersions("3.6.23", sqliteVersionMin)).toBeLessThan(0);
  expect(compareVersions("3.51.3", sqliteVersionMin)).toBe(0);
  expect(compareVersions("3.100.0", sqliteVersionMin)).toBeGreaterThan(0);
});
