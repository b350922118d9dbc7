/**
 * Transactions on real database servers that meet others, lose their connection, or get no answer: what is tried again,
 * what is said of a commit that nobody knows of, and that the same batch again finds out.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { openServerDriver } from "../../src/adapters/sql/server-store.ts";
import { ServerDatabase, triesMax } from "../../src/adapters/sql/server-database.ts";
import type { ServerLimits } from "../../src/adapters/sql/server-driver.ts";
import type { SqlTransaction } from "../../src/adapters/sql/sql-transaction.ts";
import { StoreUnavailable } from "../../src/ports/store-unavailable.ts";
import { describeWithEngine } from "../harness/engines/describe-with-engine.ts";
import { TcpProxy } from "../harness/tcp-proxy.ts";
import { EmptyStores } from "../kit/server-database.ts";
import { openBooks, type Books } from "./sale-books.ts";

const maxMs = 180_000;
const names = ["a", "b"] as const;
const add = `UPDATE lease SET term = term + 1 WHERE name = ?`;
const sleeps = { mariadb: "SELECT SLEEP(20)", postgres: "SELECT CAST(pg_sleep(20) AS TEXT)" };
const ownId = { mariadb: "SELECT CONNECTION_ID() AS id", postgres: "SELECT pg_backend_pid() AS id" };
const kill = { mariadb: (id: number) => `KILL ${id}`, postgres: (id: number) => `SELECT pg_terminate_backend(${id})` };
const strictly = { mariadb: "SELECT 1", postgres: "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE" };

for (const name of ["mariadb", "postgres"] as const)
  describeWithEngine(name, `transactions on ${name}`, (engine) => {
    let stores: EmptyStores;
    const opened: { close: () => Promise<void> | void }[] = [];
    beforeAll(async () => {
      stores = new EmptyStores(await engine().database("driver"));
    }, maxMs);
    afterEach(async () => {
      for (const each of opened.splice(0).toReversed()) await each.close();
    }, maxMs);
    afterAll(() => stores.close(), maxMs);

    /** With two rows to meet on, and the pauses between its tries in a list. */
    const openDatabase = async (limits: Partial<ServerLimits> = {}, url = stores.url) => {
      const pauses: number[] = [];
      const pace = { random: () => 0.25, sleep: async (ms: number) => void pauses.push(ms) };
      const database = new ServerDatabase(openServerDriver(url, limits), pace);
      opened.push(database);
      const store = await stores.take();
      for (const row of names)
        await store.database.write(async (tx) => void (await tx.execute(`INSERT INTO lease VALUES (?, 0, 1, 0)`, [row])));
      await stores.giveBack(store);
      const terms = async () =>
        (await database.reads.query<{ term: number }>(`SELECT term FROM lease ORDER BY name`, [])).map(({ term }) => term);
      return { database, pauses, terms };
    };

    test(
      "two that wait for each other are run again as a whole, and both are done once",
      async () => {
        const { database, terms } = await openDatabase();
        const met = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
        const runs = [0, 0];
        const crossing = (mine: 0 | 1) =>
          database.transact(async (tx) => {
            runs[mine] = (runs[mine] ?? 0) + 1;
            await tx.execute(add, [names[mine]]);
            met[mine].resolve();
            await met[1 - mine]?.promise;
            await tx.execute(add, [names[1 - mine] ?? ""]);
          });
        const results = await Promise.all([crossing(0), crossing(1)]);
        expect(results.map(({ kind }) => kind)).toEqual(["done", "done"]);
        expect(await terms()).toEqual([2, 2]);
        expect(runs.toSorted((a, b) => a - b)).toEqual([1, 2]);
        expect(database.counts).toEqual({ transactions: 3, conflicts: 1, lost: 0 });
      },
      maxMs,
    );

    test(
      "one that always meets another is given up after five runs, with longer pauses that are not all alike, and did nothing",
      async () => {
        const { database, pauses, terms } = await openDatabase({ lockTimeoutMs: name === "mariadb" ? 1_000 : 50, idleTimeoutMs: 60_000 });
        const { promise: holding, resolve: held } = Promise.withResolvers<void>();
        const { promise: over, resolve: goOn } = Promise.withResolvers<void>();
        const holder = database.transact(async (tx) => {
          await tx.execute(add, ["a"]);
          held();
          await over;
        });
        await holding;
        const result = await database.transact(async (tx) => {
          await tx.execute(add, ["b"]);
          await tx.execute(add, ["a"]);
        });
        goOn();
        expect([result, (await holder).kind]).toMatchObject([{ kind: "failed", failure: "unavailable" }, "done"]);
        expect([await terms(), database.counts.conflicts]).toEqual([[1, 0], triesMax]);
        // 5 ms and twice that, each time, of which a random part is left out or added.
        expect(pauses).toEqual([10, 20, 40, 80].map((ms) => ms * 0.75));
      },
      maxMs,
    );

    test.skipIf(name === "mariadb")(
      "one that the server could not put in an order with another is run again",
      async () => {
        const { database, terms } = await openDatabase();
        let runs = 0;
        const result = await database.transact(async (tx) => {
          runs += 1;
          await tx.query(strictly[name], []);
          const [row] = await tx.query<{ term: number }>(`SELECT term FROM lease WHERE name = 'a'`, []);
          if (runs === 1) await database.write(async (other) => void (await other.execute(add, ["a"])));
          await tx.execute(`UPDATE lease SET term = ? WHERE name = 'a'`, [(row?.term ?? 0) + 1]);
        });
        expect([result.kind, runs, await terms()]).toEqual(["done", 2, [2, 0]]);
      },
      maxMs,
    );

    test(
      "a statement that takes too long ends in time, at the server as well, and holds up nobody any more",
      async () => {
        const lockTimeoutMs = name === "mariadb" ? 1_000 : 50;
        const { database, terms } = await openDatabase({ statementTimeoutMs: 1_000, lockTimeoutMs, writesMax: 1, readsMax: 1 });
        const slow = async (tx: Pick<SqlTransaction, "query">) => void (await tx.query(sleeps[name], []));
        const cut = await database.transact(async (tx) => {
          await tx.execute(add, ["a"]);
          await slow(tx);
        });
        expect(cut).toMatchObject({ kind: "failed", failure: "unavailable" });
        expect(await database.read(slow).catch((error: unknown) => error)).toBeInstanceOf(StoreUnavailable);
        expect(await database.transact(async (tx) => void (await tx.execute(add, ["a"])))).toEqual({ kind: "done", value: undefined });
        expect([await terms(), database.counts]).toEqual([[1, 0], { transactions: 2, conflicts: 0, lost: 0 }]);
      },
      maxMs,
    );

    test(
      "a connection that is ended between two statements takes back what it did, and the next one is a new one",
      async () => {
        const { database, terms } = await openDatabase({ writesMax: 1, readsMax: 1 });
        const end = async (id: number) => void (await engineSql(kill[name](id)));
        const engineSql = (sql: string) => database.read(async (db) => db.query(sql, []));
        const idIn = async (tx: Pick<SqlTransaction, "query">) => (await tx.query<{ id: number }>(ownId[name], []))[0]?.id ?? 0;
        const cut = await database.transact(async (tx) => {
          await tx.execute(add, ["a"]);
          await end(await idIn(tx));
          await tx.execute(add, ["b"]);
        });
        expect(cut).toMatchObject({ kind: "failed", failure: "unavailable" });
        // And one that lay in the pool.
        let idle = 0;
        await database.write(async (tx) => void (idle = await idIn(tx)));
        await end(idle);
        const next = async () => (await database.transact(async (tx) => void (await tx.execute(add, ["b"])))).kind;
        const kinds = [await next(), await next()];
        expect(kinds.at(-1)).toBe("done");
        expect(await terms()).toEqual([0, kinds.filter((kind) => kind === "done").length]);
        expect(database.counts.lost).toBe(0);
      },
      maxMs,
    );

    test(
      "[QL7] a table that is not there for a while is trouble of the database, not of what was to be written",
      async () => {
        const { database, terms } = await openDatabase();
        const once = () => database.transact(async (tx) => void (await tx.execute(add, ["a"])));
        const rename = (from: string, to: string) => database.write(async (tx) => tx.execute(`ALTER TABLE ${from} RENAME TO ${to}`, []));
        await rename("lease", "lease_away");
        try {
          expect(await once()).toMatchObject({ kind: "failed", failure: "unavailable" });
          expect(await terms().catch((error: unknown) => error)).toBeInstanceOf(StoreUnavailable);
        } finally {
          await rename("lease_away", "lease");
        }
        expect([await once(), await terms()]).toEqual([{ kind: "done", value: undefined }, [1, 0]]);
      },
      maxMs,
    );

    describe("a commit whose answer is lost", () => {
      const limits = { statementTimeoutMs: 700, acquireTimeoutMs: 700 };
      /** A sale, and a ledger that reaches it through a network that a test may cut as the COMMIT leaves. */
      const withProxy = async (cut: (proxy: TcpProxy) => void): Promise<Books & { proxy: TcpProxy }> => {
        const proxy = await TcpProxy.open(stores.url);
        opened.push(proxy);
        const books = await openBooks(stores, { url: proxy.through(stores.url), limits, beforeCommit: () => cut(proxy) });
        opened.push(books);
        return { ...books, proxy };
      };

      test.each<readonly [string, (proxy: TcpProxy) => void]>([
        ["it was done, and nobody says so", (proxy) => proxy.cut("replies")],
        ["it was done, and the connection breaks with the answer", (proxy) => proxy.cutAfter("replies", 0)],
        ["it never came, and nobody says so", (proxy) => proxy.cut("requests")],
        ["it never came, for the connection broke", (proxy) => proxy.reset()],
      ])(
        "[PU20] %s: unknown, and the same batch again has one effect and one answer",
        async (_, cut) => {
          const { proxy, takes, commit, arm, counts, sold } = await withProxy(cut);
          arm();
          expect(await commit(takes)).toMatchObject({ kind: "unknown" });
          expect(counts.lost).toBe(1);
          await proxy.restore();
          const again = await commitUntilCommitted(() => commit(takes));
          const repeated = await commitUntilCommitted(() => commit(takes));
          expect(purchasesIn(again)).toEqual(purchasesIn(repeated));
          expect(purchasesIn(again)).toHaveLength(3);
          expect(await sold()).toEqual({ purchases: 3, entries: 3, held: 3, available: 0 });
        },
        maxMs,
      );
    });
  });

type Committed = Awaited<ReturnType<Books["commit"]>>;

/** What the server still holds of the one before it lets go when it hears that the other end is gone. */
async function commitUntilCommitted(commit: () => Promise<Committed>): Promise<Committed> {
  for (let tries = 0; tries < 20; tries++) {
    const result = await commit();
    if (result.kind === "committed") return result;
  }
  throw new Error("the server did not come back");
}

const purchasesIn = (result: Committed) =>
  result.kind === "committed"
    ? result.groups.flatMap(({ outcomes }) => outcomes.flatMap((outcome) => (outcome.kind === "accepted" ? [{ ...outcome.purchase }] : [])))
    : [];
