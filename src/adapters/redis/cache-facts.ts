/**
 * The Redis that decides as `doorbuster doctor` sees it: over one connection like those of a process, which reads and
 * changes nothing, and within a bound, for it may be ill. A server that refuses us is a fact like others.
 */
import type { CacheAddress, CacheFacts, CacheProduct, CacheReplicas, CacheSeen } from "../../ports/cache-facts.ts";
import type { ClockSeen, RoundTrip } from "../../ports/server-facts.ts";
import { RedisConnection, RedisSilent, type RedisReply } from "./redis-connection.ts";
import { numberIn, readInfo, type RedisInfo } from "./redis-info.ts";
import { redisRefusalOf } from "./redis-refusals.ts";
import { lackingRights } from "./redis-rights.ts";

/** Whoever does not answer by then does not answer. */
const callTimeoutMs = 4_000;
const roundTrips = 20;
const settingNames = [
  "appendfsync",
  "no-appendfsync-on-rewrite",
  "min-replicas-to-write",
  "min-replicas-max-lag",
  "stop-writes-on-bgsave-error",
  "save",
] as const;

/** Servers that say their own version beside that of Redis. */
const others = ["dragonfly", "garnet", "kvrocks", "keydb"];

/** This machine's; tests turn it. */
type Clock = { readonly wallMs?: (() => number) | undefined };

/** Throws what is no refusal. */
export async function cacheFacts(url: string, { wallMs = Date.now }: Clock = {}): Promise<CacheFacts> {
  const address = addressOf(new URL(url));
  let connection: RedisConnection | undefined;
  try {
    connection = await RedisConnection.connect({ url, name: "doorbuster doctor", callTimeoutMs });
    return { kind: "seen", address, ...(await look(connection, wallMs)) };
  } catch (error) {
    const refusal = redisRefusalOf(error);
    if (refusal === undefined) throw error;
    return { kind: "refused", address, ...refusal };
  } finally {
    connection?.close();
  }
}

function addressOf({ protocol, host, hostname, port, username, pathname }: URL): CacheAddress {
  return {
    name: `${protocol}//${host}${pathname === "/" ? "" : pathname}`,
    host: decodeURIComponent(hostname).replace(/^\[|\]$/g, ""),
    port: port === "" ? 6379 : Number(port),
    user: username === "" ? "default" : decodeURIComponent(username),
    isEncrypted: protocol === "rediss:",
  };
}

async function look(connection: RedisConnection, wallMs: () => number): Promise<Omit<CacheSeen, "kind" | "address">> {
  const times = await timesOf(connection, wallMs);
  const info = await readInfo(connection);
  const settings = await readSettings(connection);
  return {
    ...times,
    product: info && productOf(info),
    mode: info?.get("redis_mode"),
    role: info && roleOf(info),
    rightsLacking: await lackingRights(connection),
    ...(info === undefined ? untold : factsIn(info, settings)),
    hiddenSettings: settingNames.filter((name) => !settings.has(name)),
  };
}

const untold = {
  memory: undefined,
  scripts: undefined,
  appendFile: undefined,
  snapshots: undefined,
  replicas: undefined,
  connections: undefined,
  stalls: undefined,
};

/** A refusal takes as long as an answer, but tells no time. */
async function timesOf(connection: RedisConnection, wallMs: () => number): Promise<{ roundTrip: RoundTrip; clock: ClockSeen | undefined }> {
  const times: number[] = [];
  let clock: ClockSeen | undefined;
  for (let i = 0; i < roundTrips; i++) {
    const [askedMs, sentMs] = [wallMs(), performance.now()];
    const reply = await connection.ask(["TIME"]);
    const tookMs = performance.now() - sentMs;
    if (reply.kind === "unknown" || !connection.isReady) throw new RedisSilent();
    times.push(tookMs);
    const told = timeIn(reply);
    // Ours tells whole milliseconds.
    const uncertaintyMs = tookMs / 2 + 1;
    if (told !== undefined && uncertaintyMs < (clock?.uncertaintyMs ?? Number.POSITIVE_INFINITY))
      clock = { offsetMs: told - (askedMs + tookMs / 2), uncertaintyMs };
  }
  times.sort((a, b) => a - b);
  const roundTrip = { asked: roundTrips, medianMs: times[Math.floor(roundTrips / 2)] ?? 0, maxMs: times.at(-1) ?? 0 };
  return { roundTrip, clock };
}

