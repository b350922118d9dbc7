/**
 * One log-in. Its refresh tokens follow each other: using one makes the next, and only the newest counts. Of a token only
 * its digest is kept.
 *
 *   token 1 ──used──► token 2 ──used──► token 3          the newest: rotates
 *                     └ used again within the grace: token 3 once more (two tabs)
 *   └ used again: somebody has a copy, so the whole session ends
 *
 * Invariant: a session that has ended, or whose idle or absolute time is up, never counts again.
 */
import { assert } from "../lib/assert.ts";
import { isSameText } from "../lib/same-text.ts";
import type { AccountId, SessionId } from "./ids.ts";

export const sessionIdleMs = 14 * 86_400_000;
export const sessionLifetimeMs = 60 * 86_400_000;
/** Two tabs that refresh at once send the same token; the second one a little later. */
export const refreshGraceMs = 10_000;
/** The oldest ends when another begins. */
export const sessionsPerAccountMax = 50;
/** How long an access token lives, and so how long a dead session has to be remembered. */
export const accessLifetimeMs = 600_000;

export type Session = {
  readonly id: SessionId;
  readonly accountId: AccountId;
  /** Digest of the newest refresh token, and of the one before. */
  readonly tokenDigest: string;
  readonly previousDigest?: string | undefined;
  /** When the one before was used. */
  readonly rotatedAtMs: number;
  readonly createdAtMs: number;
  readonly idleUntilMs: number;
  readonly endsAtMs: number;
  readonly endedAtMs?: number | undefined;
};

export type Rotate = {
  readonly id: SessionId;
  /** Of the token presented, and of the one that follows it. */
  readonly digest: string;
  readonly nextDigest: string;
  readonly nowMs: number;
};

export type Rotation =
  | { readonly kind: "rotated"; readonly session: Session }
  /** The token was used a moment ago: its successor is the answer again. */
  | { readonly kind: "repeated"; readonly session: Session }
  /** An old token: the session is to end, or has. */
  | { readonly kind: "reused"; readonly session: Session }
  /** With the account, where the token is the session's last: whoever has it may hear why. */
  | { readonly kind: "ended"; readonly accountId?: AccountId | undefined };

export const isOver = (session: Session, nowMs: number): boolean =>
  session.endedAtMs !== undefined || session.idleUntilMs <= nowMs || session.endsAtMs <= nowMs;

export function newSession(start: { id: SessionId; accountId: AccountId; digest: string; nowMs: number }): Session {
  const { id, accountId, digest } = start;
  const nowMs = Math.floor(start.nowMs);
  const times = { createdAtMs: nowMs, rotatedAtMs: nowMs, idleUntilMs: nowMs + sessionIdleMs, endsAtMs: nowMs + sessionLifetimeMs };
  return { id, accountId, tokenDigest: digest, ...times };
}

/** What presenting a token of ours does to its session. */
export function rotate(session: Session, { digest, nextDigest, nowMs }: Omit<Rotate, "id">): Rotation {
  assert(!isSameText(digest, nextDigest), "a token is not its own successor");
  if (isOver(session, nowMs)) return { kind: "ended", accountId: isSameText(session.tokenDigest, digest) ? session.accountId : undefined };
  if (isSameText(session.tokenDigest, digest)) {
    const atMs = Math.floor(nowMs);
    const next = { ...session, tokenDigest: nextDigest, previousDigest: digest, rotatedAtMs: atMs, idleUntilMs: atMs + sessionIdleMs };
    return { kind: "rotated", session: next };
  }
  const isTwin = isSameText(session.previousDigest ?? "", digest) && isSameText(session.tokenDigest, nextDigest);
  if (isTwin && nowMs < session.rotatedAtMs + refreshGraceMs) return { kind: "repeated", session };
  return { kind: "reused", session: { ...session, endedAtMs: Math.floor(nowMs) } };
}
