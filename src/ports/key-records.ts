import type { MerchantId } from "../domain/access.ts";
import type { KeyId } from "../domain/ids.ts";
import type { KeyRecord } from "../domain/server-key.ts";

/** Server keys as they are kept: digests. Throws StoreUnavailable when the store cannot answer. */
export interface KeyRecords {
  addKey(record: KeyRecord): Promise<"added" | "too_many" | "merchant_unknown">;
  /** Adds the new key and ends the old one at `oldExpiresAtMs`, or before if it was to end sooner, in one commit. */
  rotateKey(ask: { readonly old: KeyId; readonly oldExpiresAtMs: number; readonly record: KeyRecord }): Promise<"rotated" | "gone">;
  revokeKey(id: KeyId, nowMs: number): Promise<KeyRecord | undefined>;
  key(id: KeyId): Promise<KeyRecord | undefined>;
  /** A shop's keys, or all, newest first. */
  keys(merchant: MerchantId | undefined): Promise<readonly KeyRecord[]>;
  /** Notes the last day on which each was used. */
  touchKeys(days: readonly { readonly id: KeyId; readonly day: number }[]): Promise<void>;
}
