/**
 * Orders and the stock ledger as CSV, a page of the store at a time: whoever reads the text slowly slows the reading down,
 * whoever stops ends it, and no more than a page is ever held.
 *
 * Buyers are shown by the id that their own shop gave them, to that shop alone: to anybody else it is a person's
 * identifier that was not theirs to have.
 */
import type { Access } from "../domain/access.ts";
import { formatDecimal } from "../domain/money.ts";
import { amountOf, deadlineOf } from "../domain/purchase.ts";
import { byteOrderMark, csvLine, type Cell } from "../lib/csv.ts";
import type { Cursor, ExportedEntry, ExportedOrder, ExportPage, Exports, LedgerExportQuery, OrderExportQuery } from "../ports/exports.ts";

export type ExportDeps = { readonly exports: Exports };
export type CsvAsk<Query> = {
  readonly access: Access;
  readonly query: Omit<Query, "seller">;
  /** Whether the text begins with a byte order mark. */
  readonly withMark: boolean;
};

export const orderColumns = [
  "order_id",
  "sale_id",
  "sale_name",
  "product_id",
  "product_name",
  "seller",
  "buyer_issuer",
  "buyer",
  "quantity",
  "price_minor",
  "amount_minor",
  "currency",
  "amount",
  "state",
  "refunded",
  "accepted_at",
  "pay_by",
  "changed_at",
  "idempotency_key",
  "metadata",
] as const;
export const ledgerColumns = ["number", "sale_id", "seller", "kind", "units", "source_id", "buyer_limit", "at"] as const;

export function ordersAsCsv({ exports }: ExportDeps, ask: CsvAsk<OrderExportQuery>): AsyncGenerator<string, void> {
  const query = { ...ask.query, seller: ask.access.merchant };
  return csv(ask, {
    columns: orderColumns,
    page: (after) => exports.exportOrders(query, after),
    cells: (row) => orderCells(row, ask.access),
  });
}

export function ledgerAsCsv({ exports }: ExportDeps, ask: CsvAsk<LedgerExportQuery>): AsyncGenerator<string, void> {
  const query = { ...ask.query, seller: ask.access.merchant };
  return csv(ask, {
    columns: ledgerColumns,
    page: (after) => exports.exportLedger(query, after),
    cells: (row) => entryCells(row, ask.access),
  });
}

type Table<Row> = {
  readonly columns: readonly string[];
  readonly page: (after: Cursor | undefined) => Promise<ExportPage<Row>>;
  readonly cells: (row: Row) => readonly Cell[];
};

/** The header comes at once, before the store is asked. */
async function* csv<Row>({ withMark }: { readonly withMark: boolean }, { columns, page, cells }: Table<Row>): AsyncGenerator<string, void> {
  yield (withMark ? byteOrderMark : "") + csvLine(columns);
  let next: Cursor | undefined;
  do {
    const found = await page(next);
    next = found.next;
    if (found.rows.length > 0) yield found.rows.map((row) => csvLine(cells(row))).join("");
  } while (next !== undefined);
}

function orderCells({ purchase, buyer, seller, productName, saleName }: ExportedOrder, { merchant }: Access): Cell[] {
  const amount = amountOf(purchase);
  return [
    purchase.id,
    purchase.saleId,
    saleName,
    purchase.productId,
    productName,
    seller,
    buyer.issuer,
    merchant === buyer.issuer ? buyer.subject : undefined,
    purchase.quantity,
    purchase.price.minor,
    amount.minor,
    amount.currency,
    formatDecimal(amount),
    purchase.state,
    purchase.refunded,
    { atMs: purchase.acceptedAtMs },
    { atMs: deadlineOf(purchase) },
    { atMs: purchase.changedAtMs },
    purchase.key,
    purchase.metadata,
  ];
}

/** Entries are numbered over the whole installation; to one shop the numbers would tell what the others sell. */
function entryCells({ entry, number, seller }: ExportedEntry, { merchant }: Access): Cell[] {
  return [
    merchant === undefined ? number : undefined,
    entry.saleId,
    seller,
    entry.kind,
    entry.units,
    entry.sourceId,
    entry.limit,
    { atMs: entry.atMs },
  ];
}
