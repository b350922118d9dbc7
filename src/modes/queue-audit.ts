/** What `verify` looks at beside the ledger in queued mode: over connections of its own, and without changing anything. */
import { queueDepths } from "../adapters/rabbitmq/queue-depths.ts";
import { RedisConnection } from "../adapters/redis/redis-connection.ts";
import { RedisStockCache } from "../adapters/redis/stock-cache.ts";
import { ServerDatabase } from "../adapters/sql/server-database.ts";
import { ServerQueueLedger } from "../adapters/sql/server-queue-ledger.ts";
import { openServerDriver } from "../adapters/sql/server-store.ts";
import type { Config } from "../config/options.ts";
import { assert } from "../lib/assert.ts";
import type { QueueAudit } from "../ports/queue-audit.ts";
import { patientReading } from "./stores.ts";

const callTimeoutMs = 10_000;
const readyWithinMs = 5_000;

export async function openQueueAudit(config: Config): Promise<QueueAudit | undefined> {
  if (config.mode !== "queued") return undefined;
  const { databaseUrl, redisUrl, brokerUrl, brokerPartitions: partitions } = config;
  assert(databaseUrl !== undefined && redisUrl !== undefined && brokerUrl !== undefined, "queued mode has its three addresses");
  const database = new ServerDatabase(openServerDriver(databaseUrl, patientReading));
  const ledger = new ServerQueueLedger(database);
  const connection = RedisConnection.open({ url: redisUrl, name: "doorbuster verify", callTimeoutMs });
  // What cannot be reached says so when it is asked.
  await connection.ready(readyWithinMs);
  return {
    scopes: () => ledger.scopes(),
    salesOf: (scopeId) => ledger.salesOf(scopeId),
    deadLetters: () => ledger.deadLetters(),
    cache: new RedisStockCache({ connection, bulk: connection }),
    waiting: () => queueDepths({ url: brokerUrl, partitions }),
    close: async () => {
      connection.close();
      await database.close();
    },
  };
}
