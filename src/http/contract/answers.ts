/** What comes back in `data`: the shapes that views.ts makes, for the API's description and the tests that hold us to it. */
import { z } from "zod";
import { saleAnswers } from "../../domain/availability.ts";
import { inventoryKinds } from "../../domain/inventory.ts";
import { settleRefusals, transitions, type PurchaseState } from "../../domain/purchase.ts";
import { saleStatuses } from "../../domain/sale.ts";
import { described, exampleOf, named, shown, told } from "./described.ts";
import { idText as id } from "./fields.ts";

export { id };
const now = "2030-01-31T12:00:00.000Z";
export const instantText = z.iso
  .datetime({ precision: 3 })
  .register(described, { id: "Instant", description: "An instant in UTC with milliseconds.", example: now });
export const minor = told(z.int().positive(), { description: "An amount in the currency's smallest unit." });
const currency = told(z.string().regex(/^[A-Z]{3}$/), { description: "A currency of ISO 4217." });
const count = z.int().nonnegative();

const inventoryUnits = told(count.nullable(), { description: "Units in no sale; null where the shop keeps count elsewhere." });
const version = told(z.int().nonnegative(), { description: "Grows with every change; a change may name the one it saw." });
export const productAnswer = named(
  "Product",
  z.strictObject({
    id,
    name: z.string(),
    price_minor: minor,
    currency,
    seller: z.string(),
    image: z.string().nullable(),
    inventory: inventoryUnits,
    version,
    created_at: instantText,
  }),
  {
    id: "1001",
    name: "Desk lamp",
    price_minor: 9900,
    currency: "CNY",
    seller: "shop",
    image: "/images/lamp.webp",
    inventory: 250,
    version: 3,
    created_at: now,
  },
);
export const quotaAnswer = named("Quota", z.strictObject({ product_id: id, user_id: z.string(), units: count.nullable() }), {
  product_id: "1001",
  user_id: "buyer-17",
  units: 3,
});

const accounts = {
  issued: count,
  available: count,
  held: told(count, { description: "Reserved and not paid yet: these may return." }),
  sold: count,
  withdrawn: count,
};
const stock = named(
  "Stock",
  z.strictObject({
    ...accounts,
    planned: told(count, { description: "What publishing issues." }),
  }),
  { issued: 100, available: 40, held: 10, sold: 50, withdrawn: 0, planned: 100 },
);
const stockExample = { issued: 100, available: 40, held: 10, sold: 50, withdrawn: 0, planned: 100 };
export const productStockAnswer = named(
  "ProductStock",
  z.strictObject({ product_id: id, inventory: inventoryUnits, sales: count, in_sales: z.strictObject(accounts) }),
  { product_id: "1001", inventory: 150, sales: 1, in_sales: { issued: 100, available: 40, held: 10, sold: 50, withdrawn: 0 } },
);
const signed = z.int();
export const inventoryEntryAnswer = named(
  "InventoryEntry",
  z.strictObject({
    id: told(id, { description: "Of the change by hand, or of the sale or its adjustment that took units or gave them back." }),
    product_id: id,
    kind: z.enum(inventoryKinds),
    units: told(signed.nullable(), { description: "Those found, added or taken away by hand, allotted to a sale or returned by one." }),
    inventory: inventoryUnits,
    reason: z.string(),
    actor: z.string(),
    at: instantText,
  }),
  {
    id: "7421690423787520",
    product_id: "1001",
    kind: "adjust",
    units: 50,
    inventory: 250,
    reason: "a delivery",
    actor: "account:7421690423767040",
    at: now,
  },
);
const adjustment = {
  id,
  sale_id: id,
  kind: z.enum(["adjust", "settle"]),
  units_asked: signed,
  units_applied: told(signed, { description: "Of a decrease what was free." }),
  reason: z.string(),
  actor: z.string(),
  at: instantText,
};
const adjustmentExample = {
  id: "7421690423791616",
  sale_id: "7421690423771136",
  kind: "adjust",
  units_asked: -20,
  units_applied: -12,
  reason: "broken in transport",
  actor: "account:7421690423767040",
  at: now,
} as const;
export const adjustmentAnswer = named("StockAdjustment", z.strictObject(adjustment), adjustmentExample);

const status = z
  .enum(saleStatuses)
  .register(described, { id: "SaleStatus", description: "Follows from the clock and the shop's switches." });
