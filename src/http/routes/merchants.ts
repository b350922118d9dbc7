/** The shops of the installation. */
import { mayReach } from "../../domain/access.ts";
import { addShop, renameShop } from "../../engine/accounts/shops.ts";
import { unreachable } from "../../lib/assert.ts";
import { invalidReply, merchantView } from "../account-views.ts";
import { merchantAnswer, merchantBody, merchantNameBody, merchantParams, merchantsAnswer } from "../contract/accounts.ts";
import { failure, success } from "../envelope.ts";
import { forStaff, type Route } from "../route.ts";

const list = {
  method: "GET",
  path: "/api/v1/merchants",
  operation: "listMerchants",
  tag: "merchants",
  summary: "List the shops within reach",
  answers: { 200: merchantsAnswer },
} as const;
const create = {
  method: "POST",
  path: "/api/v1/merchants",
  operation: "createMerchant",
  tag: "merchants",
  summary: "Open a shop",
  about: "Its id is also the issuer of the buyers that its server keys name.",
  body: merchantBody,
  answers: { 201: merchantAnswer },
  refusals: ["invalid", "merchant_exists"],
} as const;
const rename = {
  method: "PATCH",
  path: "/api/v1/merchants/:merchant",
  operation: "renameMerchant",
  tag: "merchants",
  summary: "Rename a shop",
  params: merchantParams,
  body: merchantNameBody,
  answers: { 200: merchantAnswer },
  refusals: ["invalid", "merchant_unknown"],
} as const;

export const merchantRoutes: readonly Route[] = [
  forStaff("sales:read", list, async ({ context }, { access }) => {
    const merchants = await context.people.accounts.merchants();
    return success({ items: merchants.filter(({ id }) => mayReach(access, id)).map(merchantView) });
  }),

  forStaff("merchants:manage", create, async ({ body, context }) => {
    const answer = await addShop(context.people, body);
    switch (answer.kind) {
      case "added":
        return success(merchantView(answer.merchant), 201);
      case "exists":
        return failure("merchant_exists", { field: "id", problem: `is taken: "${body.id}"` });
      case "invalid":
        return invalidReply(answer);
      default:
        return unreachable(answer);
    }
  }),

  forStaff("merchants:manage", rename, async ({ params, body, context }) => {
    const answer = await renameShop(context.people, params.merchant, body.name);
    if (answer.kind === "invalid") return invalidReply(answer);
    return answer.kind === "renamed" ? success(merchantView(answer.merchant)) : failure("merchant_unknown", { field: "merchant" });
  }),
];
