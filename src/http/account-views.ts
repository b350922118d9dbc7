/** How accounts, shops and keys look on the wire, and what the refusals of their use cases answer. */
import type { Account } from "../domain/account.ts";
import type { Merchant } from "../domain/merchant.ts";
import type { KeyRecord } from "../domain/server-key.ts";
import type { Session } from "../domain/session.ts";
import type { Grant } from "../engine/accounts/grant.ts";
import type { Unproven } from "../engine/accounts/prove.ts";
import { unreachable } from "../lib/assert.ts";
import { failure, type Reply } from "./envelope.ts";
import { isoTime } from "./time.ts";

export function accountView({ id, username, displayName, role, merchant, secondFactor, createdAtMs }: Account) {
  return {
    id,
    username,
    display_name: displayName ?? null,
    role,
    merchant: merchant ?? null,
    totp: secondFactor?.confirmed === true,
    created_at: isoTime(createdAtMs),
  };
}

/** For the eyes of staff. */
export function accountForStaffView(account: Account) {
  const { ban } = account;
  return { ...accountView(account), banned: ban === undefined ? null : { at: isoTime(ban.atMs), reason: ban.reason } };
}

export function grantView(grant: Grant, refreshToken: string | null) {
  return {
    token: grant.accessToken,
    token_type: "Bearer",
    expires_at: isoTime(grant.expiresAtMs),
    refresh_token: refreshToken,
    session_id: grant.session,
    totp_required: grant.secondFactorRequired,
    account: accountView(grant.account),
  };
}

export function sessionView({ id, createdAtMs, rotatedAtMs, idleUntilMs, endsAtMs }: Session, current: string) {
  return {
    id,
    created_at: isoTime(createdAtMs),
    last_used_at: isoTime(rotatedAtMs),
    expires_at: isoTime(Math.min(idleUntilMs, endsAtMs)),
    current: id === current,
  };
}

export const merchantView = ({ id, name, createdAtMs }: Merchant) => ({ id, name, created_at: isoTime(createdAtMs) });

const dayMs = 86_400_000;
const dateLength = 10;
const timeOrNull = (ms: number | undefined): string | null => (ms === undefined ? null : isoTime(ms));

export function keyView({ id, merchant, name, scopes, prefix, createdAtMs, expiresAtMs, revokedAtMs, lastUsedDay }: KeyRecord) {
  return {
    id,
    merchant,
    name,
    scopes,
    prefix,
    created_at: isoTime(createdAtMs),
    expires_at: timeOrNull(expiresAtMs),
    revoked_at: timeOrNull(revokedAtMs),
    last_used_on: lastUsedDay === undefined ? null : isoTime(lastUsedDay * dayMs).slice(0, dateLength),
  };
}

export function tooManyTries(retryAfterMs: number): Reply {
  return { ...failure("too_many_tries"), headers: { "Retry-After": String(Math.max(1, Math.ceil(retryAfterMs / 1000))) } };
}

/** Who did not show that an account is its own. */
export function unprovenReply(answer: Unproven): Reply {
  switch (answer.kind) {
    case "wrong":
      return failure("credentials_wrong");
    case "code_required":
      return failure("code_required", { field: "code", problem: "is required" });
    case "busy":
      return failure("busy");
    case "limited":
      return tooManyTries(answer.retryAfterMs);
    default:
      return unreachable(answer);
  }
}

/** What each route that asks for a password may answer. */
export const unprovenReasons = ["credentials_wrong", "code_required", "busy", "too_many_tries"] as const;

export const invalidReply = ({ field, problem }: { field: string; problem: string }): Reply => failure("invalid", { field, problem });
export const accountUnknown = (): Reply => failure("account_unknown", { field: "account_id" });
