/** Bodies and queries of the canonical API: shapes and types. Unknown fields are refused everywhere. */
import { z } from "zod";
import { parseProductId, type ProductId } from "../../domain/ids.ts";
import { reasonLengthMax } from "../../domain/inventory.ts";
import { unitsMax } from "../../domain/ledger.ts";
import { priceMinorMax } from "../../domain/money.ts";
import { imageLengthMax, imagePattern, sellerLengthMax } from "../../domain/product.ts";
import { metadataLengthMax } from "../../domain/purchase.ts";
import { quotaUnitsMax } from "../../domain/quota.ts";
import {
  groupLengthMax,
  nameLengthMax,
  payExtensionsDefault,
  payExtensionsMost,
  payWindowDefaultMs,
  payWindowMaxMs,
  payWindowMinMs,
  perBuyerLimitMax,
  saleStatuses,
} from "../../domain/sale.ts";
import { captureIdLengthMax } from "../../engine/callback.ts";
import { tokenLifetimeDefaultMs, tokenLifetimeMaxMs, tokenLifetimeMinMs } from "../../engine/identity.ts";
import { purchaseStates } from "./answers.ts";
import { described, named, told } from "./described.ts";
import { currency, instant, integer, integerOf, labelOf, paymentId, productId, refuse, saleId, text, userId } from "./fields.ts";
import { pagedQuery, queryNumber } from "./paging.ts";

const idsMax = 100;
function parseIds(value: string): readonly ProductId[] | undefined {
  const ids = value.split(",").map(parseProductId);
  const known = ids.filter((id) => id !== undefined);
  return known.length === ids.length && ids.length <= idsMax ? known : undefined;
}

/** `sort=field,asc` */
const sortOrders = ["created_at,asc", "created_at,desc", "name,asc", "name,desc", "price_minor,asc", "price_minor,desc"] as const;

const priceMinor = told(integerOf(1, priceMinorMax), { description: "In the currency's smallest unit." });
export const image = told(text, {
  description: "An http(s) URL, or a path; {width} in it stands for a width in pixels.",
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
    inventory: told(integerOf(0, unitsMax).nullable(), { description: "How many there are, if they are to be counted here." }).optional(),
  }),
  { id: "1001", name: "Desk lamp", price_minor: 9900, currency: "CNY", image: "/images/lamp.webp", inventory: 250 },
);

const seenVersion = told(z.int().min(0), { description: "The version that was read: 409 if there is another by now." }).optional();
export const productChanges = named(
  "ProductChanges",
  z.strictObject({
    name: labelOf(nameLengthMax).optional(),
    price_minor: priceMinor.optional(),
    currency: currency.optional(),
    image: told(image.nullable(), { description: "Null takes it away." }).optional(),
    version: seenVersion,
  }),
  { price_minor: 8900, version: 3 },
);
export const productsQuery = pagedQuery({
  seller: told(text, { description: "Of one shop." }).optional(),
  name: told(text, { description: "Somewhere in the name." }).optional(),
  ids: told(
    z.string().transform((value, context) => parseIds(value) ?? refuse(context, `must be 1 to ${idsMax} ids with commas between them`)),
    {
      description: `Only these, with commas between them, at most ${idsMax}.`,
      pattern: String.raw`^[1-9]\d*(?:,[1-9]\d*)*$`,
    },
  ).optional(),
  in_stock: told(z.enum(["true", "false"]), { description: "Whether it has units in no sale, or nobody counts them here." }).optional(),
  price_minor_min: queryNumber(0, 999_999_999, "Not cheaper.").optional(),
  price_minor_max: queryNumber(0, 999_999_999, "Not dearer.").optional(),
  currency: currency.optional(),
  sort: z.enum(sortOrders).register(described, { description: "By which field, and which way; `created_at,desc` without." }).optional(),
});

const reason = told(labelOf(reasonLengthMax), { description: "Why, for those who read the ledger." });
export const inventoryChange = z.union(
  [
    named(
      "InventoryCount",
      z.strictObject({
        count: told(integerOf(0, unitsMax).nullable(), { description: "How many are in no sale; null to count no more." }),
        reason,
      }),
      { count: 250, reason: "stocktaking" },
    ),
    named(
      "InventoryAdjustment",
      z.strictObject({ adjust: told(integerOf(-unitsMax, unitsMax), { description: "How many more or fewer." }), reason }),
      { adjust: 50, reason: "a delivery" },
    ),
  ],
  { error: "must be {count, reason} or {adjust, reason}" },
);
export const stockAdjustmentBody = named(
  "NewStockAdjustment",
  z.strictObject({
    units: told(integerOf(-unitsMax, unitsMax), { description: "More units, or fewer: of those that are free." }),
    reason,
  }),
  { units: -20, reason: "broken in transport" },
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
    pay_extensions_max: told(integerOf(0, payExtensionsMost), {
      description: "How often a buyer may ask for a minute more to pay an order.",
    }).default(payExtensionsDefault),
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

export const saleChanges = named(
  "SaleChanges",
  z.strictObject({
    name: labelOf(nameLengthMax).optional(),
    price_minor: priceMinor.optional(),
    currency: currency.optional(),
    stock: integerOf(1, unitsMax).optional(),
    per_buyer_limit: integerOf(1, perBuyerLimitMax).optional(),
    limit_group: told(labelOf(groupLengthMax).nullable(), { description: "Null takes it out of its group." }).optional(),
    refunded_units_count: z.boolean().optional(),
    pay_window_seconds: integerOf(payWindowMinMs / 1000, payWindowMaxMs / 1000).optional(),
    pay_extensions_max: integerOf(0, payExtensionsMost).optional(),
    starts_at: instant.optional(),
    ends_at: instant.optional(),
    version: seenVersion,
  }),
  { stock: 120, ends_at: "2030-01-31T22:00:00+08:00", version: 0 },
);

export const emptyBody = named("Nothing", z.strictObject({}), {});
export const moreTimeBody = named(
  "MoreTime",
  z.strictObject({ pay_by: told(instant, { description: "The deadline that the buyer saw, as pay_by of the order." }) }),
  { pay_by: "2030-01-31T12:15:00.000Z" },
);
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

export const salesQuery = pagedQuery({
  status: z.enum(saleStatuses).optional(),
  product_id: productId.optional(),
  seller: told(text, { description: "Of one shop." }).optional(),
});
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
