/** Rows of accounts, sessions, shops and keys, and what they mean. */
import type { MerchantId, Permission, Role } from "../../domain/access.ts";
import type { Account, SecondFactor } from "../../domain/account.ts";
import type { AccountId, BuyerId, KeyId, SessionId } from "../../domain/ids.ts";
import type { Merchant } from "../../domain/merchant.ts";
import type { KeyRecord } from "../../domain/server-key.ts";
import type { Session } from "../../domain/session.ts";
import type { SqlValue } from "./sql-transaction.ts";

const list = (text: string): string[] => text.split(" ").filter((word) => word !== "");

export const accountColumns =
  `CAST(account.id AS TEXT) AS id, username, username_key, display_name, password_hash, password_changed_at, role, merchant, buyer_id, ` +
  `totp_secret, totp_confirmed, totp_last_step, recovery, banned_at, ban_reason, ban_changed_at, created_at, version`;
export type AccountRow = {
  readonly id: AccountId;
  readonly username: string;
  readonly username_key: string;
  readonly display_name: string | null;
  readonly password_hash: string;
  readonly password_changed_at: number;
  readonly role: Role;
  readonly merchant: MerchantId | null;
  readonly buyer_id: BuyerId;
  readonly totp_secret: string | null;
  readonly totp_confirmed: number;
  readonly totp_last_step: number;
  readonly recovery: string;
  readonly banned_at: number | null;
  readonly ban_reason: string | null;
  readonly ban_changed_at: number;
  readonly created_at: number;
  readonly version: number;
};

export function accountOf(row: AccountRow): Account {
  return {
    id: row.id,
    username: row.username,
    usernameKey: row.username_key,
    displayName: row.display_name ?? undefined,
    passwordHash: row.password_hash,
    passwordChangedAtMs: row.password_changed_at,
    role: row.role,
    merchant: row.merchant ?? undefined,
    buyerId: row.buyer_id,
    secondFactor: secondFactorOf(row),
    ban: row.banned_at === null ? undefined : { atMs: row.banned_at, reason: row.ban_reason ?? "" },
    banChangedAtMs: row.ban_changed_at,
    createdAtMs: row.created_at,
    version: row.version,
  };
}

function secondFactorOf(row: AccountRow): SecondFactor | undefined {
  if (row.totp_secret === null) return undefined;
  const { totp_secret: sealedSecret, totp_last_step: lastStep } = row;
  return { sealedSecret, confirmed: row.totp_confirmed === 1, lastStep, recovery: list(row.recovery) };
}

/** The columns that change, in the order of `accountValues`; the id and what never changes come apart. */
export const accountChanging = [
  "display_name",
  "password_hash",
  "password_changed_at",
  "role",
  "merchant",
  "totp_secret",
  "totp_confirmed",
  "totp_last_step",
  "recovery",
  "banned_at",
  "ban_reason",
  "ban_changed_at",
  "version",
] as const;

export function accountValues(account: Account): SqlValue[] {
  const { secondFactor, ban } = account;
  return [
    account.displayName ?? null,
    account.passwordHash,
    account.passwordChangedAtMs,
    account.role,
    account.merchant ?? null,
    secondFactor?.sealedSecret ?? null,
    secondFactor?.confirmed === true ? 1 : 0,
    secondFactor?.lastStep ?? 0,
    (secondFactor?.recovery ?? []).join(" "),
    ban?.atMs ?? null,
    ban?.reason ?? null,
    account.banChangedAtMs,
    account.version,
  ];
}

export const sessionColumns =
  `CAST(session.id AS TEXT) AS id, CAST(session.account_id AS TEXT) AS account_id, token_digest, previous_digest, rotated_at, created_at, ` +
  `idle_until, ends_at, ended_at`;
export type SessionRow = {
  readonly id: SessionId;
  readonly account_id: AccountId;
  readonly token_digest: string;
  readonly previous_digest: string | null;
  readonly rotated_at: number;
  readonly created_at: number;
  readonly idle_until: number;
  readonly ends_at: number;
  readonly ended_at: number | null;
};

export function sessionOf(row: SessionRow): Session {
  return {
    id: row.id,
    accountId: row.account_id,
    tokenDigest: row.token_digest,
    previousDigest: row.previous_digest ?? undefined,
    rotatedAtMs: row.rotated_at,
    createdAtMs: row.created_at,
    idleUntilMs: row.idle_until,
    endsAtMs: row.ends_at,
    endedAtMs: row.ended_at ?? undefined,
  };
}

export const merchantColumns = "id, name, created_at";
export type MerchantRow = { readonly id: MerchantId; readonly name: string; readonly created_at: number };
export const merchantOf = (row: MerchantRow): Merchant => ({ id: row.id, name: row.name, createdAtMs: row.created_at });

export const keyColumns =
  "CAST(server_key.id AS TEXT) AS id, merchant, name, scopes, digest, prefix, created_at, expires_at, revoked_at, changed_at, last_used_day";
export type KeyRow = {
  readonly id: KeyId;
  readonly merchant: MerchantId;
  readonly name: string;
  readonly scopes: string;
  readonly digest: string;
  readonly prefix: string;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
  readonly changed_at: number;
  readonly last_used_day: number | null;
};

export function keyOf(row: KeyRow): KeyRecord {
  return {
    id: row.id,
    merchant: row.merchant,
    name: row.name,
    // Only permissions are written there; one that a newer program knew grants nothing here.
    scopes: list(row.scopes) as Permission[],
    digest: row.digest,
    prefix: row.prefix,
    createdAtMs: row.created_at,
    expiresAtMs: row.expires_at ?? undefined,
    revokedAtMs: row.revoked_at ?? undefined,
    changedAtMs: row.changed_at,
    lastUsedDay: row.last_used_day ?? undefined,
  };
}
