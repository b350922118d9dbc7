import type { Buyer, ProductId } from "../../domain/ids.ts";
import { mayReach } from "../../domain/access.ts";
import { createProduct, setQuota } from "../../engine/products.ts";
import { unreachable } from "../../lib/assert.ts";
import { productAnswer, quotaAnswer } from "../contract/answers.ts";
import { productParams, quotaParams } from "../contract/params.ts";
import { productBody, quotaBody } from "../contract/requests.ts";
import { failure, success, type Reply } from "../envelope.ts";
import type { Staff } from "../identity.ts";
import { forAnybody, forStaff, type Ask, type Route } from "../route.ts";
import { productView } from "../views.ts";

export const productUnknown = (id: ProductId): Reply =>
  failure("product_unknown", { field: "product_id", problem: `names no product: "${id}"` });

const create = {
  method: "POST",
  path: "/api/v1/products",
  operation: "createProduct",
  tag: "products",
  summary: "Create a product",
  about: "Without an id one is minted. The same again answers the first with 200. The seller defaults to the caller's shop.",
  body: productBody,
  answers: { 201: productAnswer, 200: productAnswer },
  refusals: ["product_exists", "invalid"],
} as const;

const read = {
  method: "GET",
  path: "/api/v1/products/:product_id",
  operation: "readProduct",
  tag: "products",
  summary: "Read a product",
  params: productParams,
  answers: { 200: productAnswer },
  refusals: ["product_unknown"],
} as const;

const quota = {
  path: "/api/v1/products/:product_id/quotas/:user_id",
  tag: "products",
  params: quotaParams,
  answers: { 200: quotaAnswer },
  refusals: ["product_unknown", "invalid"],
} as const;
const putQuotaContract = {
  ...quota,
  method: "PUT",
  operation: "setQuota",
  summary: "Give a buyer a limit of its own for a product",
  body: quotaBody,
} as const;
const deleteQuotaContract = {
  ...quota,
  method: "DELETE",
  operation: "deleteQuota",
  summary: "Take a buyer's own limit for a product away",
} as const;

export const productRoutes: readonly Route[] = [
  forStaff("products:write", create, async ({ body, context }, { access }) => {
    const { id, name, price_minor: minor, currency, seller = access.merchant, image } = body;
    if (seller === undefined) return failure("invalid", { field: "seller", problem: "must name the shop that sells" });
    if (!mayReach(access, seller)) return failure("forbidden", { field: "seller", problem: "must be the caller's own shop" });
    const answer = await createProduct(context.deps, { id, name, price: { minor, currency }, seller, image });
    switch (answer.kind) {
      case "added":
        return success(productView(answer.product), 201);
      case "exists":
        return success(productView(answer.product));
      case "differs":
        return failure("product_exists", { field: "id", problem: `belongs to another product: "${id}"` });
      case "key_reused":
        return failure("key_reused", { field: "Idempotency-Key" });
      case "invalid":
        return failure("invalid", { field: answer.field, problem: answer.problem });
      default:
        return unreachable(answer);
    }
  }),

  forAnybody(read, async ({ params, context }) => {
    const product = await context.deps.records.product(params.product_id);
    return product === undefined ? productUnknown(params.product_id) : success(productView(product));
  }),

  forStaff("sales:write", putQuotaContract, (ask, staff) => putQuota(ask, staff, { ...ask.params, units: ask.body.units })),
  forStaff("sales:write", deleteQuotaContract, (ask, staff) => putQuota(ask, staff, { ...ask.params, units: undefined })),
];

type Quota = { readonly product_id: ProductId; readonly user_id: string; readonly units: number | undefined };

async function putQuota(
  { context: { deps } }: Pick<Ask, "context">,
  { access }: Staff,
  { product_id, user_id, units }: Quota,
): Promise<Reply> {
  const product = await deps.records.product(product_id);
  if (product === undefined || !mayReach(access, product.seller)) return productUnknown(product_id);
  const buyer: Buyer = { issuer: product.seller, subject: user_id };
  const answer = await setQuota(deps, { productId: product_id, buyer, units });
  switch (answer.kind) {
    case "set":
      return success({ product_id, user_id, units: units ?? null });
    case "product_unknown":
      return productUnknown(product_id);
    case "invalid":
      return failure("invalid", { field: answer.field, problem: answer.problem });
    default:
      return unreachable(answer);
  }
}
