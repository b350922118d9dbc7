/** A managed Redis fails over: the server we speak to becomes a replica, the address leads to another, and no connection ends. */
import { expect, test } from "bun:test";
import { RedisConnection } from "../../src/adapters/redis/redis-connection.ts";
import { RedisStockCache } from "../../src/adapters/redis/stock-cache.ts";
import { at, cutOf, scopeId } from "../contract/cache-script.ts";
import { describeWithOwnEngine } from "../harness/engines/describe-with-engine.ts";
import { openRedis } from "../harness/engines/redis.ts";
import { TcpProxy } from "../harness/tcp-proxy.ts";
import { waitFor } from "../harness/wait.ts";
import { buyerId, purchaseId, sampleNowMs, sampleSale } from "../kit/samples.ts";

const withinMs = 20_000;
const sale = sampleSale({ id: scopeId, balances: { issued: 5, available: 5 } });

describeWithOwnEngine("redis", "Redis that is demoted", () => {
  async function open() {
    const opened = new AsyncDisposableStack();
    const first = opened.use(await openRedis());
    const second = opened.use(await openRedis({ replicaOf: first }));
    const proxy = opened.use(await TcpProxy.open(first.url));
    const connect = () => {
      const connection = RedisConnection.open({ url: proxy.through(first.url), name: "tests", callTimeoutMs: 2_000 });
      opened.defer(() => connection.close());
      return connection;
    };
    const [connection, bulk] = [connect(), connect()];
    await Promise.all([connection.ready(withinMs), bulk.ready(withinMs)]);
    const cache = new RedisStockCache({ connection, bulk, nowMs: () => sampleNowMs });
    expect((await cache.load(cutOf({ sale }))).kind).toBe("ok");
    const failOver = async () => {
      await second.cli("REPLICAOF", "NO", "ONE");
      await first.cli("REPLICAOF", "127.0.0.1", String(second.port));
      proxy.leadTo(second.url);
    };
    return { cache, connection, promoted: second, failOver, [Symbol.asyncDispose]: () => opened.disposeAsync() };
  }

  const line = { purchaseId: purchaseId("100"), buyerId: buyerId(1), key: undefined, quantity: 1 };

  test("[QU7] closes its epoch in the answer to the first call, and the next one is loaded where the address leads", async () => {
    await using redis = await open();
    await redis.failOver();
    expect((await redis.cache.reserve({ ...at, saleId: sale.id, lines: [line] })).kind).toBe("closed");
    // Each connection finds out for itself.
    const load = () => redis.cache.load(cutOf({ sale }, [], at.epoch + 1));
    await waitFor("the next epoch's loading", async () => (await load()).kind === "ok", { withinMs });
    expect(await redis.promoted.cli("KEYS", "*:4:scope")).toBe(`{db:${scopeId}}:4:scope`);
    const reserve = () => redis.cache.reserve({ ...at, epoch: at.epoch + 1, saleId: sale.id, lines: [line] });
    await waitFor("an answer of the next epoch", async () => (await reserve()).kind === "ok", { withinMs });
  }, 60_000);

  test("[QU7] nor does a replica answer who only looks: what it has is old", async () => {
    await using redis = await open();
    const look = () => redis.cache.look({ ...at, saleId: sale.id });
    expect((await look()).kind).toBe("ok");
    await redis.failOver();
    expect((await look()).kind).toBe("closed");
    // The server that decides now says so, too.
    await waitFor("the other connection", () => redis.connection.isReady, { withinMs });
    expect((await look()).kind).toBe("closed");
  }, 60_000);
});
