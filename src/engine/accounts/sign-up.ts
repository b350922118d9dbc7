import { localIssuer, type MerchantId, type Role } from "../../domain/access.ts";
import { problemOfDisplayName, problemOfUsername, usernameKeyOf, type Account } from "../../domain/account.ts";
import type { AccountId } from "../../domain/ids.ts";
import { normalizedPassword, problemOfPassword } from "../../domain/password.ts";
import type { DraftProblem } from "../../domain/sale.ts";
import { buyerIdOf } from "../identity.ts";
import type { AccountDeps } from "./deps.ts";

export type NewAccount = {
  readonly username: string;
  readonly password: string;
  readonly displayName?: string | undefined;
};
type Place = { readonly role: Role; readonly merchant?: MerchantId | undefined };

export type AddAccountAnswer =
  | { readonly kind: "added"; readonly account: Account }
  | { readonly kind: "taken" }
  | { readonly kind: "busy" }
  | ({ readonly kind: "invalid" } & DraftProblem);
export type SignUpAnswer = AddAccountAnswer | { readonly kind: "limited"; readonly retryAfterMs: number };

type Deps = Pick<AccountDeps, "accounts" | "catalogue" | "passwords" | "clock" | "tasks" | "ids">;

/** Anybody may have an account, which is a buyer's; an address may make so many a minute. Throws StoreUnavailable. */
export async function signUp(
  deps: Deps & Pick<AccountDeps, "limits">,
  ask: NewAccount & { readonly address: string },
): Promise<SignUpAnswer> {
  const problem = problemOfNew(ask);
  if (problem !== undefined) return { kind: "invalid", ...problem };
  const entry = deps.limits.enterByAddress({ address: ask.address, nowMs: deps.clock.nowMs() });
  return entry.kind === "limited" ? entry : addAccount(deps, ask, { role: "buyer" });
}

/** An account in any role; who may do that is asked elsewhere. */
export async function addAccount(deps: Deps, draft: NewAccount, { role, merchant }: Place): Promise<AddAccountAnswer> {
  const problem = problemOfNew(draft);
  if (problem !== undefined) return { kind: "invalid", ...problem };
  const usernameKey = usernameKeyOf(draft.username);
  // Looked at first, so that nobody makes us hash for a name that is taken; what counts is the store's answer below.
  if ((await deps.accounts.accountByName(usernameKey)) !== undefined) return { kind: "taken" };
  const hashed = await deps.passwords.hash(normalizedPassword(draft.password));
  if (hashed.kind === "busy") return { kind: "busy" };
  // A freshly minted id is an account's id by its use here.
  const id = deps.ids.mint() as AccountId;
  const buyerId = await buyerIdOf(deps, { issuer: localIssuer, subject: id });
  const nowMs = Math.floor(deps.clock.nowMs());
  const account: Account = {
    id,
    username: draft.username.normalize("NFKC"),
    usernameKey,
    displayName: draft.displayName,
    passwordHash: hashed.hash,
    passwordChangedAtMs: nowMs,
    role,
    merchant,
    buyerId,
    banChangedAtMs: 0,
    createdAtMs: nowMs,
    version: 1,
  };
  return (await deps.accounts.addAccount(account)) === "taken" ? { kind: "taken" } : { kind: "added", account };
}

const problemOfNew = ({ username, password, displayName }: NewAccount): DraftProblem | undefined =>
  problemOfUsername(username) ?? problemOfPassword(password, username) ?? problemOfDisplayName(displayName);
