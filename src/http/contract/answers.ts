/** What comes back in `data`: the shapes that views.ts makes, for the API's description and the tests that hold us to it. */
import { z } from "zod";
import { saleAnswers } from "../../domain/availability.ts";
import { transitions, type PurchaseState } from "../../domain/purchase.ts";
import { saleStatuses } from "../../domain/sale.ts";

export const id = z.string().regex(/^[1-9]\d{0,18}$/);
export const instantText = z.iso.datetime({ precision: 3 });
export const minor = z.int().positive();
const currency = z.string().regex(/^[A-Z]{3}$/);
const count = z.int().nonnegative();

export const productAnswer = z.strictObject({
  id,
  name: z.string(),
  price_minor: minor,
  currency,
  seller: z.string(),
  image: z.string().nullable(),
  created_at: instantText,
});
export const quotaAnswer = z.strictObject({ product_id: id, user_id: z.string(), units: count.nullable() });

const stock = z.strictObject({
  issued: count,
  available: count,
  held: count,
  sold: count,
  withdrawn: count,
  planned: count,
});
export const saleAnswer = z.strictObject({
  id,
  product_id: id,
  name: z.string(),
  status: z.enum(saleStatuses),
  answer: z.enum(saleAnswers),
  price_minor: minor,
  currency,
  per_buyer_limit: z.int().positive(),
  limit_group: z.string().nullable(),
  refunded_units_count: z.boolean(),
  pay_window_seconds: z.number().positive(),
  starts_at: instantText,
  ends_at: instantText,
  stock,
  created_at: instantText,
  server_time: instantText,
});
export const statisticsAnswer = z.strictObject({
  sale_id: id,
  status: z.enum(saleStatuses),
  answer: z.enum(saleAnswers),
  stock,
  buyers: count,
  purchases: z.strictObject({ reserved: count, paid: count, cancelled: count, expired: count, closed: count }),
  server_time: instantText,
});

// The transition table has a row for every state.
export const purchaseStates = Object.keys(transitions) as PurchaseState[];
const accepted = {
  id,
  sale_id: id,
  product_id: id,
  quantity: z.int().positive(),
  price_minor: minor,
  currency,
  amount_minor: minor,
  accepted_at: instantText,
  pay_by: instantText,
  metadata: z.record(z.string(), z.unknown()).optional(),
};
/** The 201 of a purchase, as it was at acceptance. */
export const acceptedAnswer = z.strictObject({ ...accepted, state: z.literal("reserved") });
const purchase = { ...accepted, state: z.enum(purchaseStates), hold_until: instantText, changed_at: instantText };
export const purchaseAnswer = z.strictObject(purchase);

export const boughtAnswer = z.strictObject({ sale_id: id, purchased: z.boolean(), quantity: count, purchase_ids: z.array(id) });

export const paymentAnswer = z.strictObject({
  id,
  order_id: id,
  provider: z.string(),
  amount_minor: minor,
  currency,
  state: z.enum(["created", "pending", "captured", "failed", "expired"]),
  pay_url: z.string().nullable(),
  created_at: instantText,
  changed_at: instantText,
});
export const refundAnswer = z.strictObject({
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
});
export const orderAnswer = z.strictObject({
  ...purchase,
  seller: z.string().nullable(),
  refunded: z.boolean(),
  payments: z.array(paymentAnswer),
  refunds: z.array(refundAnswer),
});

export const tokenAnswer = z.strictObject({ token: z.string(), token_type: z.literal("Bearer"), expires_at: instantText });
export const timeAnswer = z.strictObject({ server_time: instantText, server_time_ms: z.int() });
export const statusAnswer = z.strictObject({ status: z.string() });
export const healthAnswer = z.strictObject({
  status: z.enum(["ok", "draining"]),
  version: z.string(),
  environment: z.string(),
  uptime_seconds: count,
  server_time: instantText,
});
