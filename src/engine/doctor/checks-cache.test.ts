/** Every finding about the cache that decides: facts that are just good enough, and facts that are not, with what is said of them. */
import { expect, test } from "bun:test";
import { checkTables } from "../../../tests/kit/check-table.ts";
import type { CacheAddress, CacheAppendFile, CacheFacts, CacheMemory, CacheReplicas, CacheSeen } from "../../ports/cache-facts.ts";
import type { RefusalReason } from "../../ports/server-facts.ts";
import { cacheKeepingChecks } from "./checks-cache-keeping.ts";
import { cacheReachChecks } from "./checks-cache-reach.ts";
import { cacheChecks } from "./checks-cache.ts";
import { judgeAll } from "./finding.ts";

const { table, allCovered } = checkTables();

const address: CacheAddress = { name: "rediss://cache.example/0", host: "cache.example", port: 6_379, user: "seller", isEncrypted: true };
const memory: CacheMemory = { policy: "noeviction", usedBytes: 900, maxBytes: 1_000, machineBytes: 4_294_967_296, evicted: 0 };
const appendFile: CacheAppendFile = { isOn: true, sync: "always", rests: false, writeFailed: false, rewriteFailed: false };
const replicas: CacheReplicas = { connected: 2, good: 1, wanted: 1, lagMaxSeconds: 10 };
const good: CacheSeen = {
  kind: "seen",
  address,
  product: { name: "Redis", version: "7.0.0", text: "Redis 7.0.0" },
  roundTrip: { asked: 20, medianMs: 5, maxMs: 40 },
  clock: { offsetMs: -500, uncertaintyMs: 1 },
  mode: "standalone",
  role: { isPrimary: true, follows: undefined },
  rightsLacking: [],
  memory,
  scripts: { count: 40, bytes: 67_108_864 },
  appendFile,
  snapshots: { lastFailed: false, stopsWrites: true },
  replicas,
  connections: { max: 100, inUse: 80, rejected: 0 },
  stalls: { forkMs: 250, lateSyncs: 0 },
  hiddenSettings: [],
};

const reasons: Readonly<Record<RefusalReason, string>> = {
  "no-such-host": "nobody knows this host",
  unreachable: "nobody listens there",
  silent: "it does not answer",
  "not-ready": "starting or stopping",
  full: "no more connections",
  "not-let-in": "does not let this user in",
  "no-database": "no database of this number",
  transport: "about encryption",
  other: "could not be spoken to",
};
const refused = (reason: RefusalReason, said = "in its own words"): CacheFacts => ({ kind: "refused", address, reason, said });
// Object.entries forgets that the keys are reasons.
const refusals = Object.entries(reasons) as [RefusalReason, string][];
table<CacheFacts>("reaching the cache", cacheReachChecks, good, [
  ["cache-server", {}, "ok", "rediss://cache.example/0 answers: 5.0 ms median, 40.0 ms at most"],
  ["cache-server", { roundTrip: { asked: 20, medianMs: 5.1, maxMs: 9 } }, "warning", "this is slow"],
  ["cache-server", { roundTrip: { asked: 20, medianMs: 101, maxMs: 300 } }, "problem", "time out"],
  ...refusals.map(([reason, part]) => ["cache-server", refused(reason), "problem", part] as const),
]);

test("what the cache says of its refusal is quoted, and a command that it denies is granted", () => {
  expect(judgeAll(cacheReachChecks, refused("other"))[0]?.found).toEndWith("(in its own words)");
  const denied = refused("not-let-in", "NOPERM User seller has no permissions to run the 'client|setname' command");
  expect(judgeAll(cacheReachChecks, denied)[0]?.fix).toStartWith("ACL SETUSER seller +client|setname; ACL SAVE");
  const plain = { ...refused("silent"), address: { ...address, isEncrypted: false } };
  expect(judgeAll(cacheReachChecks, plain)[0]?.fix).toContain("takes only TLS (rediss://)");
  expect(judgeAll(cacheReachChecks, refused("silent"))[0]?.fix).toContain("speaks no TLS (redis://)");
});

