import { isMerchantId, localIssuer, type MerchantId } from "./access.ts";
import { isLabel, labelProblem, type DraftProblem } from "./sale.ts";

/** A shop of this installation. */
export type Merchant = { readonly id: MerchantId; readonly name: string; readonly createdAtMs: number };

export const merchantNameLengthMax = 100;
/** Shops are few: they are listed whole. */
export const merchantsMax = 1_000;

export function problemOfMerchant({ id, name }: { readonly id: string; readonly name: string }): DraftProblem | undefined {
  if (!isMerchantId(id))
    return { field: "id", problem: "must have 1 to 64 lower-case letters, digits, dots, dashes or underscores, a letter or digit first" };
  if (id === localIssuer) return { field: "id", problem: `must not be "${localIssuer}": that is where accounts belong` };
  return isLabel(name, merchantNameLengthMax) ? undefined : { field: "name", problem: labelProblem(merchantNameLengthMax) };
}
