/** Bodies and queries of the canonical API: shapes and types. Unknown fields are refused everywhere. */
import { z } from "zod";
import { payWindowDefaultMs, saleStatuses } from "../../domain/sale.ts";
import { quotaUnitsMax } from "../../domain/quota.ts";
import { captureIdLengthMax } from "../../engine/callback.ts";
import { purchaseStates } from "./answers.ts";
import { pagedQuery } from "./paging.ts";
import { currency, instant, integer, paymentId, productId, saleId, text, userId } from "./fields.ts";

export const grantTokenBody = z.strictObject({ user_id: userId, expires_in_seconds: integer.optional() });

export const productBody = z.strictObject({
  id: productId.optional(),
  name: text,
  price_minor: integer,
  currency,
  seller: text.optional(),
  image: text.optional(),
});

export const quotaBody = z.strictObject({ units: integer });

export const saleBody = z.strictObject({
  product_id: productId,
  name: text.optional(),
  price_minor: integer.optional(),
  currency: currency.optional(),
  stock: integer,
  per_buyer_limit: integer.default(1),
  limit_group: text.optional(),
  refunded_units_count: z.boolean().default(true),
  pay_window_seconds: integer.default(payWindowDefaultMs / 1000),
  starts_at: instant,
  ends_at: instant,
});

export const emptyBody = z.strictObject({});
export const extendBody = z.strictObject({ ends_at: instant });

/** The shop's own capture ids are kept behind "external:". */
const externalPrefixLength = 9;
const scenario = z
  .string()
  .regex(
    /^(?:success|failure|delay(?::\d{1,5})?|duplicate|late|wrong_amount|second_capture|abandon)$/,
    "must be one of success, failure, delay, delay:<seconds>, duplicate, late, wrong_amount, second_capture, abandon",
  );
export const paymentBody = z.strictObject({ scenario: scenario.optional() });
/** What the shop says of money it took itself. */
export const externalPaymentBody = z.strictObject({
  provider: z.literal("external"),
  capture_id: z
    .string()
    .min(1)
    .max(captureIdLengthMax - externalPrefixLength),
  amount_minor: integer.positive(),
  currency,
});
export const purchaseBody = z.strictObject({
  quantity: integer.min(1).max(quotaUnitsMax).default(1),
  /** At most 1 KiB as JSON. */
  metadata: z.record(z.string(), z.unknown()).optional(),
});
export const refundBody = z.strictObject({ return_stock: z.boolean().default(false) });

export const salesQuery = pagedQuery({ status: z.enum(saleStatuses).optional(), product_id: productId.optional() });
export const purchasesQuery = pagedQuery({ state: z.enum(purchaseStates).optional(), sale_id: saleId.optional() });

/** What a provider says, once its signature is checked. Providers add fields as they like, so unknown ones pass. */
const callbackData = { payment_id: paymentId };
export const callbackBody = z.discriminatedUnion(
  "type",
  [
    z.object({
      type: z.literal("payment.captured"),
      data: z.object({
        ...callbackData,
        capture_id: z.string().min(1).max(captureIdLengthMax),
        amount_minor: integer.positive(),
        currency,
      }),
    }),
    z.object({ type: z.literal("payment.failed"), data: z.object(callbackData) }),
  ],
  { error: "must be payment.captured or payment.failed" },
);
