/** The named parts of paths. */
import { z } from "zod";
import { isKey, keyLengthMax, parsePurchaseId } from "../../domain/ids.ts";
import { idOf, productId, saleId, userId } from "./fields.ts";

export const saleParams = z.object({ sale_id: saleId });
export const productParams = z.object({ product_id: productId });
export const quotaParams = z.object({ product_id: productId, user_id: userId });
export const orderParams = z.object({ order_id: idOf(parsePurchaseId) });
export const purchaseParams = z.object({ purchase_id: idOf(parsePurchaseId) });

export const key = z.string().refine(isKey, `must have 1 to ${keyLengthMax} printable characters`);
export const keyParams = z.object({ sale_id: saleId, key });
export const keyHeader = z.object({ "Idempotency-Key": key.optional() });
