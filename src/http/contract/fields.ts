/** Fields that several requests share. Here is only what makes a value readable; what is legal the domain says. */
import { z } from "zod";
import { isSubject, parsePaymentId, parseProductId, parseSaleId, subjectLengthMax } from "../../domain/ids.ts";
import { parseCurrency } from "../../domain/money.ts";

const idProblem = "must be a decimal id";
const idText = z.string().regex(/^[1-9]\d{0,18}$/, idProblem);
/** An id of the given kind, as decimal text. */
export const idOf = <Id>(parse: (text: string) => Id | undefined) =>
  idText.transform((value, context) => parse(value) ?? refuse(context, idProblem));
/** Long enough for anything the domain takes, short enough to be read without harm. */
const textLengthMax = 4_096;

export const text = z.string().max(textLengthMax);
export const productId = idOf(parseProductId);
export const paymentId = idOf(parsePaymentId);
export const saleId = idOf(parseSaleId);
export const currency = z
  .string()
  .transform((value, context) => parseCurrency(value) ?? refuse(context, "must be three capital letters (ISO 4217)"));
export const userId = z.string().refine(isSubject, `must have 1 to ${subjectLengthMax} printable characters`);
export const integer = z.int();

/** An instant with its offset, in ms since 1970. */
export const instant = z.iso
  .datetime({ offset: true, error: "must be an ISO 8601 time with its offset, like 2030-01-31T20:00:00+08:00" })
  .transform((value, context) => {
    const ms = Date.parse(value);
    return Number.isFinite(ms) ? ms : refuse(context, "must be a time that exists");
  });

function refuse(context: z.core.$RefinementCtx, message: string): never {
  context.addIssue({ code: "custom", message });
  return z.NEVER;
}
