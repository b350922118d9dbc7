/** How the domain's things look on the wire. Field names and orders are the contract of docs/api.md. */
import { answerOf } from "../domain/availability.ts";
import type { ProductId } from "../domain/ids.ts";
import type { InventoryEntry } from "../domain/inventory.ts";
import type { Adjustment } from "../domain/movement.ts";
import type { Payment, Refund } from "../domain/payment.ts";
import type { Product } from "../domain/product.ts";
import { amountOf, deadlineOf, extensionsLeft, type Purchase, type PurchaseState } from "../domain/purchase.ts";
import { statusOf, type Sale } from "../domain/sale.ts";
import type { Bought, Order } from "../engine/orders.ts";
import type { DeadLetter } from "../ports/queue-ledger.ts";
import type { ProductStock } from "../ports/records.ts";
import { parseAsWritten } from "../lib/parse-as-written.ts";
import { success, type Reply } from "./envelope.ts";
import { isoTime } from "./time.ts";

export function productView({ id, name, price, seller, image, inventory, version, createdAtMs }: Product) {
  const what = { id, name, price_minor: price.minor, currency: price.currency, seller, image: image ?? null };
  return { ...what, inventory, version, created_at: isoTime(createdAtMs) };
}

export function productStockView(productId: ProductId, { inventory, sales, inSales }: ProductStock) {
  return { product_id: productId, inventory, sales, in_sales: inSales };
}

export function inventoryEntryView({ sourceId, productId, kind, units, balance, reason, actor, atMs }: InventoryEntry) {
  return { id: sourceId, product_id: productId, kind, units, inventory: balance, reason, actor, at: isoTime(atMs) };
}

export function adjustmentView({ id, saleId, kind, asked, applied, reason, actor, atMs }: Adjustment) {
  return { id, sale_id: saleId, kind, units_asked: asked, units_applied: applied, reason, actor, at: isoTime(atMs) };
}

export function stockView(sale: Sale) {
  return { ...sale.balances, planned: sale.stock };
}

export function saleView(sale: Sale, nowMs: number) {
  return {
    id: sale.id,
    product_id: sale.productId,
    seller: sale.seller,
    name: sale.name,
    status: statusOf(sale, nowMs),
    answer: answerOf(sale, nowMs),
    price_minor: sale.price.minor,
    currency: sale.price.currency,
    per_buyer_limit: sale.perBuyerLimit,
    limit_group: sale.limitGroup ?? null,
    refunded_units_count: sale.refundedUnitsCount,
    pay_window_seconds: sale.payWindowMs / 1000,
    pay_extensions_max: sale.payExtensionsMax,
    starts_at: isoTime(sale.startsAtMs),
    ends_at: isoTime(sale.endsAtMs),
    stock: stockView(sale),
    from_inventory: sale.fromInventory,
    settled_at: sale.settledAtMs === undefined ? null : isoTime(sale.settledAtMs),
    version: sale.feed,
    created_at: isoTime(sale.createdAtMs),
    server_time: isoTime(Math.floor(nowMs)),
  };
}

/**
 * The purchase as it was at acceptance: a function of the fields that never change, so every repeat of a key gets the
 * same bytes. Ids are digits and a currency is three letters; the caller's metadata is JSON already.
 */
function acceptedText(p: Purchase): string {
  const amount = amountOf(p).minor;
  const metadata = p.metadata === undefined ? "" : `,"metadata":${p.metadata}`;
  return (
    `{"id":"${p.id}","sale_id":"${p.saleId}","product_id":"${p.productId}","quantity":${p.quantity},"price_minor":${p.price.minor},` +
    `"currency":"${p.price.currency}","amount_minor":${amount},"state":"reserved","accepted_at":"${isoTime(p.acceptedAtMs)}","pay_by":"${isoTime(p.payByMs)}"${metadata}}`
  );
}

const replayed: Readonly<Record<string, string>> = { "Idempotency-Replayed": "true" };

export function acceptedReply(purchase: Purchase, wasReplayed: boolean): Reply {
  return { status: 201, body: `{"code":0,"message":"OK","data":${acceptedText(purchase)}}`, headers: wasReplayed ? replayed : undefined };
}

/** It is accepted and not an order yet: where to look for what becomes of it. */
export function queuedReply(purchase: Purchase, wasReplayed: boolean): Reply {
  const location = { Location: `/api/v1/purchases/${purchase.id}` };
  return success({ ...wishView(purchase), ...metadataView(purchase) }, 202, wasReplayed ? { ...location, ...replayed } : location);
}

/** What is the same of a purchase whatever became of it. */
function wishView({ id, saleId, productId, quantity, price, state, acceptedAtMs }: Purchase) {
  return {
    id,
    sale_id: saleId,
    product_id: productId,
    quantity,
    price_minor: price.minor,
    currency: price.currency,
    amount_minor: amountOf({ price, quantity }).minor,
    state,
    accepted_at: isoTime(acceptedAtMs),
  };
}

/** The caller's own: reads give its numbers digit by digit, as the 201 did. */
const metadataView = ({ metadata }: Purchase) => (metadata === undefined ? {} : { metadata: parseAsWritten(metadata) });

/** What was never reserved, or is not yet, has no deadline. */
const undated: readonly PurchaseState[] = ["queued", "stuck", "refused"];

export function purchaseView(p: Purchase) {
  const when = (ms: number) => (undated.includes(p.state) ? null : isoTime(ms));
  return {
    ...wishView(p),
    pay_by: when(deadlineOf(p)),
    hold_until: when(p.holdUntilMs),
    changed_at: isoTime(p.changedAtMs),
    ...(p.refusedFor !== undefined && { refused_for: p.refusedFor }),
    ...(p.supersededBy !== undefined && { superseded_by: p.supersededBy }),
    ...metadataView(p),
  };
}

export function boughtView({ quantity, purchaseIds }: Bought) {
  return { purchased: quantity > 0, quantity, purchase_ids: purchaseIds };
}

export function paymentView(p: Payment) {
  return {
    id: p.id,
    order_id: p.purchaseId,
    provider: p.provider,
    amount_minor: p.money.minor,
    currency: p.money.currency,
    state: p.state,
    pay_url: p.payUrl ?? null,
    created_at: isoTime(p.createdAtMs),
    changed_at: isoTime(p.changedAtMs),
  };
}

export function refundView(r: Refund) {
  return {
    id: r.id,
    order_id: r.purchaseId,
    payment_id: r.paymentId,
    amount_minor: r.money.minor,
    currency: r.money.currency,
    reason: r.reason,
    return_stock: r.returnStock,
    state: r.state,
    created_at: isoTime(r.createdAtMs),
    changed_at: isoTime(r.changedAtMs),
  };
}

export function orderView({ purchase, product, extensionsMax, payments, refunds }: Order) {
  return {
    ...purchaseView(purchase),
    seller: product?.seller ?? null,
    extensions_used: purchase.extensions,
    extensions_left: extensionsLeft(purchase, extensionsMax),
    refunded: purchase.refunded,
    payments: payments.map(paymentView),
    refunds: refunds.map(refundView),
  };
}

export function deadLetterView(letter: DeadLetter) {
  const { id, kind, problem, tries, atMs } = letter;
  const line = letter.kind === "line" ? letter.line : undefined;
  return {
    id,
    kind,
    problem,
    tries,
    at: isoTime(atMs),
    sale_id: letter.kind === "line" ? letter.saleId : null,
    quantity: line?.quantity ?? null,
    accepted_at: line === undefined ? null : isoTime(line.acceptedAtMs),
    text: letter.kind === "message" ? letter.text : null,
  };
}
