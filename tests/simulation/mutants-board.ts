/** Broken memories of sales. */
import { refusalByStatus, refusalByStock, type Refusal } from "../../src/domain/purchase.ts";
import type { Sale } from "../../src/domain/sale.ts";
import { SaleBoard, type SaleView } from "../../src/engine/sale-board.ts";

type Ask = Parameters<SaleBoard["refuse"]>[1];

/** Answers from the sold-out mark alone: a repeat of an accepted key is told that all is gone. */
export class RefusesKnownBuyers extends SaleBoard {
  override refuse(view: SaleView, ask: Ask): Refusal | undefined {
    const soldOut = view.sale.balances.available === 0 ? refusalByStock(view.sale) : undefined;
    return refusalByStatus(view.sale, ask.nowMs) ?? soldOut;
  }
}

/** Does not ask whether the buyer's take is on its way. */
export class IgnoresPending extends SaleBoard {
  override refuse(view: SaleView, ask: Ask): Refusal | undefined {
    return super.refuse(view, { ...ask, pending: () => false });
  }
}

/** Takes the buyers it has seen since its start for all there are. */
export class ForgetsBuyers extends SaleBoard {
  override refuse(view: SaleView, ask: Ask): Refusal | undefined {
    view.buyersKnown = "all";
    return super.refuse(view, ask);
  }
}

/** Takes over whatever copy of a sale comes last, however old; a read now and then brings one. */
export class BelievesOldCopies extends SaleBoard {
  readonly #older = new Map<string, Sale>();

  override observe(sale: Sale): void {
    super.observe(sale);
    const view = this.peek(sale.id);
    const older = this.#older.get(sale.id);
    this.#older.set(sale.id, sale);
    if (view !== undefined && older !== undefined && sale.feed % 5 === 0) view.sale = older;
  }
}
