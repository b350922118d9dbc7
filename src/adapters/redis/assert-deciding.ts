/** What a Redis must not do that decides who gets what: throw keys away when memory is short. */
import type { RedisConnection } from "./redis-connection.ts";

export class CacheEvicts extends Error {
  override readonly name = "CacheEvicts";
  readonly code = "cache_evicts";
  constructor(policy: string) {
    super(`Open the cache: its maxmemory-policy is "${policy}", which throws accepted purchases away; set it to noeviction`);
  }
}

/** Throws CacheEvicts. A server that cannot be asked now is asked by doctor, and by the next start. */
export async function assertDecidingCache(connection: RedisConnection): Promise<void> {
  const info = await connection.ask(["INFO", "memory"]);
  if (info.kind !== "ok") return;
  const policy = /^maxmemory_policy:(\S+)/m.exec(String(info.value))?.[1];
  if (policy !== undefined && policy !== "noeviction") throw new CacheEvicts(policy);
}
