import { usernameKeyOf, type Account } from "../../domain/account.ts";
import type { AccountId, SessionId } from "../../domain/ids.ts";
import type { Session } from "../../domain/session.ts";
import type { AccountDeps } from "./deps.ts";
import { beginSession, grantAccess, type Grant } from "./grant.ts";
import { prove, type Proof, type Unproven } from "./prove.ts";

export type LogInAsk = Omit<Proof, "usernameKey"> & { readonly username: string };
export type LogInAnswer = { readonly kind: "in"; readonly grant: Grant } | { readonly kind: "banned" } | Unproven;

/** Longer names are nobody's; they are counted by their beginning. */
const usernameUnitsMax = 256;

export async function logIn(deps: AccountDeps, { username, ...proof }: LogInAsk): Promise<LogInAnswer> {
  const proven = await prove(deps, { ...proof, usernameKey: usernameKeyOf(username.slice(0, usernameUnitsMax)) });
  if (proven.kind !== "proven") return proven;
  if (proven.account.ban !== undefined) return { kind: "banned" };
  const grant = await beginSession(deps, proven.account);
  // What ended its sessions while this one began has not seen this one.
  const now = await deps.accounts.account(proven.account.id);
  if (now !== undefined && isSame(now, proven.account)) return { kind: "in", grant };
  await endSessions(deps, { accountId: proven.account.id, only: grant.session });
  return now?.ban === undefined ? { kind: "busy" } : { kind: "banned" };
}

/** Whether nothing has changed that a session is begun with. */
const isSame = (now: Account, then: Account): boolean =>
  now.ban === undefined &&
  now.role === then.role &&
  now.merchant === then.merchant &&
  now.passwordChangedAtMs === then.passwordChangedAtMs &&
  now.secondFactor?.confirmed === then.secondFactor?.confirmed;

export type RefreshAnswer =
  | { readonly kind: "in"; readonly grant: Grant }
  /** An old token: somebody has a copy, so its session has just ended. */
  | { readonly kind: "reused"; readonly session: SessionId }
  | { readonly kind: "banned" | "wrong" };

/** The next refresh token and an access token, with the role and shop that the account has now. Throws StoreUnavailable. */
export async function refresh(deps: AccountDeps, text: string): Promise<RefreshAnswer> {
  const presented = deps.secrets.readToken(text);
  if (presented === undefined) return { kind: "wrong" };
  const { session: id, digest, next } = presented;
  const nowMs = Math.floor(deps.clock.nowMs());
  const rotation = await deps.accounts.rotateSession({ id, digest, nextDigest: next.digest, nowMs });
  if (rotation.kind === "ended") {
    const { accountId } = rotation;
    const whose = accountId === undefined ? undefined : await deps.accounts.account(accountId);
    return { kind: whose?.ban === undefined ? "wrong" : "banned" };
  }
  if (rotation.kind === "reused") {
    deps.revocations.sessionsEnded([id], nowMs);
    return { kind: "reused", session: id };
  }
  const account = await deps.accounts.account(rotation.session.accountId);
  if (account !== undefined && account.ban === undefined)
    return { kind: "in", grant: grantAccess(deps, account, { session: id, refreshToken: next.text }) };
  await endSessions(deps, { accountId: rotation.session.accountId });
  return { kind: account === undefined ? "wrong" : "banned" };
}

type EndDeps = Pick<AccountDeps, "accounts" | "revocations" | "clock">;

/** Ends one session of an account, or all; tells how many had not ended before. */
export async function endSessions(deps: EndDeps, ask: { accountId: AccountId; only?: SessionId | undefined }): Promise<number> {
  const nowMs = Math.floor(deps.clock.nowMs());
  const ended = await deps.accounts.endSessions({ ...ask, nowMs });
  deps.revocations.sessionsEnded(ended, nowMs);
  return ended.length;
}

/** Ends the session of a refresh token, for whoever has lost the access token; tells how many ended. */
export async function endByToken(deps: EndDeps & Pick<AccountDeps, "secrets">, text: string): Promise<number> {
  const presented = deps.secrets.readToken(text);
  if (presented === undefined) return 0;
  // Rotating finds the session's account, and an old token ends the session by itself.
  const { session: id, digest, next } = presented;
  const nowMs = Math.floor(deps.clock.nowMs());
  const rotation = await deps.accounts.rotateSession({ id, digest, nextDigest: next.digest, nowMs });
  if (rotation.kind === "ended") return 0;
  deps.revocations.sessionsEnded([id], nowMs);
  await deps.accounts.endSessions({ accountId: rotation.session.accountId, only: id, nowMs });
  return 1;
}

export const sessionsOf = (deps: Pick<AccountDeps, "accounts" | "clock">, id: AccountId): Promise<readonly Session[]> =>
  deps.accounts.sessionsOf(id, Math.floor(deps.clock.nowMs()));