const saleAnswerName = z.enum(saleAnswers).register(described, { id: "Availability", description: "What a purchase could be told now." });
export const saleAnswer = named(
  "Sale",
  z.strictObject({
    id,
    product_id: id,
    seller: z.string(),
    name: z.string(),
    status,
    answer: saleAnswerName,
    price_minor: minor,
    currency,
    per_buyer_limit: z.int().positive(),
    limit_group: z.string().nullable(),
    refunded_units_count: z.boolean(),
    pay_window_seconds: z.number().positive(),
    pay_extensions_max: told(count, { description: "How often a buyer may ask for a minute more to pay an order." }),
    starts_at: instantText,
    ends_at: instantText,
    stock,
    from_inventory: told(z.boolean(), { description: "Whether its units come from the product's inventory, and go back to it." }),
    settled_at: told(instantText.nullable(), { description: "When what it did not sell had left it." }),
    version,
    created_at: instantText,
    server_time: instantText,
  }),
  {
    id: "7421690423771136",
    product_id: "1001",
    seller: "shop",
    name: "Desk lamp at half price",
    status: "live",
    answer: "on_sale",
    price_minor: 4950,
    currency: "CNY",
    per_buyer_limit: 1,
    limit_group: null,
    refunded_units_count: true,
    pay_window_seconds: 900,
    pay_extensions_max: 10,
    starts_at: now,
    ends_at: "2030-01-31T13:00:00.000Z",
    stock: stockExample,
    from_inventory: true,
    settled_at: null,
    version: 57,
    created_at: "2030-01-30T08:00:00.000Z",
    server_time: "2030-01-31T12:00:07.250Z",
  },
);
export const adjustedAnswer = named("StockAdjusted", z.strictObject({ adjustment: adjustmentAnswer, sale: saleAnswer }), {
  adjustment: adjustmentExample,
  sale: exampleOf(saleAnswer),
});
export const statisticsAnswer = named(
  "SaleStatistics",
  z.strictObject({
    sale_id: id,
    status,
    answer: saleAnswerName,
    stock,
    buyers: count,
    purchases: z.strictObject({ reserved: count, paid: count, cancelled: count, expired: count, closed: count }),
    server_time: instantText,
  }),
  {
    sale_id: "7421690423771136",
    status: "live",
    answer: "on_sale",
    stock: stockExample,
    buyers: 58,
    purchases: { reserved: 10, paid: 50, cancelled: 2, expired: 1, closed: 0 },
    server_time: now,
  },
);

// The transition table has a row for every state.
export const purchaseStates = Object.keys(transitions) as PurchaseState[];
const state = z.enum(purchaseStates).register(described, { id: "PurchaseState" });
const wished = {
  id,
  sale_id: id,
  product_id: id,
  quantity: z.int().positive(),
  price_minor: minor,
  currency,
  amount_minor: minor,
  accepted_at: instantText,
  metadata: told(z.record(z.string(), z.unknown()), { description: "The caller's own, as it was sent." }).optional(),
};
const wishedExample = {
  id: "7421690423775232",
  sale_id: "7421690423771136",
  product_id: "1001",
  quantity: 1,
  price_minor: 4950,
  currency: "CNY",
  amount_minor: 4950,
  accepted_at: now,
};
const acceptedExample = { ...wishedExample, pay_by: "2030-01-31T12:15:00.000Z" };
const purchaseExample = { ...acceptedExample, hold_until: "2030-01-31T12:15:00.000Z", changed_at: now } as const;
/** The 201 of a purchase, as it was at acceptance. */
export const acceptedAnswer = named("AcceptedPurchase", z.strictObject({ ...wished, pay_by: instantText, state: z.literal("reserved") }), {
  ...acceptedExample,
  state: "reserved",
});
/** The 202 of a purchase: accepted for good, and not an order yet. */
export const queuedAnswer = named("QueuedPurchase", z.strictObject({ ...wished, state: z.literal("queued") }), {
  ...wishedExample,
  state: "queued",
});
const deadline = instantText.nullable();
const purchase = {
  ...wished,
  state,
  pay_by: told(deadline, { description: "The deadline in force: each extension moves it by a minute. Null while nothing is reserved." }),
  hold_until: told(deadline, { description: "Until when its units are kept: later than pay_by while a payment is under way." }),
  changed_at: instantText,
  refused_for: told(z.enum(settleRefusals), { description: "Why it was refused after it had been accepted." }).optional(),
  superseded_by: told(id, { description: "The purchase that has the key." }).optional(),
};
export const purchaseAnswer = named("Purchase", z.strictObject(purchase), { ...purchaseExample, state: "reserved" });

