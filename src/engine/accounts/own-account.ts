/** What people do with their own accounts. Where it is delicate they show their password again, and their second factor. */
import { problemOfDisplayName, type Account } from "../../domain/account.ts";
import type { AccountId, SessionId } from "../../domain/ids.ts";
import { normalizedPassword, problemOfPassword } from "../../domain/password.ts";
import type { DraftProblem } from "../../domain/sale.ts";
import { changeAccount } from "./change-account.ts";
import type { AccountDeps } from "./deps.ts";
import { prove, type Proof, type ProveAnswer, type Unproven } from "./prove.ts";

type Invalid = { readonly kind: "invalid" } & DraftProblem;

/** Shows again that the account is one's own. Wrong tries count like those of signing in. */
export async function proveAgain(
  deps: AccountDeps,
  id: AccountId,
  proof: Omit<Proof, "usernameKey">,
): Promise<ProveAnswer | { readonly kind: "account_unknown" }> {
  const account = await deps.accounts.account(id);
  return account === undefined ? { kind: "account_unknown" } : prove(deps, { ...proof, usernameKey: account.usernameKey });
}

export type RenameAnswer = { readonly kind: "changed"; readonly account: Account } | { readonly kind: "account_unknown" } | Invalid;

export async function changeDisplayName(deps: AccountDeps, id: AccountId, displayName: string | undefined): Promise<RenameAnswer> {
  const problem = problemOfDisplayName(displayName);
  if (problem !== undefined) return { kind: "invalid", ...problem };
  const answer = await changeAccount(deps, id, (now) => ({ kind: "change", account: { ...now, displayName } }));
  return answer.kind === "refused" ? { kind: "account_unknown" } : answer;
}

export type PasswordAsk = Omit<Proof, "usernameKey"> & {
  readonly accountId: AccountId;
  readonly newPassword: string;
  /** The session that goes on; all others end. */
  readonly session: SessionId;
};
export type PasswordAnswer = { readonly kind: "changed" } | { readonly kind: "account_unknown" } | Invalid | Unproven;

export async function changePassword(deps: AccountDeps, ask: PasswordAsk): Promise<PasswordAnswer> {
  const account = await deps.accounts.account(ask.accountId);
  if (account === undefined) return { kind: "account_unknown" };
  const problem = problemOfPassword(ask.newPassword, account.username, "new_password");
  if (problem !== undefined) return { kind: "invalid", ...problem };
  const proven = await prove(deps, { ...ask, usernameKey: account.usernameKey });
  if (proven.kind !== "proven") return proven;
  const hashed = await deps.passwords.hash(normalizedPassword(ask.newPassword));
  if (hashed.kind === "busy") return hashed;
  const answer = await changeAccount(deps, ask.accountId, (now, nowMs) => ({
    kind: "change",
    account: { ...now, passwordHash: hashed.hash, passwordChangedAtMs: nowMs },
    end: { except: ask.session },
  }));
  return { kind: answer.kind === "changed" ? "changed" : "account_unknown" };
}

export type EraseAnswer = { readonly kind: "erased" } | { readonly kind: "account_unknown" } | { readonly kind: "last_admin" } | Unproven;

/** Forgets the account. Its orders stay, under a number that names nobody any more. */
export async function eraseAccount(deps: AccountDeps, ask: Omit<Proof, "usernameKey"> & { accountId: AccountId }): Promise<EraseAnswer> {
  const proven = await proveAgain(deps, ask.accountId, ask);
  if (proven.kind !== "proven") return proven;
  // Another admin takes the role away first, so that one is left.
  if (proven.account.role === "admin") return { kind: "last_admin" };
  const nowMs = Math.floor(deps.clock.nowMs());
  deps.revocations.sessionsEnded(await deps.accounts.removeAccount(ask.accountId, nowMs), nowMs);
  return { kind: "erased" };
}
