/**
 * Brings to this process what others committed to the store they share: the board learns whose copies are over and who
 * was accepted, listeners hear of the sales and purchases they watch. Late, but never wrongly: what is told was read anew.
 *
 *   feed ─► board: news, buyers ─► owed to listeners ─► watched sales and buyers are read again ─► told
 *                                       ▲                        └ the store did not answer, or a copy was older ┐
 *                                       └────────────────────────────────────────────────────────────────────────┘
 *
 * Must stay true: the feed tells each commit once, so what it told is owed until it was read; whoever listens hears the last.
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

type Touched = { readonly buyerId: BuyerId; readonly saleId: SaleId };

export class ChangeFollower {
  readonly #deps: FollowChangesDeps;
  /** Sales that listeners are to hear of, with the number of the copy that is to be told at least. */
  readonly #sales = new Map<SaleId, number>();
  readonly #buyers = new Map<string, Touched>();

  constructor(deps: FollowChangesDeps) {
    this.#deps = deps;
  }

  /** One round; how many commits it heard of. Throws StoreUnavailable, and then owes its listeners what it could not read. */
  async round(): Promise<number> {
    const { changeFeed, board, changes } = this.#deps;
    const committed = await changeFeed.next();
    for (const { saleId, feed, buyers } of committed) {
      board.noteNews(saleId, feed);
      board.noteCommit(saleId, { feed, buyers });
      if (changes.hearsSale(saleId)) this.#sales.set(saleId, Math.max(feed, this.#sales.get(saleId) ?? 0));
      for (const buyerId of buyers) if (changes.hearsBuyer(buyerId)) this.#buyers.set(`${buyerId} ${saleId}`, { buyerId, saleId });
    }
    await Promise.all([...this.#sales].map(([saleId, feed]) => this.#tellSale(saleId, feed)));
    for (const [name, touched] of this.#buyers) await this.#tellBuyer(name, touched);
    return committed.length;
  }

  /** Reading tells the board, and the board tells the listeners. */
  async #tellSale(saleId: SaleId, feed: number): Promise<void> {
    const { board, changes } = this.#deps;
    const view = changes.hearsSale(saleId) ? await board.load(saleId) : undefined;
    const isTold = view === undefined ? !changes.hearsSale(saleId) : view.sale.feed >= feed;
    if (isTold && this.#sales.get(saleId) === feed) this.#sales.delete(saleId);
  }

  async #tellBuyer(name: string, { buyerId, saleId }: Touched): Promise<void> {
    const { records, changes } = this.#deps;
    if (changes.hearsBuyer(buyerId)) {
      const { items } = await records.purchasesOf(buyerId, { saleId }, { offset: 0, limit: attemptsPerBuyerMax });
      for (const purchase of items) changes.purchaseChanged(purchase);
    }
    this.#buyers.delete(name);
  }
}
