/**
 * Brings to this process what others committed to the store they share: the board learns whose copies are over and who
 * was accepted, listeners hear of the sales and purchases they watch. Late, but never wrongly: what is told was read anew.
 *
 *   feed ─► board: news, buyers ─► watched sales and buyers are read again ─► listeners
 */
import type { BuyerId, SaleId } from "../domain/ids.ts";
import { attemptsPerBuyerMax } from "../domain/purchase.ts";
import type { ChangeFeed } from "../ports/change-feed.ts";
import type { Records } from "../ports/records.ts";
import type { ChangeBoard } from "./change-board.ts";
import type { SaleBoard } from "./sale-board.ts";

export type FollowChangesDeps = {
  readonly changeFeed: Pick<ChangeFeed, "next">;
  readonly records: Records;
  readonly board: SaleBoard;
  readonly changes: ChangeBoard;
};

/** One round; how many commits it heard of. Throws StoreUnavailable, and then may have told some of them. */
export async function followChanges({ changeFeed, records, board, changes }: FollowChangesDeps): Promise<number> {
  const committed = await changeFeed.next();
  const sales = new Set<SaleId>();
  const buyers = new Map<string, { buyerId: BuyerId; saleId: SaleId }>();
  for (const { saleId, feed, buyers: touched } of committed) {
    board.noteNews(saleId, feed);
    board.noteCommit(saleId, { feed, buyers: touched });
    if (changes.hearsSale(saleId)) sales.add(saleId);
    for (const buyerId of touched) if (changes.hearsBuyer(buyerId)) buyers.set(`${buyerId} ${saleId}`, { buyerId, saleId });
  }
  // Reading tells the board, and the board tells the listeners.
  await Promise.all([...sales].map((saleId) => board.load(saleId)));
  for (const { buyerId, saleId } of buyers.values()) {
    const { items } = await records.purchasesOf(buyerId, { saleId }, { offset: 0, limit: attemptsPerBuyerMax });
    for (const purchase of items) changes.purchaseChanged(purchase);
  }
  return committed.length;
}
