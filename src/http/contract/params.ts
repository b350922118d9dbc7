/** The named parts of paths. */
import { z } from "zod";
import { isKey, keyLengthMax, parsePurchaseId } from "../../domain/ids.ts";
import { told } from "./described.ts";
import { idOf, productId, saleId, userId } from "./fields.ts";

export const saleParams = z.object({ sale_id: saleId });
export const productParams = z.object({ product_id: productId });
export const quotaParams = z.object({ product_id: productId, user_id: userId });
export const orderParams = z.object({ order_id: idOf(parsePurchaseId) });
export const purchaseParams = z.object({ purchase_id: idOf(parsePurchaseId) });

export const key = told(z.string().refine(isKey, `must have 1 to ${keyLengthMax} printable characters`), {
  description: "The Idempotency-Key of a purchase.",
  minLength: 1,
  maxLength: keyLengthMax,
  pattern: "^[ -~]*$",
});
export const keyParams = z.object({ sale_id: saleId, key });
/** A name that is none of ours names no state of the thing, so it gets the thing. */
export const readHeaders = z.object({
  "If-None-Match": told(z.string(), { description: "An ETag: 304 without a body while the thing is the same." }).optional(),
});
/** The ETags of things that can be changed: the version stands first. A star is any. */
export const tagPattern = /^(?:\*|(?:W\/)?"([1-9]\d{0,14})(?:\.[a-z]+)?")$/;
export const changeHeaders = z.object({
  "If-Match": told(z.string(), {
    description: "The ETag of what is to be changed: 412 if it is no longer that. Where the body names a version, too, the same.",
    pattern: tagPattern.source,
  }).optional(),
});
/** A header's value has no space at its ends: HTTP takes it away. */
export const keyHeader = z.object({
  "Idempotency-Key": told(key.optional(), {
    description: "Names this request, so that a repeat of it has no second effect and gets the first answer.",
    pattern: "^[!-~](?:[ -~]*[!-~])?$",
  }),
});
export const letterParams = z.object({
  letter_id: told(z.string().regex(/^[0-9a-z-]{1,64}$/, "must be the id of a dead letter"), {
    description: "The purchase's id, or one made for a message without.",
    pattern: "^[0-9a-z-]{1,64}$",
  }),
});
