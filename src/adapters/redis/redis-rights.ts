/**
 * What our user may not do there. Each command of ours is put into a transaction, of which the server says at once whether
 * this user may, and which is then thrown away: nothing is done.
 */
import type { RedisConnection } from "./redis-connection.ts";

/** In the slot of no scope: scopes have numbers from 1. */
const key = "{db:0}:doctor";
const noScript = "0".repeat(40);

/** By its name in rules: a command as this program and its scripts send it, on a key of ours. */
export const ownCommands: Readonly<Record<string, readonly string[]>> = {
  evalsha: ["EVALSHA", noScript, "1", key],
  "script|load": ["SCRIPT", "LOAD", "return 1"],
  "script|exists": ["SCRIPT", "EXISTS", noScript],
  exists: ["EXISTS", key],
  hdel: ["HDEL", key, "field"],
  hget: ["HGET", key, "field"],
  hgetall: ["HGETALL", key],
  hincrby: ["HINCRBY", key, "field", "1"],
  hlen: ["HLEN", key],
  hmget: ["HMGET", key, "field"],
  hset: ["HSET", key, "field", "value"],
  info: ["INFO"],
  llen: ["LLEN", key],
  lrange: ["LRANGE", key, "0", "0"],
  rpush: ["RPUSH", key, "value"],
  time: ["TIME"],
  type: ["TYPE", key],
  unlink: ["UNLINK", key],
  xadd: ["XADD", key, "*", "field", "value"],
  xdel: ["XDEL", key, "1-1"],
  xlen: ["XLEN", key],
  xrange: ["XRANGE", key, "-", "+"],
};
/** Every key of ours begins so. */
const ownKeys = "~{db:*";

/** As rules that would give it; undefined where it may not begin a transaction. */
export async function lackingRights(connection: RedisConnection): Promise<readonly string[] | undefined> {
  const [begun] = await connection.askAll([["MULTI"]]);
  if (begun?.kind !== "ok") return undefined;
  const rules = Object.keys(ownCommands);
  const replies = await connection.askAll([...Object.values(ownCommands), ["DISCARD"]]);
  const lacking = new Set<string>();
  for (const [index, reply] of replies.entries()) {
    if (reply.kind !== "failed" || !/\bNOPERM\b/.test(reply.message)) continue;
    const rule = rules[index] ?? "discard";
    lacking.add(/access (?:one of the keys|a key)/i.test(reply.message) ? ownKeys : `+${rule}`);
  }
  return [...lacking];
}
