/**
 * What a Redis must not be that decides who gets what: one that throws keys away when memory is short, a node of a cluster
 * (this client asks one server), or a replica (it takes no writes, and what it has is another's).
 */
import type { RedisConnection } from "./redis-connection.ts";
import { readInfo } from "./redis-info.ts";

export class CacheUnfit extends Error {
  override readonly name = "CacheUnfit";
  readonly code: "cache_evicts" | "cache_is_cluster" | "cache_is_replica";
  constructor(code: CacheUnfit["code"], problem: string) {
    super(`Open the cache: ${problem}`);
    this.code = code;
  }
}

/** Throws CacheUnfit. A server that cannot be asked now is asked by doctor, and by the next start. */
export async function assertDecidingCache(connection: RedisConnection): Promise<void> {
  const info = await readInfo(connection);
  if (info === undefined) return;
  const mode = info.get("redis_mode") ?? "standalone";
  if (mode !== "standalone")
    throw new CacheUnfit("cache_is_cluster", `it runs in ${mode} mode, but one server has to decide; name one outside a cluster`);
  const role = info.get("role") ?? "master";
  if (role !== "master")
    throw new CacheUnfit("cache_is_replica", `it is a replica of ${info.get("master_host")}:${info.get("master_port")}; name that one`);
  const policy = info.get("maxmemory_policy") ?? "noeviction";
  if (policy !== "noeviction")
    throw new CacheUnfit("cache_evicts", `its maxmemory-policy is "${policy}", which throws accepted purchases away; set it to noeviction`);
}
