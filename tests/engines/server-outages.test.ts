/** Database servers of our own that stand still, or die, in the middle of a commit: what is said meanwhile, and that it goes on. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { openServerDriver } from "../../src/adapters/sql/server-store.ts";
import { ServerDatabase } from "../../src/adapters/sql/server-database.ts";
import type { CommitResult } from "../../src/ports/stock-ledger.ts";
import { StoreUnavailable } from "../../src/ports/store-unavailable.ts";
import { describeWithOwnEngine } from "../harness/engines/describe-with-engine.ts";
import { openMariadb, type MariadbServer } from "../harness/engines/mariadb.ts";
import { openPostgres, type PostgresServer } from "../harness/engines/postgres.ts";
import { bounded, waitFor } from "../harness/wait.ts";
import { EmptyStores } from "../kit/server-database.ts";
import { openBooks } from "./sale-books.ts";

const maxMs = 120_000;
const limits = { statementTimeoutMs: 700, acquireTimeoutMs: 700 };
const openers = { mariadb: openMariadb, postgres: openPostgres };
const allSold = { purchases: 3, entries: 3, held: 3, available: 0 };

for (const name of ["mariadb", "postgres"] as const)
  describeWithOwnEngine(name, `a sale on a ${name}`, () => {
    let server: MariadbServer | PostgresServer;
    let stores: EmptyStores;
    beforeAll(async () => {
      server = await openers[name]();
      stores = new EmptyStores(server.url);
    }, maxMs);
    afterAll(async () => {
      await stores.close();
      await server.close();
    }, maxMs);

    test(
      "[PU20] that stands still as a commit comes: unknown, reads fail in time; when it goes on the same batch finds out",
      async () => {
        const books = await openBooks(stores, { url: server.url, limits, beforeCommit: () => server.freeze() });
        books.arm();
        expect(await books.commit(books.takes)).toMatchObject({ kind: "unknown" });
        expect(await books.read().catch((error: unknown) => error)).toBeInstanceOf(StoreUnavailable);
        expect(await books.commit(books.takes)).toMatchObject({ kind: "failed", cause: "unavailable" });
        server.thaw();
        await waitFor("a commit", () => committed(books.commit(books.takes)), { withinMs: 20_000 });
        const again = await books.commit(books.takes);
        expect(again).toMatchObject({ kind: "committed", groups: [{ moved: false }] });
        expect(await books.sold()).toEqual(allSold);
        await books.close();
      },
      maxMs,
    );

    test(
      "[PU20] that dies as a commit comes: unknown; started again it has all of it or nothing, and the same batch finds out",
      async () => {
        const books = await openBooks(stores, { url: server.url, limits, beforeCommit: () => server.kill() });
        books.arm();
        expect(await books.commit(books.takes)).toMatchObject({ kind: "unknown" });
        expect(await books.commit(books.takes)).toMatchObject({ kind: "failed", cause: "unavailable" });
        await server.start();
        await waitFor("a commit", () => committed(books.commit(books.takes)), { withinMs: 20_000 });
        expect(await waitFor("the books", () => books.sold().catch(() => undefined))).toEqual(allSold);
        await books.close();
      },
      maxMs,
    );

    test(
      "what is closed while the server stands still is closed in time",
      async () => {
        const database = new ServerDatabase(openServerDriver(server.url, limits));
        await database.read((db) => Promise.resolve(db.query("SELECT 1 AS one", [])));
        await database.transact(async (tx) => void (await tx.query("SELECT 1 AS one", [])));
        await server.freeze();
        try {
          await bounded("the closing", 10_000, database.close());
        } finally {
          server.thaw();
        }
      },
      maxMs,
    );
  });

const committed = async (commit: Promise<CommitResult>) => (await commit).kind === "committed";
