import { exchangeToken } from "../../engine/accounts/exchange-token.ts";
import { grantToken } from "../../engine/identity.ts";
import { exchangeAnswer, exchangeBody } from "../contract/accounts.ts";
import { tokenAnswer } from "../contract/answers.ts";
import { grantTokenBody } from "../contract/requests.ts";
import { failure, success } from "../envelope.ts";
import { forStaff, openly, type Route } from "../route.ts";
import { isoTime } from "../time.ts";

const grant = {
  method: "POST",
  path: "/api/v1/tokens",
  operation: "grantToken",
  tag: "tokens",
  summary: "Mint an access token for one of the shop's buyers",
  body: grantTokenBody,
  answers: { 201: tokenAnswer },
  refusals: ["invalid"],
} as const;

const exchange = {
  method: "POST",
  path: "/api/v1/tokens/exchange",
  operation: "exchangeToken",
  tag: "tokens",
  summary: "Exchange a token of the shop's own sign-in for one of ours",
  about:
    "Taken are signed JWTs (EdDSA, ES256, RS256) of the issuer and audience that the configuration names, by a key that the issuer publishes (JWKS). " +
    "Ours names the buyer by the shop and the token's sub, and lives no longer than theirs.",
  body: exchangeBody,
  answers: { 201: exchangeAnswer },
  refusals: ["unauthenticated", "keys_unavailable", "forbidden"],
} as const;

export const tokenRoutes: readonly Route[] = [
  forStaff("buyers:act", grant, async ({ body, context }, { access }) => {
    const { user_id: subject, expires_in_seconds: seconds } = body;
    // Only server keys may name buyers, and each is bound to its shop.
    if (access.merchant === undefined) return failure("forbidden");
    const lifetimeMs = seconds === undefined ? undefined : seconds * 1000;
    const granted = await grantToken(context.deps, { buyer: { issuer: access.merchant, subject }, lifetimeMs });
    if (granted.kind === "invalid") return failure("invalid", { field: granted.field, problem: granted.problem });
    return success({ token: granted.token, token_type: "Bearer", expires_at: isoTime(granted.expiresAtMs) }, 201);
  }),

  openly(exchange, async ({ body, context }) => {
    const { deps, people } = context;
    if (people.foreignShop === undefined)
      return failure("forbidden", { field: "token", problem: "is of nobody whose tokens are taken here" });
    const answer = await exchangeToken(deps, people.foreignShop, body.token);
    if (answer.kind === "granted")
      return success({ token: answer.token, token_type: "Bearer", expires_at: isoTime(answer.expiresAtMs) }, 201);
    if (answer.kind === "unavailable") {
      deps.log.warn("The shop's keys cannot be read", { why: answer.why });
      return failure("keys_unavailable");
    }
    deps.log.debug("A token of the shop was refused", { why: answer.why });
    return failure("unauthenticated", { field: "token", problem: "is not valid, or no longer" });
  }),
];
