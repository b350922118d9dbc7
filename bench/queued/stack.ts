/** Queued mode as an operator has it, on engines of this machine that keep all they say: cache, broker, database, and a shop. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRabbitmq, type RabbitmqServer } from "../../tests/harness/engines/rabbitmq.ts";
import { openRedis, type RedisServer } from "../../tests/harness/engines/redis.ts";
import { purchase } from "../servers.ts";
import { fillShop, type Api, type Shop } from "../sql/deployment.ts";
import { openEngine, type Engine, type EngineName } from "../sql/engines.ts";

export type Stack = {
  readonly database: Engine;
  readonly redis: RedisServer;
  readonly broker: RabbitmqServer;
  readonly shop: Shop;
  /** What makes a process one of queued mode. */
  readonly settings: Readonly<Record<string, string>>;
  readonly folder: string;
};

const partitions = 4;
const openingMaxMs = 30_000;

export async function withStack<Value>(name: EngineName, visitors: number, use: (stack: Stack) => Promise<Value>): Promise<Value> {
  const folder = mkdtempSync(join(tmpdir(), "doorbuster-bench-"));
  await using opened = new AsyncDisposableStack();
  opened.defer(() => rmSync(folder, { recursive: true, force: true }));
  const database = await openEngine(name);
  opened.defer(() => database.close());
  // Its log synced before each answer.
  const redis = opened.use(await openRedis({ appendfsync: "always" }));
  const broker = opened.use(await openRabbitmq());
  const shop = await fillShop(await database.database("shop"), { folder, visitors, partitions });
  const settings = {
    DOORBUSTER_MODE: "queued",
    DOORBUSTER_REDIS_URL: redis.url,
    DOORBUSTER_BROKER_URL: broker.url,
    DOORBUSTER_BROKER_PARTITIONS: String(partitions),
  };
  return await use({ database, redis, broker, shop, settings, folder });
}

/** Until the cache has the sale: a purchase is then accepted, or refused for good. */
export async function opened(api: Api, shop: Shop, paths: string): Promise<void> {
  const untilMs = performance.now() + openingMaxMs;
  for (;;) {
    const { status } = await purchase(api.url, paths, shop);
    if (status < 500) return;
    if (performance.now() > untilMs) throw new Error(`A sale did not open: ${status}`);
    await Bun.sleep(50);
  }
}
