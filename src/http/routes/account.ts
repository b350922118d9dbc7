/** What people do with their own accounts. */
import type { SessionId } from "../../domain/ids.ts";
import { changeDisplayName, changePassword, eraseAccount, proveAgain } from "../../engine/accounts/own-account.ts";
import { confirm, enrol, removeSecondFactor } from "../../engine/accounts/second-factor.ts";
import { endSessions, sessionsOf } from "../../engine/accounts/sign-in.ts";
import { accountUnknown, accountView, invalidReply, sessionView, tooManyTries, unprovenReply, unprovenReasons } from "../account-views.ts";
import {
  accountAnswer,
  confirmAnswer,
  confirmBody,
  doneAnswer,
  enrolAnswer,
  passwordBody,
  profileBody,
  proofBody,
  sessionParams,
  sessionsAnswer,
} from "../contract/accounts.ts";
import { failure, success, type Reply } from "../envelope.ts";
import { noRefreshCookie } from "../refresh-cookie.ts";
import { forAccount, type Ask, type Route, type SignedIn } from "../route.ts";

const own = { tag: "accounts" } as const;
const read = {
  ...own,
  method: "GET",
  path: "/api/v1/account",
  operation: "readOwnAccount",
  summary: "Read one's own account",
  answers: { 200: accountAnswer },
  refusals: ["account_unknown"],
} as const;
const change = {
  ...own,
  method: "PATCH",
  path: "/api/v1/account",
  operation: "changeOwnAccount",
  summary: "Change one's display name, or take it away",
  body: profileBody,
  answers: { 200: accountAnswer },
  refusals: ["account_unknown", "invalid"],
} as const;
const erase = {
  ...own,
  method: "POST",
  path: "/api/v1/account/erase",
  operation: "eraseOwnAccount",
  summary: "Erase one's own account",
  about: "Name, password and second factor are forgotten and all sessions end. Orders stay, under a number that names nobody.",
  body: proofBody,
  answers: { 200: doneAnswer },
  refusals: ["account_unknown", "last_admin", ...unprovenReasons],
} as const;
const password = {
  ...own,
  method: "PUT",
  path: "/api/v1/account/password",
  operation: "changePassword",
  summary: "Change one's password",
  about: "All other sessions end.",
  body: passwordBody,
  answers: { 200: doneAnswer },
  refusals: ["account_unknown", "invalid", ...unprovenReasons],
} as const;
const enrolTotp = {
  ...own,
  method: "POST",
  path: "/api/v1/account/totp",
  operation: "enrolTotp",
  summary: "Begin a second factor (TOTP)",
  about:
    "The secret is shown this once, also as the address that an authenticator app reads from a QR code. It counts once a code was right.",
  body: proofBody,
  answers: { 201: enrolAnswer },
  refusals: ["account_unknown", "second_factor_state", ...unprovenReasons],
} as const;
const confirmTotp = {
  ...own,
  method: "POST",
  path: "/api/v1/account/totp/confirm",
  operation: "confirmTotp",
  summary: "Switch the second factor on with a first code",
  about: "Answers ten recovery codes, shown this once. All other sessions end; the next refresh brings the role's full rights.",
  body: confirmBody,
  answers: { 200: confirmAnswer },
  refusals: ["account_unknown", "second_factor_state", "credentials_wrong", "too_many_tries"],
} as const;
const removeTotp = {
  ...own,
  method: "POST",
  path: "/api/v1/account/totp/remove",
  operation: "removeTotp",
  summary: "Take one's second factor away",
  about: "All sessions end. An operator or admin acts as a buyer until there is another.",
  body: proofBody,
  answers: { 200: doneAnswer },
  refusals: ["account_unknown", ...unprovenReasons],
} as const;
const listSessions = {
  ...own,
  method: "GET",
  path: "/api/v1/account/sessions",
  operation: "listSessions",
  summary: "List one's own sessions",
  answers: { 200: sessionsAnswer },
} as const;
const endSession = {
  ...own,
  method: "DELETE",
  path: "/api/v1/account/sessions/:session_id",
  operation: "endSession",
  summary: "End one of one's own sessions",
  params: sessionParams,
  answers: { 200: doneAnswer },
  refusals: ["session_unknown"],
} as const;

