import { mayReach, merchantPermissions, type Access, type MerchantId, type Permission } from "../../domain/access.ts";
import type { KeyId } from "../../domain/ids.ts";
import type { DraftProblem } from "../../domain/sale.ts";
import {
  keyCounts,
  keyOverlapDefaultMs,
  keyOverlapMaxMs,
  keysPerMerchantMax,
  problemOfKey,
  type KeyRecord,
} from "../../domain/server-key.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { KeyRecords } from "../../ports/key-records.ts";
import type { KeyRing } from "../../ports/key-ring.ts";

export type KeyDeps = { readonly accounts: KeyRecords; readonly keyRing: KeyRing; readonly clock: Clock; readonly ids: Ids };
type Invalid = { readonly kind: "invalid" } & DraftProblem;

/** What a server key may be given at most: what a merchant may do, acting for buyers, and seeing how the system fares. */
export const keyScopes: readonly Permission[] = [...merchantPermissions, "system:read"];

export type CreateKeyAnswer =
  /** `secret`: shown this once. */
  | { readonly kind: "made"; readonly record: KeyRecord; readonly secret: string }
  | { readonly kind: "forbidden"; readonly field: string; readonly problem: string }
  | Invalid;

export type KeyDraft = {
  readonly merchant: MerchantId;
  readonly name: string;
  readonly scopes: readonly Permission[];
  readonly lifetimeMs?: number | undefined;
};

/** A key of a shop within the caller's reach. Nobody hands out more than it has, save the acting for buyers: that is what keys are for. */
export async function createKey(deps: KeyDeps, draft: KeyDraft, by: Access): Promise<CreateKeyAnswer> {
  const { merchant, name, lifetimeMs } = draft;
  const scopes = [...new Set(draft.scopes)];
  const problem = problemOfKey({ name, scopes, lifetimeMs }) ?? problemOfScopes(scopes);
  if (problem !== undefined) return { kind: "invalid", ...problem };
  if (!mayReach(by, merchant)) return { kind: "forbidden", field: "merchant", problem: "must be the caller's own shop" };
  const beyond = scopes.find((scope) => scope !== "buyers:act" && !by.permissions.has(scope));
  if (beyond !== undefined) return { kind: "forbidden", field: "scopes", problem: `must be the caller's own: "${beyond}" is not` };
  const { secret, ...made } = deps.keyRing.make();
  const nowMs = Math.floor(deps.clock.nowMs());
  const expiresAtMs = lifetimeMs === undefined ? undefined : nowMs + lifetimeMs;
  // A freshly minted id is a key's id by its use here.
  const id = deps.ids.mint() as KeyId;
  const record = { id, merchant, name, scopes, ...made, createdAtMs: nowMs, changedAtMs: nowMs, expiresAtMs };
  const added = await deps.accounts.addKey(record);
  if (added === "merchant_unknown") return { kind: "invalid", field: "merchant", problem: `names no shop: "${merchant}"` };
  if (added === "too_many")
    return { kind: "invalid", field: "merchant", problem: `has ${keysPerMerchantMax} keys, the most a shop may have: revoke one first` };
  deps.keyRing.put(record);
  return { kind: "made", record, secret };
}

function problemOfScopes(scopes: readonly Permission[]): DraftProblem | undefined {
  const strange = scopes.find((scope) => !keyScopes.includes(scope));
  return strange === undefined ? undefined : { field: "scopes", problem: `"${strange}" is not for server keys` };
}

export type RotateKeyAnswer =
  | { readonly kind: "made"; readonly record: KeyRecord; readonly secret: string; readonly oldExpiresAtMs: number }
  | { readonly kind: "key_unknown" }
  | { readonly kind: "forbidden"; readonly field: string; readonly problem: string }
  | Invalid;

/** A new key in place of an old one, which goes on for the overlap, so that servers can change over one after another. */
export async function rotateKey(
  deps: KeyDeps,
  { id, overlapMs = keyOverlapDefaultMs }: { id: KeyId; overlapMs?: number | undefined },
  by: Access,
): Promise<RotateKeyAnswer> {
  if (!(overlapMs >= 0 && overlapMs <= keyOverlapMaxMs))
    return { kind: "invalid", field: "overlap_seconds", problem: `must be from 0 to ${keyOverlapMaxMs / 1000}` };
  const old = await findKey(deps, id, by);
  const nowMs = Math.floor(deps.clock.nowMs());
  if (old === undefined || !keyCounts(old, nowMs)) return { kind: "key_unknown" };
  const beyond = old.scopes.find((scope) => scope !== "buyers:act" && !by.permissions.has(scope));
  if (beyond !== undefined) return { kind: "forbidden", field: "scopes", problem: `must be the caller's own: "${beyond}" is not` };
  const { secret, ...made } = deps.keyRing.make();
  const { merchant, name, scopes } = old;
  const expiresAtMs = old.expiresAtMs === undefined ? undefined : nowMs + (old.expiresAtMs - old.createdAtMs);
  // As above.
  const record = { id: deps.ids.mint() as KeyId, merchant, name, scopes, ...made, createdAtMs: nowMs, changedAtMs: nowMs, expiresAtMs };
  const oldExpiresAtMs = Math.min(old.expiresAtMs ?? Number.POSITIVE_INFINITY, nowMs + overlapMs);
  if ((await deps.accounts.rotateKey({ old: id, oldExpiresAtMs, record })) === "gone") return { kind: "key_unknown" };
  deps.keyRing.put(record);
  deps.keyRing.put({ ...old, expiresAtMs: oldExpiresAtMs, changedAtMs: nowMs });
  return { kind: "made", record, secret, oldExpiresAtMs };
}

/** Refused from this moment on, here at once and in other processes as soon as they have looked. */
export async function revokeKey(deps: KeyDeps, id: KeyId, by: Access): Promise<KeyRecord | undefined> {
  const known = await findKey(deps, id, by);
  if (known === undefined) return undefined;
  const revoked = await deps.accounts.revokeKey(id, Math.floor(deps.clock.nowMs()));
  if (revoked !== undefined) deps.keyRing.put(revoked);
  return revoked;
}

/** A key of somebody else's shop is none. */
export async function findKey({ accounts }: Pick<KeyDeps, "accounts">, id: KeyId, by: Access): Promise<KeyRecord | undefined> {
  const record = await accounts.key(id);
  return record !== undefined && mayReach(by, record.merchant) ? record : undefined;
}
