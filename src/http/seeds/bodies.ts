/** Bodies of these paths: numbers digit by digit, and where the seed spells so, names in camelCase. */
import type { z } from "zod";
import { exponentOf, parseCurrency, parseDecimal, type Currency, type Money } from "../../domain/money.ts";
import { assert } from "../../lib/assert.ts";
import { bodyBytesMax, readJson } from "../body.ts";
import { readAs, type Reading } from "../contract/read.ts";
import { withNumbersAsText, withSnakeNames } from "../contract/seeds.ts";
import { failure } from "../envelope.ts";
import type { Ask } from "../route.ts";

type HowToRead = { readonly numbers: readonly string[]; readonly bytesMax?: number | undefined; readonly camelCase?: true | undefined };

export async function readNumbered<Schema extends z.ZodType>(
  { request }: Pick<Ask, "request">,
  schema: Schema,
  { numbers, bytesMax = bodyBytesMax, camelCase }: HowToRead,
): Promise<Reading<z.output<Schema>>> {
  const json = await readJson(request, bytesMax);
  if (json.kind === "reply") return json;
  const named = camelCase === undefined ? { kind: "value" as const, value: json } : withSnakeNames(json);
  return named.kind === "reply" ? named : readAs(schema, withNumbersAsText(named.value, numbers));
}

const cny = parseCurrency("CNY");

/** Decimals are exact: the digits that were written, never a floating-point number. In CNY unless the product says otherwise. */
export function priceOf(decimal: string, currency: Currency | undefined = cny): Reading<Money> {
  assert(currency !== undefined, "CNY is a currency");
  const minor = parseDecimal(decimal, currency);
  if (minor !== undefined) return { kind: "value", value: { minor, currency } };
  const reason = /^\d{1,12}(?:\.\d+)?$/.test(decimal) ? "invalid" : "malformed";
  const problem = `must be a decimal number with at most ${exponentOf(currency)} places (${currency})`;
  return { kind: "reply", reply: failure(reason, { field: "price", problem }) };
}
