/**
 * One server per engine and process, started when the first test asks, for all files that only speak to it; each makes
 * databases of its own. It ends with this process. Or the server that the environment names, which is nobody's to kill.
 */
import { existsSync } from "node:fs";
import type { EngineName } from "./availability.ts";
import { openMariadb } from "./mariadb.ts";
import { openPostgres } from "./postgres.ts";
import { openRabbitmq } from "./rabbitmq.ts";
import { openRedis } from "./redis.ts";
import { RedisDatabases } from "./redis-databases.ts";
import { SqlDatabases } from "./sql-databases.ts";

export type SharedEngine = {
  readonly url: string;
  /** The url of an empty place: a database, in Redis a numbered one, in RabbitMQ a virtual host. */
  readonly database: (name: string) => Promise<string>;
};
/** Somebody else's server, where what was made is removed again. */
export type ForeignEngine = SharedEngine & { readonly dropAll: () => Promise<void> };

const openers = { mariadb: openMariadb, postgres: openPostgres, redis: openRedis, rabbitmq: openRabbitmq };
type OwnEngine = Awaited<ReturnType<(typeof openers)[EngineName]>>;
const shared = new Map<EngineName, Promise<OwnEngine>>();

export function sharedEngine(name: EngineName): Promise<SharedEngine> {
  const engine = unlessGone(shared.get(name), openers[name]);
  shared.set(name, engine);
  return engine;
}

/** A file that releases all that was registered takes the engine away from those after it. */
async function unlessGone(known: Promise<OwnEngine> | undefined, open: () => Promise<OwnEngine>): Promise<OwnEngine> {
  const engine = await known?.catch(() => undefined);
  return engine !== undefined && existsSync(engine.folder) ? engine : open();
}

export function foreignEngine(name: EngineName, url: string): ForeignEngine {
  // A virtual host is not made over AMQP; there tests name their queues so that no other has them.
  if (name === "rabbitmq") return { url, database: () => Promise.resolve(url), dropAll: () => Promise.resolve() };
  const databases = name === "redis" ? new RedisDatabases(url) : new SqlDatabases(url);
  return { url, database: (wanted) => databases.database(wanted), dropAll: () => databases.dropAll() };
}
