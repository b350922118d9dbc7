/** Servers that the environment names: tests speak to them, and take away what they made. Played by engines of our own. */
import { expect, test } from "bun:test";
import { describeWithOwnEngine } from "./describe-with-engine.ts";
import { openMariadb } from "./mariadb.ts";
import { openPostgres } from "./postgres.ts";
import { openRedis } from "./redis.ts";
import { foreignEngine } from "./shared-engine.ts";
import { runSql } from "./sql-databases.ts";

const slow = { timeout: 60_000 };

const list = {
  mariadb: "SELECT schema_name AS name FROM information_schema.schemata",
  postgres: "SELECT datname AS name FROM pg_database",
};

for (const name of ["mariadb", "postgres"] as const)
  describeWithOwnEngine(name, `a foreign ${name}`, () => {
    test(
      "gives databases and takes them away, and nothing else",
      async () => {
        await using server = name === "mariadb" ? await openMariadb() : await openPostgres();
        // The url's user has to be allowed to make databases.
        await server.admin(name === "mariadb" ? "GRANT ALL ON *.* TO doorbuster@'%'" : "ALTER ROLE doorbuster CREATEDB");
        const names = async () => (await server.admin(list[name])).map((row) => String(row["name"])).toSorted();
        const before = await names();
        const engine = foreignEngine(name, server.url);
        const [one, two] = [await engine.database("words"), await engine.database("words")];
        await runSql(one, "CREATE TABLE words (word varchar(40))");
        await runSql(two, "CREATE TABLE words (word varchar(40))");
        expect(await names()).toHaveLength(before.length + 2);
        await engine.dropAll();
        expect(await names()).toEqual(before);
      },
      slow,
    );
  });

describeWithOwnEngine("redis", "a foreign redis", () => {
  const numbers = (urls: readonly string[]) => urls.map((url) => Number(new URL(url).pathname.slice(1)));

  test("gives empty databases that no other run has, and takes their keys away", async () => {
    await using server = await openRedis();
    await server.cli("-n", "2", "SET", "theirs", "1");
    const [one, two] = [foreignEngine("redis", server.url), foreignEngine("redis", server.url)];
    const ones = [await one.database("words"), await one.database("words")];
    const twos = [await two.database("words")];
    expect([numbers(ones), numbers(twos)]).toEqual([[1, 3], [4]]);
    await server.cli("-n", "3", "SET", "ours", "1");
    await one.dropAll();
    expect(await server.cli("-n", "3", "DBSIZE")).toBe("0");
    expect(await server.cli("-n", "2", "DBSIZE")).toBe("1");
    expect(await server.cli("KEYS", "*")).toContain("database:4");
    await two.dropAll();
    expect(await server.cli("DBSIZE")).toBe("0");
  });

  test("has no more databases than Redis has, and says so", async () => {
    await using server = await openRedis();
    const engine = foreignEngine("redis", server.url);
    for (let number = 1; number <= 15; number++) await engine.database("words");
    await expect(engine.database("words")).rejects.toThrow('no database of the Redis is free for "words"');
  });
});
