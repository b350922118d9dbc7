/** Pages of rows for exports. A page walks a stretch of the primary key and no more, so it never keeps the reader long. */
import type { Buyer, BuyerId } from "../../domain/ids.ts";
import {
  exportPageRowsMax,
  type Cursor,
  type ExportedEntry,
  type ExportedOrder,
  type ExportPage,
  type Exports,
  type LedgerExportQuery,
} from "../../ports/exports.ts";
import { purchaseOf, type PurchaseRow } from "./rows.ts";
import type { SqlReads, SqlValue } from "./sql-transaction.ts";

const plain = [
  "buyer_id",
  "idempotency_key",
  "quantity",
  "price_minor",
  "currency",
  "buyer_limit",
  "metadata",
  "accepted_at",
  "pay_by",
  "state",
  "extensions",
  "hold_until",
  "changed_at",
  "refunded",
] as const satisfies readonly (keyof PurchaseRow)[];
const asText = (table: string, columns: readonly string[]) => columns.map((name) => `CAST(${table}.${name} AS TEXT) AS ${name}`);
const purchaseColumns = [...asText("purchase", ["id", "sale_id", "product_id"]), ...plain.map((name) => `purchase.${name} AS ${name}`)];

const orderRows = `SELECT ${purchaseColumns.join(", ")}, buyer.issuer AS issuer, buyer.subject AS subject, product.seller AS seller,
    product.name AS product_name, sale.name AS sale_name
  FROM purchase {CROSS JOIN} buyer ON buyer.id = purchase.buyer_id {CROSS JOIN} sale ON sale.id = purchase.sale_id
    {CROSS JOIN} product ON product.id = purchase.product_id
  WHERE purchase.id > # AND purchase.id <= #`;
const ledgerRows = `SELECT ledger.seq AS seq, ${asText("ledger", ["sale_id", "source_id"]).join(", ")}, ledger.kind AS kind,
    ledger.units AS units, ledger.buyer_limit AS buyer_limit, ledger.at_ms AS at_ms, product.seller AS seller
  FROM ledger {CROSS JOIN} sale ON sale.id = ledger.sale_id {CROSS JOIN} product ON product.id = sale.product_id
  WHERE ledger.seq > # AND ledger.seq <= #`;

type OrderRow = PurchaseRow &
  Buyer &
  Pick<ExportedOrder, "seller"> & { readonly buyer_id: BuyerId; product_name: string; sale_name: string };
type LedgerRow = {
  readonly seq: number;
  readonly sale_id: ExportedEntry["entry"]["saleId"];
  readonly source_id: ExportedEntry["entry"]["sourceId"];
  readonly kind: ExportedEntry["entry"]["kind"];
  readonly units: number;
  readonly buyer_limit: number | null;
  readonly at_ms: number;
  readonly seller: string;
};

export function exportReaders(db: SqlReads): Exports {
  return {
    exportOrders: (query, after) => {
      const filters = filtersOf({
        "product.seller = ?": query.seller,
        "purchase.sale_id = #": query.saleId,
        "purchase.state = ?": query.state,
        "purchase.accepted_at >= ?": query.fromMs,
        "purchase.accepted_at < ?": query.toMs,
      });
      return page(db, { table: "purchase", key: "id", after }, async (from, to) =>
        (await db.query<OrderRow>(`${orderRows}${filters.sql} ORDER BY purchase.id`, [from, to, ...filters.params])).map(orderOf),
      );
    },
    exportLedger: ({ seller, saleId }: LedgerExportQuery, after) => {
      const filters = filtersOf({ "product.seller = ?": seller, "ledger.sale_id = #": saleId });
      return page(db, { table: "ledger", key: "seq", after }, async (from, to) =>
        (await db.query<LedgerRow>(`${ledgerRows}${filters.sql} ORDER BY ledger.seq`, [from, to, ...filters.params])).map(entryOf),
      );
    },
  };
}

type Walk = { readonly table: string; readonly key: string; readonly after: Cursor | undefined };

/** The wire turns what is not there into null. */
async function page<Row>(
  db: SqlReads,
  { table, key, after }: Walk,
  rowsBetween: (from: Cursor, to: Cursor) => Promise<readonly Row[]>,
): Promise<ExportPage<Row>> {
  const from = after ?? "0";
  const stretch = `SELECT CAST(max(part.${key}) AS TEXT) AS last, count(*) AS seen
    FROM (SELECT ${key} FROM ${table} WHERE ${key} > # ORDER BY ${key} LIMIT ${exportPageRowsMax}) AS part`;
  const [found] = await db.query<{ last: string | null; seen: number }>(stretch, [from]);
  if (found === undefined || found.last === null) return { rows: [] };
  const rows = await rowsBetween(from, found.last);
  return { rows, next: found.seen < exportPageRowsMax ? undefined : found.last };
}

function filtersOf(conditions: Readonly<Record<string, SqlValue | null | undefined>>): { sql: string; params: SqlValue[] } {
  const params: SqlValue[] = [];
  let sql = "";
  for (const [condition, value] of Object.entries(conditions)) {
    if (value === undefined || value === null) continue;
    sql += ` AND ${condition}`;
    params.push(value);
  }
  return { sql, params };
}

function orderOf(row: OrderRow): ExportedOrder {
  const { issuer, subject, seller } = row;
  return { purchase: purchaseOf(row), buyer: { issuer, subject }, seller, productName: row.product_name, saleName: row.sale_name };
}

function entryOf(row: LedgerRow): ExportedEntry {
  const { seq: number, sale_id: saleId, source_id: sourceId, kind, units, seller } = row;
  return { number, seller, entry: { saleId, sourceId, kind, units, limit: row.buyer_limit ?? undefined, atMs: row.at_ms } };
}
