/** The Elysia service: sales as "activities", prewarmed when they are created, and orders by buyer. Names in camelCase count, too. */
import { findOrder, listPurchases } from "../../engine/orders.ts";
import { acceptedAnswer, orderAnswer, purchaseAnswer, queuedAnswer, saleAnswer } from "../contract/answers.ts";
import { listOf, listView, pageOf } from "../contract/paging.ts";
import { keyHeader, orderParams, saleParams } from "../contract/params.ts";
import { activityBody, activityPurchaseBody, prewarmAnswer, userOrdersQuery, userParams } from "../contract/seeds.ts";
import { purchaseBytesMax } from "../body.ts";
import { numberToRead } from "../context.ts";
import { success, type Reply } from "../envelope.ts";
import type { Staff } from "../identity.ts";
import { takeRefusals } from "../refusals.ts";
import { forAnybody, type Ask, type Route } from "../route.ts";
import { purchaseUnknown } from "../routes/orders.ts";
import { withSale } from "../routes/sales.ts";
import { orderView, purchaseView, saleView } from "../views.ts";
import { readNumbered } from "./bodies.ts";
import { buyInSale } from "./buying.ts";
import { forNamed, forShop, forViewing, namedBuyer } from "./callers.ts";
import { openSale } from "./opening.ts";

const create = {
  method: "POST",
  path: "/api/activities",
  operation: "activityCreate",
  tag: "seeds",
  summary: "Create and publish a sale in one call, and its product if need be",
  headers: keyHeader,
  readsItself: true,
  body: activityBody,
  answers: { 201: prewarmAnswer, 200: prewarmAnswer },
  refusals: ["product_exists", "key_reused", "invalid", "busy", "outcome_unknown"],
} as const;
const read = {
  method: "GET",
  path: "/api/activities/:sale_id",
  operation: "activityRead",
  tag: "seeds",
  summary: "Read a sale",
  params: saleParams,
  answers: { 200: saleAnswer },
  refusals: ["sale_unknown"],
} as const;
const buy = {
  method: "POST",
  path: "/api/seckill/:sale_id",
  operation: "activityPurchase",
  tag: "seeds",
  summary: "Buy in a sale",
  params: saleParams,
  headers: keyHeader,
  readsItself: true,
  body: activityPurchaseBody,
  answers: { 201: acceptedAnswer, 202: queuedAnswer },
  refusals: ["sale_unknown", ...takeRefusals],
} as const;
const readOrder = {
  method: "GET",
  path: "/api/orders/:order_id",
  operation: "activityOrderRead",
  tag: "seeds",
  summary: "Read an order",
  params: orderParams,
  answers: { 200: orderAnswer },
  refusals: ["purchase_unknown"],
} as const;
const ordersOfUser = {
  method: "GET",
  path: "/api/orders/user/:user_id",
  operation: "activityOrdersOfUser",
  tag: "seeds",
  summary: "List a buyer's orders, newest first",
  params: userParams,
  query: userOrdersQuery,
  answers: { 200: listOf(purchaseAnswer) },
} as const;

export const activityRoutes: readonly Route[] = [
  forShop("sales:write", create, createReply),
  forAnybody(read, (ask, caller) => withSale(ask, caller, (sale) => success(saleView(sale, ask.nowMs)))),

  forNamed(buy, async (ask, caller) => {
    const body = await readNumbered(ask, activityPurchaseBody, { bytesMax: purchaseBytesMax, numbers: ["user_id"], camelCase: true });
    if (body.kind === "reply") return body.reply;
    const { user_id: userId, quantity } = body.value;
    return buyInSale(ask, caller, { saleId: ask.params.sale_id, userId, quantity });
  }),

  forViewing("orders:read", readOrder, async ({ params, context }, viewer) => {
    const order = await findOrder(context.deps, viewer, params.order_id);
    return order === undefined ? purchaseUnknown("order_id") : success(orderView(order));
  }),

  forNamed(ordersOfUser, async ({ params, query, context }, caller) => {
    const buyer = namedBuyer(caller, params.user_id);
    if (buyer.kind === "reply") return buyer.reply;
    const buyerId = await numberToRead(context, buyer.value);
    const listing = await listPurchases(context.deps, buyerId, { query: { state: query.state }, page: pageOf(query) });
    return success(listView(query, listing, purchaseView));
  }),
];

const fieldNames = { id: "product_id", price_minor: "price", starts_at: "start_time", ends_at: "end_time" };

async function createReply(ask: Pick<Ask, "context" | "request">, staff: Staff): Promise<Reply> {
  const body = await readNumbered(ask, activityBody, { numbers: ["product_id", "price"], camelCase: true });
  if (body.kind === "reply") return body.reply;
  const { product_id: productId, name, price, stock, start_time: startsAtMs, end_time: endsAtMs } = body.value;
  const opened = await openSale(ask, staff, { opening: { productId, name, price, stock, startsAtMs, endsAtMs }, fieldNames });
  if (opened.kind === "reply") return opened.reply;
  const { sale, repeated, warnings } = opened.value;
  // By the time now: a window that was moved to now began after the request did.
  return success({ ...saleView(sale, ask.context.deps.clock.nowMs()), warnings }, repeated ? 200 : 201);
}
