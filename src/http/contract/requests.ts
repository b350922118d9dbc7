/** Bodies and queries of the canonical API: shapes and types. Unknown fields are refused everywhere. */
import { z } from "zod";
import { unitsMax } from "../../domain/ledger.ts";
import { priceMinorMax } from "../../domain/money.ts";
import { imageLengthMax, imagePattern, sellerLengthMax } from "../../domain/product.ts";
import { metadataLengthMax } from "../../domain/purchase.ts";
import { quotaUnitsMax } from "../../domain/quota.ts";
import {
  groupLengthMax,
  nameLengthMax,
  payWindowDefaultMs,
  payWindowMaxMs,
  payWindowMinMs,
  perBuyerLimitMax,
  saleStatuses,
} from "../../domain/sale.ts";
import { captureIdLengthMax } from "../../engine/callback.ts";
import { tokenLifetimeDefaultMs, tokenLifetimeMaxMs, tokenLifetimeMinMs } from "../../engine/identity.ts";
import { purchaseStates } from "./answers.ts";
import { named, told } from "./described.ts";
import { currency, instant, integer, integerOf, labelOf, paymentId, productId, saleId, text, userId } from "./fields.ts";
import { pagedQuery } from "./paging.ts";

const priceMinor = told(integerOf(1, priceMinorMax), { description: "In the currency's smallest unit." });
export const image = told(text, {
  description: "An http(s) URL, or a path.",
  maxLength: imageLengthMax,
  pattern: imagePattern.source,
});

export const grantTokenBody = named(
  "TokenGrant",
  z.strictObject({
    user_id: userId,
    expires_in_seconds: told(integerOf(tokenLifetimeMinMs / 1000, tokenLifetimeMaxMs / 1000), {
      description: `How long the token is good for; ${tokenLifetimeDefaultMs / 1000} if left out.`,
    }).optional(),
  }),
  { user_id: "buyer-17", expires_in_seconds: 600 },
);

export const productBody = named(
  "NewProduct",
  z.strictObject({
    id: productId.optional(),
    name: labelOf(nameLengthMax),
    price_minor: priceMinor,
    currency,
    seller: labelOf(sellerLengthMax).optional(),
    image: image.optional(),
  }),
  { id: "1001", name: "Desk lamp", price_minor: 9900, currency: "CNY", image: "/images/lamp.webp" },
);

export const quotaBody = named("NewQuota", z.strictObject({ units: integerOf(0, quotaUnitsMax) }), { units: 3 });

export const saleBody = named(
  "NewSale",
  z.strictObject({
    product_id: productId,
    name: labelOf(nameLengthMax).optional(),
    price_minor: priceMinor.optional(),
    currency: currency.optional(),
    stock: told(integerOf(1, unitsMax), { description: "Units that publishing issues." }),
    per_buyer_limit: integerOf(1, perBuyerLimitMax).default(1),
    limit_group: told(labelOf(groupLengthMax), {
      description: "Sales of one group count a buyer's units together.",
    }).optional(),
    refunded_units_count: told(z.boolean(), {
      description: "Whether units paid and refunded since still count against the limit.",
    }).default(true),
    pay_window_seconds: told(integerOf(payWindowMinMs / 1000, payWindowMaxMs / 1000), {
      description: "How long a unit is held for its buyer to pay.",
    }).default(payWindowDefaultMs / 1000),
    starts_at: instant,
    ends_at: instant,
  }),
  {
    product_id: "1001",
    name: "Desk lamp at half price",
    price_minor: 4950,
    currency: "CNY",
    stock: 100,
    per_buyer_limit: 2,
    starts_at: "2030-01-31T20:00:00+08:00",
    ends_at: "2030-01-31T21:00:00+08:00",
  },
);

export const emptyBody = named("Nothing", z.strictObject({}), {});
export const extendBody = named("Extension", z.strictObject({ ends_at: instant }), { ends_at: "2030-01-31T22:00:00+08:00" });

/** Names that reach into prototypes are refused in every body. */
const notReaching = { not: { enum: ["__proto__", "constructor", "prototype"] } };

/** The shop's own capture ids are kept behind "external:". */
const externalPrefixLength = 9;
const scenario = z
  .string()
  .regex(
    /^(?:success|failure|delay(?::\d{1,5})?|duplicate|late|wrong_amount|second_capture|abandon)$/,
    "must be one of success, failure, delay, delay:<seconds>, duplicate, late, wrong_amount, second_capture, abandon",
  );
export const paymentBody = named(
  "NewPayment",
  z.strictObject({ scenario: told(scenario, { description: "How the simulated provider is to behave." }).optional() }),
  { scenario: "success" },
);
/** What the shop says of money it took itself. */
export const externalPaymentBody = named(
  "ExternalPayment",
  z.strictObject({
    provider: z.literal("external"),
    capture_id: z
      .string()
      .min(1)
      .max(captureIdLengthMax - externalPrefixLength),
    amount_minor: integer.positive(),
    currency,
  }),
  { provider: "external", capture_id: "till-3-receipt-8812", amount_minor: 4950, currency: "CNY" },
);
export const quantity = told(integer.min(1).max(quotaUnitsMax), { description: "Units wanted." }).default(1);
export const purchaseBody = named(
  "NewPurchase",
  z.strictObject({
    quantity,
    metadata: told(z.record(z.string(), z.unknown()), {
      description: `The caller's own; any JSON object of at most ${metadataLengthMax} bytes.`,
      propertyNames: notReaching,
    }).optional(),
  }),
  { quantity: 1 },
);
export const refundBody = named(
  "NewRefund",
  z.strictObject({ return_stock: told(z.boolean(), { description: "Whether its units can be sold again." }).default(false) }),
  { return_stock: true },
);

export const salesQuery = pagedQuery({ status: z.enum(saleStatuses).optional(), product_id: productId.optional() });
export const purchasesQuery = pagedQuery({ state: z.enum(purchaseStates).optional(), sale_id: saleId.optional() });

/** What a provider says, once its signature is checked. Providers add fields as they like, so unknown ones pass. */
const callbackData = { payment_id: paymentId };
export const callbackBody = z.discriminatedUnion(
  "type",
  [
    named(
      "PaymentCaptured",
      z.object({
        type: z.literal("payment.captured"),
        data: z.object({
          ...callbackData,
          capture_id: z.string().min(1).max(captureIdLengthMax),
          amount_minor: integer.positive(),
          currency,
        }),
      }),
      {
        type: "payment.captured",
        data: { payment_id: "7421690423779328", capture_id: "capture-5512", amount_minor: 4950, currency: "CNY" },
      },
    ),
    named("PaymentFailed", z.object({ type: z.literal("payment.failed"), data: z.object(callbackData) }), {
      type: "payment.failed",
      data: { payment_id: "7421690423779328" },
    }),
  ],
  { error: "must be payment.captured or payment.failed" },
);
