/** The same pages over a memory store's tables. */
import { assert } from "../../lib/assert.ts";
import {
  exportPageRowsMax,
  type Cursor,
  type ExportedEntry,
  type ExportedOrder,
  type ExportPage,
  type Exports,
  type LedgerExportQuery,
  type OrderExportQuery,
} from "../../ports/exports.ts";
import type { Tables } from "./tables.ts";

export class MemoryExports implements Exports {
  readonly #store: { readonly tables: Readonly<Tables> };

  constructor(store: { readonly tables: Readonly<Tables> }) {
    this.#store = store;
  }

  async exportOrders(query: OrderExportQuery, after: Cursor | undefined): Promise<ExportPage<ExportedOrder>> {
    const { purchases } = this.#store.tables;
    const { state, fromMs = -Infinity, toMs = Infinity } = query;
    const ordered = [...purchases.values()].sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
    const later = ordered.filter(({ id }) => after === undefined || BigInt(id) > BigInt(after));
    const { looked, next } = stretchOf(later, ({ id }) => id);
    const rows = looked.map((purchase) => this.#order(purchase));
    const matches = ({ purchase, seller }: ExportedOrder) =>
      isWanted(query, { seller, saleId: purchase.saleId }) &&
      (state === undefined || purchase.state === state) &&
      purchase.acceptedAtMs >= fromMs &&
      purchase.acceptedAtMs < toMs;
    return { rows: rows.filter(matches), next };
  }

  async exportLedger(query: LedgerExportQuery, after: Cursor | undefined): Promise<ExportPage<ExportedEntry>> {
    const later = [...this.#store.tables.ledger].filter(([number]) => after === undefined || number > Number(after));
    const { looked, next } = stretchOf(later, ([number]) => String(number));
    const rows = looked.map(([number, entry]) => ({ number, entry, seller: this.#sellerOf(entry.saleId) }));
    return { rows: rows.filter(({ seller, entry }) => isWanted(query, { seller, saleId: entry.saleId })), next };
  }

  #order(purchase: ExportedOrder["purchase"]): ExportedOrder {
    const { sales, products, buyers } = this.#store.tables;
    const [sale, product, buyer] = [sales.get(purchase.saleId), products.get(purchase.productId), buyers.get(purchase.buyerId)];
    assert(sale !== undefined && product !== undefined && buyer !== undefined, "a purchase has its sale, product and buyer");
    return { purchase, buyer, seller: product.seller, productName: product.name, saleName: sale.name };
  }

  #sellerOf(saleId: ExportedEntry["entry"]["saleId"]): string {
    const { sales, products } = this.#store.tables;
    const sale = sales.get(saleId);
    const product = sale && products.get(sale.productId);
    assert(product !== undefined, "an entry has its sale and product");
    return product.seller;
  }
}

function stretchOf<Row>(later: readonly Row[], cursorOf: (row: Row) => Cursor): { looked: readonly Row[]; next: Cursor | undefined } {
  const looked = later.slice(0, exportPageRowsMax);
  const last = looked.at(-1);
  return { looked, next: looked.length < exportPageRowsMax || last === undefined ? undefined : cursorOf(last) };
}

const isWanted = (query: LedgerExportQuery, row: Required<LedgerExportQuery>): boolean =>
  (query.seller === undefined || query.seller === row.seller) && (query.saleId === undefined || query.saleId === row.saleId);
