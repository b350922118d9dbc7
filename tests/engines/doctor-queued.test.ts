/**
 * `doorbuster doctor` in queued mode on a whole installation: a database, a Redis, a RabbitMQ and processes on them; and what
 * a start refuses there, each in one line.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { serverFacts } from "../../src/adapters/sql/server-facts.ts";
import { scopesChecks } from "../../src/engine/doctor/checks-scopes.ts";
import { judgeAll } from "../../src/engine/doctor/finding.ts";
import type { ServerSeen } from "../../src/ports/server-facts.ts";
import { certificates } from "../harness/certificates.ts";
import { describeWithEngine, describeWithOwnEngine } from "../harness/engines/describe-with-engine.ts";
import { openMariadb, type MariadbServer } from "../harness/engines/mariadb.ts";
import { reservePorts } from "../harness/engines/ports.ts";
import { openRabbitmq, type RabbitmqServer } from "../harness/engines/rabbitmq.ts";
import { openRedis, type RedisServer } from "../harness/engines/redis.ts";
import { runSql } from "../harness/engines/sql-databases.ts";
import { runCommand } from "../harness/run-command.ts";
import { apiKey, ServerProcess, type Runtime } from "../harness/server-process.ts";
import { TcpProxy } from "../harness/tcp-proxy.ts";
import { tempFolder } from "../harness/volumes.ts";
import { waitFor } from "../harness/wait.ts";
import { askBroker, askCache, badIn, commandsIn, find, type Findings } from "./doctor-findings.ts";

const slow = { timeout: 120_000 };
const secrets = {
  DOORBUSTER_TOKEN_SECRET: "4f1c0a7be29d5368a1f3c2b4d5e6f708",
  DOORBUSTER_ACCOUNT_SECRET: "9b8a7c6d5e4f30211203f4e5d6c7b8a9",
};
/** Of this machine, which is no matter here. */
const machine =
  /^(?:open-files|listen-backlog|cores|runtime|memory|memory-limit|swap|clock-drift|clock-synchronised|exposure|payment-provider)$/;

type Env = Readonly<Record<string, string>>;
type Examined = { readonly code: number; readonly err: string; readonly findings: Findings };

async function doctor(env: Env, runtime: Runtime = "bun"): Promise<Examined> {
  const args = ["doctor", "--json", "--data-dir", join(tempFolder().path, "data"), "--port", "0"];
  const { code, out, err } = await runCommand(args, { env, runtime, withinMs: 60_000 });
  return { code, err: err.replaceAll(/^Looking at .*\n/gm, ""), findings: JSON.parse(out).findings };
}

const badAt = ({ findings }: Examined) => Object.fromEntries(Object.entries(badIn(findings)).filter(([id]) => !machine.test(id)));

async function seenAt(url: string): Promise<ServerSeen> {
  const facts = await serverFacts(url, { watchMs: 600 });
  if (facts.kind !== "seen") throw new Error(facts.said);
  return facts;
}

const withAll = (body: () => void) =>
  describeWithOwnEngine("mariadb", "doctor in queued mode", () =>
    describeWithOwnEngine("redis", "beside a Redis", () => describeWithOwnEngine("rabbitmq", "and a RabbitMQ", body)),
  );

