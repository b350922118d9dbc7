import { usernameKeyOf } from "../../domain/account.ts";
import { normalizedPassword } from "../../domain/password.ts";
import type { Entropy } from "../../ports/entropy.ts";
import { changeAccount } from "./change-account.ts";
import type { AccountDeps } from "./deps.ts";
import { addAccount } from "./sign-up.ts";

export const adminUsernameDefault = "admin";

/** `password`: made here, to be shown once. Left out where the operator gave one. */
export type MadeAdmin = { readonly username: string; readonly password?: string | undefined };
export type FirstAdminAnswer =
  | { readonly kind: "there" }
  | ({ readonly kind: "made" } & MadeAdmin)
  | { readonly kind: "wrong"; readonly problem: string };

type Deps = Parameters<typeof addAccount>[0];

/** An installation without an admin gets one: with the configured name and password, or a password made for it. */
export async function ensureAdmin(
  deps: Deps,
  entropy: Pick<Entropy, "secret">,
  given: { username?: string | undefined; password?: string | undefined },
): Promise<FirstAdminAnswer> {
  if (await deps.accounts.hasAdmin()) return { kind: "there" };
  const { username = adminUsernameDefault } = given;
  const password = given.password ?? madePassword(entropy);
  const answer = await addAccount(deps, { username, password }, { role: "admin" });
  switch (answer.kind) {
    case "added":
      return { kind: "made", username, password: given.password === undefined ? password : undefined };
    case "taken":
      // Another process that started at the same time was first.
      if (await deps.accounts.hasAdmin()) return { kind: "there" };
      return { kind: "wrong", problem: `an account "${username}" exists and is no admin: set another name` };
    case "busy":
      return { kind: "wrong", problem: "the server is too busy to make the first admin" };
    default:
      return { kind: "wrong", problem: `${answer.field} ${answer.problem}` };
  }
}

export type ResetAnswer = { readonly kind: "reset"; readonly password: string } | { readonly kind: "account_unknown" | "busy" };

/** For an admin who is locked out: a new password, no second factor, no ban, and no session. */
export async function resetPassword(
  deps: Pick<AccountDeps, "accounts" | "passwords" | "revocations" | "clock">,
  entropy: Pick<Entropy, "secret">,
  username: string,
): Promise<ResetAnswer> {
  const account = await deps.accounts.accountByName(usernameKeyOf(username));
  if (account === undefined) return { kind: "account_unknown" };
  const password = madePassword(entropy);
  const hashed = await deps.passwords.hash(normalizedPassword(password));
  if (hashed.kind === "busy") return hashed;
  const answer = await changeAccount(deps, account.id, (now, nowMs) => ({
    kind: "change",
    account: {
      ...now,
      passwordHash: hashed.hash,
      passwordChangedAtMs: nowMs,
      secondFactor: undefined,
      ban: undefined,
      banChangedAtMs: nowMs,
    },
    end: "all",
  }));
  return answer.kind === "changed" ? { kind: "reset", password } : { kind: "account_unknown" };
}

const madePassword = (entropy: Pick<Entropy, "secret">): string => entropy.secret(18);
