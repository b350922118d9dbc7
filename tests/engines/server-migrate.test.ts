/**
 * Migrations of real database servers: fresh, from many processes at once, cut off in the middle, beside processes of the
 * version before, and by programs that the schema has left behind.
 */
import { afterEach, expect, test } from "bun:test";
import { serverMigrations, migrateServer, type ServerMigration } from "../../src/adapters/sql/server-migrate.ts";
import { extensions } from "../../src/adapters/sql/server-migrations/0002-extensions.ts";
import { migrateServerStore, openServerDriver, type ServerStore } from "../../src/adapters/sql/server-store.ts";
import { parsePurchaseId } from "../../src/domain/ids.ts";
import type { Movement } from "../../src/domain/movement.ts";
import { StoreUnavailable } from "../../src/ports/store-unavailable.ts";
import { describeWithEngine } from "../harness/engines/describe-with-engine.ts";
import { runSql } from "../harness/engines/sql-databases.ts";
import { runCommand } from "../harness/run-command.ts";
import { apiKey } from "../harness/server-process.ts";
import { TcpProxy } from "../harness/tcp-proxy.ts";
import { bounded, waitFor } from "../harness/wait.ts";
import { takeBy } from "../kit/live-sale.ts";
import { buyerId, money, must, productId, sampleDraft, saleId, sampleNowMs } from "../kit/samples.ts";
import { openTestStore } from "../kit/server-database.ts";

const maxMs = 180_000;
const id = saleId("70");
const newest = must(serverMigrations.at(-1)).number;

/**
 * What comes next some day: more columns, an index over rows that are being written, one more table. It takes tables in the
 * order in which a sale's transactions do.
 */
const added: ServerMigration = {
  number: newest + 1,
  name: "added",
  oldestProgram: 1,
  statements: () => [
    "ALTER TABLE sale ADD COLUMN IF NOT EXISTS wrappings INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE purchase ADD COLUMN IF NOT EXISTS wrapping VARCHAR(64)",
    "CREATE INDEX IF NOT EXISTS purchase_by_wrapping ON purchase (wrapping, id)",
    "CREATE TABLE IF NOT EXISTS wrapping (id BIGINT NOT NULL PRIMARY KEY)",
  ],
};
/** In the other order: a transaction that has the sale and wants purchases meets it. */
const crossing: ServerMigration = {
  ...added,
  name: "crossing",
  statements: () => added.statements({ dialect: "postgres" }).slice(0, 2).toReversed(),
};
/** Not safe to repeat, which a step must be: seen twice it fails. */
const once: ServerMigration = {
  number: newest + 1,
  name: "once",
  oldestProgram: 1,
  statements: () => ["INSERT INTO callback (id, received_at) VALUES ('once', 1)"],
};
const breaking: ServerMigration = { number: newest + 2, name: "breaking", oldestProgram: newest + 2, statements: () => [] };

