/** Signing up, in and out. */
import { sessionLifetimeMs } from "../../domain/session.ts";
import type { Grant } from "../../engine/accounts/grant.ts";
import { endByToken, endSessions, logIn, refresh } from "../../engine/accounts/sign-in.ts";
import { signUp } from "../../engine/accounts/sign-up.ts";
import { unreachable } from "../../lib/assert.ts";
import { accountView, grantView, invalidReply, tooManyTries, unprovenReply, unprovenReasons } from "../account-views.ts";
import { accountAnswer, grantAnswer, loggedOutAnswer, logInBody, logOutBody, refreshBody, registerBody } from "../contract/accounts.ts";
import type { HttpContext } from "../context.ts";
import { failure, success, type Reply } from "../envelope.ts";
import { foreignPage, noRefreshCookie, readRefreshCookie, refreshCookie } from "../refresh-cookie.ts";
import { accountOf, forAnybody, openly, type Ask, type Route } from "../route.ts";

const register = {
  method: "POST",
  path: "/api/v1/auth/register",
  operation: "register",
  tag: "accounts",
  summary: "Make an account",
  about: "An account is a buyer's. Nothing but a username and a password is asked for. Counted per client address, like logging in.",
  body: registerBody,
  answers: { 201: accountAnswer },
  refusals: ["invalid", "username_taken", "busy", "too_many_tries"],
} as const;

const enter = {
  method: "POST",
  path: "/api/v1/auth/login",
  operation: "logIn",
  tag: "accounts",
  summary: "Log in",
  about:
    "Answers an access token of ten minutes and a refresh token. With cookie: true the refresh token comes in a cookie that only these routes get. " +
    "At most five tries a minute for a name, and twenty from an address. totp_required: the role asks for a second factor; until there is one the token is a buyer's.",
  body: logInBody,
  answers: { 200: grantAnswer },
  refusals: [...unprovenReasons, "account_banned"],
} as const;

const goOn = {
  method: "POST",
  path: "/api/v1/auth/refresh",
  operation: "refreshTokens",
  tag: "accounts",
  summary: "Get the next access and refresh token",
  about:
    "The refresh token comes in the body, or in the cookie of a page of this server. Each is used once: again within ten seconds it answers the same, " +
    "after that it ends its session.",
  body: refreshBody,
  answers: { 200: grantAnswer },
  refusals: ["session_over", "account_banned", "forbidden"],
} as const;

const leave = {
  method: "POST",
  path: "/api/v1/auth/logout",
  operation: "logOut",
  tag: "accounts",
  summary: "Log out of this session, or of all",
  about:
    "By the access token, or without one by the refresh token in body or cookie. With all: true, which takes an access token, every session ends.",
  body: logOutBody,
  answers: { 200: loggedOutAnswer },
  refusals: ["unauthenticated", "forbidden"],
} as const;

export const authRoutes: readonly Route[] = [
  openly(register, async ({ body, context, request, peer }) => {
    const { username, password, display_name: displayName } = body;
    const address = context.clientOf(request.headers, peer.address);
    const answer = await signUp(context.people, { username, password, displayName, address });
    switch (answer.kind) {
      case "added":
        return success(accountView(answer.account), 201);
      case "taken":
        return failure("username_taken", { field: "username" });
      case "busy":
        return failure("busy");
      case "limited":
        return tooManyTries(answer.retryAfterMs);
      case "invalid":
        return invalidReply(answer);
      default:
        return unreachable(answer);
    }
  }),

  openly(enter, async ({ body, context, request, peer }) => {
    const { cookie, ...proof } = body;
    const answer = await logIn(context.people, { ...proof, address: context.clientOf(request.headers, peer.address) });
    if (answer.kind === "in") return granted(context, answer.grant, cookie);
    return answer.kind === "banned" ? failure("account_banned") : unprovenReply(answer);
  }),

  openly(goOn, async ({ body, context, request }) => {
    const presented = presentedToken(request, body.refresh_token);
    if (presented.kind === "reply") return presented.reply;
    if (presented.token === undefined) return failure("session_over", { field: "refresh_token", problem: "is required" });
    const answer = await refresh(context.people, presented.token);
    if (answer.kind === "in") return granted(context, answer.grant, presented.inCookie);
    if (answer.kind === "reused")
      context.deps.log.warn("A refresh token was used again, so its session has ended", { session: answer.session });
    const reply = answer.kind === "banned" ? failure("account_banned") : failure("session_over", { field: "refresh_token" });
    return presented.inCookie ? { ...reply, headers: { ...reply.headers, ...noRefreshCookie(isSecure(context)) } } : reply;
  }),

  forAnybody(leave, async ({ body, context, request }, caller) => {
    const { people } = context;
    const signedIn = accountOf(caller);
    if (signedIn !== undefined) {
      const only = body.all ? undefined : signedIn.session;
      const ended = await endSessions(people, { accountId: signedIn.id, only });
      return success({ sessions_ended: ended }, 200, noRefreshCookie(isSecure(context)));
    }
    const presented = presentedToken(request, body.refresh_token);
    if (presented.kind === "reply") return presented.reply;
    if (presented.token === undefined || body.all) return failure("unauthenticated");
    const ended = await endByToken(people, presented.token);
    return success({ sessions_ended: ended }, 200, noRefreshCookie(isSecure(context)));
  }),
];

function granted(context: HttpContext, grant: Grant, inCookie: boolean): Reply {
  if (!inCookie) return success(grantView(grant, grant.refreshToken));
  const cookie = refreshCookie(grant.refreshToken, { maxAgeSeconds: sessionLifetimeMs / 1000, secure: isSecure(context) });
  return success(grantView(grant, null), 200, cookie);
}

/** In production there is TLS before us, whatever the last stretch speaks. */
const isSecure = ({ deps }: HttpContext): boolean => deps.options.environment === "production";

type Presented =
  | { readonly kind: "token"; readonly token: string | undefined; readonly inCookie: boolean }
  | { readonly kind: "reply"; readonly reply: Reply };

function presentedToken(request: Ask["request"], inBody: string | undefined): Presented {
  if (inBody !== undefined) return { kind: "token", token: inBody, inCookie: false };
  const token = readRefreshCookie(request.headers);
  if (token === undefined) return { kind: "token", token, inCookie: false };
  const foreign = foreignPage(request);
  return foreign === undefined ? { kind: "token", token, inCookie: true } : { kind: "reply", reply: foreign };
}
