import { grantToken } from "../../engine/identity.ts";
import { grantTokenBody } from "../contract/requests.ts";
import { failure, success } from "../envelope.ts";
import { forShop, readBodyAs, type Route } from "../route.ts";
import { isoTime } from "../time.ts";

export const tokenRoutes: readonly Route[] = [
  forShop(["POST", "/api/v1/tokens"], async (ask, key) => {
    const body = await readBodyAs(ask, grantTokenBody);
    if (body.kind === "reply") return body.reply;
    const { user_id: subject, expires_in_seconds: seconds } = body.value;
    const lifetimeMs = seconds === undefined ? undefined : seconds * 1000;
    const granted = await grantToken(ask.context.deps, { buyer: { issuer: key.issuer, subject }, lifetimeMs });
    if (granted.kind === "invalid") return failure("invalid", { field: granted.field, problem: granted.problem });
    return success({ token: granted.token, token_type: "Bearer", expires_at: isoTime(granted.expiresAtMs) }, 201);
  }),
];