export const boughtAnswer = named(
  "Bought",
  z.strictObject({ sale_id: id, purchased: z.boolean(), quantity: count, purchase_ids: z.array(id) }),
  { sale_id: "7421690423771136", purchased: true, quantity: 1, purchase_ids: ["7421690423775232"] },
);

const paymentExample = {
  id: "7421690423779328",
  order_id: "7421690423775232",
  provider: "simulated",
  amount_minor: 4950,
  currency: "CNY",
  state: "pending",
  pay_url: null,
  created_at: now,
  changed_at: now,
} as const;
export const paymentAnswer = named(
  "Payment",
  z.strictObject({
    id,
    order_id: id,
    provider: z.string(),
    amount_minor: minor,
    currency,
    state: z.enum(["created", "pending", "captured", "failed", "expired"]),
    pay_url: z.string().nullable(),
    created_at: instantText,
    changed_at: instantText,
  }),
  paymentExample,
);
export const refundAnswer = named(
  "Refund",
  z.strictObject({
    id,
    order_id: id,
    payment_id: id,
    amount_minor: minor,
    currency,
    reason: z.enum(["order_closed", "second_capture", "wrong_amount", "requested_by_shop"]),
    return_stock: z.boolean(),
    state: z.enum(["requested", "sent", "done", "failed"]),
    created_at: instantText,
    changed_at: instantText,
  }),
  {
    id: "7421690423783424",
    order_id: "7421690423775232",
    payment_id: "7421690423779328",
    amount_minor: 4950,
    currency: "CNY",
    reason: "requested_by_shop",
    return_stock: false,
    state: "requested",
    created_at: now,
    changed_at: now,
  },
);
export const orderAnswer = named(
  "Order",
  z.strictObject({
    ...purchase,
    seller: z.string().nullable(),
    extensions_used: told(count, { description: "How often its buyer was given more time to pay." }),
    extensions_left: told(count, { description: "How often its buyer may ask for more yet." }),
    refunded: z.boolean(),
    payments: z.array(paymentAnswer),
    refunds: z.array(refundAnswer),
  }),
  {
    ...purchaseExample,
    state: "reserved",
    seller: "shop",
    extensions_used: 0,
    extensions_left: 10,
    refunded: false,
    payments: [paymentExample],
    refunds: [],
  },
);

export const tokenAnswer = named("Token", z.strictObject({ token: z.string(), token_type: z.literal("Bearer"), expires_at: instantText }), {
  token: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJidXllci0xNyJ9.c2lnbmF0dXJl",
  token_type: "Bearer",
  expires_at: "2030-01-31T12:10:00.000Z",
});
export const timeAnswer = named("Time", z.strictObject({ server_time: instantText, server_time_ms: z.int() }), {
  server_time: now,
  server_time_ms: Date.parse(now),
});
export const statusAnswer = named("Status", z.strictObject({ status: z.string() }), { status: "alive" });
export const healthAnswer = named(
  "Health",
  z.strictObject({
    status: z.enum(["ok", "draining"]),
    version: z.string(),
    /** What it was built from, where the operator says so. */
    commit: z.string().optional(),
    environment: z.string(),
    uptime_seconds: count,
    server_time: instantText,
  }),
  { status: "ok", version: "0.1.0", environment: "production", uptime_seconds: 86_400, server_time: now },
);
export const callbackAnswer = shown(z.strictObject({ repeated: z.boolean() }), { repeated: false });

export const ticketAnswer = named("EventTicket", z.strictObject({ expires_at: instantText }), { expires_at: "2030-01-31T12:10:00.000Z" });
/** Figures of one process; which ones there are may change. */
export const statsAnswer = named("SystemStats", z.record(z.string(), z.unknown()), {
  purchases: { accepted: 61, sold_out: 4210 },
  latency_seconds: { p50: 0.001, p95: 0.005, p99: 0.01 },
});

export const deadLetterAnswer = named(
  "DeadLetter",
  z.strictObject({
    id: told(z.string(), { description: "The purchase's id, or one made for a message without." }),
    kind: z.enum(["line", "message"]),
    problem: z.string(),
    tries: count,
    at: instantText,
    sale_id: told(id.nullable(), { description: "Null of a message that nobody can read." }),
    quantity: z.int().positive().nullable(),
    accepted_at: instantText.nullable(),
    text: told(z.string().nullable(), { description: "What a message is that nobody can read." }),
  }),
  {
    id: "7421690423775232",
    kind: "line",
    problem: "the database said no",
    tries: 5,
    at: now,
    sale_id: "7421690423771136",
    quantity: 1,
    accepted_at: now,
    text: null,
  },
);
