/** The cache on a real Redis, behind two proxies: what is lost or late on one way is not on the other. */
import { RedisConnection } from "../../src/adapters/redis/redis-connection.ts";
import { RedisStockCache } from "../../src/adapters/redis/stock-cache.ts";
import type { ReserveAsk, StockCache } from "../../src/ports/stock-cache.ts";
import type { CacheFixture } from "../contract/stock-cache.ts";
import { openRedis, type RedisOptions } from "../harness/engines/redis.ts";
import { TcpProxy } from "../harness/tcp-proxy.ts";
import { waitFor } from "../harness/wait.ts";

const callTimeoutMs = 400;
const loadTimeoutMs = 10_000;
const readyWithinMs = 10_000;

export async function openRedisFixture(options: RedisOptions = {}): Promise<CacheFixture> {
  const redis = await openRedis(options);
  const [plain, faulty] = [await TcpProxy.open(redis.url), await TcpProxy.open(redis.url)];
  let nowMs = 0;
  const open = async (proxy: TcpProxy) => {
    const [connection, bulk] = [callTimeoutMs, loadTimeoutMs].map((timeout) =>
      RedisConnection.open({ url: proxy.through(redis.url), name: "tests", callTimeoutMs: timeout }),
    ) as [RedisConnection, RedisConnection];
    await Promise.all([connection.ready(readyWithinMs), bulk.ready(readyWithinMs)]);
    return { cache: new RedisStockCache({ connection, bulk, nowMs: () => nowMs }), connection, bulk };
  };
  const [good, bad] = [await open(plain), await open(faulty)];
  /** Whoever makes the next call of `reserve`. */
  let next: ((ask: ReserveAsk) => ReturnType<StockCache["reserve"]>) | undefined;
  const cache = Object.assign(Object.create(good.cache) as StockCache, {
    reserve: (ask: ReserveAsk) => {
      const run = next ?? ((each: ReserveAsk) => good.cache.reserve(each));
      next = undefined;
      return run(ask);
    },
  });
  for (const name of ["journaled", "apply", "quote", "look", "accepted", "outbox", "findKey", "records", "load", "drop", "loaded"] as const)
    // Methods of the real one, which keeps its connections to itself.
    Object.assign(cache, { [name]: good.cache[name].bind(good.cache) });
  const start = async () => {
    await redis.start();
    for (const { connection, bulk } of [good, bad])
      await waitFor("the cache's connections", () => connection.isReady && bulk.isReady, { withinMs: readyWithinMs });
  };
  return {
    cache,
    setTime: (to) => void (nowMs = to),
    flush: async () => void (await redis.cli("FLUSHALL")),
    restart: async () => {
      await redis.kill();
      await start();
    },
    remember: async () => {
      const bytes = redis.aofBytes();
      return async () => {
        await redis.kill();
        redis.cutAof(redis.aofBytes() - bytes);
        await start();
      };
    },
    loseAnswer: async () => {
      next = async (ask) => {
        faulty.cut("replies");
        const answer = await bad.cache.reserve(ask);
        await faulty.restore();
        return answer;
      };
    },
    delayCall: async () => {
      next = (ask) => {
        faulty.blackHole();
        return bad.cache.reserve(ask);
      };
      return async () => {
        await faulty.restore();
        // It comes behind what was held.
        await waitFor("what was late", async () => (await bad.connection.ask(["PING"])).kind === "ok", { withinMs: readyWithinMs });
      };
    },
    close: async () => {
      for (const { connection, bulk } of [good, bad]) {
        connection.close();
        bulk.close();
      }
      plain.close();
      faulty.close();
      await redis.close();
    },
  };
}
