/** Rows and what they mean. Every id is read as text, so that no digit is lost; a column list belongs to each row type. */
import type { Payment, Capture, Refund } from "../../domain/payment.ts";
import type { Product } from "../../domain/product.ts";
import type { Purchase } from "../../domain/purchase.ts";
import type { Sale } from "../../domain/sale.ts";

/** The table stands before the column, for a bare name in ORDER BY would mean the text. */
const text = (table: string, column: string) => `CAST(${table}.${column} AS TEXT) AS ${column}`;

export const productColumns = `${text("product", "id")}, name, price_minor, currency, seller, image, created_at, inventory, version, deleted_at`;
export type ProductRow = {
  readonly id: Product["id"];
  readonly name: string;
  readonly price_minor: number;
  readonly currency: Product["price"]["currency"];
  readonly seller: string;
  readonly image: string | null;
  readonly created_at: number;
  readonly inventory: number | null;
  readonly version: number;
  readonly deleted_at: number | null;
};

export function productOf(row: ProductRow): Product {
  const { id, name, seller, inventory, version } = row;
  const price = { minor: row.price_minor, currency: row.currency };
  const dates = { createdAtMs: row.created_at, deletedAtMs: row.deleted_at ?? undefined };
  return { id, name, price, seller, image: row.image ?? undefined, inventory, version, ...dates };
}

export const saleColumns =
  `${text("sale", "id")}, ${text("sale", "product_id")}, name, price_minor, currency, stock, per_buyer_limit, limit_group, refunded_units_count, ` +
  `pay_window, starts_at, ends_at, phase, paused, has_quotas, issued, available, held, sold, withdrawn, feed, created_at, seller, from_inventory, ` +
  `settled_at, reopens_at, pay_extensions_max, ${text("sale", "scope_id")}`;
export type SaleRow = {
  readonly id: Sale["id"];
  readonly product_id: Sale["productId"];
  readonly name: string;
  readonly price_minor: number;
  readonly currency: Sale["price"]["currency"];
  readonly stock: number;
  readonly per_buyer_limit: number;
  readonly limit_group: string | null;
  readonly refunded_units_count: number;
  readonly pay_window: number;
  readonly starts_at: number;
  readonly ends_at: number;
  readonly phase: Sale["phase"];
  readonly paused: number;
  readonly has_quotas: number;
  readonly issued: number;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  readonly withdrawn: number;
  readonly feed: number;
  readonly created_at: number;
  readonly seller: string;
  readonly from_inventory: number;
  readonly settled_at: number | null;
  readonly reopens_at: number | null;
  readonly pay_extensions_max: number;
  readonly scope_id: Sale["id"] | null;
};

export function saleOf(row: SaleRow): Sale {
  return {
    id: row.id,
    productId: row.product_id,
    seller: row.seller,
    name: row.name,
    price: { minor: row.price_minor, currency: row.currency },
    stock: row.stock,
    perBuyerLimit: row.per_buyer_limit,
    limitGroup: row.limit_group ?? undefined,
    refundedUnitsCount: row.refunded_units_count === 1,
    payWindowMs: row.pay_window,
    payExtensionsMax: row.pay_extensions_max,
    startsAtMs: row.starts_at,
    endsAtMs: row.ends_at,
    phase: row.phase,
    paused: row.paused === 1,
    hasQuotas: row.has_quotas === 1,
    balances: { issued: row.issued, available: row.available, held: row.held, sold: row.sold, withdrawn: row.withdrawn },
    fromInventory: row.from_inventory === 1,
    settledAtMs: row.settled_at ?? undefined,
    reopensAtMs: row.reopens_at ?? undefined,
    ...(row.scope_id !== null && { scopeId: row.scope_id }),
    feed: row.feed,
    createdAtMs: row.created_at,
  };
}

export const purchaseColumns =
  `${text("purchase", "id")}, ${text("purchase", "sale_id")}, ${text("purchase", "product_id")}, buyer_id, idempotency_key, quantity, price_minor, currency, buyer_limit, ` +
  `metadata, accepted_at, pay_by, state, extensions, hold_until, changed_at, refunded, key_aside, refused_for, ${text("purchase", "superseded_by")}`;
export type PurchaseRow = {
  readonly id: Purchase["id"];
  readonly sale_id: Purchase["saleId"];
  readonly product_id: Purchase["productId"];
  readonly buyer_id: Purchase["buyerId"];
  readonly idempotency_key: string | null;
  readonly quantity: number;
  readonly price_minor: number;
  readonly currency: Purchase["price"]["currency"];
  readonly buyer_limit: number;
  readonly metadata: string | null;
  readonly accepted_at: number;
  readonly pay_by: number;
  readonly state: Purchase["state"];
  readonly extensions: number;
  readonly hold_until: number;
  readonly changed_at: number;
  readonly refunded: number;
  readonly key_aside: string | null;
  readonly refused_for: NonNullable<Purchase["refusedFor"]> | null;
  readonly superseded_by: Purchase["id"] | null;
};

