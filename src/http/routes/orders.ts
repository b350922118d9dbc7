import type { BuyerId } from "../../domain/ids.ts";
import type { Purchase } from "../../domain/purchase.ts";
import {
  boughtIn,
  cancelOrder,
  extendOrder,
  findByKey,
  findOrder,
  findPurchase,
  listPurchases,
  orderOf,
  type Viewer,
} from "../../engine/orders.ts";
import { refundOrder } from "../../engine/refunds.ts";
import { InvariantBroken, unreachable } from "../../lib/assert.ts";
import { boughtAnswer, orderAnswer, purchaseAnswer, refundAnswer } from "../contract/answers.ts";
import { listOf, listView, pageOf } from "../contract/paging.ts";
import { keyParams, orderParams, purchaseParams, saleParams } from "../contract/params.ts";
import { emptyBody, moreTimeBody, purchasesQuery, refundBody } from "../contract/requests.ts";
import { isStoreUnavailable } from "../context.ts";
import { failure, success, type Reply } from "../envelope.ts";
import { notTriedReply, unknownReply } from "../refusals.ts";
import { forBuyer, forStaff, forViewer, type Ask, type Asked, type Route } from "../route.ts";
import { saleUnknown } from "./sales.ts";
import { boughtView, orderView, purchaseView, refundView } from "../views.ts";

export const purchaseUnknown = (field: string): Reply => failure("purchase_unknown", { field });

const listOwn = {
  method: "GET",
  query: purchasesQuery,
  answers: { 200: listOf(purchaseAnswer) },
} as const;
const ownPurchases = {
  ...listOwn,
  path: "/api/v1/purchases",
  operation: "listPurchases",
  tag: "purchases",
  summary: "List the buyer's own purchases, newest first",
} as const;
const ownOrders = {
  ...listOwn,
  path: "/api/v1/orders",
  operation: "listOrders",
  tag: "orders",
  summary: "List the buyer's own orders, newest first",
} as const;

const readPurchase = {
  method: "GET",
  path: "/api/v1/purchases/:purchase_id",
  operation: "readPurchase",
  tag: "purchases",
  summary: "Read a purchase",
  params: purchaseParams,
  answers: { 200: purchaseAnswer },
  refusals: ["purchase_unknown"],
} as const;
const readOrder = {
  method: "GET",
  path: "/api/v1/orders/:order_id",
  operation: "readOrder",
  tag: "orders",
  summary: "Read an order: the purchase with its seller, payments and refunds",
  params: orderParams,
  answers: { 200: orderAnswer },
  refusals: ["purchase_unknown"],
} as const;
const readByKey = {
  method: "GET",
  path: "/api/v1/sales/:sale_id/purchases/by-key/:key",
  operation: "readPurchaseByKey",
  tag: "purchases",
  summary: "Read the buyer's purchase that was made under a key",
  params: keyParams,
  answers: { 200: purchaseAnswer },
  refusals: ["purchase_unknown"],
} as const;

const purchased = {
  method: "GET",
  path: "/api/v1/sales/:sale_id/purchased",
  operation: "readPurchased",
  tag: "purchases",
  summary: "Read whether the buyer has bought in a sale, and what it has not given back",
  params: saleParams,
  answers: { 200: boughtAnswer },
  refusals: ["sale_unknown"],
} as const;

const cancel = {
  method: "POST",
  about: "By its buyer it is cancelled, by the shop closed; its units return to the sale.",
  body: emptyBody,
  answers: { 200: orderAnswer },
  refusals: ["purchase_unknown", "order_not_cancellable", "busy", "outcome_unknown"],
} as const;
const cancelPurchase = {
  ...cancel,
  path: "/api/v1/purchases/:purchase_id/cancel",
  operation: "cancelPurchase",
  tag: "purchases",
  summary: "Give a reserved purchase back",
  params: purchaseParams,
} as const;
const cancelOrderContract = {
  ...cancel,
  path: "/api/v1/orders/:order_id/cancel",
  operation: "cancelOrder",
  tag: "orders",
  summary: "Cancel an unpaid order",
  params: orderParams,
} as const;

const extend = {
  method: "POST",
  path: "/api/v1/orders/:order_id/extend",
  operation: "extendOrder",
  tag: "orders",
  summary: "Give the buyer a minute more to pay",
  about: "For each deadline once: a repeat, and whoever names an earlier deadline, gets the order as it is.",
  params: orderParams,
  body: moreTimeBody,
  answers: { 200: orderAnswer },
  refusals: ["purchase_unknown", "order_not_extendable", "extensions_used_up", "invalid", "busy", "outcome_unknown"],
} as const;

const refund = {
  method: "POST",
  path: "/api/v1/orders/:order_id/refunds",
  operation: "refundOrder",
  tag: "orders",
  summary: "Give a paid order's whole amount back, with or without its units",
  params: orderParams,
  body: refundBody,
  answers: { 201: refundAnswer, 200: refundAnswer },
  refusals: ["purchase_unknown", "order_not_refundable", "busy", "outcome_unknown"],
} as const;

