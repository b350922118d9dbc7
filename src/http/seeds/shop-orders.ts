/** Purchases, reservations, orders and payments as two of the seeds have them. */
import { findOrder, findPurchase, listPurchases } from "../../engine/orders.ts";
import { pay } from "../../engine/pay.ts";
import { acceptedAnswer, paymentAnswer, queuedAnswer } from "../contract/answers.ts";
import { listOf, listView, pageOf } from "../contract/paging.ts";
import { keyHeader, orderParams, purchaseParams } from "../contract/params.ts";
import { paymentBody } from "../contract/requests.ts";
import { reservationAnswer, shopOrderAnswer, shopOrderItem, shopOrdersQuery, shopPurchaseBody } from "../contract/seeds.ts";
import { purchaseBytesMax } from "../body.ts";
import { numberToRead } from "../context.ts";
import { failure, success } from "../envelope.ts";
import { takeRefusals } from "../refusals.ts";
import { openly, type Route } from "../route.ts";
import { purchaseUnknown } from "../routes/orders.ts";
import { callbackParts, callbackReply, payReply } from "../routes/payments.ts";
import { readNumbered } from "./bodies.ts";
import { buyProduct } from "./buying.ts";
import { forNamed, forViewing, namedBuyer, subjectOf } from "./callers.ts";
import { reservationView, shopOrderItemView, shopOrderView, statesOf } from "./shop-views.ts";
import { withMsg } from "./with-msg.ts";

const buy = {
  method: "POST",
  path: "/seckill",
  operation: "shopPurchase",
  tag: "seeds",
  summary: "Buy in a product's current sale",
  headers: keyHeader,
  readsItself: true,
  body: shopPurchaseBody,
  answers: { 201: acceptedAnswer, 202: queuedAnswer },
  refusals: ["product_unknown", "sale_unknown", ...takeRefusals],
} as const;
const reservation = {
  method: "GET",
  path: "/seckill/:purchase_id",
  operation: "shopReservationRead",
  tag: "seeds",
  summary: "Read what became of a purchase",
  params: purchaseParams,
  answers: { 200: reservationAnswer },
  refusals: ["purchase_unknown"],
} as const;
const list = {
  method: "GET",
  path: "/orders",
  operation: "shopOrders",
  tag: "seeds",
  summary: "List a buyer's orders, newest first",
  about: "status is 0 (unpaid), 1 (paid) or 2 (neither any more).",
  query: shopOrdersQuery,
  answers: { 200: listOf(shopOrderItem) },
} as const;
const order = {
  path: "/orders/:order_id",
  tag: "seeds",
  params: orderParams,
  refusals: ["purchase_unknown"],
} as const;
const readOrder = {
  ...order,
  method: "GET",
  operation: "shopOrderRead",
  summary: "Read an order",
  answers: { 200: shopOrderAnswer },
} as const;
const payOrder = {
  ...order,
  method: "POST",
  path: "/orders/:order_id/pay",
  operation: "shopOrderPay",
  summary: "Start paying an order",
  about: "An open payment is answered again with 200.",
  body: paymentBody,
  answers: { 201: paymentAnswer, 200: paymentAnswer },
  refusals: ["purchase_unknown", "order_not_payable", "payment_failed", "busy", "outcome_unknown"],
} as const;
const callback = {
  ...callbackParts,
  path: "/payment/callback",
  operation: "shopPaymentCallback",
  tag: "seeds",
} as const;

export const shopOrderRoutes: readonly Route[] = [
  forNamed(buy, async (ask, caller) => {
    const body = await readNumbered(ask, shopPurchaseBody, { bytesMax: purchaseBytesMax, numbers: ["product_id", "user_id"] });
    if (body.kind === "reply") return body.reply;
    const { product_id: productId, user_id: userId, quantity } = body.value;
    return buyProduct(ask, caller, { productId, userId, quantity });
  }),

  forViewing("orders:read", reservation, async ({ params, context }, viewer) => {
    const purchase = await findPurchase(context.deps, viewer, params.purchase_id);
    return purchase === undefined ? purchaseUnknown("purchase_id") : success(reservationView(purchase));
  }),

  forNamed(list, async ({ query, context }, caller) => {
    const { state, status, user_id: userId } = query;
    if (state !== undefined && status !== undefined)
      return failure("malformed", { field: "status", problem: "must not be given beside state" });
    const buyer = namedBuyer(caller, userId);
    if (buyer.kind === "reply") return buyer.reply;
    const buyerId = await numberToRead(context, buyer.value);
    const wanted = status === undefined ? state : statesOf(status);
    const listing = await listPurchases(context.deps, buyerId, { query: { state: wanted }, page: pageOf(query) });
    const subject = userId ?? subjectOf(caller);
    return success(listView(query, listing, (purchase) => shopOrderItemView(purchase, subject)));
  }),

  forViewing("orders:read", readOrder, async ({ params, context }, viewer, caller) => {
    const found = await findOrder(context.deps, viewer, params.order_id);
    if (found === undefined) return purchaseUnknown("order_id");
    const isOwn = found.purchase.buyerId === viewer.buyerId;
    return success(shopOrderView(found, isOwn ? subjectOf(caller) : undefined));
  }),

  forViewing("orders:write", payOrder, async ({ params, body, context }, viewer) =>
    payReply(await pay(context.deps, viewer, { purchaseId: params.order_id, scenario: body.scenario })),
  ),

  // Anybody may knock: the signature decides. Of several providers it is the one that orders are paid through.
  openly(callback, (ask) => callbackReply(ask, ask.context.deps.provider.name)),
].map(withMsg);
