/** What the drivers of database servers promise about transactions that fail in the middle, on real servers. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { ServerError, type ServerConnection, type ServerDriver } from "../../src/adapters/sql/server-driver.ts";
import { openServerDriver } from "../../src/adapters/sql/server-store.ts";
import { describeWithEngine } from "../harness/engines/describe-with-engine.ts";
import { runSql } from "../harness/engines/sql-databases.ts";
import { waitFor } from "../harness/wait.ts";

const add = `UPDATE t SET n = n + 1 WHERE id = ?`;
const note = `INSERT INTO noted (what) VALUES (?)`;
const waiting = `SELECT 1 FROM pg_locks WHERE NOT granted`;
/** Longer than what a driver sends together with other statements. */
const long = "x".repeat(1_100_000);

for (const name of ["mariadb", "postgres"] as const)
  describeWithEngine(name, `transactions of the driver on ${name}`, (engine) => {
    let url = "";
    let driver: ServerDriver;
    beforeAll(async () => {
      url = await engine().database("driver");
      await runSql(url, `CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL)`);
      await runSql(url, `CREATE TABLE noted (what ${name === "mariadb" ? "LONGTEXT" : "TEXT"} NOT NULL)`);
      await runSql(url, `INSERT INTO t VALUES (1, 0), (2, 0), (3, 0), (4, 0)`);
      driver = openServerDriver(url, { writesMax: 4 });
    }, 60_000);
    afterAll(() => driver.close());

    /**
     * Two transactions that wait for one another, of which the server takes back the one that waited first and wrote less.
     * What that one asks for behind its fatal statement it asks for at once, as whoever writes a batch does.
     */
    async function deadlock(behind: (loser: ServerConnection) => Promise<unknown>[]): Promise<void> {
      // On a busy machine PostgreSQL may look too early, and then take back the other one.
      for (let tries = 1; !(await isTakenBack(behind)); tries++) expect(tries).toBeLessThan(5);
    }

    async function isTakenBack(behind: (loser: ServerConnection) => Promise<unknown>[]): Promise<boolean> {
      const [winner, loser] = [await driver.connect("write"), await driver.connect("write")];
      await winner.begin();
      for (const id of [1, 3, 4]) await winner.execute(add, [id]);
      await loser.begin();
      await loser.execute(add, [2]);
      const asked = [Promise.resolve(loser.execute(add, [1])), ...behind(loser)].map((answer) => answer.catch((error: unknown) => error));
      // PostgreSQL takes back whoever waited first; MariaDB, whoever wrote less.
      if (name === "postgres") await waitFor("one that waits for a lock", async () => (await runSql(url, waiting)).length > 0);
      const isOther = await Promise.resolve(winner.execute(add, [2])).then(
        () => false,
        () => true,
      );
      await (isOther ? winner.rollback() : undefined);
      const [fatal, ...rest] = await Promise.all(asked);
      if (!isOther) {
        expect(fatal).toMatchObject({ kind: "conflict" });
        for (const answer of rest) expect(answer).toBeInstanceOf(ServerError);
      }
      await loser.rollback();
      loser.release();
      await (isOther ? undefined : winner.rollback());
      winner.release();
      return !isOther;
    }

    const noted = async () => Number((await runSql(url, `SELECT count(*) AS n FROM noted`))[0]?.["n"]);

    test("what was asked for behind a statement with which the server took the transaction back is not done by itself", async () => {
      await deadlock((loser) => [Promise.resolve().then(() => Promise.resolve(loser.execute(note, ["a later turn"])))]);
      expect(await noted()).toBe(0);
    });

    test("nor is what was too long to travel with it", async () => {
      await deadlock((loser) => [long, "behind what is long"].map((what) => Promise.resolve(loser.execute(note, [what]))));
      expect(await noted()).toBe(0);
    });

    test("a connection that the server ends, with or without a statement on its way, is no mistake of ours", async () => {
      const [own, end, sleep] =
        name === "mariadb"
          ? ["CONNECTION_ID()", (id: string) => `KILL CONNECTION ${id}`, "SELECT SLEEP(20) AS slept"]
          : ["pg_backend_pid()", (id: string) => `SELECT pg_terminate_backend(${id})`, "SELECT 1 AS slept FROM pg_sleep(20)"];
      for (const isBusy of [false, true]) {
        const connection = await driver.connect("write");
        await connection.begin();
        const [row] = await connection.query<{ id: number }>(`SELECT ${own} AS id`, []);
        const busy = isBusy ? Promise.resolve(connection.query(sleep, [])).catch((error: unknown) => error) : undefined;
        await runSql(url, end(String(row?.id)));
        const failure = await (busy ?? Promise.resolve(connection.execute(note, ["never"])).catch((error: unknown) => error));
        expect(failure).toBeInstanceOf(ServerError);
        expect(["lost", "unavailable"]).toContain(failure instanceof ServerError ? failure.kind : "none");
        connection.destroy();
      }
    });

    test("a connection is good again after its transaction was taken back", async () => {
      await deadlock(() => []);
      const connection = await driver.connect("write");
      await connection.begin();
      await connection.execute(note, ["kept"]);
      await connection.commit();
      connection.release();
      expect(await noted()).toBe(1);
    });
  });
