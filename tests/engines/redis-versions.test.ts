/** Two versions of this program, whose scripts differ, on one Redis: as while a fleet is restarted one after the other. */
import { expect, test } from "bun:test";
import { changedBodies, EpochScripts } from "../../src/adapters/redis/epoch-scripts.ts";
import { RedisConnection } from "../../src/adapters/redis/redis-connection.ts";
import { RedisStockCache } from "../../src/adapters/redis/stock-cache.ts";
import { at, cutOf, scopeId } from "../contract/cache-script.ts";
import { describeWithOwnEngine } from "../harness/engines/describe-with-engine.ts";
import { openRedis } from "../harness/engines/redis.ts";
import { waitFor } from "../harness/wait.ts";
import { buyerId, purchaseId, sampleNowMs, sampleSale } from "../kit/samples.ts";

const withinMs = 20_000;
const sale = sampleSale({ id: scopeId, balances: { issued: 5, available: 5 } });
const line = (id: number) => ({ purchaseId: purchaseId(String(id)), buyerId: buyerId(id), key: undefined, quantity: 1 });
const otherBodies = changedBodies((name, body) => `local version = "${name} of another"\n${body}`);

describeWithOwnEngine("redis", "Redis between two versions", () => {
  async function open() {
    const opened = new AsyncDisposableStack();
    const redis = opened.use(await openRedis());
    const cacheOf = async (scripts: EpochScripts) => {
      const [connection, bulk] = [0, 1].map(() => RedisConnection.open({ url: redis.url, name: "tests", callTimeoutMs: 2_000 })) as [
        RedisConnection,
        RedisConnection,
      ];
      opened.defer(() => connection.close());
      opened.defer(() => bulk.close());
      await Promise.all([connection.ready(withinMs), bulk.ready(withinMs)]);
      return { cache: new RedisStockCache({ connection, bulk, nowMs: () => sampleNowMs, scripts }), connection };
    };
    return { redis, cacheOf, [Symbol.asyncDispose]: () => opened.disposeAsync() };
  }
  const reserved = async (cache: RedisStockCache, id: number) => {
    const answer = await cache.reserve({ ...at, saleId: sale.id, lines: [line(id)] });
    return answer.kind === "ok" ? answer.value.outcomes[0]?.kind : answer.kind;
  };

  test("[QU9] whoever opened it, both sell out of the same epoch", async () => {
    await using opened = await open();
    const [own, other] = [await opened.cacheOf(new EpochScripts()), await opened.cacheOf(new EpochScripts(otherBodies))];
    expect((await own.cache.load(cutOf({ sale }))).kind).toBe("ok");
    const sold = [];
    for (const [index, { cache }] of [own, other, own, other, own, other].entries()) sold.push(await reserved(cache, 100 + index));
    expect(sold).toEqual(["accepted", "accepted", "accepted", "accepted", "accepted", "refused"]);
    const view = await other.cache.look({ ...at, saleId: sale.id });
    expect(view).toMatchObject({ kind: "ok", value: { available: 0, held: 5, accepted: 5 } });
  });

  test("[QU7] what a server forgot is lost to both, though its data are there", async () => {
    await using opened = await open();
    const [own, other] = [await opened.cacheOf(new EpochScripts()), await opened.cacheOf(new EpochScripts(otherBodies))];
    await own.cache.load(cutOf({ sale }));
    expect(await reserved(other.cache, 100)).toBe("accepted");
    await opened.redis.kill();
    await opened.redis.start();
    for (const { connection } of [own, other]) await waitFor("the connection", () => connection.isReady, { withinMs });
    expect(await opened.redis.cli("EXISTS", `{db:${scopeId}}:${at.epoch}:scope`)).toContain("1");
    expect([await reserved(own.cache, 101), await reserved(other.cache, 102)]).toEqual(["closed", "closed"]);
  });

  test("[QU9] a version that calls them otherwise leaves alone what a later one opened, and counts anew what an earlier one did", async () => {
    await using opened = await open();
    const [earlier, later] = [await opened.cacheOf(new EpochScripts()), await opened.cacheOf(new EpochScripts(otherBodies, 2))];
    await later.cache.load(cutOf({ sale }));
    expect([await reserved(earlier.cache, 100), await reserved(later.cache, 101)]).toEqual(["failed", "accepted"]);
    await opened.redis.cli("SCRIPT", "FLUSH");
    expect([await reserved(earlier.cache, 102), await reserved(later.cache, 103)]).toEqual(["closed", "closed"]);
    const next = { ...at, epoch: at.epoch + 1 };
    await earlier.cache.load(cutOf({ sale }, [], next.epoch));
    expect((await later.cache.reserve({ ...next, saleId: sale.id, lines: [line(104)] })).kind).toBe("closed");
  });
});