export function purchaseOf(row: PurchaseRow): Purchase {
  return {
    id: row.id,
    saleId: row.sale_id,
    productId: row.product_id,
    buyerId: row.buyer_id,
    key: row.idempotency_key ?? row.key_aside ?? undefined,
    quantity: row.quantity,
    price: { minor: row.price_minor, currency: row.currency },
    limit: row.buyer_limit,
    metadata: row.metadata ?? undefined,
    acceptedAtMs: row.accepted_at,
    payByMs: row.pay_by,
    state: row.state,
    extensions: row.extensions,
    holdUntilMs: row.hold_until,
    changedAtMs: row.changed_at,
    refunded: row.refunded === 1,
    ...(row.refused_for !== null && { refusedFor: row.refused_for }),
    ...(row.superseded_by !== null && { supersededBy: row.superseded_by }),
  };
}

export const paymentColumns =
  `${text("payment", "id")}, ${text("payment", "purchase_id")}, ${text("payment", "sale_id")}, provider, provider_ref, pay_url, amount_minor, currency, state, ` +
  `created_at, changed_at`;
export type PaymentRow = {
  readonly id: Payment["id"];
  readonly purchase_id: Payment["purchaseId"];
  readonly sale_id: Payment["saleId"];
  readonly provider: string;
  readonly provider_ref: string | null;
  readonly pay_url: string | null;
  readonly amount_minor: number;
  readonly currency: Payment["money"]["currency"];
  readonly state: Payment["state"];
  readonly created_at: number;
  readonly changed_at: number;
};

export function paymentOf(row: PaymentRow): Payment {
  return {
    id: row.id,
    purchaseId: row.purchase_id,
    saleId: row.sale_id,
    provider: row.provider,
    providerRef: row.provider_ref ?? undefined,
    payUrl: row.pay_url ?? undefined,
    money: { minor: row.amount_minor, currency: row.currency },
    state: row.state,
    createdAtMs: row.created_at,
    changedAtMs: row.changed_at,
  };
}

export const captureColumns = `id, ${text("capture", "payment_id")}, ${text("capture", "purchase_id")}, ${text("capture", "sale_id")}, amount_minor, currency, kept, at_ms`;
export type CaptureRow = {
  readonly id: string;
  readonly payment_id: Capture["paymentId"];
  readonly purchase_id: Capture["purchaseId"];
  readonly sale_id: Capture["saleId"];
  readonly amount_minor: number;
  readonly currency: Capture["money"]["currency"];
  readonly kept: number;
  readonly at_ms: number;
};

export function captureOf(row: CaptureRow): Capture {
  return {
    id: row.id,
    paymentId: row.payment_id,
    purchaseId: row.purchase_id,
    saleId: row.sale_id,
    money: { minor: row.amount_minor, currency: row.currency },
    kept: row.kept === 1,
    atMs: row.at_ms,
  };
}

export const refundColumns =
  `${text("refund", "id")}, capture_id, ${text("refund", "payment_id")}, ${text("refund", "purchase_id")}, ${text("refund", "sale_id")}, provider, amount_minor, currency, ` +
  `reason, return_stock, state, tries, next_try_at, created_at, changed_at`;
export type RefundRow = {
  readonly id: Refund["id"];
  readonly capture_id: string;
  readonly payment_id: Refund["paymentId"];
  readonly purchase_id: Refund["purchaseId"];
  readonly sale_id: Refund["saleId"];
  readonly provider: string;
  readonly amount_minor: number;
  readonly currency: Refund["money"]["currency"];
  readonly reason: Refund["reason"];
  readonly return_stock: number;
  readonly state: Refund["state"];
  readonly tries: number;
  readonly next_try_at: number;
  readonly created_at: number;
  readonly changed_at: number;
};

export function refundOf(row: RefundRow): Refund {
  return {
    id: row.id,
    captureId: row.capture_id,
    paymentId: row.payment_id,
    purchaseId: row.purchase_id,
    saleId: row.sale_id,
    provider: row.provider,
    money: { minor: row.amount_minor, currency: row.currency },
    reason: row.reason,
    returnStock: row.return_stock === 1,
    state: row.state,
    tries: row.tries,
    nextTryAtMs: row.next_try_at,
    createdAtMs: row.created_at,
    changedAtMs: row.changed_at,
  };
}