withAll(() => {
  let maria: MariadbServer;
  let redis: RedisServer;
  let rabbit: RabbitmqServer;
  beforeAll(async () => {
    [maria, redis, rabbit] = await Promise.all([openMariadb(), openRedis({ config: { maxmemory: "256mb" } }), openRabbitmq()]);
  }, 120_000);
  afterAll(() => Promise.all([maria, redis, rabbit].map((engine) => engine.close())), 60_000);

  /** A database and a virtual host of its own, and the Redis of all. */
  async function installation(name: string): Promise<Record<string, string>> {
    return {
      DOORBUSTER_MODE: "queued",
      DOORBUSTER_DATABASE_URL: await maria.database(name),
      DOORBUSTER_REDIS_URL: redis.url,
      DOORBUSTER_BROKER_URL: await rabbit.database(name),
      DOORBUSTER_API_KEY: apiKey,
      ...secrets,
    };
  }
  const start = (env: Env) => ServerProcess.start({ dataDir: join(tempFolder().path, "data"), env });

  test(
    "[H7] a good installation is well, before the first start, with processes that live, and in both runtimes",
    async () => {
      const env = await installation("doc_good");
      const before = await doctor(env);
      expect([badAt(before), before.code, before.err]).toEqual([{ "database-schema": "warning" }, 0, ""]);
      const api = await start({ ...env, DOORBUSTER_ROLES: "api" });
      const alone = await doctor(env);
      expect(badAt(alone)).toEqual({ processes: "warning" });
      expect(find(alone.findings, "broker-readers")?.found).toEndWith("nobody reads, and nothing waits");
      const both = await start(env);
      for (const runtime of ["bun", "node"] as const) {
        const well = await doctor(env, runtime);
        expect([badAt(well), well.code, well.err]).toEqual([{}, 0, ""]);
        expect(find(well.findings, "broker-readers")?.found).toBe("each queue has its reader");
        expect(find(well.findings, "queue-clocks")?.found).toContain("the database's");
      }
      const server = await seenAt(env["DOORBUSTER_DATABASE_URL"] ?? "");
      const asked = (partitions: number) => askBroker(env["DOORBUSTER_BROKER_URL"] ?? "", { partitions, server });
      expect(badIn(await asked(6))).toEqual({ "broker-queues": "warning" });
      expect(badIn(await asked(2))).toEqual({ "broker-partitions": "warning" });
      for (const server of [api, both]) await server.stop();
    },
    slow,
  );

  test(
    "[H7] what a start refuses is one line, exit code 1, and a problem for doctor",
    async () => {
      const env = await installation("doc_refused");
      await using node = await openRedis({ config: { "cluster-enabled": "yes", databases: 1 } });
      await using evicting = await openRedis({ maxmemoryPolicy: "allkeys-lru" });
      await using replica = await openRedis({ replicaOf: evicting });
      expect((await runCommand(["migrate"], { env })).code).toBe(0);
      const url = env["DOORBUSTER_DATABASE_URL"] ?? "";
      await runSql(url, "INSERT INTO scope (id, state, epoch, feed, closing, queue_partition) VALUES (77, 'open', 1, 0, 0, 5)");
      const cases: readonly [Env, RegExp][] = [
        [{ DOORBUSTER_REDIS_URL: node.url }, /Open the cache: it runs in cluster mode, [^\n]+/],
        [{ DOORBUSTER_REDIS_URL: replica.url }, /Open the cache: it is a replica of 127\.0\.0\.1:\d+; [^\n]+/],
        [{ DOORBUSTER_REDIS_URL: evicting.url }, /Open the cache: its maxmemory-policy is "allkeys-lru", [^\n]+/],
        [{}, /Open the broker: sales of this database need 6 partitions, and 4 are configured[^\n]+/],
      ];
      for (const [change, line] of cases) {
        const args = ["serve", "--data-dir", join(tempFolder().path, "data"), "--port", "0"];
        const refused = await runCommand(args, { env: { ...env, ...change }, withinMs: 20_000 });
        expect([refused.code, refused.out]).toEqual([1, ""]);
        expect(refused.err).toMatch(new RegExp(`^doorbuster: ${line.source}\n$`));
      }
      expect(find(await askCache(node.url), "cache-mode")?.level).toBe("problem");
      expect(find(await askCache(replica.url), "cache-role")?.level).toBe("problem");
      expect(find(await askCache(evicting.url), "cache-eviction")?.level).toBe("problem");
      const examined = await doctor(env);
      expect([badAt(examined), examined.code]).toEqual([{ "broker-partitions": "problem" }, 1]);
      const [, option = "", partitions = ""] = /^(\w+)=(\d+)/.exec(find(examined.findings, "broker-partitions")?.fix ?? "") ?? [];
      const enough = await start({ ...env, [option]: partitions });
      await enough.stop();
    },
    slow,
  );

  test(
    "[H7] a sale that cannot open names the process it waits for, and goes on when that is ended as the fix says",
    async () => {
      const env = await installation("doc_stuck");
      const url = env["DOORBUSTER_DATABASE_URL"] ?? "";
      using way = await TcpProxy.open(rabbit.url);
      const cutOff = await start({
        ...env,
        DOORBUSTER_ROLES: "api",
        DOORBUSTER_BROKER_URL: way.through(env["DOORBUSTER_BROKER_URL"] ?? ""),
      });
      const worker = await start({ ...env, DOORBUSTER_ROLES: "worker,api" });
      way.refuse();
      way.reset();
      await runSql(url, "INSERT INTO scope (id, state, epoch, feed, closing, queue_partition) VALUES (77, 'closing', 1, 0, 1, 1)");
      await runSql(url, "INSERT INTO scope_wait (scope_id, closing, process, life) SELECT 77, 1, number, life FROM process");
      const stuck = await doctor(env);
      expect(badAt(stuck)).toEqual({ "queue-scopes": "problem" });
      const found = find(stuck.findings, "queue-scopes")?.found ?? "";
      expect(found).toContain("scope 77 is being closed, and was for 8000 ms of looking: it waits for the end mark of number");
      expect([found.includes(` ${cutOff.child.pid}")`), found.includes(` ${worker.child.pid}")`)]).toEqual([true, false]);
      const kills = commandsIn(stuck.findings, /^kill /);
      expect(kills).toEqual([["kill", String(cutOff.child.pid)]]);
      process.kill(cutOff.child.pid ?? 0, "SIGTERM");
      await cutOff.exited;
      await waitFor("the end of the closing", async () => (await runSql(url, "SELECT state FROM scope"))[0]?.["state"] === "closed");
      expect(badAt(await doctor(env))).toEqual({});
      await worker.stop();
    },
    slow,
  );

  test(
    "[H7] encryption: a certificate that somebody signed is looked at, one that nobody did is refused",
    async () => {
      const { ca, signed } = certificates();
      const { pem, key } = signed("localhost");
      const [redisPort = 0, rabbitPort = 0] = (await reservePorts(2)).numbers;
      const tls = { "tls-port": redisPort, "tls-cert-file": pem, "tls-key-file": key, "tls-ca-cert-file": ca, "tls-auth-clients": "no" };
      await using cache = await openRedis({ config: { ...tls, maxmemory: "256mb" } });
      const ssl = {
        "ssl_options.certfile": pem,
        "ssl_options.keyfile": key,
        "ssl_options.cacertfile": ca,
        "ssl_options.verify": "verify_none",
      };
      await using broker = await openRabbitmq({ settings: { "listeners.ssl.1": `127.0.0.1:${rabbitPort}`, ...ssl } });
      const encrypted = (text: string, port: number) => text.replace(/^(\w+):/, "$1s:").replace(/@[^/]*/, `@localhost:${port}`);
      const env = {
        ...(await installation("doc_tls")),
        DOORBUSTER_REDIS_URL: encrypted(cache.url, redisPort),
        DOORBUSTER_BROKER_URL: encrypted(broker.url, rabbitPort),
      };
      const told = ({ findings }: Examined) => ["cache-transport", "broker-transport"].map((id) => find(findings, id)?.found);
      for (const runtime of ["bun", "node"] as const) {
        const known = await doctor({ ...env, NODE_EXTRA_CA_CERTS: ca }, runtime);
        expect(told(known)).toEqual(["within this machine, encrypted", "within this machine, encrypted"]);
      }
      for (const findings of [await askCache(env.DOORBUSTER_REDIS_URL), await askBroker(env.DOORBUSTER_BROKER_URL)]) {
        expect(badIn(findings)).toEqual({ [findings[0]?.id ?? ""]: "problem" });
        expect(findings[0]?.found).toContain("the two do not agree about encryption");
      }
    },
    slow,
  );
});

