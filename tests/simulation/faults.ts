/**
 * What goes wrong in a run, and how often: drawn per seed and widely (swarm), so that each seed stresses something else.
 * A fault class can be switched off without moving any other draw; that is how a failure is made small.
 */
import { Rng } from "./rng.ts";

const embeddedClasses = [
  "kill",
  "pause",
  "deploy",
  "clock_jump",
  "stall",
  "sync_error",
  "lost_commit_reply",
  "late_commit",
  "disk_full",
  "unavailable",
  "read_error",
  "slow_read",
  "network",
  "provider",
  "poison",
  "crowding",
] as const;
const sqlClasses = [
  "kill",
  "pause",
  "long_stop",
  "deploy",
  "clock_jump",
  "partition",
  "database_kill",
  "standby",
  "database_clock",
  "stall",
  "sync_error",
  "lost_commit_reply",
  "late_commit",
  "conflict",
  "unavailable",
  "read_error",
  "slow_read",
  "network",
  "provider",
  "poison",
  "crowding",
] as const;
const rabbitClasses = [
  "kill",
  "pause",
  "deploy",
  "clock_jump",
  "partition",
  "database_kill",
  "stall",
  "sync_error",
  "lost_commit_reply",
  "late_commit",
  "conflict",
  "unavailable",
  "read_error",
  "slow_read",
  "network",
  "provider",
  "crowding",
  "cache_kill",
  "cache_flush",
  "cache_promotion",
  "cache_stop",
  "cache_network",
  "cache_late",
  "broker_kill",
  "broker_stop",
  "broker_block",
  "broker_network",
  "broker_late",
  "broker_return",
] as const;
export type FaultClass = (typeof embeddedClasses)[number] | (typeof sqlClasses)[number] | (typeof rabbitClasses)[number];

export type Faults = {
  readonly on: ReadonlySet<FaultClass>;
  /** Mean time between what the nemesis does to the server. */
  readonly nemesisGapMs: number;
  /** Per commit. `syncError`: the connection breaks, and the commit did not happen, or may not have. */
  readonly stall: number;
  readonly syncError: number;
  readonly lostCommitReply: number;
  readonly lateCommit: number;
  readonly unavailable: number;
  readonly conflict: number;
  /** Per read, or statement. */
  readonly readError: number;
  readonly slowRead: number;
  /** Per message. */
  readonly loss: number;
  readonly clog: number;
  readonly duplicate: number;
  /** Per call to or from the provider. */
  readonly providerLoss: number;
  readonly commitMs: number;
  readonly readMs: number;
  readonly networkMs: number;
  readonly slowReadMs: number;
  /** Per call of the cache: it does not arrive, its answer does not, or it arrives when nobody waits any more. */
  readonly cacheLost: number;
  readonly cacheUnheard: number;
  readonly cacheLate: number;
  readonly cacheMs: number;
  /** Per message to the broker, beside those of the network: it is sent back. */
  readonly brokerLate: number;
  readonly brokerUnheard: number;
  readonly brokerBreaks: number;
  readonly brokerReturns: number;
  readonly brokerMs: number;
};

const likelihood: Readonly<Record<FaultClass, number>> = {
  kill: 0.6,
  pause: 0.25,
  long_stop: 0.04,
  deploy: 0.25,
  clock_jump: 0.4,
  stall: 0.3,
  sync_error: 0.4,
  lost_commit_reply: 0.4,
  late_commit: 0.25,
  disk_full: 0.2,
  unavailable: 0.25,
  read_error: 0.3,
  slow_read: 0.4,
  network: 0.6,
  provider: 0.5,
  poison: 0.1,
  crowding: 0.25,
  partition: 0.5,
  database_kill: 0.25,
  standby: 0.15,
  database_clock: 0.15,
  conflict: 0.3,
  cache_kill: 0.35,
  cache_flush: 0.25,
  cache_promotion: 0.25,
  cache_stop: 0.25,
  cache_network: 0.5,
  cache_late: 0.4,
  broker_kill: 0.35,
  broker_stop: 0.25,
  broker_block: 0.2,
  broker_network: 0.5,
  broker_late: 0.4,
  broker_return: 0.1,
};

/** The classes that a kind of world knows, and which of them it has more often. */
export type FaultKind = { readonly classes: readonly FaultClass[]; readonly likelihoods?: Partial<Record<FaultClass, number>> | undefined };

export function drawFaults(seed: number, { classes, likelihoods }: FaultKind, without: ReadonlySet<FaultClass>): Faults {
  const random = new Rng(seed, "faults");
  const calm = random.chance(0.08);
  const on = new Set<FaultClass>();
  for (const name of classes) if (random.chance(likelihoods?.[name] ?? likelihood[name]) && !calm && !without.has(name)) on.add(name);
  const rate = (name: FaultClass, max: number): number => {
    const drawn = random.unit() ** 2 * max;
    return on.has(name) ? drawn : 0;
  };
  return {
    on,
    nemesisGapMs: random.pick([250, 600, 1500]),
    stall: rate("stall", 0.06),
    syncError: rate("sync_error", 0.2),
    lostCommitReply: rate("lost_commit_reply", 0.2),
    lateCommit: rate("late_commit", 0.15),
    unavailable: rate("unavailable", 0.15),
    readError: rate("read_error", 0.15),
    slowRead: rate("slow_read", 0.3),
    loss: rate("network", 0.1),
    clog: rate("network", 0.05),
    duplicate: rate("network", 0.15),
    providerLoss: rate("provider", 0.4),
    commitMs: random.pick([0.3, 2, 15, 60]),
    readMs: random.pick([0.1, 1, 8]),
    networkMs: random.pick([0.2, 3, 25]),
    conflict: rate("conflict", 0.2),
    slowReadMs: random.pick([60, 600, 600]),
    cacheLost: rate("cache_network", 0.1),
    cacheUnheard: rate("cache_network", 0.15),
    cacheLate: rate("cache_late", 0.15),
    cacheMs: random.pick([0.2, 1, 8]),
    brokerLate: rate("broker_late", 0.3),
    brokerUnheard: rate("broker_network", 0.15),
    brokerBreaks: rate("broker_network", 0.15),
    brokerReturns: rate("broker_return", 0.3),
    brokerMs: random.pick([0.2, 2, 15]),
  };
}

export const embeddedFaults: FaultKind = { classes: embeddedClasses };
export const sqlFaults: FaultKind = { classes: sqlClasses, likelihoods: { pause: 0.5, slow_read: 0.5 } };

export const rabbitFaults: FaultKind = { classes: rabbitClasses, likelihoods: { pause: 0.5, kill: 0.5, network: 0.4 } };

/** The same world after it healed: slow as before, but nothing fails any more. */
export function healed(faults: Faults): Faults {
  const never = { stall: 0, syncError: 0, lostCommitReply: 0, lateCommit: 0, unavailable: 0, readError: 0, slowRead: 0, conflict: 0 };
  const cache = { cacheLost: 0, cacheUnheard: 0, cacheLate: 0 };
  const broker = { brokerLate: 0, brokerUnheard: 0, brokerBreaks: 0, brokerReturns: 0 };
  return { ...faults, ...never, ...cache, ...broker, loss: 0, clog: 0, duplicate: 0, providerLoss: 0, on: new Set() };
}
