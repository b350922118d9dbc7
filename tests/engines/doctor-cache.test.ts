/**
 * What `doorbuster doctor` finds at a real Redis: good ones, deliberately weak ones, and ones that do not answer. What is
 * planted wrong is found, and the command of the fix mends it.
 */
import { expect, test } from "bun:test";
import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { cacheFacts } from "../../src/adapters/redis/cache-facts.ts";
import { RedisConnection } from "../../src/adapters/redis/redis-connection.ts";
import { RedisStockCache } from "../../src/adapters/redis/stock-cache.ts";
import { at, cutOf, scopeId } from "../contract/cache-script.ts";
import { describeWithOwnEngine } from "../harness/engines/describe-with-engine.ts";
import { openRedis, type RedisServer } from "../harness/engines/redis.ts";
import { waitFor } from "../harness/wait.ts";
import { buyerId, purchaseId, sampleSale } from "../kit/samples.ts";
import { askCache, badIn, commandsIn, find, type Findings } from "./doctor-findings.ts";

const slow = { timeout: 60_000 };
const settled = { maxmemory: "256mb" };

async function mend(redis: RedisServer, findings: Findings, beginning: RegExp): Promise<number> {
  const commands = commandsIn(findings, beginning);
  for (const command of commands) await redis.cli(...command);
  return commands.length;
}

describeWithOwnEngine("redis", "doctor at a Redis", () => {
  test(
    "[H7] a good one is well, and nothing is changed",
    async () => {
      await using redis = await openRedis({ config: settled });
      const before = await redis.cli("INFO", "keyspace");
      expect(badIn(await askCache(redis.url))).toEqual({});
      expect(await redis.cli("INFO", "keyspace")).toBe(before);
      expect(await redis.cli("SCRIPT", "EXISTS", "0".repeat(40))).toBe("0");
    },
    slow,
  );

  test(
    "[H7] settings that lose purchases or stop the sale are found, and the command of each fix mends it",
    async () => {
      const config = { appendonly: "no", "no-appendfsync-on-rewrite": "yes", maxclients: 20, save: "3600 1" };
      await using redis = await openRedis({ maxmemoryPolicy: "allkeys-lru", appendfsync: "no", config });
      const weak = await askCache(redis.url);
      expect(badIn(weak)).toEqual({
        "cache-eviction": "problem",
        "cache-memory": "warning",
        "cache-append-only": "problem",
        "cache-connections": "warning",
      });
      expect(await mend(redis, weak, /^CONFIG SET/)).toBe(4);
      const better = await askCache(redis.url);
      expect(badIn(better)).toEqual({ "cache-append-sync": "warning" });
      expect(find(better, "cache-append-sync")?.found).toContain("appendfsync is no");
      expect(await mend(redis, better, /^CONFIG SET/)).toBe(1);
      const nearly = await askCache(redis.url);
      expect(find(nearly, "cache-append-sync")?.found).toContain("no-appendfsync-on-rewrite");
      expect(await mend(redis, nearly, /^CONFIG SET/)).toBe(1);
      expect(badIn(await askCache(redis.url))).toEqual({});
    },
    slow,
  );

  test(
    "memory that is full, and keys that were thrown away",
    async () => {
      await using redis = await openRedis({ maxmemoryPolicy: "allkeys-lru", config: { maxmemory: "3mb" } });
      const fill = () => redis.cli("EVAL", "for i = 1, 200 do redis.call('SET', KEYS[1] .. i, ('x'):rep(20000)) end", "1", "k");
      await fill();
      const evicting = await askCache(redis.url);
      await mend(redis, evicting, /^CONFIG SET maxmemory-policy/);
      const evicted = await askCache(redis.url);
      expect(find(evicted, "cache-eviction")).toMatchObject({ level: "warning", found: expect.stringContaining("keys were thrown away") });
      expect(await mend(redis, evicted, /^(?:SCRIPT FLUSH|CONFIG RESETSTAT)/)).toBeGreaterThanOrEqual(2);
      await redis.cli("CONFIG", "SET", "maxmemory", "2mb");
      const full = await askCache(redis.url);
      expect(badIn(full)).toEqual({ "cache-memory": "problem" });
      await mend(redis, full, /^CONFIG SET maxmemory/);
      expect(badIn(await askCache(redis.url))).toEqual({});
    },
    slow,
  );

  test(
    "a snapshot that fails stops the writes, or will stop a replica",
    async () => {
      await using redis = await openRedis({ config: { ...settled, save: "3600 1" } });
      const inTheWay = join(redis.folder, "data", "dump.rdb");
      mkdirSync(inTheWay);
      const saved = (expected: string) =>
        waitFor("the snapshot", async () => (await redis.cli("INFO", "persistence")).includes(`rdb_last_bgsave_status:${expected}`));
      await redis.cli("BGSAVE");
      await saved("err");
      expect(await redis.cli("SET", "a", "b").catch(String)).toContain("MISCONF");
      const stopped = await askCache(redis.url);
      expect(badIn(stopped)).toEqual({ "cache-writes": "problem" });
      await mend(redis, stopped, /^CONFIG SET/);
      expect(await redis.cli("SET", "a", "b")).toBe("OK");
      expect(badIn(await askCache(redis.url))).toEqual({ "cache-writes": "warning" });
      rmdirSync(inTheWay);
      expect(await mend(redis, await askCache(redis.url), /^BGSAVE/)).toBe(1);
      await saved("ok");
      expect(badIn(await askCache(redis.url))).toEqual({});
    },
    slow,
  );

  test(
    "[H7] a replica is a problem, its primary goes on without it until it is told not to",
    async () => {
      await using primary = await openRedis({ config: settled });
      await using replica = await openRedis({ replicaOf: primary, config: settled });
      const second = await askCache(replica.url);
      expect(badIn(second)).toEqual({ "cache-role": "problem" });
      expect(find(second, "cache-role")?.found).toContain(`a replica of 127.0.0.1:${primary.port}`);
      const first = await askCache(primary.url);
      expect(badIn(first)).toEqual({ "cache-replicas": "warning" });
      await mend(primary, first, /^CONFIG SET min-replicas/);
      await primary.cli("CONFIG", "SET", "min-replicas-max-lag", "60");
      const late = await askCache(primary.url);
      expect(find(late, "cache-replicas")).toMatchObject({ level: "warning", found: expect.stringContaining("at most 60 s behind") });
      await mend(primary, late, /^CONFIG SET min-replicas/);
      expect(badIn(await askCache(primary.url))).toEqual({});
      await mend(replica, second, /^REPLICAOF NO ONE/);
      expect(badIn(await askCache(replica.url))).toEqual({});
      const alone = await askCache(primary.url);
      expect(badIn(alone)).toEqual({ "cache-replicas": "problem" });
      expect(await primary.cli("SET", "a", "b").catch(String)).toContain("NOREPLICAS");
      await mend(primary, alone, /^CONFIG SET min-replicas/);
      expect(await primary.cli("SET", "a", "b")).toBe("OK");
    },
    slow,
  );

  test(
    "[H7] a node of a cluster is a problem",
    async () => {
      await using node = await openRedis({ config: { ...settled, "cluster-enabled": "yes", databases: 1 } });
      expect(find(await askCache(node.url), "cache-mode")).toMatchObject({
        level: "problem",
        found: expect.stringContaining("a node of a cluster"),
      });
    },
    slow,
  );
});

