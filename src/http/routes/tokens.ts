import { grantToken } from "../../engine/identity.ts";
import { tokenAnswer } from "../contract/answers.ts";
import { grantTokenBody } from "../contract/requests.ts";
import { failure, success } from "../envelope.ts";
import { forStaff, type Route } from "../route.ts";
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
];