const schemaOf = {
  mariadb: [
    `SELECT table_name, column_name, column_type, is_nullable, column_default, collation_name, extra FROM information_schema.columns
       WHERE table_schema = database() ORDER BY table_name, ordinal_position`,
    `SELECT table_name, index_name, column_name, non_unique FROM information_schema.statistics
       WHERE table_schema = database() ORDER BY table_name, index_name, seq_in_index`,
  ],
  postgres: [
    `SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name, is_identity FROM information_schema.columns
       WHERE table_schema = 'public' ORDER BY table_name, ordinal_position`,
    `SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY tablename, indexname`,
  ],
};
const waiting = {
  mariadb: "SELECT count(*) AS waiting FROM information_schema.processlist WHERE db = database() AND state LIKE 'Waiting for table%'",
  postgres: `SELECT count(*) AS waiting FROM pg_locks WHERE NOT granted AND locktype = 'relation'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
};
const lockFor = {
  mariadb: "SELECT GET_LOCK(CONCAT('doorbuster.migrate.', MD5(DATABASE())), 0) AS held",
  postgres: "SELECT pg_advisory_lock(7353215004401)",
};

for (const name of ["mariadb", "postgres"] as const)
  describeWithEngine(name, `migrations of ${name}`, (engine) => {
    const opened: { close: () => Promise<void> | void }[] = [];
    afterEach(async () => {
      for (const each of opened.splice(0).toReversed()) await each.close();
    }, maxMs);

    const migrate = async (url: string, steps: readonly ServerMigration[]) => {
      const driver = openServerDriver(url, { acquireTimeoutMs: 5_000 });
      try {
        return await migrateServer(driver, steps);
      } finally {
        await driver.close();
      }
    };
    /** A sale that sells. */
    const openShop = async (url: string) => {
      const store = await openTestStore(url);
      opened.push(store);
      await store.catalogue.addProduct({ id: productId(), name: "Lamp", price: money(500), seller: "shop", createdAtMs: 0 });
      await store.catalogue.addSale({ id, draft: sampleDraft({ stock: 100_000 }), createdAtMs: 0 });
      const commit = async (on: ServerStore, movements: readonly Movement[]) => {
        const result = await on.ledger.commit({ nowMs: sampleNowMs, groups: [{ saleId: id, movements }] });
        return result.kind === "committed"
          ? must(result.groups[0]).outcomes.map(({ kind }) => kind)
          : [`${result.kind}: ${result.message}`];
      };
      await commit(store, [{ kind: "switch", change: { kind: "publish", pastAllowed: true } }]);
      let buyer = 0;
      const sell = (on: ServerStore) => commit(on, [takeBy(buyerId((buyer += 1)))]);
      for (let i = 0; i < 20; i++) await sell(store);
      return { store, sell, sold: () => buyer };
    };
    const schema = async (url: string) => Promise.all(schemaOf[name].map((statement) => runSql(url, statement)));

    test(
      "[G10] a fresh database gets all of it, once; what the store is called stays",
      async () => {
        const url = await engine().database("migrate");
        expect(await migrateServerStore(url)).toEqual(serverMigrations.map((step) => step.name));
        const before = await runSql(url, "SELECT installation FROM store");
        expect(await migrateServerStore(url)).toEqual([]);
        expect([before.length, await runSql(url, "SELECT installation FROM store")]).toEqual([1, before]);
      },
      maxMs,
    );

    test(
      "[G10] of many processes that start at once each step is applied by one",
      async () => {
        const url = await engine().database("migrate");
        const env = { DOORBUSTER_MODE: "sql", DOORBUSTER_DATABASE_URL: url };
        const [one, other] = await Promise.all([runCommand(["migrate"], { env }), runCommand(["migrate"], { env })]);
        expect([one, other].map(({ code, err }) => [code, err])).toEqual([
          [0, ""],
          [0, ""],
        ]);
        const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(url, [...serverMigrations, once])));
        expect(applied.toSorted((a, b) => b.length - a.length)).toEqual([["once"], [], [], [], []]);
      },
      maxMs,
    );

    test(
      "[G10] one that is cut off anywhere says so, and can be run again; in the end nothing is missing",
      async () => {
        const [url, whole] = [await engine().database("migrate"), await engine().database("migrate")];
        await migrateServerStore(whole);
        const proxy = await TcpProxy.open(url);
        opened.push(proxy);
        let cuts = 0;
        // Each gets further than the one before, over what that one left.
        for (let bytes = 150; ; bytes += name === "mariadb" ? 60 : 900) {
          await proxy.restore();
          proxy.cutAfter("replies", bytes);
          const result = await migrateServerStore(proxy.through(url)).catch((error: unknown) => error);
          if (Array.isArray(result)) break;
          expect(result).toBeInstanceOf(StoreUnavailable);
          expect(String(result)).toContain("Open the database");
          cuts += 1;
        }
        expect(cuts).toBeGreaterThanOrEqual(4);
        expect(await schema(url)).toEqual(await schema(whole));
      },
      maxMs,
    );

    test(
      "[G10] who finds another at it waits, and goes on when that one is done or dead",
      async () => {
        const url = await engine().database("migrate");
        const driver = openServerDriver(url);
        opened.push(driver);
        const holder = await driver.connect("write");
        await holder.query(lockFor[name], []);
        let isDone = false;
        const second = migrateServerStore(url).then((names) => {
          isDone = true;
          return names;
        });
        // As long as one takes that waits for nobody: another database has a lock of its own.
        await migrateServerStore(await engine().database("migrate"));
        expect(isDone).toBe(false);
        holder.destroy();
        expect(await second).toEqual(serverMigrations.map((step) => step.name));
      },
      maxMs,
    );

    test(
      "[G10] processes of the version before sell on while a step is applied, and start on what it left",
      async () => {
        const url = await engine().database("migrate");
        const { store, sell, sold } = await openShop(url);
        let isApplied = false;
        const applied = migrate(url, [...serverMigrations, added]).finally(() => (isApplied = true));
        const kinds = new Set<string>();
        const lane = async () => {
          while (!isApplied) for (const kind of await sell(store)) kinds.add(kind);
        };
        await Promise.all([lane(), lane(), lane()]);
        expect([await applied, [...kinds]]).toEqual([["added"], ["accepted"]]);

        const later = await openTestStore(url);
        opened.push(later);
        expect([await sell(later), await sell(store)]).toEqual([["accepted"], ["accepted"]]);
        expect(await later.records.sale(id)).toMatchObject({ balances: { held: sold() } });
      },
      maxMs,
    );

    if (name === "mariadb")
      test(
        "[G10] a column is added once also in the words of MySQL, which has none for that",
        async () => {
          const url = await engine().database("migrate");
          await migrateServerStore(url);
          const wanted = await schema(url);
          for (const column of ["sale DROP COLUMN pay_extensions_max", "purchase DROP COLUMN extensions"])
            await runSql(url, `ALTER TABLE ${column}`);
          const driver = openServerDriver(url);
          opened.push(driver);
          const connection = await driver.connect("write");
          for (let time = 1; time <= 2; time++)
            for (const statement of extensions({ dialect: "mysql", collation: "utf8mb4_0900_bin" }))
              await connection.execute(statement, []);
          connection.release();
          expect(await schema(url)).toEqual(wanted);
        },
        maxMs,
      );

    test(
      "[G10] what a program of the version before made goes on, and what it makes while the newer one serves",
      async () => {
        const url = await engine().database("migrate");
        const { store, sell } = await openShop(url);
        // As it was before anybody could be given more time.
        for (const column of ["sale DROP COLUMN pay_extensions_max", "purchase DROP COLUMN extensions"])
          await runSql(url, `ALTER TABLE ${column}`);
        await runSql(url, "DELETE FROM migration WHERE number = 2");
        expect(await migrateServerStore(url)).toEqual(["extensions"]);
        expect(await store.records.sale(id)).toMatchObject({ payExtensionsMax: 0 });
        // Its statements name the columns that it knows.
        await runSql(
          url,
          `INSERT INTO purchase (id, sale_id, product_id, buyer_id, quantity, price_minor, currency, buyer_limit, accepted_at, pay_by, state,
             hold_until, changed_at, refunded) SELECT id + 1, sale_id, product_id, buyer_id, quantity, price_minor, currency, buyer_limit,
             accepted_at, pay_by, state, hold_until, changed_at, refunded FROM purchase ORDER BY id DESC LIMIT 1`,
        );
        const [row] = await runSql(url, "SELECT id FROM purchase ORDER BY id DESC LIMIT 1");
        expect(await store.records.purchase(must(parsePurchaseId(String(row?.["id"]))))).toMatchObject({
          state: "reserved",
          extensions: 0,
        });
        expect(await sell(store)).toEqual(["accepted"]);
      },
      maxMs,
    );

    test(
      "[G10] a step that meets a transaction, each of which waits for the other, is applied all the same",
      async () => {
        const url = await engine().database("migrate");
        const { store, sell } = await openShop(url);
        let applied: Promise<readonly string[]> | undefined;
        const met = await store.database.transact(async (tx) => {
          await tx.query("SELECT id FROM sale WHERE id = 70 {lock}", []);
          applied ??= migrate(url, [...serverMigrations, crossing]);
          await waitFor("the step to wait", async () => Number((await runSql(url, waiting[name]))[0]?.["waiting"]) > 0);
          await tx.query("SELECT count(*) AS purchases FROM purchase", []);
        });
        expect([met.kind, await applied, await sell(store)]).toEqual(["done", ["crossing"], ["accepted"]]);
      },
      maxMs,
    );

    test(
      "[G10] a step waits for who reads for long, and the sale goes on meanwhile",
      async () => {
        const url = await engine().database("migrate");
        const { store, sell, sold } = await openShop(url);
        const reading = await store.database.openSnapshot();
        await reading.query("SELECT count(*) AS rows_read FROM purchase", []);
        let isApplied = false;
        const applied = migrate(url, [...serverMigrations, added]).finally(() => (isApplied = true));
        await bounded(
          "thirty purchases beside it",
          60_000,
          (async () => {
            while (sold() < 50) expect(await sell(store)).toEqual(["accepted"]);
          })(),
        );
        expect(isApplied).toBe(false);
        reading.destroy();
        expect(await applied).toEqual(["added"]);
      },
      maxMs,
    );

    test(
      "[G10] a program that the schema has left behind does not start, says its code, and changes nothing",
      async () => {
        const url = await engine().database("migrate");
        await migrate(url, [...serverMigrations, added, breaking]);
        const before = await runSql(url, "SELECT count(*) AS processes FROM process");
        const error: unknown = await openTestStore(url).catch((reason: unknown) => reason);
        expect(error).toMatchObject({ code: "schema_too_new", message: expect.stringContaining(`newer than ${newest}`) });
        const env = { DOORBUSTER_MODE: "sql", DOORBUSTER_DATABASE_URL: url, DOORBUSTER_API_KEY: apiKey };
        const { code, err } = await runCommand(["migrate"], { env });
        expect([code, err]).toEqual([1, expect.stringContaining("start the newer program")]);
        expect(err).not.toContain("data folder");
        expect(await runSql(url, "SELECT count(*) AS processes FROM process")).toEqual(before);
        // Steps behind what is known that leave room for it are no reason.
        expect(await migrate(url, [...serverMigrations, added, { ...breaking, name: "the same" }])).toEqual([]);
      },
      maxMs,
    );
  });
