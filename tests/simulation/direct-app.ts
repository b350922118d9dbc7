import { parsePurchaseId, parseSaleId, type PaymentId } from "../../src/domain/ids.ts";
import { publicErrors, type ErrorReason } from "../../src/domain/errors.ts";
import { applyCallback } from "../../src/engine/callback.ts";
import { buyerIdOf } from "../../src/engine/identity.ts";
import { cancelOrder, findOrder } from "../../src/engine/orders.ts";
import { pay } from "../../src/engine/pay.ts";
import { purchase } from "../../src/engine/purchase.ts";
import { refundOrder } from "../../src/engine/refunds.ts";
import { switchSale } from "../../src/engine/sales.ts";
import type { Purchase } from "../../src/domain/purchase.ts";
import type { ServerParts } from "./world-embedded.ts";
import { StoreUnavailable } from "../../src/ports/store-unavailable.ts";

type Json = Record<string, unknown>;
const answer = (status: number, data: unknown) => Response.json({ code: 0, data }, { status });
function no(reason: string): Response {
  const e = publicErrors[reason as ErrorReason];
  return Response.json({ code: e.code, data: { reason } }, { status: e.status });
}
function shared(a: { kind: string; cause?: string }): Response {
  if (a.kind === "not_tried") return no(a.cause === "failed" ? "internal" : a.cause === "storage_full" ? "storage_full" : "busy");
  if (a.kind === "unknown") return no("outcome_unknown");
  return no(a.kind === "sale_unknown" ? "sale_unknown" : a.kind === "purchase_unknown" ? "purchase_unknown" : a.kind === "not_payable" ? "order_not_payable" : a.kind === "payment_failed" ? "payment_failed" : a.kind === "not_paid" ? "order_not_refundable" : "order_not_cancellable");
}
const at = (p: Purchase): Json => ({ id: p.id, sale_id: p.saleId, quantity: p.quantity, amount_minor: p.price.minor * p.quantity, state: "reserved" });

export function createDirectApp(parts: ServerParts): { fetch(request: Request): Promise<Response> } {
  const route = async (request: Request): Promise<Response> => {
    const [, , , kind = "", id = "", action = ""] = new URL(request.url).pathname.split("/");
    const text = await request.text();
    const body = (text === "" ? {} : JSON.parse(text)) as Json;
    const user = request.headers.get("x-user-id");
    const buyerId = user === null ? undefined : await buyerIdOf(parts, { issuer: "shop", subject: user });
    if (kind === "sales" && action === "purchases" && buyerId !== undefined) {
      const metadata = body["metadata"] === undefined ? undefined : JSON.stringify(body["metadata"]);
      const key = request.headers.get("idempotency-key") ?? undefined;
      const a = await purchase(parts, { saleId: parseSaleId(id)!, buyerId, key, quantity: Number(body["quantity"] ?? 1), metadata });
      if (a.kind === "accepted") return answer(201, at(a.purchase));
      return a.kind === "refused" ? no(a.refusal.reason) : shared(a);
    }
    if (kind === "sales") {
      const change = action === "extend" ? { kind: "extend" as const, endsAtMs: Date.parse(String(body["ends_at"])) } : { kind: (action === "cancel" ? "cancel_sale" : action) as "pause" };
      const a = await switchSale(parts, parseSaleId(id)!, change);
      return a.kind === "switched" ? answer(200, {}) : a.kind === "not_allowed" ? no("switch_not_allowed") : a.kind === "invalid" ? no("invalid") : shared(a);
    }
    if (kind === "payments") {
      const d = body["data"] as Json;
      const base = { id: request.headers.get("webhook-id") ?? "", provider: "simulated", paymentId: d["payment_id"] as PaymentId };
      const a = await applyCallback(parts, body["type"] === "payment.failed" ? { ...base, type: "payment.failed" } : { ...base, type: "payment.captured", captureId: String(d["capture_id"]), money: { minor: Number(d["amount_minor"]), currency: d["currency"] as never } });
      return a.kind === "applied" ? answer(200, {}) : a.kind === "payment_unknown" ? no("payment_unknown") : no("busy");
    }
    const purchaseId = parsePurchaseId(id)!;
    if (action === "cancel") {
      const a = await cancelOrder(parts, { buyerId }, purchaseId);
      return a.kind === "released" ? answer(200, { ...at(a.purchase), state: a.purchase.state }) : shared(a);
    }
    if (action === "payments") {
      const a = await pay(parts, { buyerId }, { purchaseId, scenario: String(body["scenario"]) });
      return a.kind === "started" ? answer(a.repeated ? 200 : 201, { id: a.payment.id, state: a.payment.state }) : shared(a);
    }
    if (action === "refunds") {
      const a = await refundOrder(parts, { purchaseId, returnStock: body["return_stock"] === true });
      return a.kind === "refunding" ? answer(201, { id: a.refund.id }) : shared(a);
    }
    const order = await findOrder(parts, { buyerId }, purchaseId);
    return order === undefined ? no("purchase_unknown") : answer(200, { ...at(order.purchase), state: order.purchase.state });
  };
  return {
    fetch: async (request) => {
      try {
        return await route(request);
      } catch (error) {
        if (error instanceof StoreUnavailable) return no(error.code === "unknown" ? "outcome_unknown" : error.code === "storage_full" ? "storage_full" : "busy");
        throw error;
      }
    },
  };
}
