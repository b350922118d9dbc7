/** What staff do with the accounts of others. */
import type { MerchantId, Role } from "../../domain/access.ts";
import { banReasonLengthMax, type Account } from "../../domain/account.ts";
import type { AccountId } from "../../domain/ids.ts";
import { isLabel, labelProblem, type DraftProblem } from "../../domain/sale.ts";
import { changeAccount, type Changed } from "./change-account.ts";
import type { AccountDeps } from "./deps.ts";
import { addAccount, type AddAccountAnswer, type NewAccount } from "./sign-up.ts";

type Invalid = { readonly kind: "invalid" } & DraftProblem;
export type StaffAnswer =
  | { readonly kind: "changed"; readonly account: Account }
  | { readonly kind: "account_unknown" | "forbidden" }
  | Invalid;

/** Who asks: what concerns oneself, or somebody with more rights, is for another to do. */
export type By = { readonly accountId: AccountId | undefined; readonly mayManage: boolean };

type Place = { readonly role: Role; readonly merchant: MerchantId | undefined };

export async function createStaff(deps: AccountDeps, draft: NewAccount & Place): Promise<AddAccountAnswer> {
  const problem = await problemOfPlace(deps, draft);
  return problem === undefined ? addAccount(deps, draft, draft) : { kind: "invalid", ...problem };
}

/** All sessions end: what they were begun with holds no longer. */
export async function changeRole(deps: AccountDeps, ask: Place & { id: AccountId; by: By }): Promise<StaffAnswer> {
  const { id, role, merchant, by } = ask;
  if (by.accountId === id) return { kind: "forbidden" };
  const problem = await problemOfPlace(deps, ask);
  if (problem !== undefined) return { kind: "invalid", ...problem };
  return answerOf(await changeAccount(deps, id, (now) => ({ kind: "change", account: { ...now, role, merchant }, end: "all" })));
}

async function problemOfPlace({ accounts }: AccountDeps, { role, merchant }: Place): Promise<DraftProblem | undefined> {
  if (role !== "merchant") return merchant === undefined ? undefined : { field: "merchant", problem: "is for the role merchant only" };
  if (merchant === undefined) return { field: "merchant", problem: "must name the shop of a merchant" };
  const known = (await accounts.merchants()).some(({ id }) => id === merchant);
  return known ? undefined : { field: "merchant", problem: `names no shop: "${merchant}"` };
}

export async function ban(deps: AccountDeps, ask: { id: AccountId; reason: string; by: By }): Promise<StaffAnswer> {
  const { id, reason, by } = ask;
  if (!isLabel(reason, banReasonLengthMax)) return { kind: "invalid", field: "reason", problem: labelProblem(banReasonLengthMax) };
  const answer = await changeAccount(deps, id, (now, nowMs) => {
    if (by.accountId === id || !(by.mayManage || now.role === "buyer")) return { kind: "refuse", refusal: "forbidden" as const };
    return { kind: "change", account: { ...now, ban: { atMs: nowMs, reason }, banChangedAtMs: nowMs }, end: "all" };
  });
  noteBan(deps, answer);
  return answerOf(answer);
}

export async function unban(deps: AccountDeps, ask: { id: AccountId; by: By }): Promise<StaffAnswer> {
  const { id, by } = ask;
  const answer = await changeAccount(deps, id, (now, nowMs) => {
    if (by.accountId === id || !(by.mayManage || now.role === "buyer")) return { kind: "refuse", refusal: "forbidden" as const };
    return { kind: "change", account: { ...now, ban: undefined, banChangedAtMs: nowMs } };
  });
  noteBan(deps, answer);
  return answerOf(answer);
}

function noteBan({ revocations }: AccountDeps, answer: Changed<unknown>): void {
  if (answer.kind !== "changed") return;
  const { buyerId, ban: now, banChangedAtMs } = answer.account;
  revocations.setBanned(buyerId, now !== undefined, banChangedAtMs);
}

const answerOf = (answer: Changed<"forbidden">): StaffAnswer => (answer.kind === "refused" ? { kind: answer.refusal } : answer);
