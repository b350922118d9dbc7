/**
 * What a sale can still give, whoever asks: the one place that tells "all units are taken, some may return" from "sold
 * out". Refusals from memory, the sale as it is read, its statistics and its live push all speak through it.
 */
import { refusalByStatus, refusalByStock, type Refusal } from "./purchase.ts";
import type { Sale } from "./sale.ts";

/** A sale's own word: the refusal that everybody would hear, or that there is none. */
export type SaleAnswer = (typeof saleAnswers)[number];
export const saleAnswers = [
  "not_published",
  "not_started",
  "on_sale",
  "paused",
  "all_taken",
  "sold_out",
  "ended",
  "sale_cancelled",
] as const;

/** The refusal of one unit to anybody at this moment, or undefined while there are units to be had. */
export function refusalToAll(sale: Sale, nowMs: number): SaleRefusal | undefined {
  return refusalByStatus(sale, nowMs) ?? (sale.balances.available === 0 ? refusalByStock(sale) : undefined);
}
export type SaleRefusal = Extract<Refusal, { readonly reason: SaleAnswer | "sale_unknown" }>;

export function answerOf(sale: Sale, nowMs: number): SaleAnswer {
  const reason = refusalToAll(sale, nowMs)?.reason ?? "on_sale";
  // Strangers hear that it does not exist; whoever may see a draft knows better.
  return reason === "sale_unknown" ? "not_published" : reason;
}

/**
 * Whether nobody new can be accepted until somebody changes the sale, so that memory may refuse strangers. Time alone
 * opens a sale that has not started: that is no mark.
 */
export function isMarked(sale: Sale, nowMs: number): boolean {
  const reason = refusalToAll(sale, nowMs)?.reason;
  return reason !== undefined && reason !== "not_started";
}
