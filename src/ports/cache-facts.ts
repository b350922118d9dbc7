/**
 * What `doorbuster doctor` learns of the cache that decides in queued mode. It is read over a connection like those of a
 * process and changes nothing; what it means is judged in engine/doctor. Undefined: this server has no such thing, or does
 * not tell this user.
 */
import type { ClockSeen, RefusalReason, RoundTrip } from "./server-facts.ts";

export type CacheFacts = CacheRefusal | CacheSeen;

/** Who was asked, as commands and people name it; without the password. */
export type CacheAddress = {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly isEncrypted: boolean;
};

/** It was asked, and nobody looked further. */
export type CacheRefusal = {
  readonly kind: "refused";
  readonly address: CacheAddress;
  readonly reason: RefusalReason;
  readonly said: string;
};

export type CacheSeen = {
  readonly kind: "seen";
  readonly address: CacheAddress;
  readonly product: CacheProduct | undefined;
  readonly roundTrip: RoundTrip;
  readonly clock: ClockSeen | undefined;
  /** "standalone", "cluster" or "sentinel"; undefined where it does not say. */
  readonly mode: string | undefined;
  readonly role: { readonly isPrimary: boolean; readonly follows: string | undefined } | undefined;
  /** What its user may not do, in the words of its rules; undefined: it may not even try. */
  readonly rightsLacking: readonly string[] | undefined;
  readonly memory: CacheMemory | undefined;
  /** Kept until it restarts, and what is made of them beyond its limit of memory. */
  readonly scripts: { readonly count: number; readonly bytes: number } | undefined;
  readonly appendFile: CacheAppendFile | undefined;
  readonly snapshots: CacheSnapshots | undefined;
  readonly replicas: CacheReplicas | undefined;
  readonly connections: { readonly max: number | undefined; readonly inUse: number; readonly rejected: number } | undefined;
  readonly stalls: CacheStalls | undefined;
  /** Settings that it does not tell this user. */
  readonly hiddenSettings: readonly string[];
};

export type CacheProduct = {
  /** Undefined for one that only speaks their language. */
  readonly name: "Redis" | "Valkey" | undefined;
  /** The version of Redis whose language it speaks. */
  readonly version: string;
  readonly text: string;
};

export type CacheMemory = {
  readonly policy: string;
  readonly usedBytes: number;
  /** Undefined: whatever the machine has. */
  readonly maxBytes: number | undefined;
  readonly machineBytes: number | undefined;
  /** Keys thrown away to make room, since it counts. */
  readonly evicted: number;
};

export type CacheAppendFile = {
  readonly isOn: boolean;
  /** always, everysec or no. */
  readonly sync: string | undefined;
  /** It does not sync while it is written anew. */
  readonly rests: boolean | undefined;
  readonly writeFailed: boolean;
  readonly rewriteFailed: boolean;
};

export type CacheSnapshots = {
  readonly lastFailed: boolean;
  /** Writes are refused after one that failed. */
  readonly stopsWrites: boolean | undefined;
};

export type CacheReplicas = {
  readonly connected: number;
  /** Of these, not further behind than the limit; undefined where no number is asked for. */
  readonly good: number | undefined;
  /** Fewer than so many good ones, and it takes no writes; 0: it takes them always. */
  readonly wanted: number | undefined;
  readonly lagMaxSeconds: number | undefined;
};

export type CacheStalls = {
  /** How long it stood still when it last made a copy of itself. */
  readonly forkMs: number;
  /** Writes that waited for a disk which was still busy with the sync before. */
  readonly lateSyncs: number;
};