function timeIn(reply: RedisReply): number | undefined {
  if (reply.kind !== "ok" || !Array.isArray(reply.value)) return undefined;
  const [seconds, micros] = reply.value.map(Number);
  return seconds === undefined || micros === undefined ? undefined : seconds * 1_000 + micros / 1_000;
}

type Settings = ReadonlyMap<string, string>;

async function readSettings(connection: RedisConnection): Promise<Settings> {
  const replies = await connection.askAll(settingNames.map((name) => ["CONFIG", "GET", name]));
  const found = new Map<string, string>();
  for (const reply of replies) {
    if (reply.kind !== "ok" || !Array.isArray(reply.value)) continue;
    const [name, value] = reply.value.map(String);
    if (name !== undefined && value !== undefined) found.set(name, value);
  }
  return found;
}

/** Others speak its language, and say so beside a version of it. */
function productOf(info: RedisInfo): CacheProduct {
  const version = info.get("redis_version") ?? "0";
  const valkey = info.get("valkey_version");
  if (valkey !== undefined) return { name: "Valkey", version, text: `Valkey ${valkey} (as Redis ${version})` };
  const other = others.find((name) => info.has(`${name}_version`));
  if (other !== undefined) return { name: undefined, version, text: `${other} ${info.get(`${other}_version`)}` };
  return { name: "Redis", version, text: `Redis ${version}` };
}

function roleOf(info: RedisInfo): CacheSeen["role"] {
  const role = info.get("role");
  if (role === undefined) return undefined;
  const host = info.get("master_host");
  return { isPrimary: role === "master", follows: host === undefined ? undefined : `${host}:${info.get("master_port") ?? ""}` };
}

function factsIn(info: RedisInfo, settings: Settings): Pick<CacheSeen, keyof typeof untold> {
  const number = (name: string) => numberIn(info, name) ?? 0;
  const failed = (name: string) => (info.get(name) ?? "ok") !== "ok";
  const isYes = (name: string) => (settings.has(name) ? settings.get(name) === "yes" : undefined);
  const stops = isYes("stop-writes-on-bgsave-error");
  return {
    memory: {
      policy: info.get("maxmemory_policy") ?? "",
      usedBytes: number("used_memory"),
      maxBytes: number("maxmemory") || undefined,
      machineBytes: numberIn(info, "total_system_memory"),
      evicted: number("evicted_keys"),
    },
    scripts: {
      count: number("number_of_cached_scripts"),
      bytes: number("used_memory_vm_eval") + number("used_memory_scripts_eval"),
    },
    appendFile: {
      isOn: number("aof_enabled") === 1,
      sync: settings.get("appendfsync"),
      rests: isYes("no-appendfsync-on-rewrite"),
      writeFailed: failed("aof_last_write_status"),
      rewriteFailed: failed("aof_last_bgrewrite_status"),
    },
    snapshots: {
      lastFailed: failed("rdb_last_bgsave_status"),
      // It asks after them only where it makes them by itself.
      stopsWrites: settings.get("save") === "" ? false : stops,
    },
    replicas: replicasOf(info, settings),
    connections: { max: numberIn(info, "maxclients"), inUse: number("connected_clients"), rejected: number("rejected_connections") },
    stalls: { forkMs: number("latest_fork_usec") / 1_000, lateSyncs: number("aof_delayed_fsync") },
  };
}

function replicasOf(info: RedisInfo, settings: Settings): CacheReplicas {
  const [wanted, lag] = ["min-replicas-to-write", "min-replicas-max-lag"].map((name) => settings.get(name)).map(countOf);
  return {
    connected: numberIn(info, "connected_slaves") ?? 0,
    good: numberIn(info, "min_slaves_good_slaves"),
    // Without a lag there is none too far behind.
    wanted: lag === 0 ? 0 : wanted,
    lagMaxSeconds: lag,
  };
}

const countOf = (text: string | undefined) => (text === undefined ? undefined : Number(text));
