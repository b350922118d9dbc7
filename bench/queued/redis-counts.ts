/** What a Redis says of itself. */
import type { RedisServer } from "../../tests/harness/engines/redis.ts";

/** CPU microseconds that the server has used, all its threads: finer than the ticks of the process table. */
export async function cpuUsOfRedis(redis: RedisServer): Promise<number> {
  const info = await redis.cli("INFO", "cpu");
  const seconds = (name: string) => Number(new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1]);
  return (seconds("used_cpu_sys") + seconds("used_cpu_user")) * 1e6;
}

/** Calls of scripts so far. */
export async function scriptCallsOf(redis: RedisServer): Promise<number> {
  const info = await redis.cli("INFO", "commandstats");
  return Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(info)?.[1] ?? 0);
}
