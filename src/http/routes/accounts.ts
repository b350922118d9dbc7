/** What staff do with the accounts of others. */
import { mayDo } from "../../domain/access.ts";
import { usernameKeyOf } from "../../domain/account.ts";
import { parseAccountId } from "../../domain/ids.ts";
import { removeSecondFactor } from "../../engine/accounts/second-factor.ts";
import { ban, changeRole, createStaff, unban, type By, type StaffAnswer } from "../../engine/accounts/staff.ts";
import { unreachable } from "../../lib/assert.ts";
import { accountForStaffView, accountUnknown, invalidReply } from "../account-views.ts";
import { accountForStaffAnswer, accountParams, accountsQuery, banBody, doneAnswer, roleBody, staffBody } from "../contract/accounts.ts";
import { listOf, listView, pageOf } from "../contract/paging.ts";
import { failure, success, type Reply } from "../envelope.ts";
import type { Staff } from "../identity.ts";
import { forStaff, type Route } from "../route.ts";

const list = {
  method: "GET",
  path: "/api/v1/accounts",
  operation: "listAccounts",
  tag: "accounts",
  summary: "List accounts",
  query: accountsQuery,
  answers: { 200: listOf(accountForStaffAnswer) },
} as const;
const create = {
  method: "POST",
  path: "/api/v1/accounts",
  operation: "createAccount",
  tag: "accounts",
  summary: "Make an account in any role",
  about: "A merchant's names its shop.",
  body: staffBody,
  answers: { 201: accountForStaffAnswer },
  refusals: ["invalid", "username_taken", "busy"],
} as const;
const one = { tag: "accounts", params: accountParams, answers: { 200: accountForStaffAnswer } } as const;
const read = {
  ...one,
  method: "GET",
  path: "/api/v1/accounts/:account_id",
  operation: "readAccount",
  summary: "Read an account",
  refusals: ["account_unknown"],
} as const;
const role = {
  ...one,
  method: "PUT",
  path: "/api/v1/accounts/:account_id/role",
  operation: "changeRole",
  summary: "Give an account another role",
  about: "Its sessions end. Nobody changes its own.",
  body: roleBody,
  refusals: ["account_unknown", "invalid"],
} as const;
const banContract = {
  ...one,
  method: "POST",
  path: "/api/v1/accounts/:account_id/ban",
  operation: "banAccount",
  summary: "Ban an account",
  about: "Its sessions end at once, and it buys nothing while the ban lasts. Staff are banned by admins only.",
  body: banBody,
  refusals: ["account_unknown", "invalid"],
} as const;
const unbanContract = {
  ...one,
  method: "POST",
  path: "/api/v1/accounts/:account_id/unban",
  operation: "unbanAccount",
  summary: "Lift an account's ban",
  refusals: ["account_unknown"],
} as const;
const removeTotp = {
  method: "DELETE",
  path: "/api/v1/accounts/:account_id/totp",
  operation: "removeTotpOf",
  tag: "accounts",
  summary: "Take an account's second factor away, for somebody whose phone and recovery codes are lost",
  about: "Its sessions end.",
  params: accountParams,
  answers: { 200: doneAnswer },
  refusals: ["account_unknown"],
} as const;

export const accountRoutes: readonly Route[] = [
  forStaff("accounts:read", list, async ({ query, context }) => {
    const { role: inRole, banned, username } = query;
    const usernameKey = username === undefined ? undefined : usernameKeyOf(username);
    const found = await context.people.accounts.accounts({ role: inRole, banned, usernameKey }, pageOf(query));
    return success(listView(query, found, accountForStaffView));
  }),

  forStaff("accounts:manage", create, async ({ body, context }) => {
    const { username, password, display_name: displayName, role: inRole, merchant } = body;
    const answer = await createStaff(context.people, { username, password, displayName, role: inRole, merchant });
    switch (answer.kind) {
      case "added":
        return success(accountForStaffView(answer.account), 201);
      case "taken":
        return failure("username_taken", { field: "username" });
      case "busy":
        return failure("busy");
      case "invalid":
        return invalidReply(answer);
      default:
        return unreachable(answer);
    }
  }),

  forStaff("accounts:read", read, async ({ params, context }) => {
    const account = await context.people.accounts.account(params.account_id);
    return account === undefined ? accountUnknown() : success(accountForStaffView(account));
  }),

  forStaff("accounts:manage", role, async ({ params, body, context }, staff) => {
    const { role: newRole, merchant } = body;
    return replyOf(await changeRole(context.people, { id: params.account_id, role: newRole, merchant, by: byOf(staff) }));
  }),

  forStaff("accounts:ban", banContract, async ({ params, body, context }, staff) =>
    replyOf(await ban(context.people, { id: params.account_id, reason: body.reason, by: byOf(staff) })),
  ),

  forStaff("accounts:ban", unbanContract, async ({ params, context }, staff) =>
    replyOf(await unban(context.people, { id: params.account_id, by: byOf(staff) })),
  ),

  forStaff("accounts:manage", removeTotp, async ({ params, context }) =>
    (await removeSecondFactor(context.people, params.account_id)) === "removed" ? success({}) : accountUnknown(),
  ),
];

/** Who acts: an account by its id, or a server key. */
function byOf({ access, owner }: Staff): By {
  const [kind, id = ""] = owner.split(":");
  return { accountId: kind === "account" ? parseAccountId(id) : undefined, mayManage: mayDo(access, "accounts:manage") };
}

function replyOf(answer: StaffAnswer): Reply {
  switch (answer.kind) {
    case "changed":
      return success(accountForStaffView(answer.account));
    case "account_unknown":
      return accountUnknown();
    case "forbidden":
      return failure("forbidden", { field: "account_id", problem: "names the caller itself, or staff whom an admin must deal with" });
    case "invalid":
      return invalidReply(answer);
    default:
      return unreachable(answer);
  }
}
