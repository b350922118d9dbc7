/** Fields that several requests share. Here is only what makes a value readable; what is legal the domain says. */
import { z } from "zod";
import { isSubject, largestId, parsePaymentId, parseProductId, parseSaleId, subjectLengthMax } from "../../domain/ids.ts";
import { parseCurrency } from "../../domain/money.ts";
import { described, told } from "./described.ts";

const idProblem = "must be a decimal id";
export const idPattern = upTo(largestId);
/** Ids as decimal text, in requests and answers. */
export const idText = z
  .string()
  .regex(idPattern, idProblem)
  .register(described, { id: "Id", description: `An id: a positive integer up to ${largestId}, as text.`, example: "7421690423771136" });
/** An id of the given kind. */
export const idOf = <Id>(parse: (text: string) => Id | undefined, text: z.ZodString = idText) =>
  text.transform((value, context) => parse(value) ?? refuse(context, idProblem));
/** Long enough for anything the domain takes, short enough to be read without harm. */
const textLengthMax = 4_096;

export const text = z.string().max(textLengthMax);
export const productId = idOf(parseProductId);
export const paymentId = idOf(parsePaymentId);
export const saleId = idOf(parseSaleId);
export const currency = told(
  z.string().transform((value, context) => parseCurrency(value) ?? refuse(context, "must be three capital letters (ISO 4217)")),
  { description: "A currency of ISO 4217.", pattern: "^[A-Z]{3}$" },
);
export const userId = told(z.string().refine(isSubject, `must have 1 to ${subjectLengthMax} printable characters`), {
  description: "The shop's own id of a buyer.",
  minLength: 1,
  maxLength: subjectLengthMax,
  pattern: "^[!-~]*$",
});
export const integer = z.int();

/** An integer that the domain bounds. */
export const integerOf = (minimum: number, maximum: number) => told(z.int(), { minimum, maximum });
/** Text on one line, as `isLabel` of the domain has it. */
export const labelOf = (lengthMax: number) =>
  told(z.string().max(textLengthMax), { minLength: 1, maxLength: lengthMax, pattern: String.raw`^[^\u0000-\u001f\u007f-\u009f]*$` });

/** An instant with its offset, in ms since 1970. */
export const instant = z.iso
  .datetime({ offset: true, error: "must be an ISO 8601 time with its offset, like 2030-01-31T20:00:00+08:00" })
  .register(described, { id: "InstantGiven", description: "An ISO 8601 time with its offset.", example: "2030-01-31T20:00:00+08:00" })
  .transform((value, context) => {
    const ms = Date.parse(value);
    return Number.isFinite(ms) ? ms : refuse(context, "must be a time that exists");
  });

export function refuse(context: z.core.$RefinementCtx, message: string): never {
  context.addIssue({ code: "custom", message });
  return z.NEVER;
}

/** Decimal text from 1 to `largest`: digit by digit lower than it, or it. */
function upTo(largest: string): RegExp {
  const lower = Array.from(largest).flatMap((digit, at) => {
    const least = at === 0 ? 1 : 0;
    if (Number(digit) <= least) return [];
    const rest = largest.length - at - 1;
    return [`${largest.slice(0, at)}[${least}-${Number(digit) - 1}]${rest === 0 ? "" : String.raw`\d{${rest}}`}`];
  });
  return new RegExp(String.raw`^(?:[1-9]\d{0,${largest.length - 2}}|${lower.join("|")}|${largest})$`);
}
