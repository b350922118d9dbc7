import { isKey, parsePurchaseId, parseSaleId, type PurchaseId } from "../../domain/ids.ts";
import type { Purchase } from "../../domain/purchase.ts";
import { cancelOrder, findByKey, findOrder, findPurchase, listPurchases, orderOf, type Viewer } from "../../engine/orders.ts";
import { refundOrder } from "../../engine/refunds.ts";
import { InvariantBroken, unreachable } from "../../lib/assert.ts";
import { purchasesQuery, refundBody, emptyBody } from "../contract/requests.ts";
import { isStoreUnavailable } from "../context.ts";
import { failure, success, type Reply } from "../envelope.ts";
import { badKey, notTriedReply, unknownReply } from "../refusals.ts";
import { forBuyer, forShop, forViewer, readBodyAs, readParam, readQueryAs, type Ask, type Route } from "../route.ts";
import { orderView, purchaseView, refundView } from "../views.ts";

/** Orders and purchases are one row, so each path exists under both names. */
const names = ["purchases", "orders"] as const;

export const purchaseIdOf = (ask: Ask, field: string) => readParam(ask, { name: "id", field, parse: parsePurchaseId });
export const purchaseUnknown = (field: string): Reply => failure("purchase_unknown", { field });

export const orderRoutes: readonly Route[] = [
  ...names.map((name) => forBuyer(["GET", `/api/v1/${name}`], listReply)),

  forViewer(["GET", "/api/v1/purchases/:id"], async (ask, viewer) => {
    const id = purchaseIdOf(ask, "purchase_id");
    if (id.kind === "reply") return id.reply;
    const purchase = await findPurchase(ask.context.deps, viewer, id.value);
    return purchase === undefined ? purchaseUnknown("purchase_id") : success(purchaseView(purchase));
  }),

  forViewer(["GET", "/api/v1/orders/:id"], async (ask, viewer) => {
    const id = purchaseIdOf(ask, "order_id");
    if (id.kind === "reply") return id.reply;
    const order = await findOrder(ask.context.deps, viewer, id.value);
    return order === undefined ? purchaseUnknown("order_id") : success(orderView(order));
  }),

  forBuyer(["GET", "/api/v1/sales/:id/purchases/by-key/:key"], async (ask, buyerId) => {
    const saleId = readParam(ask, { name: "id", field: "sale_id", parse: parseSaleId });
    if (saleId.kind === "reply") return saleId.reply;
    const key = ask.params["key"] ?? "";
    if (!isKey(key)) return badKey();
    const purchase = await findByKey(ask.context.deps, { saleId: saleId.value, buyerId, key });
    return purchase === undefined ? purchaseUnknown("key") : success(purchaseView(purchase));
  }),

  ...names.map((name) =>
    forViewer(["POST", `/api/v1/${name}/:id/cancel`], async (ask, viewer) => {
      const body = await readBodyAs(ask, emptyBody);
      if (body.kind === "reply") return body.reply;
      const field = name === "orders" ? "order_id" : "purchase_id";
      const id = purchaseIdOf(ask, field);
      return id.kind === "reply" ? id.reply : cancelReply(ask, viewer, { id: id.value, field });
    }),
  ),

  forShop(["POST", "/api/v1/orders/:id/refunds"], async (ask) => {
    const body = await readBodyAs(ask, refundBody);
    if (body.kind === "reply") return body.reply;
    const id = purchaseIdOf(ask, "order_id");
    return id.kind === "reply" ? id.reply : refundReply(ask, id.value, body.value.return_stock);
  }),
];

async function listReply(ask: Ask, buyerId: Parameters<typeof listPurchases>[1]): Promise<Reply> {
  const query = readQueryAs(ask, purchasesQuery);
  if (query.kind === "reply") return query.reply;
  const { page, page_size: size, state, sale_id: saleId } = query.value;
  const { items, total } = await listPurchases(ask.context.deps, buyerId, {
    query: { state, saleId },
    page: { offset: (page - 1) * size, limit: size },
  });
  return success({ items: items.map(purchaseView), page, page_size: size, total });
}

async function cancelReply(ask: Ask, viewer: Viewer, { id, field }: { id: PurchaseId; field: string }): Promise<Reply> {
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

/** The change is durable: a view that cannot be read now must not be answered as if nothing had been tried. */
async function changedReply(ask: Ask, purchase: Purchase): Promise<Reply> {
  try {
    return success(orderView(await orderOf(ask.context.deps, purchase)));
  } catch (error) {
    if (isStoreUnavailable(error)) return unknownReply();
    throw error;
  }
}

async function refundReply(ask: Ask, purchaseId: PurchaseId, returnStock: boolean): Promise<Reply> {
  const answer = await refundOrder(ask.context.deps, { purchaseId, returnStock });
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
