/** Whether somebody knows an account's password, and has its second factor: asked at log-in and before what is delicate. */
import type { Account } from "../../domain/account.ts";
import { normalizedPassword } from "../../domain/password.ts";
import { changeAccount } from "./change-account.ts";
import type { AccountDeps } from "./deps.ts";
import { useCode } from "./second-factor.ts";

export type Proof = {
  /** As it is counted: the name that was typed, whether or not there is an account. */
  readonly usernameKey: string;
  readonly address: string;
  readonly password: string;
  /** Of the app, or a recovery code; asked for if the account has a second factor. */
  readonly code?: string | undefined;
};
export type Unproven = { readonly kind: "wrong" | "code_required" | "busy" } | { readonly kind: "limited"; readonly retryAfterMs: number };
export type ProveAnswer = { readonly kind: "proven"; readonly account: Account } | Unproven;

/** Longer is no password of ours, and hashing it would be work. */
const passwordUnitsMax = 1_024;

/**
 * The same work for a name that nobody has. The second factor is asked for only once the password was right, so a wrong
 * password does not tell whether there is one. Throws StoreUnavailable.
 */
export async function prove(
  deps: Pick<AccountDeps, "accounts" | "passwords" | "limits" | "clock" | "secrets" | "codes" | "revocations">,
  { usernameKey, address, password, code }: Proof,
): Promise<ProveAnswer> {
  if (password.length > passwordUnitsMax) return { kind: "wrong" };
  const tried = { name: usernameKey, address, nowMs: deps.clock.nowMs() };
  const entry = deps.limits.enter(tried);
  if (entry.kind === "limited") return entry;
  const account = await deps.accounts.accountByName(usernameKey);
  const verified = await deps.passwords.verify(account?.passwordHash, normalizedPassword(password));
  // Nothing was tried, so nothing counts.
  if (verified.kind === "busy") deps.limits.forgive(tried);
  if (verified.kind !== "right") return { kind: verified.kind };
  if (account === undefined) return { kind: "wrong" };
  let proven: Account = account;
  if (account.secondFactor?.confirmed === true) {
    if (code === undefined) {
      deps.limits.forgive(tried);
      return { kind: "code_required" };
    }
    const after = await useCode(deps, account, code);
    if (after === undefined) return { kind: "wrong" };
    proven = after;
  }
  deps.limits.proven(tried);
  if (verified.outdated) proven = await hashAgain(deps, proven, password);
  return { kind: "proven", account: proven };
}

/** With today's parameters; if there is no time for it now, the next log-in does it. */
async function hashAgain(deps: Parameters<typeof prove>[0], account: Account, password: string): Promise<Account> {
  const hashed = await deps.passwords.hash(normalizedPassword(password));
  if (hashed.kind === "busy") return account;
  const answer = await changeAccount(deps, account.id, (now) =>
    now.passwordHash === account.passwordHash
      ? { kind: "change", account: { ...now, passwordHash: hashed.hash } }
      : { kind: "refuse", refusal: "changed" },
  );
  return answer.kind === "changed" ? answer.account : account;
}