describeWithOwnEngine("redis", "doctor's way into a Redis", () => {
  const seller = (redis: RedisServer, change: (address: URL) => void = () => undefined) => {
    const address = new URL(redis.url);
    [address.username, address.password, address.pathname] = ["seller", "seller-of-tests", ""];
    change(address);
    return address.href;
  };

  test(
    "[H7] a user who may do nothing is led to all that it needs, command by command, and then decides",
    async () => {
      await using redis = await openRedis({ config: settled });
      await redis.cli("ACL", "SETUSER", "seller", "on", ">seller-of-tests");
      const url = seller(redis);
      const denied = await askCache(url);
      expect(badIn(denied)).toEqual({ "cache-server": "problem" });
      expect(find(denied, "cache-server")?.found).toContain("does not let this user in");
      await mend(redis, denied, /^ACL SETUSER/);
      const inside = await askCache(url);
      expect(badIn(inside)).toEqual({ "cache-rights": "warning", "cache-settings": "warning" });
      expect(await mend(redis, inside, /^ACL SETUSER/)).toBe(2);
      const lacking = await askCache(url);
      expect(badIn(lacking)).toEqual({ "cache-rights": "problem" });
      expect(find(lacking, "cache-rights")?.found).toContain("+evalsha, +script|load, +script|exists, +exists");
      await mend(redis, lacking, /^ACL SETUSER/);
      const keys = await askCache(url);
      expect(find(keys, "cache-rights")?.found).toBe('"seller" lacks ~{db:*');
      await mend(redis, keys, /^ACL SETUSER/);
      expect(badIn(await askCache(url))).toEqual({});
      await decides(url);
    },
    slow,
  );

  test(
    "a user of another name, a password that is not it, a database that is not there, nobody, no host: one finding each",
    async () => {
      await using redis = await openRedis({ config: settled });
      const cases: readonly [string, string][] = [
        [seller(redis), "does not let this user in (WRONGPASS"],
        [redis.url.replace("of-tests", "of-others"), "does not let this user in (WRONGPASS"],
        [`redis://127.0.0.1:${redis.port}`, "does not let this user in (NOAUTH"],
        [redis.url.replace(/\/0$/, "/9999"), "no database of this number"],
        ["redis://127.0.0.1:1", "nobody listens there"],
        ["redis://nowhere.invalid", "nobody knows this host"],
        [redis.url.replace("redis://", "rediss://"), "it does not answer"],
      ];
      for (const [url, part] of cases) {
        const findings = await askCache(url);
        expect([url, findings.length, badIn(findings)]).toEqual([url, 1, { "cache-server": "problem" }]);
        expect(findings[0]?.found).toContain(part);
        expect(JSON.stringify(findings)).not.toContain("of-others");
      }
    },
    slow,
  );

  test(
    "one that has no connection left, and one that is frozen",
    async () => {
      await using redis = await openRedis({ config: { ...settled, maxclients: 10 } });
      const held = await Promise.all(
        Array.from({ length: 10 }, () =>
          RedisConnection.connect({ url: redis.url, name: "held", callTimeoutMs: 2_000 }).catch(() => undefined),
        ),
      );
      const full = await askCache(redis.url);
      for (const connection of held) connection?.close();
      expect(find(full, "cache-server")?.found).toContain("takes no more connections");
      await redis.cli(...(commandsIn(full, /^CONFIG SET/)[0] ?? []));
      const rejected = await askCache(redis.url);
      expect(find(rejected, "cache-connections")).toMatchObject({ level: "warning", found: expect.stringContaining("were turned away") });
      await mend(redis, rejected, /^CONFIG RESETSTAT/);
      expect(badIn(await askCache(redis.url))).toEqual({});
      await redis.freeze();
      const frozen = await askCache(redis.url);
      redis.thaw();
      expect(frozen).toMatchObject([{ id: "cache-server", level: "problem", found: expect.stringContaining("it does not answer") }]);
    },
    slow,
  );

  test("the clocks of two machines are compared, and how sure that is", async () => {
    await using redis = await openRedis();
    const facts = await cacheFacts(redis.url, { wallMs: () => Date.now() - 3_000 });
    if (facts.kind !== "seen" || facts.clock === undefined) throw new Error("it was not seen");
    expect(facts.clock.uncertaintyMs).toBeGreaterThan(0);
    expect(Math.abs(facts.clock.offsetMs - 3_000)).toBeLessThan(facts.clock.uncertaintyMs + 500);
  });
});

