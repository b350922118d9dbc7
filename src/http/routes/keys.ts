/** Server keys: a shop's own, or for those who reach them all every shop's. */
import { createKey, revokeKey, rotateKey } from "../../engine/accounts/shop-keys.ts";
import { unreachable } from "../../lib/assert.ts";
import { invalidReply, keyView } from "../account-views.ts";
import { keyIdParams, newServerKeyAnswer, rotateKeyBody, serverKeyAnswer, serverKeyBody, serverKeysAnswer } from "../contract/accounts.ts";
import { failure, success } from "../envelope.ts";
import { forStaff, type Route } from "../route.ts";

const list = {
  method: "GET",
  path: "/api/v1/keys",
  operation: "listKeys",
  tag: "keys",
  summary: "List server keys",
  about: "With the day of the last use; the keys themselves are kept nowhere. A key of the configuration is not among them.",
  answers: { 200: serverKeysAnswer },
} as const;
const create = {
  method: "POST",
  path: "/api/v1/keys",
  operation: "createKey",
  tag: "keys",
  summary: "Make a server key",
  about: "The key is shown this once. Its scopes are the caller's own at most, save buyers:act. The shop defaults to the caller's.",
  body: serverKeyBody,
  answers: { 201: newServerKeyAnswer },
  refusals: ["invalid"],
} as const;
const rotate = {
  method: "POST",
  path: "/api/v1/keys/:key_id/rotate",
  operation: "rotateKey",
  tag: "keys",
  summary: "Replace a server key",
  about: "The old one goes on for overlap_seconds: a day unless said otherwise, seven at most.",
  params: keyIdParams,
  body: rotateKeyBody,
  answers: { 201: newServerKeyAnswer },
  refusals: ["key_unknown", "invalid"],
} as const;
const revoke = {
  method: "DELETE",
  path: "/api/v1/keys/:key_id",
  operation: "revokeKey",
  tag: "keys",
  summary: "Revoke a server key at once",
  params: keyIdParams,
  answers: { 200: serverKeyAnswer },
  refusals: ["key_unknown"],
} as const;

const keyUnknown = () => failure("key_unknown", { field: "key_id" });

export const keyRoutes: readonly Route[] = [
  forStaff("keys:manage", list, async ({ context }, { access }) =>
    success({ items: (await context.people.accounts.keys(access.merchant)).map(keyView) }),
  ),

  forStaff("keys:manage", create, async ({ body, context }, { access }) => {
    const { name, scopes, expires_in_seconds: seconds, merchant = access.merchant } = body;
    if (merchant === undefined) return invalidReply({ field: "merchant", problem: "must name the shop whose key it is to be" });
    const lifetimeMs = seconds === undefined ? undefined : seconds * 1000;
    const answer = await createKey(context.people, { merchant, name, scopes, lifetimeMs }, access);
    switch (answer.kind) {
      case "made":
        return success({ ...keyView(answer.record), key: answer.secret }, 201);
      case "forbidden":
        return failure("forbidden", { field: answer.field, problem: answer.problem });
      case "invalid":
        return invalidReply(answer);
      default:
        return unreachable(answer);
    }
  }),

  forStaff("keys:manage", rotate, async ({ params, body, context }, { access }) => {
    const overlapMs = body.overlap_seconds === undefined ? undefined : body.overlap_seconds * 1000;
    const answer = await rotateKey(context.people, { id: params.key_id, overlapMs }, access);
    switch (answer.kind) {
      case "made":
        return success({ ...keyView(answer.record), key: answer.secret }, 201);
      case "key_unknown":
        return keyUnknown();
      case "forbidden":
        return failure("forbidden", { field: answer.field, problem: answer.problem });
      case "invalid":
        return invalidReply(answer);
      default:
        return unreachable(answer);
    }
  }),

  forStaff("keys:manage", revoke, async ({ params, context }, { access }) => {
    const record = await revokeKey(context.people, params.key_id, access);
    return record === undefined ? keyUnknown() : success(keyView(record));
  }),
];
