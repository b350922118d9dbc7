/**
 * The shops' server keys. Only their SHA-256 digests stay in memory, and a presented key is found by its digest: what a
 * stopwatch could tell is about the digest of a guess, which says nothing about the digest of another.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { isPermission, merchantPermissions } from "../../domain/access.ts";
import type { KeyId } from "../../domain/ids.ts";
import { keyCounts, type KeyRecord } from "../../domain/server-key.ts";
import { assert } from "../../lib/assert.ts";
import type { Entropy } from "../../ports/entropy.ts";
import type { KeyRing } from "../../ports/key-ring.ts";
import type { ServerKey } from "../../ports/server-keys.ts";

/** Nothing longer is hashed. */
export const serverKeyLengthMax = 256;
const secretBytes = 32;
const prefixLength = 8;
const dayMs = 86_400_000;

/** A key of the configuration: its holder runs the installation, so it may all that a merchant may, and see the system. */
export type ServerKeyOption = Pick<ServerKey, "id" | "issuer"> & { readonly secret: string };

type Entry = {
  readonly key: ServerKey;
  readonly digest: Buffer;
  readonly expiresAtMs: number;
  /** Undefined for a key of the configuration, whose use is not noted. */
  readonly recordId: KeyId | undefined;
  usedDay: number;
};

export function createServerKeys(options: readonly ServerKeyOption[], entropy: Pick<Entropy, "secret"> = { secret: noEntropy }): KeyRing {
  const entries = new Map<string, Entry>();
  /** What is known of each key, also of those that count no more: what was read before does not bring one back. */
  const records = new Map<KeyId, KeyRecord>();
  let used: Entry[] = [];
  for (const { id, issuer, secret } of options) {
    assert(secret !== "" && secret.length <= serverKeyLengthMax, `a server key has 1 to ${serverKeyLengthMax} characters`);
    const access = { merchant: issuer, permissions: new Set([...merchantPermissions, "system:read" as const]) };
    const digest = digestOf(secret);
    const key = { id, issuer, access };
    entries.set(digest.toString("hex"), { key, digest, expiresAtMs: Number.POSITIVE_INFINITY, recordId: undefined, usedDay: 0 });
  }
  return {
    check(presented, nowMs) {
      if (presented === "" || presented.length > serverKeyLengthMax) return undefined;
      const digest = digestOf(presented);
      const entry = entries.get(digest.toString("hex"));
      if (entry === undefined || !timingSafeEqual(digest, entry.digest) || nowMs >= entry.expiresAtMs) return undefined;
      const day = Math.floor(nowMs / dayMs);
      if (entry.usedDay !== day && entry.recordId !== undefined) {
        entry.usedDay = day;
        used.push(entry);
      }
      return entry.key;
    },
    make() {
      const secret = `dbk_${entropy.secret(secretBytes)}`;
      return { secret, digest: digestOf(secret).toString("hex"), prefix: secret.slice(0, prefixLength) };
    },
    put(record) {
      const known = entries.get(record.digest);
      // A key of the configuration is not to be changed from the store.
      if (known !== undefined && known.recordId === undefined) return;
      const before = records.get(record.id);
      if (before !== undefined && before.changedAtMs > record.changedAtMs) return;
      records.set(record.id, record);
      if (before !== undefined) entries.delete(before.digest);
      if (!keyCounts(record, record.changedAtMs)) return;
      entries.set(record.digest, { ...entryOf(record), usedDay: known?.usedDay ?? record.lastUsedDay ?? 0 });
    },
    takeUsed() {
      const taken = used;
      used = [];
      // Only entries of records are noted.
      return taken.map(({ recordId, usedDay: day }) => ({ id: recordId as KeyId, day }));
    },
  };
}

function entryOf({ id, merchant, scopes, digest, expiresAtMs = Number.POSITIVE_INFINITY }: KeyRecord): Omit<Entry, "usedDay"> {
  const access = { merchant, permissions: new Set(scopes.filter(isPermission)) };
  return { key: { id, issuer: merchant, access }, digest: Buffer.from(digest, "hex"), expiresAtMs, recordId: id };
}

const digestOf = (secret: string) => createHash("sha256").update(secret, "utf8").digest();

function noEntropy(): never {
  throw new Error("This ring makes no keys: it was given no entropy");
}
