import type { Buyer, ProductId } from "../../domain/ids.ts";
import { mayReach } from "../../domain/access.ts";
import type { Product } from "../../domain/product.ts";
import { createProduct, deleteProduct, setQuota, updateProduct } from "../../engine/products.ts";
import { unreachable } from "../../lib/assert.ts";
import type { ProductQuery, ProductSort } from "../../ports/records.ts";
import type { z } from "zod";
import { productAnswer, productStockAnswer, quotaAnswer } from "../contract/answers.ts";
import { listOf, listView, pageOf } from "../contract/paging.ts";
import { changeHeaders, keyHeader, productParams, quotaParams, readHeaders } from "../contract/params.ts";
import { emptyBody, productBody, productChanges, productsQuery, quotaBody } from "../contract/requests.ts";
import { isKnown } from "../entity-tag.ts";
import { failure, success, type Reply } from "../envelope.ts";
import type { Staff } from "../identity.ts";
import { forAnybody, forStaff, readKey, type Ask, type Route } from "../route.ts";
import { taggedHeaders, expectedVersion, versionReply } from "../versions.ts";
import { productStockView, productView } from "../views.ts";

export const productUnknown = (id: ProductId): Reply =>
  failure("product_unknown", { field: "product_id", problem: `names no product: "${id}"` });

const create = {
  method: "POST",
  path: "/api/v1/products",
  operation: "createProduct",
  tag: "products",
  summary: "Create a product",
  about:
    "Without an id one is minted; then Idempotency-Key makes the same submission again the same product. The same again answers the first " +
    "with 200. The seller defaults to the caller's shop.",
  headers: keyHeader,
  body: productBody,
  answers: { 201: productAnswer, 200: productAnswer },
  refusals: ["product_exists", "key_reused", "invalid"],
} as const;

const list = {
  method: "GET",
  path: "/api/v1/products",
  operation: "listProducts",
  tag: "products",
  summary: "List products",
  query: productsQuery,
  answers: { 200: listOf(productAnswer) },
} as const;

const oneProduct = { path: "/api/v1/products/:product_id", tag: "products", params: productParams } as const;
const read = {
  ...oneProduct,
  method: "GET",
  operation: "readProduct",
  summary: "Read a product",
  headers: readHeaders,
  answers: { 200: productAnswer, 304: { contentType: "", about: "The same as If-None-Match names" } },
  refusals: ["product_unknown"],
} as const;
const update = {
  ...oneProduct,
  method: "PATCH",
  operation: "updateProduct",
  summary: "Change a product",
  about: "What is left out stays. Sales keep the name and price that they were made with.",
  headers: changeHeaders,
  body: productChanges,
  answers: { 200: productAnswer },
  refusals: ["product_unknown", "version_differs", "precondition_failed", "invalid"],
} as const;
const remove = {
  ...oneProduct,
  method: "DELETE",
  operation: "deleteProduct",
  summary: "Delete a product that no sale sells or is going to sell",
  about: "Its sales that are over and their orders stay. Its id is not used again.",
  headers: changeHeaders,
  answers: { 200: emptyBody },
  refusals: ["product_unknown", "product_in_use", "precondition_failed"],
} as const;
const stock = {
  ...oneProduct,
  method: "GET",
  path: "/api/v1/products/:product_id/stock",
  operation: "readProductStock",
  summary: "Read a product's units: those in no sale, and those in all its sales",
  answers: { 200: productStockAnswer },
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
  forStaff("products:write", create, createReply),
  forAnybody(list, async ({ query, context }) => {
    const listing = await context.deps.records.products(queryOf(query), pageOf(query));
    return success(listView(query, listing, productView));
  }),
  forAnybody(read, async ({ params, context, request }) => {
    const product = await context.deps.products.get(params.product_id);
    if (product === undefined) return productUnknown(params.product_id);
    const tag = tagOf(product);
    const headers = taggedHeaders(tag);
    return isKnown(request.headers, tag) ? { status: 304, body: "", headers } : success(productView(product), 200, headers);
  }),
  forStaff("products:write", update, updateReply),
  forStaff("products:write", remove, removeReply),
  forAnybody(stock, async ({ params: { product_id: id }, context }) => {
    const found = await context.deps.records.productStock(id);
    return found === undefined ? productUnknown(id) : success(productStockView(id, found));
  }),

  forStaff("sales:write", putQuotaContract, (ask, staff) => putQuota(ask, staff, { ...ask.params, units: ask.body.units })),
  forStaff("sales:write", deleteQuotaContract, (ask, staff) => putQuota(ask, staff, { ...ask.params, units: undefined })),
];

const tagOf = ({ version }: Product): string => `"${version}"`;

