import type { Account } from "../../domain/account.ts";
import type { AccountId, SessionId } from "../../domain/ids.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import type { AccountDeps } from "./deps.ts";

/** A change is tried again on what somebody else has made of the account, so often. */
const triesMax = 5;

export type Changed<Refused> =
  | { readonly kind: "changed"; readonly account: Account }
  | { readonly kind: "account_unknown" }
  | { readonly kind: "refused"; readonly refusal: Refused };

export type Change<Refused> =
  /** `end`: whether the account's sessions end with it, or all but one. */
  | {
      readonly kind: "change";
      readonly account: Omit<Account, "version">;
      readonly end?: "all" | { readonly except: SessionId } | undefined;
    }
  | { readonly kind: "refuse"; readonly refusal: Refused };

type Deps = Pick<AccountDeps, "accounts" | "revocations" | "clock">;

/**
 * Reads an account, decides, and writes it if nobody has written it in between. What ends with the change is refused here
 * from the moment it is written. Throws StoreUnavailable.
 */
export async function changeAccount<Refused>(
  { accounts, revocations, clock }: Deps,
  id: AccountId,
  decide: (account: Account, nowMs: number) => Change<Refused>,
): Promise<Changed<Refused>> {
  for (let tries = 0; tries < triesMax; tries++) {
    const before = await accounts.account(id);
    if (before === undefined) return { kind: "account_unknown" };
    const nowMs = Math.floor(clock.nowMs());
    const decided = decide(before, nowMs);
    if (decided.kind === "refuse") return { kind: "refused", refusal: decided.refusal };
    const account = { ...decided.account, version: before.version + 1 };
    const except = typeof decided.end === "object" ? decided.end.except : undefined;
    const end = decided.end === undefined ? undefined : { nowMs, except };
    const ended = await accounts.replaceAccount(account, end);
    if (ended === "stale") continue;
    revocations.sessionsEnded(ended, nowMs);
    return { kind: "changed", account };
  }
  // Whoever sends many changes at once is told to come again.
  throw new StoreUnavailable("unavailable", `An account was changed by others ${triesMax} times in a row`);
}
