/** Bodies of the seeds' paths. Their ids are numbers; the text of a number is taken, so that no digit is lost. */
import { z } from "zod";
import { isSubject, subjectLengthMax } from "../../domain/ids.ts";
import { quotaUnitsMax } from "../../domain/quota.ts";
import { id, saleAnswer } from "./answers.ts";
import { instant, integer, productId, text } from "./fields.ts";

const userId = z.string().refine(isSubject, `must have 1 to ${subjectLengthMax} printable characters`);

export const seckillPurchaseBody = z.strictObject({
  product_id: productId,
  user_id: userId,
  quantity: integer.min(1).max(quotaUnitsMax).default(1),
});

export const prewarmBody = z.strictObject({
  product_id: productId,
  product_name: text,
  price: text,
  stock: integer,
  start_time: instant,
  end_time: instant,
  status: z.literal("active", { error: "must be active" }).default("active"),
});

/** The body with the named numbers as the text they were written in. */
export function withNumbersAsText(body: unknown, members: ReadonlyMap<string, string>, names: readonly string[]): unknown {
  const texts: Record<string, unknown> = { ...Object(body) };
  for (const name of names) if (typeof texts[name] === "number") texts[name] = members.get(name);
  return texts;
}

export const prewarmAnswer = saleAnswer.extend({ warnings: z.array(z.string()) });
export const purchasedAnswer = z.strictObject({
  product_id: id,
  user_id: z.string(),
  sale_id: id,
  purchased: z.boolean(),
  quantity: z.int().nonnegative(),
  purchase_ids: z.array(id),
});