const at = (change: Partial<CacheAddress>) => ({ address: { ...address, ...change } });
table("the cache", cacheChecks, good, [
  ["cache-version", {}, "ok", "Redis 7.0.0"],
  ["cache-version", { product: { name: "Valkey", version: "7.2.4", text: "Valkey 8.1.0 (as Redis 7.2.4)" } }, "ok", "Valkey 8.1.0"],
  ["cache-version", { product: { name: "Redis", version: "6.2.14", text: "Redis 6.2.14" } }, "problem", "at least 7.0 is needed"],
  ["cache-version", { product: { name: undefined, version: "7.4.0", text: "dragonfly df-v1.2" } }, "warning", "never tested"],
  ["cache-version", { product: undefined }, "none", ""],
  ["cache-mode", {}, "ok", "one server"],
  ["cache-mode", { mode: "cluster" }, "problem", "a node of a cluster"],
  ["cache-mode", { mode: "sentinel" }, "problem", "sentinel, which decides nothing"],
  ["cache-mode", { mode: undefined }, "none", ""],
  ["cache-role", {}, "ok", "it is the primary"],
  ["cache-role", { role: { isPrimary: false, follows: "db:6379" } }, "problem", "a replica of db:6379"],
  ["cache-role", { role: { isPrimary: false, follows: undefined } }, "problem", "a replica;"],
  ["cache-role", { role: undefined }, "none", ""],
  ["cache-rights", {}, "ok", '"seller" may do all'],
  ["cache-rights", { rightsLacking: ["+xadd", "+script|load"] }, "problem", '"seller" lacks +xadd, +script|load'],
  ["cache-rights", { rightsLacking: undefined }, "warning", "may not begin a transaction"],
  ["cache-settings", {}, "ok", "it tells its settings"],
  ["cache-settings", { hiddenSettings: ["appendfsync", "save"] }, "warning", 'does not tell "seller" of appendfsync, save'],
  ["cache-clock", {}, "ok", "500 ms behind this machine's"],
  ["cache-clock", { clock: { offsetMs: 501, uncertaintyMs: 1 } }, "warning", "501 ms ahead of"],
  ["cache-clock", { clock: { offsetMs: -2_001, uncertaintyMs: 1 } }, "problem", "2001 ms behind"],
  ["cache-clock", { clock: { offsetMs: 0, uncertaintyMs: 501 } }, "warning", "too slow to tell"],
  ["cache-clock", { clock: undefined }, "none", ""],
  ["cache-transport", {}, "ok", "certificate is looked at"],
  ["cache-transport", at({ isEncrypted: false }), "warning", "not encrypted, to cache.example"],
  ["cache-transport", at({ host: "127.0.0.1", isEncrypted: false }), "ok", "within this machine"],
  ["cache-transport", at({ host: "::1" }), "ok", "within this machine, encrypted"],
]);

