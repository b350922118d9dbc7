/** Cards of the list: each sale by its last word. */
import type { SaleOnWire } from "../../http/contract/wire.ts";
import { saleNow, type SaleNow } from "../sale/facts.ts";
import type { SaleCard } from "../sale/sale-view.ts";

export type ListCard = SaleCard & { readonly sale: SaleNow };

/** What the newest word says of each sale; sales that are new get a card, and those that it does not name keep theirs. */
export function withSales(cards: readonly ListCard[], sales: readonly SaleOnWire[]): readonly ListCard[] {
  const heard = new Map(sales.filter(({ status }) => status !== "draft").map((sale) => [sale.id, sale]));
  const known = cards.map((card) => {
    const sale = heard.get(card.id);
    heard.delete(card.id);
    return sale === undefined ? card : { ...card, name: sale.name, sale: saleNow(sale) };
  });
  const added = [...heard.values()].map((sale) => cardOf(sale, null));
  return [...known, ...added];
}

export function cardOf(sale: SaleOnWire, image: string | null): ListCard {
  const { id, name, price_minor: priceMinor, currency, per_buyer_limit: perBuyerLimit } = sale;
  return { id, name, priceMinor, currency, perBuyerLimit, image, sale: saleNow(sale) };
}
