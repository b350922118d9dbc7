/** Bodies and answers of the seeds' paths. Their ids are numbers; the text of a number is taken, so that no digit is lost. */
import { z } from "zod";
import { isSubject, largestId, parseProductId, subjectLengthMax } from "../../domain/ids.ts";
import { unitsMax } from "../../domain/ledger.ts";
import { decimalPattern } from "../../domain/money.ts";
import { imageLengthMax, imagePattern } from "../../domain/product.ts";
import { nameLengthMax } from "../../domain/sale.ts";
import { failure } from "../envelope.ts";
import { boughtAnswer, id, instantText, orderAnswer, productAnswer, purchaseAnswer, purchaseStates, saleAnswer } from "./answers.ts";
import { exampleOf, named, told } from "./described.ts";
import { idOf, idPattern, instant, integerOf, labelOf, text, userId as buyerName } from "./fields.ts";
import { pagedQuery } from "./paging.ts";
import type { Reading } from "./read.ts";
import { quantity } from "./requests.ts";

const productId = told(idOf(parseProductId, z.string()), {
  description: "An id, as a number or as text.",
  type: ["integer", "string"],
  pattern: idPattern.source,
  minimum: 1,
  maximum: Number(largestId),
});
const userId = told(z.string().refine(isSubject, `must have 1 to ${subjectLengthMax} printable characters`), {
  description: "The shop's own id of a buyer, as a number or as text.",
  type: ["number", "string"],
  minLength: 1,
  maxLength: subjectLengthMax,
  pattern: "^[!-~]*$",
});
const price = told(text, {
  description: 'In whole units of the currency, as a number or as text: 8999 or "8999.00".',
  type: ["number", "string"],
  minimum: 0.01,
  maximum: 90_000_000,
  pattern: decimalPattern.source,
});
const stock = integerOf(1, unitsMax);
const name = labelOf(nameLengthMax);
const window = { start_time: instant, end_time: instant };
const windowExample = { start_time: "2030-01-31T20:00:00+08:00", end_time: "2030-01-31T21:00:00+08:00" };

export const seckillPurchaseBody = named("SeckillPurchase", z.strictObject({ product_id: productId, user_id: userId, quantity }), {
  product_id: "1001",
  user_id: "2001",
  quantity: 1,
});

export const prewarmBody = named(
  "SeckillPrewarm",
  z.strictObject({
    product_id: productId,
    product_name: name,
    price,
    stock,
    ...window,
    status: z.literal("active", { error: "must be active" }).default("active"),
  }),
  { product_id: "1001", product_name: "Phone", price: "8999.00", stock: 100, ...windowExample, status: "active" },
);

export const activityBody = named("NewActivity", z.strictObject({ product_id: productId.optional(), name, price, stock, ...window }), {
  name: "Phone",
  price: "8999.00",
  stock: 100,
  ...windowExample,
});
export const activityPurchaseBody = named("ActivityPurchase", z.strictObject({ user_id: userId.optional(), quantity }), {
  user_id: "2001",
  quantity: 1,
});

export const shopProductBody = named(
  "NewShopProduct",
  z.strictObject({
    id: productId.optional(),
    name,
    price,
    image: z.string().max(imageLengthMax).regex(imagePattern, "must be an http(s) URL or a path").optional(),
    stock: stock.optional(),
    start_time: instant.optional(),
    end_time: instant.optional(),
  }),
  { id: "1001", name: "Phone", price: "8999.00", stock: 100, ...windowExample },
);
/** By the field's name, then which way: `price,desc`. */
export const shopProductsQuery = pagedQuery({
  sort: z
    .string()
    .regex(/^(?:created_at|name|price)(?:,(?:asc|desc))?$/, "must be created_at, name or price, with ,asc or ,desc")
    .optional(),
});
export const shopPurchaseBody = named("ShopPurchase", z.strictObject({ product_id: productId, user_id: userId.optional(), quantity }), {
  product_id: "1001",
  user_id: "2001",
  quantity: 1,
});

