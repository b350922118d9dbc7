/** Queued mode while its processes, engines and lines break. `npm run nemesis -- --mode queued` strikes with all there is. */
import { expect, test } from "bun:test";
import { idOf, Shop, type Answer } from "../harness/shop.ts";
import { describeWithOwnEngine } from "../harness/engines/describe-with-engine.ts";
import { verifyStore } from "../harness/verify-store.ts";
import { waitFor } from "../harness/wait.ts";
import { battle } from "./cluster/battle.ts";
import { Cluster } from "./cluster/cluster.ts";
import { faultNamed } from "./cluster/faults.ts";

/** On a machine that runs all the tests at once. */
const patience = 6;
const seed = Number(process.env["NEMESIS_SEED"] ?? Math.floor(Math.random() * 100_000));
const tell = (line: string) => void process.stderr.write(`${line}\n`);
const struck = [
  "api-killed-between-script-and-publish",
  "api-frozen-between-script-and-publish",
  "worker-killed-between-commit-and-ack",
  "duplicate-delivery",
  "slow-consumer",
  "redis-killed",
  "redis-lost-its-tail",
  "redis-flushed",
  "rabbit-killed",
  "database-killed",
  "memory-alarm",
  "all-at-once",
] as const;

const withAll = (title: string, body: () => void) =>
  describeWithOwnEngine("mariadb", title, () =>
    describeWithOwnEngine("redis", "with a Redis", () => describeWithOwnEngine("rabbitmq", "and a RabbitMQ", body)),
  );

withAll("queued mode under faults", () => {
  test(
    `[I1] [I2] [I3] [I4] [I5] [I8] [I10] [I12] it sells again and settles by itself, whatever breaks, with a log that is synced once a second: NEMESIS_SEED=${seed}`,
    async () => {
      const options = { mode: "queued", database: "mariadb", appendfsync: "everysec", seed, patience, tell } as const;
      const outcome = await battle(struck.map(faultNamed), options);
      expect(outcome.problems).toEqual([]);
      expect(outcome.rounds).toHaveLength(struck.length);
      expect(outcome.accepted).toBeGreaterThan(200);
      expect(outcome.verdict?.checks.find(({ id }) => id === "I10")?.verdict).toBe("valid");
    },
    { timeout: 900_000 },
  );

  test(
    "negative control: a server that takes messages for confirmed which it never sent turns the same run red",
    async () => {
      const options = { mode: "queued", database: "mariadb", seed: 1, planted: "confirm-unsent", restMaxMs: 1_000 } as const;
      const { problems } = await battle([faultNamed("redis-flushed")], { ...options, patience });
      expect(problems.join("\n")).toMatch(/C2|C3|I10/);
    },
    { timeout: 300_000 },
  );
});

withAll("queued mode, directed", () => {
  test(
    "[QE6] [QL1] orders that are still queued when everything goes down are not sold again, nor is their buyers' limit; and a flushed cache says so in its first answer",
    async () => {
      await using cluster = await Cluster.open({ mode: "queued", database: "mariadb", appendfsync: "everysec" });
      const [api, other] = cluster.apis;
      // What a stopped process was asked is not answered within any bound of ours; nobody asks one here.
      const shop = new Shop(() => api?.url ?? "");
      const saleId = await shop.liveSale({ stock: 5, per_buyer_limit: 1 });
      const buy = (buyer: string, key = "k", headers: Record<string, string> = {}) =>
        shop.post(`/api/v1/sales/${saleId}/purchases`, { buyer, key, body: { quantity: 1 }, headers });
      for (const worker of cluster.workers) worker.freeze();
      const queued: Answer[] = [];
      for (let buyer = 0; buyer < 5; buyer++) queued.push(await buy(`b${buyer}`, "k", { prefer: "respond-async" }));
      expect(queued.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
      expect((await buy("b0", "another key")).status).toBe(409);
      expect((await buy("b5")).status).toBe(409);

      await Promise.all([...cluster.engines.map((engine) => engine.kill()), ...cluster.members.map((member) => member.kill())]);
      // Of the cache nothing is left at all.
      cluster.redis.cutAof(cluster.redis.aofBytes());
      await Promise.all(cluster.engines.map((engine) => engine.start()));
      for (const member of cluster.members) await member.start();

      const definite = (ask: () => Promise<Answer>) =>
        waitFor("a definite answer", () => ask().then((answer) => answer.status < 500 && answer), { withinMs: 60_000, everyMs: 100 });
      expect((await definite(() => buy("b6"))).reason).toBe("all_taken");
      expect((await definite(() => buy("b0", "another key"))).reason).toBe("limit_reached");
      for (const [buyer, first] of queued.entries()) {
        expect((await definite(() => buy(`b${buyer}`))).data["id"]).toBe(idOf(first));
        expect(await shop.orderState(idOf(first))).toBe("reserved");
      }

      const open = await shop.liveSale({ stock: 100, per_buyer_limit: 1 });
      await waitFor("both to sell", async () => {
        const urls = [api?.url ?? "", other?.url ?? ""];
        const answers = await Promise.all(
          urls.map((url, i) => new Shop(() => url).buy(open, `w${i}-${performance.now()}`.replace(".", "-"))),
        );
        return answers.every(({ status }) => status === 201);
      });
      await cluster.redis.cli("FLUSHALL");
      for (const member of [api, other]) expect((await new Shop(() => member?.url ?? "").buy(open, "late")).reason).toBe("rebuilding");
      expect((await definite(() => shop.buy(open, "late"))).status).toBe(201);

      const verdict = async () => verifyStore(cluster.folder, { env: cluster.environment, atRest: true });
      await waitFor("agreement", async () => (await verdict()).problems.length === 0, { withinMs: 60_000, everyMs: 200 });
    },
    { timeout: 300_000 },
  );
});
