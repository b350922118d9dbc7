/** Queued mode with all three servers beyond TLS: whoever can read the network between them reads nothing. */
import { expect, test } from "bun:test";
import { certificates } from "../harness/certificates.ts";
import { describeWithOwnEngine } from "../harness/engines/describe-with-engine.ts";
import { openMariadb } from "../harness/engines/mariadb.ts";
import { reservePorts } from "../harness/engines/ports.ts";
import { openRabbitmq } from "../harness/engines/rabbitmq.ts";
import { openRedis } from "../harness/engines/redis.ts";
import { runCommand } from "../harness/run-command.ts";
import { ServerProcess, type Runtime } from "../harness/server-process.ts";
import { Shop } from "../harness/shop.ts";
import { tempFolder } from "../harness/volumes.ts";
import { waitFor } from "../harness/wait.ts";

const secret = "0123456789abcdef0123456789abcdef0123456789abcdef";

const withAll = (body: () => void) =>
  describeWithOwnEngine("mariadb", "a sale beyond TLS", () =>
    describeWithOwnEngine("redis", "to a Redis", () => describeWithOwnEngine("rabbitmq", "and a RabbitMQ", body)),
  );

withAll(() => {
  test("[C1] a sale runs over TLS to database, cache and broker on both runtimes; a certificate that nobody vouches for is refused", async () => {
    const { ca, signed } = certificates();
    const { pem, key } = signed("localhost");
    const [redisPort = 0, rabbitPort = 0] = (await reservePorts(2)).numbers;
    await using database = await openMariadb({ settings: { "ssl-cert": pem, "ssl-key": key, "ssl-ca": ca } });
    await using cache = await openRedis({
      config: { "tls-port": redisPort, "tls-cert-file": pem, "tls-key-file": key, "tls-ca-cert-file": ca, "tls-auth-clients": "no" },
    });
    await using broker = await openRabbitmq({
      settings: {
        "listeners.ssl.1": `127.0.0.1:${rabbitPort}`,
        "ssl_options.certfile": pem,
        "ssl_options.keyfile": key,
        "ssl_options.cacertfile": ca,
        "ssl_options.verify": "verify_none",
      },
    });
    const at = (url: string, port: number) => url.replace(/^(\w+):/, "$1s:").replace(/@[^/]*/, `@localhost:${port}`);
    const distrusted = {
      DOORBUSTER_MODE: "queued",
      DOORBUSTER_DATABASE_URL: `${(await database.database("tls")).replace("127.0.0.1", "localhost")}?ssl-mode=VERIFY_IDENTITY`,
      DOORBUSTER_REDIS_URL: at(cache.url, redisPort),
      DOORBUSTER_BROKER_URL: at(broker.url, rabbitPort),
      DOORBUSTER_TOKEN_SECRET: secret,
      DOORBUSTER_ACCOUNT_SECRET: secret,
    };
    const env = { ...distrusted, NODE_EXTRA_CA_CERTS: ca };
    const of = (roles: string, runtime: Runtime) => ({
      dataDir: tempFolder().path,
      runtime,
      env,
      entry: ["src/main.ts", "serve", "--roles", roles],
    });
    const workers = [ServerProcess.spawn(of("worker", "node")), ServerProcess.spawn(of("worker", "bun"))];
    const apis = [await ServerProcess.start(of("api", "bun")), await ServerProcess.start(of("api", "node"))];
    const sale = await new Shop(() => apis[0]?.url ?? "").liveSale({ stock: 2 });
    for (const [i, buyer] of ["ann", "bob"].entries()) {
      const shop = new Shop(() => apis[i]?.url ?? "");
      // Another process than the one that published may have to hear of it first: 503 says that nothing was tried.
      const bought = await waitFor("an answer", async () => {
        const answer = await shop.buy(sale, buyer, { key: buyer });
        return answer.status === 503 ? undefined : answer;
      });
      expect([buyer, bought.status, bought.reason]).toEqual([buyer, 201, undefined]);
    }
    expect(await broker.ctl("list_connections", "ssl")).not.toContain("false");
    for (const process of [...apis, ...workers]) expect(await process.stop()).toBe(0);
    const verified = await runCommand(["verify"], { env: { ...env, DOORBUSTER_DATA_DIR: tempFolder().path } });
    expect([verified.code, verified.err]).toEqual([0, ""]);

    for (const runtime of ["bun", "node"] as const) {
      const refused = await runCommand(["serve", "--port", "0"], {
        env: { ...distrusted, DOORBUSTER_DATA_DIR: tempFolder().path },
        runtime,
        withinMs: 30_000,
      });
      expect(refused.code).toBe(1);
      expect(refused.err).toMatch(/certificate|self.signed|issuer/i);
    }
  }, 120_000);
});
