import type { BuyerId, SaleId } from "../domain/ids.ts";
import type { Purchase } from "../domain/purchase.ts";
import type { Sale } from "../domain/sale.ts";

/**
 * Committed changes, heard inside this process. What is told here was durable before; nothing is told twice on purpose,
 * but a copy may come again, or late, so whoever listens compares: a sale by its `feed`, a purchase by `isNewer`.
 *
 * Told on a later turn than the commit's answers, so no listener delays one; of a sale's copies that come in one turn
 * only the newest is told. Listeners return at once and hold no locks; one that throws is logged and harms nobody.
 *
 * Where the decider is this process, its commits feed it. Where others decide too (several processes on one store, or a
 * queue), a poll or feed of the store tells the same listeners the same way: they may hear late, never wrongly.
 */
export interface Changes {
  /** Newer copies of a sale: its stock, its switches. */
  watchSale(saleId: SaleId, hear: (sale: Sale) => void): StopWatching;
  /** Purchases of a buyer that were accepted or changed. */
  watchPurchases(buyerId: BuyerId, hear: (purchase: Purchase) => void): StopWatching;
}
export type StopWatching = () => void;

/** The side that tells. Called on the hot path: with nobody listening it is a look at a number. */
export interface ChangeSink {
  /** Whether any buyer's purchases are watched at all. */
  readonly hearsPurchases: boolean;
  saleChanged(sale: Sale): void;
  purchaseChanged(purchase: Purchase): void;
}
