/** Somebody else has been at the cache's keys. */
import { expect, test } from "bun:test";
import { RedisConnection } from "../../src/adapters/redis/redis-connection.ts";
import { RedisStockCache } from "../../src/adapters/redis/stock-cache.ts";
import { at, cutOf, scopeId } from "../contract/cache-script.ts";
import { describeWithOwnEngine } from "../harness/engines/describe-with-engine.ts";
import { openRedis } from "../harness/engines/redis.ts";
import { buyerId, purchaseId, sampleNowMs, sampleSale } from "../kit/samples.ts";

const withinMs = 20_000;
const sale = sampleSale({ id: scopeId, balances: { issued: 5, available: 5 } });
const prefix = `{db:${scopeId}}:${at.epoch}`;
const first = { purchaseId: purchaseId("100"), buyerId: buyerId(1), key: undefined, quantity: 1 };
const other = { ...first, purchaseId: purchaseId("101"), buyerId: buyerId(2) };

type Call = (cache: RedisStockCache) => Promise<{ readonly kind: string }>;
const damages: readonly (readonly [what: string, command: readonly string[], call: Call])[] = [
  [
    "a sale without a currency",
    ["HSET", `${prefix}:${sale.id}:sale`, "currency", "?"],
    (cache) => cache.reserve({ ...at, saleId: sale.id, lines: [other] }),
  ],
  [
    "a record that is no line",
    ["HSET", `${prefix}:records`, first.purchaseId, "1-1 700 [broken"],
    (cache) => cache.records({ ...at, purchaseIds: [first.purchaseId] }),
  ],
  [
    "an accepted buyer without a number",
    ["RPUSH", `${prefix}:${sale.id}:accepted`, "nobody"],
    (cache) => cache.accepted({ ...at, saleId: sale.id, from: 0, countMax: 10 }),
  ],
];

describeWithOwnEngine("redis", "Redis with keys that somebody changed", () => {
  test.each(damages)("[QU10] %s: unknown once, then lost, and whole in the next epoch", async (_, command, call) => {
    await using opened = new AsyncDisposableStack();
    const redis = opened.use(await openRedis());
    const connection = RedisConnection.open({ url: redis.url, name: "tests", callTimeoutMs: 2_000 });
    opened.defer(() => connection.close());
    await connection.ready(withinMs);
    const told: string[] = [];
    const onDamage = (message: string) => void told.push(message);
    const cache = new RedisStockCache({ connection, bulk: connection, nowMs: () => sampleNowMs, onDamage });
    await cache.load(cutOf({ sale }));
    await cache.reserve({ ...at, saleId: sale.id, lines: [first] });
    await redis.cli(...command);
    expect([(await call(cache)).kind, (await call(cache)).kind]).toEqual(["unknown", "closed"]);
    expect((await cache.look({ ...at, saleId: sale.id })).kind).toBe("closed");
    expect(told).toEqual([expect.stringContaining(prefix)]);
    await cache.load(cutOf({ sale }, [], at.epoch + 1));
    expect(await cache.look({ ...at, epoch: at.epoch + 1, saleId: sale.id })).toMatchObject({ kind: "ok", value: { available: 5 } });
  });
});
