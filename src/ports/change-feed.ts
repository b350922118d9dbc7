import type { BuyerId, SaleId } from "../domain/ids.ts";

/**
 * What all processes that share a store committed to it, this one included. Heard some time after the commit, each commit
 * once; of one sale in the order of its commits, of several sales in about that order.
 *
 * Throws StoreUnavailable.
 */
export interface ChangeFeed {
  /** What came since the last call; the first call begins with what comes from then on, so it comes before anything is remembered. */
  next(): Promise<readonly CommittedChange[]>;
  /**
   * Buyers whose purchases the sale's commits with numbers after `feed` and up to `until` made or changed; undefined when
   * that is too long ago to be known.
   */
  buyersBetween(ask: { saleId: SaleId; feed: number; until: number }): Promise<readonly BuyerId[] | undefined>;
}

export type CommittedChange = {
  readonly saleId: SaleId;
  /** The sale's number after the commit. */
  readonly feed: number;
  readonly buyers: readonly BuyerId[];
};