export const orderRoutes: readonly Route[] = [
  forBuyer(ownPurchases, listReply),
  forBuyer(ownOrders, listReply),

  forViewer("orders:read", readPurchase, async ({ params, context }, { viewer }) => {
    const purchase = await findPurchase(context.deps, viewer, params.purchase_id);
    return purchase === undefined ? purchaseUnknown("purchase_id") : success(purchaseView(purchase));
  }),

  forViewer("orders:read", readOrder, async ({ params, context }, { viewer }) => {
    const order = await findOrder(context.deps, viewer, params.order_id);
    return order === undefined ? purchaseUnknown("order_id") : success(orderView(order));
  }),

  forBuyer(readByKey, async ({ params, context }, buyerId) => {
    const purchase = await findByKey(context.deps, { saleId: params.sale_id, buyerId, key: params.key });
    return purchase === undefined ? purchaseUnknown("key") : success(purchaseView(purchase));
  }),

  forBuyer(purchased, async ({ params: { sale_id: saleId }, context: { deps } }, buyerId) => {
    const sale = (await deps.board.load(saleId))?.sale;
    if (sale === undefined || sale.phase === "draft") return saleUnknown(saleId);
    return success({ sale_id: saleId, ...boughtView(await boughtIn(deps, { saleId, buyerId })) });
  }),

  // Orders and purchases are one row, so the path exists under both names.
  forViewer("orders:write", cancelPurchase, (ask, { viewer }) =>
    cancelReply(ask, viewer, { id: ask.params.purchase_id, field: "purchase_id" }),
  ),
  forViewer("orders:write", cancelOrderContract, (ask, { viewer }) =>
    cancelReply(ask, viewer, { id: ask.params.order_id, field: "order_id" }),
  ),

  forBuyer(extend, ({ params, body, context }, buyerId) =>
    extendReply({ context }, buyerId, { purchaseId: params.order_id, payByMs: body.pay_by }),
  ),

  // An act of the shop: the buyer whom X-User-Id may name is not looked at.
  forStaff("orders:write", refund, ({ params, body, context }, { access }) =>
    refundReply({ context }, { access }, { purchaseId: params.order_id, returnStock: body.return_stock }),
  ),
];

async function listReply({ query, context }: Pick<Asked<typeof ownPurchases>, "query" | "context">, buyerId: BuyerId): Promise<Reply> {
  const { state, sale_id: saleId } = query;
  const listing = await listPurchases(context.deps, buyerId, { query: { state, saleId }, page: pageOf(query) });
  return success(listView(query, listing, purchaseView));
}

type Answerer = Pick<Ask, "context">;
type Target = { readonly id: Purchase["id"]; readonly field: string };

async function cancelReply(ask: Answerer, viewer: Viewer, { id, field }: Target): Promise<Reply> {
  const answer = await cancelOrder(ask.context.deps, viewer, id);
  switch (answer.kind) {
    case "released":
      return changedReply(ask, answer.purchase);
    case "not_allowed":
      return notPossible("order_not_cancellable", answer.purchase);
    case "purchase_unknown":
    case "sale_unknown":
      return purchaseUnknown(field);
    case "not_tried":
      return notTriedReply(answer.cause);
    case "unknown":
      return unknownReply();
    case "too_early":
      throw new InvariantBroken("only time itself comes too early");
    default:
      return unreachable(answer);
  }
}

async function extendReply(
  ask: Answerer,
  buyerId: BuyerId,
  wanted: { readonly purchaseId: Purchase["id"]; readonly payByMs: number },
): Promise<Reply> {
  const answer = await extendOrder(ask.context.deps, buyerId, wanted);
  switch (answer.kind) {
    case "extended":
      return changedReply(ask, answer.purchase);
    case "not_extendable":
      return failure("order_not_extendable", { state: answer.purchase.state });
    case "extensions_used_up":
      return failure("extensions_used_up", { limit: answer.extensionsMax });
    case "deadline_unknown":
      return failure("invalid", { field: "pay_by", problem: "must be a deadline that the order has or had" });
    case "purchase_unknown":
    case "sale_unknown":
      return purchaseUnknown("order_id");
    case "not_tried":
      return notTriedReply(answer.cause);
    case "unknown":
      return unknownReply();
    default:
      return unreachable(answer);
  }
}

/** The change is durable: a view that cannot be read now must not be answered as if nothing had been tried. */
async function changedReply(ask: Answerer, purchase: Purchase): Promise<Reply> {
  try {
    return success(orderView(await orderOf(ask.context.deps, purchase)));
  } catch (error) {
    if (isStoreUnavailable(error)) return unknownReply();
    throw error;
  }
}

async function refundReply(
  { context }: Answerer,
  viewer: Viewer,
  wanted: { purchaseId: Purchase["id"]; returnStock: boolean },
): Promise<Reply> {
  const answer = await refundOrder(context.deps, viewer, wanted);
  switch (answer.kind) {
    case "refunding":
      return success(refundView(answer.refund), answer.repeated ? 200 : 201);
    case "not_paid":
      return notPossible("order_not_refundable", answer.purchase);
    case "purchase_unknown":
    case "sale_unknown":
      return purchaseUnknown("order_id");
    case "not_tried":
      return notTriedReply(answer.cause);
    case "unknown":
      return unknownReply();
    default:
      return unreachable(answer);
  }
}

const verbs = { order_not_cancellable: "cancelled", order_not_refundable: "refunded", order_not_payable: "paid" } as const;

/** The order's state forbids it; the answer says which state that is. */
export function notPossible(reason: keyof typeof verbs, { state }: Pick<Purchase, "state">): Reply {
  return failure(reason, { state }, `The order cannot be ${verbs[reason]} in its state: it is ${state}`);
}
