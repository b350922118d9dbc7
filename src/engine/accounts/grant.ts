import type { Role } from "../../domain/access.ts";
import { buyerOf, type Account } from "../../domain/account.ts";
import { accessLifetimeMs, newSession } from "../../domain/session.ts";
import type { SessionId } from "../../domain/ids.ts";
import type { AccountDeps } from "./deps.ts";

/** What a log-in or a refresh hands out. */
export type Grant = {
  readonly account: Account;
  readonly session: SessionId;
  readonly accessToken: string;
  readonly expiresAtMs: number;
  readonly refreshToken: string;
  /** The role asks for a second factor and there is none: until then the token is a buyer's. */
  readonly secondFactorRequired: boolean;
};

/** Those who change things in every shop. */
export const needsSecondFactor = (role: Role): boolean => role === "operator" || role === "admin";

type GrantDeps = Pick<AccountDeps, "tokens" | "clock">;

export function grantAccess(deps: GrantDeps, account: Account, refresh: { session: SessionId; refreshToken: string }): Grant {
  const secondFactorRequired = needsSecondFactor(account.role) && account.secondFactor?.confirmed !== true;
  const role = secondFactorRequired ? "buyer" : account.role;
  const nowMs = deps.clock.nowMs();
  const accessToken = deps.tokens.mint({
    buyer: buyerOf(account),
    buyerId: account.buyerId,
    nowMs,
    lifetimeMs: accessLifetimeMs,
    account: { session: refresh.session, role, merchant: account.merchant },
  });
  return { account, ...refresh, accessToken, expiresAtMs: Math.floor(nowMs + accessLifetimeMs), secondFactorRequired };
}

/** A new session of an account, durable when it answers. Throws StoreUnavailable. */
export async function beginSession(
  deps: GrantDeps & Pick<AccountDeps, "accounts" | "secrets" | "revocations" | "ids">,
  account: Account,
): Promise<Grant> {
  // A freshly minted id is a session's id by its use here.
  const session = deps.ids.mint() as SessionId;
  const { text: refreshToken, digest } = deps.secrets.firstToken(session);
  const nowMs = Math.floor(deps.clock.nowMs());
  const ended = await deps.accounts.beginSession(newSession({ id: session, accountId: account.id, digest, nowMs }));
  deps.revocations.sessionsEnded(ended, nowMs);
  return grantAccess(deps, account, { session, refreshToken });
}