const snapshots = { lastFailed: true, stopsWrites: true };
table("what the cache keeps", cacheKeepingChecks, good, [
  ["cache-eviction", {}, "ok", "noeviction"],
  ["cache-eviction", { memory: { ...memory, policy: "allkeys-lru" } }, "problem", "maxmemory-policy is allkeys-lru"],
  ["cache-eviction", { memory: { ...memory, evicted: 1_234 } }, "warning", "1,234 keys were thrown away"],
  ["cache-eviction", { memory: undefined }, "none", ""],
  ["cache-memory", {}, "ok", "900 bytes used of 1.0 KB"],
  ["cache-memory", { memory: { ...memory, usedBytes: 901 } }, "warning", "nearly full"],
  ["cache-memory", { memory: { ...memory, usedBytes: 1_000 } }, "problem", "takes no purchase"],
  ["cache-memory", { memory: { ...memory, maxBytes: undefined } }, "warning", "there is no limit (maxmemory)"],
  ["cache-memory", { memory: undefined }, "none", ""],
  ["cache-scripts", {}, "ok", "40 scripts take"],
  ["cache-scripts", { scripts: { count: 20_000, bytes: 67_108_865 } }, "warning", "20,000 scripts take"],
  ["cache-scripts", { scripts: undefined }, "none", ""],
  ["cache-append-only", {}, "ok", "appendonly is on"],
  ["cache-append-only", { appendFile: { ...appendFile, isOn: false } }, "problem", "appendonly is off"],
  ["cache-append-only", { appendFile: undefined }, "none", ""],
  ["cache-append-sync", {}, "ok", "appendfsync is always"],
  ["cache-append-sync", { appendFile: { ...appendFile, sync: "everysec" } }, "ok", "none that was answered 201 or 202"],
  ["cache-append-sync", { appendFile: { ...appendFile, sync: "no" } }, "warning", "the machine syncs when it likes"],
  ["cache-append-sync", { appendFile: { ...appendFile, rests: true } }, "warning", "no-appendfsync-on-rewrite"],
  ["cache-append-sync", { appendFile: { ...appendFile, sync: undefined } }, "none", ""],
  ["cache-append-sync", { appendFile: { ...appendFile, isOn: false, sync: "no" } }, "none", ""],
  ["cache-writes", {}, "ok", "it writes what it has to"],
  ["cache-writes", { appendFile: { ...appendFile, writeFailed: true } }, "problem", "takes no writes (MISCONF)"],
  ["cache-writes", { appendFile: { ...appendFile, writeFailed: true, isOn: false } }, "ok", ""],
  ["cache-writes", { appendFile: { ...appendFile, rewriteFailed: true } }, "warning", "could not be written anew"],
  ["cache-writes", { snapshots }, "problem", "stop-writes-on-bgsave-error"],
  ["cache-writes", { snapshots: { ...snapshots, stopsWrites: undefined } }, "problem", "stop-writes-on-bgsave-error"],
  ["cache-writes", { snapshots: { ...snapshots, stopsWrites: false } }, "warning", "its last snapshot failed"],
  ["cache-writes", { snapshots: undefined }, "none", ""],
  ["cache-replicas", {}, "ok", "2 replicas, of which 1 are at most 10 s behind; without 1 it takes no writes"],
  ["cache-replicas", { replicas: { ...replicas, connected: 0, wanted: 0 } }, "ok", "no replica"],
  ["cache-replicas", { replicas: { ...replicas, wanted: 0 } }, "warning", "goes on without them (min-replicas-to-write)"],
  ["cache-replicas", { replicas: { ...replicas, wanted: 2 } }, "problem", "no writes with fewer than 2"],
  ["cache-replicas", { replicas: { ...replicas, lagMaxSeconds: 11 } }, "warning", "at most 11 s behind"],
  ["cache-replicas", { replicas: { ...replicas, wanted: undefined } }, "none", ""],
  ["cache-connections", {}, "ok", "80 in use of 100"],
  ["cache-connections", { connections: { max: 100, inUse: 81, rejected: 0 } }, "warning", "leaves no room"],
  ["cache-connections", { connections: { max: undefined, inUse: 81, rejected: 7 } }, "warning", "81 in use; 7 were turned away"],
  ["cache-connections", { connections: undefined }, "none", ""],
  ["cache-stalls", {}, "ok", "took it 250 ms"],
  ["cache-stalls", { stalls: { forkMs: 0, lateSyncs: 0 } }, "ok", "no copy"],
  ["cache-stalls", { stalls: { forkMs: 251, lateSyncs: 0 } }, "warning", "stood still for 251 ms"],
  ["cache-stalls", { stalls: { forkMs: 0, lateSyncs: 3 } }, "warning", "waited for a slow disk, 3 times"],
  ["cache-stalls", { stalls: undefined }, "none", ""],
]);

test("a limit of memory that is proposed is whole, and not nothing", () => {
  const fixOf = (change: Partial<CacheMemory>) =>
    judgeAll(cacheKeepingChecks, { ...good, memory: { ...memory, ...change } }).find(({ id }) => id === "cache-memory")?.fix;
  expect(fixOf({ maxBytes: undefined })).toStartWith("CONFIG SET maxmemory 2048mb; ");
  expect(fixOf({ maxBytes: undefined, machineBytes: undefined })).toStartWith("CONFIG SET maxmemory 1024mb; ");
  expect(fixOf({ usedBytes: 1_000 })).toStartWith("CONFIG SET maxmemory 1mb; ");
});

allCovered();
