/** The shapes of answers as types, for our own pages. Types alone: no page brings a schema along. */
import type { z } from "zod";
import type { grantAnswer, accountAnswer, sessionsAnswer } from "./accounts.ts";
import type { acceptedAnswer, orderAnswer, paymentAnswer, productAnswer, purchaseAnswer, queuedAnswer, saleAnswer } from "./answers.ts";

export type SaleOnWire = z.output<typeof saleAnswer>;
export type ProductOnWire = z.output<typeof productAnswer>;
export type PurchaseOnWire = z.output<typeof purchaseAnswer>;
export type AcceptedOnWire = z.output<typeof acceptedAnswer> | z.output<typeof queuedAnswer>;
export type OrderOnWire = z.output<typeof orderAnswer>;
export type PaymentOnWire = z.output<typeof paymentAnswer>;
export type GrantOnWire = z.output<typeof grantAnswer>;
export type AccountOnWire = z.output<typeof accountAnswer>;
export type SessionsOnWire = z.output<typeof sessionsAnswer>;
/** What a sale's stream tells. */
export type StockOnWire = Pick<SaleOnWire, "status" | "answer" | "starts_at" | "ends_at" | "server_time"> &
  Omit<SaleOnWire["stock"], "planned"> & { readonly sale_id: string };
export type ListOnWire<Item> = {
  readonly items: readonly Item[];
  readonly page: number;
  readonly page_size: number;
  readonly total: number;
};