const sortFields: Readonly<Record<string, ProductSort["by"]>> = { created_at: "created_at", name: "name", price_minor: "price" };

function queryOf({
  seller,
  name,
  ids,
  in_stock,
  price_minor_min,
  price_minor_max,
  currency,
  sort,
}: z.output<typeof productsQuery>): ProductQuery {
  const [field = "", direction] = sort?.split(",") ?? [];
  const by = sortFields[field];
  return {
    seller,
    nameContains: name,
    ids,
    inStock: in_stock === undefined ? undefined : in_stock === "true",
    priceMinorMin: price_minor_min,
    priceMinorMax: price_minor_max,
    currency,
    sort: by === undefined ? undefined : { by, descending: direction === "desc" },
  };
}

type Of<Body extends z.ZodType> = Pick<Ask, "context" | "request"> & { readonly body: z.output<Body> };
type OfProduct = Pick<Ask, "context" | "request"> & { readonly params: { readonly product_id: ProductId } };

async function createReply({ body, context, request }: Of<typeof productBody>, { access, owner }: Staff): Promise<Reply> {
  const { id, name, price_minor: minor, currency, seller = access.merchant, image, inventory } = body;
  const key = readKey(request.headers);
  if (key.kind === "reply") return key.reply;
  if (seller === undefined) return failure("invalid", { field: "seller", problem: "must name the shop that sells" });
  if (!mayReach(access, seller)) return failure("forbidden", { field: "seller", problem: "must be the caller's own shop" });
  const submission = key.value === undefined ? undefined : { owner, key: key.value };
  const draft = { id, name, price: { minor, currency }, seller, image, inventory };
  const answer = await createProduct(context.deps, draft, { submission, actor: owner });
  switch (answer.kind) {
    case "added":
      return success(productView(answer.product), 201, { ETag: tagOf(answer.product) });
    case "exists":
      return success(productView(answer.product), 200, { ETag: tagOf(answer.product) });
    case "differs":
      return failure("product_exists", { field: "id", problem: `belongs to another product: "${answer.id}"` });
    case "key_reused":
      return failure("key_reused", { field: "Idempotency-Key" });
    case "invalid":
      return failure("invalid", { field: answer.field, problem: answer.problem });
    default:
      return unreachable(answer);
  }
}

/** The product as the store has it now, if the caller may change it. */
export async function ownProduct({ context, params }: OfProduct, { access }: Staff): Promise<Product | undefined> {
  const product = await context.deps.records.product(params.product_id);
  return product !== undefined && mayReach(access, product.seller) ? product : undefined;
}

async function updateReply(ask: OfProduct & Of<typeof productChanges>, staff: Staff): Promise<Reply> {
  const { name, price_minor: priceMinor, currency, image, version } = ask.body;
  const expected = expectedVersion(ask.request.headers, version);
  if (expected.kind === "reply") return expected.reply;
  const id = ask.params.product_id;
  if ((await ownProduct(ask, staff)) === undefined) return productUnknown(id);
  const changes = { name, priceMinor, currency, image };
  const answer = await updateProduct(ask.context.deps, { id, expectedVersion: expected.value.version, changes });
  switch (answer.kind) {
    case "updated":
      return success(productView(answer.product), 200, { ETag: tagOf(answer.product) });
    case "version_differs":
      return versionReply(expected.value, answer.product.version);
    case "product_unknown":
      return productUnknown(id);
    case "invalid":
      return failure("invalid", { field: answer.field, problem: answer.problem });
    default:
      return unreachable(answer);
  }
}

async function removeReply(ask: OfProduct, staff: Staff): Promise<Reply> {
  const expected = expectedVersion(ask.request.headers);
  if (expected.kind === "reply") return expected.reply;
  const id = ask.params.product_id;
  if ((await ownProduct(ask, staff)) === undefined) return productUnknown(id);
  const answer = await deleteProduct(ask.context.deps, { id, expectedVersion: expected.value.version });
  switch (answer.kind) {
    case "deleted":
      return success({});
    case "in_use":
      return failure("product_in_use", { sale_id: answer.saleId });
    case "version_differs":
      return versionReply(expected.value, answer.product.version);
    case "product_unknown":
      return productUnknown(id);
    default:
      return unreachable(answer);
  }
}

type Quota = { readonly product_id: ProductId; readonly user_id: string; readonly units: number | undefined };

async function putQuota(ask: OfProduct, staff: Staff, { product_id, user_id, units }: Quota): Promise<Reply> {
  const product = await ownProduct(ask, staff);
  if (product === undefined) return productUnknown(product_id);
  const buyer: Buyer = { issuer: product.seller, subject: user_id };
  const answer = await setQuota(ask.context.deps, { productId: product_id, buyer, units });
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
