/** Products as two of the seeds have them: with the stock and the start of their sale. */
import type { z } from "zod";
import type { Product } from "../../domain/product.ts";
import type { ProductSort } from "../../ports/records.ts";
import { createProduct } from "../../engine/products.ts";
import { unreachable } from "../../lib/assert.ts";
import { listOf, listView, pageOf } from "../contract/paging.ts";
import { keyHeader, productParams } from "../contract/params.ts";
import { openedProductAnswer, shopProductAnswer, shopProductBody, shopProductsQuery } from "../contract/seeds.ts";
import { failure, success, type Reply } from "../envelope.ts";
import type { Staff } from "../identity.ts";
import { openly, readKey, type Ask, type Route } from "../route.ts";
import { productUnknown } from "../routes/products.ts";
import { priceOf, readNumbered } from "./bodies.ts";
import { forShop } from "./callers.ts";
import { openSale } from "./opening.ts";
import { shopProductView } from "./shop-views.ts";
import { withMsg } from "./with-msg.ts";

const read = {
  method: "GET",
  path: "/product/:product_id",
  operation: "shopProductRead",
  tag: "seeds",
  summary: "Read a product and its current sale's stock and start",
  params: productParams,
  answers: { 200: shopProductAnswer },
  refusals: ["product_unknown"],
} as const;
const list = {
  method: "GET",
  path: "/products",
  operation: "shopProducts",
  tag: "seeds",
  summary: "List products and their current sales' stock and start",
  query: shopProductsQuery,
  answers: { 200: listOf(shopProductAnswer) },
} as const;
const create = {
  method: "POST",
  path: "/products",
  operation: "shopProductCreate",
  tag: "seeds",
  summary: "Create a product; with a stock also its sale, open from its start on",
  about:
    "Without end_time the sale has the longest window there is. Without stock there is no sale yet. A repeat under an Idempotency-Key makes nothing new.",
  headers: keyHeader,
  readsItself: true,
  body: shopProductBody,
  answers: { 201: openedProductAnswer, 200: openedProductAnswer },
  refusals: ["product_exists", "key_reused", "invalid", "busy", "outcome_unknown"],
} as const;

export const shopProductRoutes: readonly Route[] = [
  openly(list, async (ask) => {
    const { query, context } = ask;
    const listing = await context.deps.records.products({ sort: sortOf(query.sort) }, pageOf(query));
    const views = await Promise.all(listing.items.map((product) => withSaleOf(ask, product)));
    return success(listView(query, { items: views, total: listing.total }, (view) => view));
  }),
  openly(read, async (ask) => {
    const product = await ask.context.deps.products.get(ask.params.product_id);
    return product === undefined ? productUnknown(ask.params.product_id) : success(await withSaleOf(ask, product));
  }),
  forShop("products:write", create, createReply),
].map(withMsg);

function sortOf(text: string | undefined): ProductSort | undefined {
  if (text === undefined) return undefined;
  const [by, way] = text.split(",");
  // The query's pattern has these three.
  return { by: by as ProductSort["by"], descending: way === "desc" };
}

async function withSaleOf({ context: { deps } }: Pick<Ask, "context">, product: Product) {
  const nowMs = deps.clock.nowMs();
  return shopProductView(product, await deps.records.currentSaleOf(product.id, nowMs), nowMs);
}

async function createReply(ask: Pick<Ask, "context" | "request">, staff: Staff): Promise<Reply> {
  const body = await readNumbered(ask, shopProductBody, { numbers: ["id", "price"] });
  if (body.kind === "reply") return body.reply;
  const { stock } = body.value;
  return stock === undefined ? productAlone(ask, staff, body.value) : withSale(ask, staff, { ...body.value, stock });
}

type Wanted = z.output<typeof shopProductBody>;
const fieldNames = { price_minor: "price", starts_at: "start_time", ends_at: "end_time" };

async function withSale(
  ask: Pick<Ask, "context" | "request">,
  staff: Staff,
  { id, name, price, image, stock, start_time, end_time }: Wanted & { stock: number },
): Promise<Reply> {
  const opening = { productId: id, name, price, image, stock, startsAtMs: start_time, endsAtMs: end_time };
  const opened = await openSale(ask, staff, { opening, fieldNames });
  if (opened.kind === "reply") return opened.reply;
  const { sale, repeated, warnings } = opened.value;
  const product = await ask.context.deps.records.product(sale.productId);
  if (product === undefined) return productUnknown(sale.productId);
  return success({ ...(await withSaleOf(ask, product)), warnings }, repeated ? 200 : 201);
}

async function productAlone(
  ask: Pick<Ask, "context" | "request">,
  { access, owner }: Staff,
  { id, name, price: decimal, image }: Wanted,
): Promise<Reply> {
  const { deps } = ask.context;
  const key = readKey(ask.request.headers);
  if (key.kind === "reply") return key.reply;
  const price = priceOf(decimal);
  if (price.kind === "reply") return price.reply;
  const submission = key.value === undefined ? undefined : { owner, key: key.value };
  const draft = { id, name, price: price.value, image, seller: access.merchant ?? deps.options.shop };
  const answer = await createProduct(deps, draft, { submission, actor: owner });
  switch (answer.kind) {
    case "added":
      return success({ ...(await withSaleOf(ask, answer.product)), warnings: [] }, 201);
    case "exists":
      return success({ ...(await withSaleOf(ask, answer.product)), warnings: [] });
    case "differs":
      return failure("product_exists", { field: "id", problem: `belongs to another product: "${id}"` });
    case "key_reused":
      return failure("key_reused", { field: "Idempotency-Key" });
    case "invalid":
      return failure("invalid", { field: answer.field === "price_minor" ? "price" : answer.field, problem: answer.problem });
    default:
      return unreachable(answer);
  }
}