/** An order is unpaid, paid, or neither any more. */
export const statusNumbers = { unpaid: 0, paid: 1, over: 2 } as const;
export const shopOrdersQuery = pagedQuery({
  state: z.enum(purchaseStates).optional(),
  status: z.enum(["0", "1", "2"]).optional(),
  user_id: buyerName.optional(),
});
export const userOrdersQuery = pagedQuery({ state: z.enum(purchaseStates).optional() });
export const userParams = z.object({ user_id: buyerName });

export type JsonMembers = { readonly value: unknown; readonly members: ReadonlyMap<string, string> };

/** The body with the named numbers as the text they were written in; a fraction of zeros (79.0) is none. */
export function withNumbersAsText({ value, members }: JsonMembers, names: readonly string[]): unknown {
  const texts: Record<string, unknown> = { ...Object(value) };
  for (const name of names) if (typeof texts[name] === "number") texts[name] = members.get(name)?.replace(/\.0+$/, "");
  return texts;
}

/** Names in camelCase are taken as well; a field under both names is refused. */
export function withSnakeNames({ value, members }: JsonMembers): Reading<JsonMembers> {
  const fields = new Map<string, unknown>();
  const sources = new Map<string, string>();
  for (const [name, field] of Object.entries(Object(value))) {
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (fields.has(snake)) return { kind: "reply", reply: failure("malformed", { field: name, problem: `is given as "${snake}", too` }) };
    fields.set(snake, field);
    sources.set(snake, members.get(name) ?? "");
  }
  return { kind: "value", value: { value: Object.fromEntries(fields), members: sources } };
}

const warnings = z.array(z.string());
export const prewarmAnswer = named("OpenedSale", saleAnswer.extend({ warnings }), { ...exampleOf(saleAnswer), warnings: [] });
const bought = { purchased: z.boolean(), quantity: z.int().nonnegative(), purchase_ids: z.array(id) };
export const purchasedAnswer = named("SeckillPurchased", z.strictObject({ product_id: id, user_id: z.string(), sale_id: id, ...bought }), {
  ...exampleOf(boughtAnswer),
  product_id: "1001",
  user_id: "2001",
});

const shopProduct = {
  price: told(z.number().positive(), { description: "In whole units of the currency." }),
  stock: z.int().nonnegative().nullable(),
  start_time: instantText.nullable(),
};
const shopProductExample = { ...exampleOf(productAnswer), price: 99, stock: 40, start_time: exampleOf(saleAnswer).starts_at };
export const shopProductAnswer = named("ShopProduct", productAnswer.extend(shopProduct), shopProductExample);
export const openedProductAnswer = named("OpenedShopProduct", shopProductAnswer.extend({ warnings }), {
  ...shopProductExample,
  warnings: [],
});

const orderNames = {
  order_num: id,
  user_id: z.string().nullable(),
  price: z.number().positive(),
  status: told(z.literal([statusNumbers.unpaid, statusNumbers.paid, statusNumbers.over]), {
    description: "0 unpaid, 1 paid, 2 neither any more.",
  }),
};
const orderNamesExample = { order_num: exampleOf(orderAnswer).id, user_id: "2001", price: 49.5, status: statusNumbers.unpaid };
export const shopOrderItem = named("ShopOrderItem", purchaseAnswer.extend(orderNames), {
  ...exampleOf(purchaseAnswer),
  ...orderNamesExample,
});
export const shopOrderAnswer = named("ShopOrder", orderAnswer.extend(orderNames), { ...exampleOf(orderAnswer), ...orderNamesExample });

export const reservationStatuses = [
  "waiting_for_order",
  "waiting_for_payment",
  "paid",
  "cancelled_by_buyer",
  "timed_out",
  "closed_by_shop",
  "refused",
] as const;
export const reservationAnswer = named(
  "Reservation",
  z.strictObject({
    seckill_id: id,
    order_id: id.nullable(),
    product_id: id,
    quantity: z.int().positive(),
    status: z.enum(reservationStatuses),
  }),
  {
    seckill_id: exampleOf(orderAnswer).id,
    order_id: exampleOf(orderAnswer).id,
    product_id: "1001",
    quantity: 1,
    status: "waiting_for_payment",
  },
);