for (const name of ["mariadb", "postgres"] as const)
  describeWithEngine(name, `what a ${name} keeps for queued mode`, (engine) => {
    test(
      "scopes that move on are not told, those that do not are, with whom they wait for; and what could not be settled",
      async () => {
        const url = await engine().database("doc_queue");
        expect((await runCommand(["migrate"], { env: { DOORBUSTER_MODE: "sql", DOORBUSTER_DATABASE_URL: url } })).code).toBe(0);
        const run = async (...statements: readonly string[]) => {
          for (const statement of statements) await runSql(url, statement);
        };
        const look = async () => {
          const facts = await seenAt(url);
          return { facts, findings: judgeAll(scopesChecks, { server: facts, cache: undefined }) };
        };
        const empty = await look();
        expect([badIn(empty.findings), empty.facts.queue?.partitionMax]).toEqual([{}, undefined]);
        await run(
          `INSERT INTO process (number, life, name, roles, version, secrets, started_at, until_at)
             VALUES (5, 'five', 'web-1 4711', 'api', '0', 's', 1, 9000000000000), (6, 'six', 'web-2 4712', 'api worker', '0', 's', 1, 9000000000000),
                    (7, 'seven', 'web-3 4713', 'api', '0', 's', 1, 2)`,
          `INSERT INTO scope (id, state, epoch, feed, closing, queue_partition)
             VALUES (71, 'closing', 1, 0, 3, 2), (72, 'opening', 4, 0, 1, 6), (73, 'closing', 1, 0, 1, 1), (74, 'closed', 9, 0, 1, 200)`,
          `INSERT INTO scope_wait (scope_id, closing, process, life) VALUES (71, 3, 5, 'five'), (71, 3, 6, 'six'), (71, 3, 7, 'seven'), (71, 2, 6, 'six')`,
          `INSERT INTO scope_mark (scope_id, closing, process, life) VALUES (71, 3, 6, 'six'), (71, 2, 5, 'five')`,
          `INSERT INTO dead_letter (id, tries, at_ms, letter) VALUES ('900', 5, 1000, '{"problem":"no such sale"}'), ('message-x', 0, 2000, '{"problem":"is not JSON"}')`,
          `INSERT INTO failed_line (id, tries, problem, at_ms) VALUES (900, 5, 'put aside since', 1), (901, 2, 'settled since', 2), (902, 3, 'too long', 3)`,
          `INSERT INTO purchase (id, sale_id, product_id, buyer_id, quantity, price_minor, currency, buyer_limit, accepted_at, pay_by, state, hold_until, changed_at, refunded)
             VALUES (901, 1, 1, 1, 1, 1, 'EUR', 1, 1, 1, 'reserved', 1, 1, 0)`,
        );
        const watching = look();
        // The third gets on while it is watched.
        await run("UPDATE scope SET state = 'open' WHERE id = 73");
        const { facts, findings } = await watching;
        expect(facts.queue).toEqual({
          partitionMax: 6,
          stuck: [
            { id: "71", state: "closing", watchedMs: 600, owing: [{ number: 5, name: "web-1 4711" }] },
            { id: "72", state: "opening", watchedMs: 600, owing: [] },
          ],
          deadLetters: { count: 2, oldestAtMs: 1_000, problem: "is not JSON" },
          failedLines: { count: 1, oldestAtMs: 3, problem: "too long" },
        });
        expect(badIn(findings)).toEqual({ "queue-scopes": "problem", "queue-dead-letters": "warning", "queue-failed-lines": "warning" });
        expect(find(findings, "queue-scopes")?.fix).toContain("kill 4711");
      },
      slow,
    );
  });
