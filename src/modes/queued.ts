/** Redis decides, RabbitMQ carries, and the database server of sql mode settles. */
import { hostname } from "node:os";
import { RabbitJournal } from "../adapters/rabbitmq/rabbit-journal.ts";
import { RabbitSource } from "../adapters/rabbitmq/rabbit-source.ts";
import { assertDecidingCache } from "../adapters/redis/assert-deciding.ts";
import { RedisConnection } from "../adapters/redis/redis-connection.ts";
import { RedisStockCache } from "../adapters/redis/stock-cache.ts";
import { assertPartitionsEnough } from "../adapters/sql/queue-partitions.ts";
import { ServerDatabase } from "../adapters/sql/server-database.ts";
import { ServerPresence } from "../adapters/sql/server-presence.ts";
import { ServerQueueLedger } from "../adapters/sql/server-queue-ledger.ts";
import { openServerDriver } from "../adapters/sql/server-store.ts";
import type { Config } from "../config/options.ts";
import { cutsAtOnceMax } from "../engine/queue/open-scopes.ts";
import { assert } from "../lib/assert.ts";
import type { Log } from "../ports/log.ts";
import type { OpenedQueue, OpenedStore } from "./opened-store.ts";
import { openSql, type ProcessFacts, type SharedOpenedStore } from "./sql.ts";

/** A call of the cache that is not answered by then is repeated. */
const cacheTimeoutMs = 1_000;
/** Loading a large sale takes its time. */
const loadTimeoutMs = 30_000;
/** What a cache is loaded with is read on connections of its own: each has one for as long as its loading takes. */
const viewLimits = { readsMax: cutsAtOnceMax, writesMax: 1, acquireTimeoutMs: 5_000, statementTimeoutMs: 60_000, idleTimeoutMs: 60_000 };
/** How long a start waits for cache and broker; without them it goes on, and refuses what it must until they come. */
const startWaitMs = 3_000;

export async function openQueued(config: Config, facts: ProcessFacts, log: Log): Promise<OpenedStore> {
  const { databaseUrl, redisUrl, brokerUrl, brokerPartitions: partitions } = config;
  assert(databaseUrl !== undefined && redisUrl !== undefined && brokerUrl !== undefined, "queued mode has all of its addresses");
  const opened = new AsyncDisposableStack();
  try {
    const name = `doorbuster ${hostname()} ${process.pid}`;
    const cache = (callTimeoutMs: number, of: string) => {
      const onError = (message: string) => log.warn("the cache does not answer", { connection: of, message });
      const connection = RedisConnection.open({ url: redisUrl, name: `${name} ${of}`, callTimeoutMs, onError: once(onError) });
      opened.defer(() => connection.close());
      return connection;
    };
    const connection = cache(cacheTimeoutMs, "decide");
    const bulk = cache(loadTimeoutMs, "load");
    const journal = new RabbitJournal({ url: brokerUrl, name: `${name} publish`, ...tellingOf(log, "publish"), partitions });
    opened.defer(() => journal.close());
    const source = new RabbitSource({ url: brokerUrl, name: `${name} read`, ...tellingOf(log, "read") });
    opened.defer(() => source.close());
    await Promise.all([connection.ready(startWaitMs), bulk.ready(startWaitMs), journal.ready(startWaitMs), source.ready(startWaitMs)]);
    await assertDecidingCache(bulk);
    const store = await openSql(config, facts, { partitions });
    opened.defer(() => store.close());
    await assertPartitionsEnough(store.shared.database, partitions);
    const presence = await ServerPresence.open(store.shared.membership);
    // Nothing connects before the first cut, which is a worker's.
    const views = new ServerDatabase(openServerDriver(databaseUrl, viewLimits));
    opened.defer(() => views.close());
    const queue = {
      ledger: new ServerQueueLedger(store.shared.database, { views }),
      cache: new RedisStockCache({
        connection,
        bulk,
        onDamage: (problem) => log.error("the cache holds what it was not told", { problem }),
      }),
      journal,
      source,
    };
    return withQueue(store, { ...queue, presence, partitions }, opened.move());
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

function withQueue(store: SharedOpenedStore, queue: OpenedQueue & { presence: ServerPresence }, opened: AsyncDisposableStack): OpenedStore {
  const { presence } = queue;
  const membership = { ...store.shared.membership, renew: () => presence.renew() };
  return { ...store, shared: { ...store.shared, membership }, queue, close: () => opened.disposeAsync() };
}

/** What becomes of a connection to the broker. */
function tellingOf(log: Log, connection: string) {
  const tell = once((message: string, isLoss: boolean) => {
    if (isLoss) log.warn("the broker does not answer", { connection, message });
    else log.info("the broker answers again", { connection, message });
  });
  return { onError: (message: string) => tell(message, true), onRecovered: (message: string) => tell(message, false) };
}

/** The same trouble is told once, until another comes. */
function once<Rest extends readonly unknown[]>(tell: (message: string, ...rest: Rest) => void): (message: string, ...rest: Rest) => void {
  let last = "";
  return (message, ...rest) => {
    if (message !== last) tell(message, ...rest);
    last = message;
  };
}