/** The password and code of a body, as they are tried from the client's address. */
function proofOf({
  body,
  context,
  request,
  peer,
}: Pick<Ask, "context" | "request" | "peer"> & { body: { password: string; code?: string | undefined } }) {
  return { password: body.password, code: body.code, address: context.clientOf(request.headers, peer.address) };
}

export const ownAccountRoutes: readonly Route[] = [
  forAccount(read, async ({ context }, { id }) => {
    const account = await context.people.accounts.account(id);
    return account === undefined ? accountUnknown() : success(accountView(account));
  }),

  forAccount(change, async ({ body, context }, { id }) => {
    const answer = await changeDisplayName(context.people, id, body.display_name ?? undefined);
    if (answer.kind === "invalid") return invalidReply(answer);
    return answer.kind === "changed" ? success(accountView(answer.account)) : accountUnknown();
  }),

  forAccount(erase, async (ask, { id }) => {
    const answer = await eraseAccount(ask.context.people, { accountId: id, ...proofOf(ask) });
    if (answer.kind === "erased") return success({}, 200, noRefreshCookie(ask.context.deps.options.environment === "production"));
    if (answer.kind === "last_admin") return failure("last_admin");
    return answer.kind === "account_unknown" ? accountUnknown() : unprovenReply(answer);
  }),

  forAccount(password, async (ask, { id, session }) => {
    const { new_password: newPassword } = ask.body;
    const answer = await changePassword(ask.context.people, { accountId: id, session, newPassword, ...proofOf(ask) });
    if (answer.kind === "changed") return success({});
    if (answer.kind === "invalid") return invalidReply(answer);
    return answer.kind === "account_unknown" ? accountUnknown() : unprovenReply(answer);
  }),

  forAccount(enrolTotp, async (ask, { id }) => {
    const proven = await proveAgain(ask.context.people, id, proofOf(ask));
    if (proven.kind === "account_unknown") return accountUnknown();
    if (proven.kind !== "proven") return unprovenReply(proven);
    const answer = await enrol(ask.context.people, proven.account);
    if (answer.kind === "enrolled") return success({ secret: answer.secret, uri: answer.uri }, 201);
    return answer.kind === "already" ? failure("second_factor_state", { state: "confirmed" }) : accountUnknown();
  }),

  forAccount(confirmTotp, confirmed),

  forAccount(removeTotp, async (ask, { id }) => {
    const proven = await proveAgain(ask.context.people, id, proofOf(ask));
    if (proven.kind === "account_unknown") return accountUnknown();
    if (proven.kind !== "proven") return unprovenReply(proven);
    return (await removeSecondFactor(ask.context.people, proven.account.id)) === "removed" ? success({}) : accountUnknown();
  }),

  forAccount(listSessions, async ({ context }, { id, session }) => {
    const sessions = await sessionsOf(context.people, id);
    return success({ items: sessions.map((each) => sessionView(each, session)) });
  }),

  forAccount(endSession, async ({ params, context }, { id }) => {
    const only: SessionId = params.session_id;
    const ended = await endSessions(context.people, { accountId: id, only });
    return ended === 0 ? failure("session_unknown", { field: "session_id" }) : success({});
  }),
];

async function confirmed(
  ask: Pick<Ask, "context" | "request" | "peer"> & { body: { code: string } },
  { id, session }: SignedIn,
): Promise<Reply> {
  const { body, context, request, peer } = ask;
  const answer = await confirm(context.people, { id, session, code: body.code, address: context.clientOf(request.headers, peer.address) });
  switch (answer.kind) {
    case "confirmed":
      return success({ recovery_codes: answer.recoveryCodes });
    case "wrong":
      return failure("credentials_wrong", { field: "code" });
    case "limited":
      return tooManyTries(answer.retryAfterMs);
    case "account_unknown":
      return accountUnknown();
    default:
      return failure("second_factor_state", { state: answer.kind === "already" ? "confirmed" : "not_enrolled" });
  }
}
