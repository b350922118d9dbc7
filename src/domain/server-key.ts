import type { MerchantId, Permission } from "./access.ts";
import type { KeyId } from "./ids.ts";
import { isLabel, labelProblem, type DraftProblem } from "./sale.ts";

/** A server key as it is kept: everything but the key. */
export type KeyRecord = {
  readonly id: KeyId;
  readonly merchant: MerchantId;
  readonly name: string;
  readonly scopes: readonly Permission[];
  /** SHA-256 of the key, in hex. The key is 256 bits of chance, so nothing slower is needed. */
  readonly digest: string;
  /** Its first characters, to tell keys apart by eye. */
  readonly prefix: string;
  readonly createdAtMs: number;
  readonly expiresAtMs?: number | undefined;
  readonly revokedAtMs?: number | undefined;
  /** When it was made, rotated or revoked last. */
  readonly changedAtMs: number;
  /** The day it was used last, counted from 1970. */
  readonly lastUsedDay?: number | undefined;
};

export const keyNameLengthMax = 100;
export const keysPerMerchantMax = 100;
export const keyLifetimeMaxMs = 366 * 86_400_000;
/** How long the old key of a rotation may go on. */
export const keyOverlapMaxMs = 7 * 86_400_000;
export const keyOverlapDefaultMs = 86_400_000;

export const keyCounts = ({ expiresAtMs, revokedAtMs }: Pick<KeyRecord, "expiresAtMs" | "revokedAtMs">, nowMs: number): boolean =>
  revokedAtMs === undefined && (expiresAtMs === undefined || nowMs < expiresAtMs);

export function problemOfKey(key: {
  readonly name: string;
  readonly scopes: readonly Permission[];
  readonly lifetimeMs: number | undefined;
}): DraftProblem | undefined {
  if (!isLabel(key.name, keyNameLengthMax)) return { field: "name", problem: labelProblem(keyNameLengthMax) };
  if (key.scopes.length === 0) return { field: "scopes", problem: "must name at least one permission" };
  const { lifetimeMs } = key;
  if (lifetimeMs !== undefined && !(lifetimeMs >= 60_000 && lifetimeMs <= keyLifetimeMaxMs))
    return { field: "expires_in_seconds", problem: `must be from 60 to ${keyLifetimeMaxMs / 1000}` };
  return undefined;
}
