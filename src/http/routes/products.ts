import { isSubject, parseProductId, type Buyer, type ProductId } from "../../domain/ids.ts";
import { createProduct, setQuota } from "../../engine/products.ts";
import { unreachable } from "../../lib/assert.ts";
import { productBody, quotaBody } from "../contract/requests.ts";
import type { Reading } from "../contract/read.ts";
import { failure, success, type Reply } from "../envelope.ts";
import { forAnybody, forShop, readBodyAs, readParam, type Ask, type Route } from "../route.ts";
import { productView } from "../views.ts";

const productIdOf = (ask: Ask) => readParam(ask, { name: "id", field: "product_id", parse: parseProductId });
const productUnknown = (id: ProductId): Reply => failure("product_unknown", { field: "product_id", problem: `names no product: "${id}"` });

export const productRoutes: readonly Route[] = [
  forShop(["POST", "/api/v1/products"], async (ask, key) => {
    const body = await readBodyAs(ask, productBody);
    if (body.kind === "reply") return body.reply;
    const { id, name, price_minor: minor, currency, seller = key.issuer, image } = body.value;
    const answer = await createProduct(ask.context.deps, { id, name, price: { minor, currency }, seller, image });
    switch (answer.kind) {
      case "added":
        return success(productView(answer.product), 201);
      case "exists":
        return success(productView(answer.product));
      case "differs":
        return failure("product_exists", { field: "id", problem: `belongs to another product: "${id}"` });
      case "invalid":
        return failure("invalid", { field: answer.field, problem: answer.problem });
      default:
        return unreachable(answer);
    }
  }),

  forAnybody(["GET", "/api/v1/products/:id"], async (ask) => {
    const id = productIdOf(ask);
    if (id.kind === "reply") return id.reply;
    const product = await ask.context.deps.records.product(id.value);
    return product === undefined ? productUnknown(id.value) : success(productView(product));
  }),

  forShop(["PUT", "/api/v1/products/:id/quotas/:user_id"], async (ask, key) => {
    const target = quotaTarget(ask, key.issuer);
    if (target.kind === "reply") return target.reply;
    const body = await readBodyAs(ask, quotaBody);
    return body.kind === "reply" ? body.reply : putQuota(ask, target.value, body.value.units);
  }),

  forShop(["DELETE", "/api/v1/products/:id/quotas/:user_id"], (ask, key) => {
    const target = quotaTarget(ask, key.issuer);
    return target.kind === "reply" ? target.reply : putQuota(ask, target.value, undefined);
  }),
];

type QuotaTarget = { readonly productId: ProductId; readonly buyer: Buyer };

function quotaTarget(ask: Ask, issuer: string): Reading<QuotaTarget> {
  const id = productIdOf(ask);
  if (id.kind === "reply") return id;
  const subject = ask.params["user_id"] ?? "";
  if (!isSubject(subject))
    return { kind: "reply", reply: failure("malformed", { field: "user_id", problem: "must have 1 to 64 printable characters" }) };
  return { kind: "value", value: { productId: id.value, buyer: { issuer, subject } } };
}

async function putQuota(ask: Ask, { productId, buyer }: QuotaTarget, units: number | undefined): Promise<Reply> {
  const answer = await setQuota(ask.context.deps, { productId, buyer, units });
  switch (answer.kind) {
    case "set":
      return success({ product_id: productId, user_id: buyer.subject, units: units ?? null });
    case "product_unknown":
      return productUnknown(productId);
    case "invalid":
      return failure("invalid", { field: answer.field, problem: answer.problem });
    default:
      return unreachable(answer);
  }
}
