/** Bodies and answers of the seeds' paths. Their ids are numbers; the text of a number is taken, so that no digit is lost. */
import { z } from "zod";
import { isSubject, subjectLengthMax } from "../../domain/ids.ts";
import { quotaUnitsMax } from "../../domain/quota.ts";
import { failure } from "../envelope.ts";
import { id, instantText, orderAnswer, productAnswer, purchaseAnswer, purchaseStates, saleAnswer } from "./answers.ts";
import { instant, integer, productId, text } from "./fields.ts";
import { pagedQuery } from "./paging.ts";
import type { Reading } from "./read.ts";

const userId = z.string().refine(isSubject, `must have 1 to ${subjectLengthMax} printable characters`);
const quantity = integer.min(1).max(quotaUnitsMax).default(1);

export const seckillPurchaseBody = z.strictObject({ product_id: productId, user_id: userId, quantity });

export const prewarmBody = z.strictObject({
  product_id: productId,
  product_name: text,
  price: text,
  stock: integer,
  start_time: instant,
  end_time: instant,
  status: z.literal("active", { error: "must be active" }).default("active"),
});

export const activityBody = z.strictObject({
  product_id: productId.optional(),
  name: text,
  price: text,
  stock: integer,
  start_time: instant,
  end_time: instant,
});
export const activityPurchaseBody = z.strictObject({ user_id: userId.optional(), quantity });

export const shopProductBody = z.strictObject({
  id: productId.optional(),
  name: text,
  price: text,
  image: text.optional(),
  stock: integer.optional(),
  start_time: instant.optional(),
  end_time: instant.optional(),
});
export const shopPurchaseBody = z.strictObject({ product_id: productId, user_id: userId.optional(), quantity });

/** An order is unpaid, paid, or neither any more. */
export const statusNumbers = { unpaid: 0, paid: 1, over: 2 } as const;
export const shopOrdersQuery = pagedQuery({
  state: z.enum(purchaseStates).optional(),
  status: z.enum(["0", "1", "2"]).optional(),
  user_id: userId.optional(),
});
export const userOrdersQuery = pagedQuery({ state: z.enum(purchaseStates).optional() });
export const userParams = z.object({ user_id: userId });

export type JsonMembers = { readonly value: unknown; readonly members: ReadonlyMap<string, string> };

/** The body with the named numbers as the text they were written in. */
export function withNumbersAsText({ value, members }: JsonMembers, names: readonly string[]): unknown {
  const texts: Record<string, unknown> = { ...Object(value) };
  for (const name of names) if (typeof texts[name] === "number") texts[name] = members.get(name);
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
export const prewarmAnswer = saleAnswer.extend({ warnings });
const bought = { purchased: z.boolean(), quantity: z.int().nonnegative(), purchase_ids: z.array(id) };
export const purchasedAnswer = z.strictObject({ product_id: id, user_id: z.string(), sale_id: id, ...bought });

const shopProduct = {
  /** In whole units of the currency, as a decimal. */
  price: z.number().positive(),
  stock: z.int().nonnegative().nullable(),
  start_time: instantText.nullable(),
};
export const shopProductAnswer = productAnswer.extend(shopProduct);
export const openedProductAnswer = shopProductAnswer.extend({ warnings });

const orderNames = {
  order_num: id,
  user_id: z.string().nullable(),
  price: z.number().positive(),
  status: z.literal([statusNumbers.unpaid, statusNumbers.paid, statusNumbers.over]),
};
export const shopOrderItem = purchaseAnswer.extend(orderNames);
export const shopOrderAnswer = orderAnswer.extend(orderNames);

export const reservationStatuses = [
  "waiting_for_order",
  "waiting_for_payment",
  "paid",
  "cancelled_by_buyer",
  "timed_out",
  "closed_by_shop",
  "refused",
] as const;
export const reservationAnswer = z.strictObject({
  seckill_id: id,
  order_id: id.nullable(),
  product_id: id,
  quantity: z.int().positive(),
  status: z.enum(reservationStatuses),
});
