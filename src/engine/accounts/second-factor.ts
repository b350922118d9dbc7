/**
 * The second factor: six digits of an authenticator app, or one of ten recovery codes. Each code counts once, for the step
 * of the last one used is kept and a recovery code is crossed out, in the same write that decides who of two was first.
 */
import type { Account, SecondFactor } from "../../domain/account.ts";
import type { AccountId, SessionId } from "../../domain/ids.ts";
import { isSameText } from "../../lib/same-text.ts";
import type { AccountDeps } from "./deps.ts";
import { changeAccount } from "./change-account.ts";

export const recoveryCodesCount = 10;
const codeLengthMax = 40;

type Deps = Pick<AccountDeps, "accounts" | "revocations" | "clock" | "secrets" | "codes">;

/** What a code makes of the factor it fits, or undefined for a wrong one. */
function afterCode({ secrets, codes }: Deps, account: Account, code: string, nowMs: number): SecondFactor | undefined {
  const factor = account.secondFactor;
  if (factor === undefined || code.length > codeLengthMax) return undefined;
  const secret = secrets.open(factor.sealedSecret, account.id);
  const step = secret === undefined ? undefined : codes.check({ secret, code, nowMs, afterStep: factor.lastStep });
  if (step !== undefined) return { ...factor, lastStep: step };
  const digest = secrets.recoveryDigest(code, account.id);
  const others = factor.recovery.filter((kept) => !isSameText(kept, digest));
  if (!factor.confirmed || others.length === factor.recovery.length) return undefined;
  return { ...factor, recovery: others };
}

/** Uses a code up. Of two who send the same one is right. */
export async function useCode(deps: Deps, account: Account, code: string): Promise<Account | undefined> {
  const answer = await changeAccount(deps, account.id, (now, nowMs) => {
    const secondFactor = afterCode(deps, now, code, nowMs);
    return secondFactor === undefined ? { kind: "refuse", refusal: "wrong" } : { kind: "change", account: { ...now, secondFactor } };
  });
  return answer.kind === "changed" ? answer.account : undefined;
}

export type EnrolAnswer =
  /** To be shown once: what the app reads. */
  | { readonly kind: "enrolled"; readonly secret: string; readonly uri: string }
  | { readonly kind: "already" }
  | { readonly kind: "account_unknown" };

/** A new secret, which counts once a code of it was right. */
export async function enrol(deps: Deps, account: Account): Promise<EnrolAnswer> {
  const secret = deps.codes.newSecret();
  const answer = await changeAccount(deps, account.id, (now) => {
    if (now.secondFactor?.confirmed === true) return { kind: "refuse", refusal: "already" as const };
    const sealedSecret = deps.secrets.seal(secret, now.id);
    return { kind: "change", account: { ...now, secondFactor: { sealedSecret, confirmed: false, lastStep: 0, recovery: [] } } };
  });
  if (answer.kind === "refused") return { kind: answer.refusal };
  return answer.kind === "changed" ? { kind: "enrolled", secret, uri: deps.codes.uri(secret, answer.account.username) } : answer;
}

export type ConfirmAnswer =
  /** Shown once, too. */
  | { readonly kind: "confirmed"; readonly account: Account; readonly recoveryCodes: readonly string[] }
  | { readonly kind: "already" | "not_enrolled" | "wrong" | "account_unknown" }
  | { readonly kind: "limited"; readonly retryAfterMs: number };
export type ConfirmAsk = { readonly id: AccountId; readonly session: SessionId; readonly code: string; readonly address: string };

/** The first right code switches the factor on. All other sessions end: they began without it. */
export async function confirm(deps: Deps & Pick<AccountDeps, "limits">, ask: ConfirmAsk): Promise<ConfirmAnswer> {
  // Guesses count as guesses of a password do, apart from those: what is typed as a name is counted in small letters.
  const entry = deps.limits.enter({ name: `CODE ${ask.id}`, address: ask.address, nowMs: deps.clock.nowMs() });
  if (entry.kind === "limited") return entry;
  const recoveryCodes = deps.secrets.recoveryCodes(recoveryCodesCount);
  const answer = await changeAccount(deps, ask.id, (now, nowMs) => {
    if (now.secondFactor === undefined) return { kind: "refuse", refusal: "not_enrolled" as const };
    if (now.secondFactor.confirmed) return { kind: "refuse", refusal: "already" as const };
    const used = afterCode(deps, now, ask.code, nowMs);
    if (used === undefined) return { kind: "refuse", refusal: "wrong" as const };
    const recovery = recoveryCodes.map((code) => deps.secrets.recoveryDigest(code, now.id));
    return { kind: "change", account: { ...now, secondFactor: { ...used, confirmed: true, recovery } }, end: { except: ask.session } };
  });
  if (answer.kind === "refused") return { kind: answer.refusal };
  return answer.kind === "changed" ? { kind: "confirmed", account: answer.account, recoveryCodes } : answer;
}

/** Takes the factor away: by its owner, who has shown password and code, or by an admin for somebody whose phone is lost. */
export async function removeSecondFactor(deps: Deps, id: AccountId): Promise<"removed" | "account_unknown"> {
  const answer = await changeAccount(deps, id, (now) => ({
    kind: "change",
    account: { ...now, secondFactor: undefined },
    end: "all",
  }));
  return answer.kind === "changed" ? "removed" : "account_unknown";
}