/** Every call that processes make, by a user who has just what doctor asked for. */
async function decides(url: string): Promise<void> {
  const connection = await RedisConnection.connect({ url, name: "tests", callTimeoutMs: 5_000 });
  const cache = new RedisStockCache({ connection, bulk: connection });
  const sale = sampleSale({ id: scopeId, startsAtMs: 1, endsAtMs: 9e12, balances: { issued: 5, available: 5 } });
  const saleId = sale.id;
  const line = { purchaseId: purchaseId("900"), buyerId: buyerId(1), key: "k", quantity: 1 };
  const patch = { saleId, available: 1, buyers: [[buyerId(1), -1]] as const };
  const answers = [
    await cache.load(cutOf({ sale, quotas: [[buyerId(1), 2]], attempts: [[buyerId(2), 1]] }, [[buyerId(2), 1]])),
    await cache.reserve({ ...at, saleId, lines: [line] }),
    await cache.journaled({ ...at, entries: ["1-1"] }),
    await cache.apply({ ...at, row: { number: 6, patch }, reopenDelayMs: 0 }),
    await cache.quote({ ...at, saleId, sold: 0, withdrawn: 0, issued: 5 }),
    await cache.look({ ...at, saleId }),
    await cache.accepted({ ...at, saleId, from: 0, countMax: 5 }),
    await cache.outbox({ ...at, olderThanMs: 0, countMax: 5 }),
    await cache.findKey({ ...at, saleId, buyerId: buyerId(1), key: "k" }),
    await cache.records({ ...at, purchaseIds: [line.purchaseId] }),
    await cache.drop({ ...at, epoch: at.epoch + 1 }),
  ];
  connection.close();
  expect(answers.map(({ kind }) => kind)).toEqual(answers.map(() => "ok"));
}

test("a command that stands in a fix is told from the words around it", () => {
  const fix = "SCRIPT FLUSH; which closes its sales; or: CONFIG SET a 1; CONFIG REWRITE; in redis.conf: a 1; rabbitmqctl eval 'a, b.'";
  const commands = commandsIn([{ id: "a", level: "problem", found: "", why: "", fix }], /^(?:SCRIPT|CONFIG SET|rabbitmqctl)/);
  expect(commands.map((words) => words.join("|"))).toEqual(["SCRIPT|FLUSH", "CONFIG|SET|a|1", "rabbitmqctl|eval|a, b."]);
});
