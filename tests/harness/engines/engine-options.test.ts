/** What each engine of our own can do beside the others: settings, replicas, lost tails, alarms. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { mayMount, tempFolder, tmpfs } from "../volumes.ts";
import { waitFor } from "../wait.ts";
import { AmqpSocket } from "./amqp-socket.ts";
import { describeWithOwnEngine } from "./describe-with-engine.ts";
import { openMariadb, type MariadbServer } from "./mariadb.ts";
import { openPostgres, type PostgresServer } from "./postgres.ts";
import { processesIn } from "./processes.ts";
import { openRabbitmq, type RabbitmqServer } from "./rabbitmq.ts";
import { openRedis } from "./redis.ts";
import { runSql } from "./sql-databases.ts";

const slow = { timeout: 90_000 };

describeWithOwnEngine("mariadb", "MariaDB", () => {
  const durability = "SELECT @@sync_binlog AS binlog, @@innodb_flush_log_at_trx_commit AS redo, @@log_bin AS log";
  let mariadb: MariadbServer;
  beforeAll(async () => void (mariadb = await openMariadb()), slow.timeout);
  afterAll(() => mariadb.close(), slow.timeout);

  test(
    "is durable with a binary log, or as weak as a test wants it",
    async () => {
      await using weak = await openMariadb({ settings: { "sync-binlog": 0, "innodb-flush-log-at-trx-commit": 2 } });
      expect(await runSql(mariadb.url, durability)).toEqual([expect.objectContaining({ binlog: 1, redo: 1, log: 1 })]);
      expect(await runSql(weak.url, durability)).toEqual([expect.objectContaining({ binlog: 0, redo: 2, log: 1 })]);
    },
    slow,
  );

  test(
    "gives its url's user no more than databases, and keeps strangers out",
    async () => {
      await expect(runSql(mariadb.url, "SET GLOBAL max_connections = 10")).rejects.toThrow("SUPER");
      await mariadb.admin("SET GLOBAL max_connections = 10");
      const stranger = new URL(mariadb.url);
      stranger.password = "";
      await expect(runSql(stranger.href, "SELECT 1")).rejects.toThrow("Access denied");
    },
    slow,
  );

  test(
    "that cannot start says why, and leaves nothing",
    async () => {
      const { path: place, release } = tempFolder();
      chmodSync(place, 0o711);
      await expect(openMariadb({ place, settings: { "no-such-variable": 1 } })).rejects.toThrow("unknown variable 'no-such-variable=1'");
      expect([readdirSync(place), processesIn(place)]).toEqual([[], []]);
      release();
    },
    slow,
  );
});

describeWithOwnEngine("postgres", "PostgreSQL", () => {
  const durability = "SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit";
  let postgres: PostgresServer;
  beforeAll(async () => void (postgres = await openPostgres()), slow.timeout);
  afterAll(() => postgres.close(), slow.timeout);

  test(
    "is durable, or as weak as a test wants it",
    async () => {
      expect(await runSql(postgres.url, durability)).toEqual([expect.objectContaining({ fsync: "on", commit: "on" })]);
      await using weak = await openPostgres({ settings: { fsync: "off", synchronous_commit: "off" } });
      expect(await runSql(weak.url, durability)).toEqual([expect.objectContaining({ fsync: "off", commit: "off" })]);
    },
    slow,
  );

  test(
    "asks for passwords by SCRAM, and gives its url's user no more than databases",
    async () => {
      expect(await postgres.admin("SELECT DISTINCT left(rolpassword, 13) AS kind FROM pg_authid WHERE rolcanlogin")).toEqual([
        expect.objectContaining({ kind: "SCRAM-SHA-256" }),
      ]);
      const stranger = new URL(postgres.url);
      stranger.password = "wrong";
      await expect(runSql(stranger.href, "SELECT 1")).rejects.toThrow("password authentication failed");
      await expect(runSql(postgres.url, "CREATE ROLE other")).rejects.toThrow("permission denied");
    },
    slow,
  );

  test(
    "leaves no memory of the machine's when it is killed",
    async () => {
      const isThere = (segment: string) =>
        readFileSync("/proc/sysvipc/shm", "utf8")
          .split("\n")
          .some((line) => line.trim().split(/\s+/)[1] === segment);
      // The file's seventh line has the segment's key and number.
      const segment =
        readFileSync(join(postgres.folder, "data", "postmaster.pid"), "utf8")
          .split("\n")[6]
          ?.trim()
          .split(/\s+/)[1] ?? "";
      expect(isThere(segment)).toBe(true);
      await postgres.kill();
      expect(isThere(segment)).toBe(false);
    },
    slow,
  );
});

describeWithOwnEngine("redis", "Redis", () => {
  test(
    "loses the tail of its append-only file that is cut off, and no more",
    async () => {
      await using redis = await openRedis({ appendfsync: "everysec" });
      await redis.cli("SET", "kept", "1");
      const bytes = redis.aofBytes();
      await redis.cli("SET", "lost", "1");
      expect(() => redis.cutAof(1)).toThrow("is up");
      await redis.kill();
      expect(() => redis.cutAof(redis.aofBytes() + 1)).toThrow("cannot cut");
      redis.cutAof(redis.aofBytes() - bytes);
      await redis.start();
      expect(await redis.cli("KEYS", "*")).toBe("kept");
    },
    slow,
  );

  test(
    "loses nothing when nothing is cut off, and the last command when one byte is",
    async () => {
      await using redis = await openRedis();
      await redis.cli("MSET", "first", "1");
      await redis.cli("SET", "last", "1");
      await redis.kill();
      await redis.start();
      expect(await redis.cli("EXISTS", "first", "last")).toBe("2");
      await redis.kill();
      redis.cutAof(1);
      await redis.start();
      expect(await redis.cli("EXISTS", "first", "last")).toBe("1");
    },
    slow,
  );

  test(
    "has the policies and settings it is told",
    async () => {
      await using redis = await openRedis({ appendfsync: "no", maxmemoryPolicy: "allkeys-lru", config: { maxmemory: "8mb" } });
      const told = await redis.cli("CONFIG", "GET", "appendfsync", "maxmemory-policy", "maxmemory", "appendonly");
      expect(told.split("\n").toSorted()).toEqual(
        ["appendfsync", "no", "appendonly", "yes", "maxmemory", "8388608", "maxmemory-policy", "allkeys-lru"].toSorted(),
      );
      await expect(redis.cli("NO-SUCH-COMMAND")).rejects.toThrow("unknown command");
    },
    slow,
  );

  test(
    "can be another one's replica",
    async () => {
      await using redis = await openRedis();
      await redis.cli("SET", "a", "1");
      await using replica = await openRedis({ replicaOf: redis });
      expect(await replica.cli("GET", "a")).toBe("1");
      await redis.cli("SET", "b", "1");
      await waitFor("the write at the replica", async () => (await replica.cli("EXISTS", "b")) === "1");
      await expect(replica.cli("SET", "c", "1")).rejects.toThrow("READONLY");
    },
    slow,
  );
});

describeWithOwnEngine("postgres", "the place of an engine's data", () => {
  test.skipIf(!mayMount())(
    "is a volume that a test gives",
    async () => {
      const volume = tmpfs(128);
      const postgres = await openPostgres({ place: volume.path });
      expect(dirname(postgres.folder)).toBe(volume.path);
      expect(await runSql(postgres.url, "SELECT 1 AS one")).toEqual([expect.objectContaining({ one: 1 })]);
      await postgres.close();
      expect(readdirSync(volume.path)).toEqual([]);
      volume.release();
    },
    slow,
  );

  test.skipIf(process.getuid?.() !== 0)("has to be one that the engine's user can enter", async () => {
    const folder = tempFolder();
    chmodSync(folder.path, 0o700);
    await expect(openPostgres({ place: folder.path })).rejects.toThrow("chmod 711 would");
    folder.release();
  });
});

describeWithOwnEngine("rabbitmq", "RabbitMQ", () => {
  /** Whether a message is confirmed, told by a second one: the broker takes messages of one connection in their order. */
  async function blocks(broker: RabbitmqServer, isExpected: boolean): Promise<void> {
    using amqp = await AmqpSocket.open(broker.url);
    await amqp.declare("alarmed");
    let confirmed = false;
    const publishing = amqp.publish("alarmed", "message").then(() => (confirmed = true));
    if (isExpected) {
      await waitFor("the word that it blocks", () => amqp.isBlocked);
      expect(confirmed).toBe(false);
      await broker.ctl("set_vm_memory_high_watermark", "0.4");
    }
    await publishing;
    expect([confirmed, amqp.isBlocked]).toEqual([true, false]);
  }

  test(
    "blocks a publisher while its memory alarm is on",
    async () => {
      await using broker = await openRabbitmq({ plugins: ["rabbitmq_consistent_hash_exchange"], settings: { channel_max: 7 } });
      await blocks(broker, false);
      await broker.ctl("set_vm_memory_high_watermark", "0.00001");
      await blocks(broker, true);
      expect((await broker.ctl("list_queues", "--no-table-headers", "name", "messages")).split(/\s+/)).toEqual(["alarmed", "2"]);
      const told = await broker.ctl("eval", "{application:get_env(rabbit, channel_max), rabbit_plugins:active()}.");
      expect(told.replaceAll(/\s/g, "")).toBe("{{ok,7},[rabbitmq_consistent_hash_exchange]}");
      await broker.kill();
      await expect(broker.ctl("status")).rejects.toThrow("down");
    },
    slow,
  );
});
