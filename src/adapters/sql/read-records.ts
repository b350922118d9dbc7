/** Records by statements, each of which reads the newest committed state. */
import { parseBuyerId, type BuyerId, type SaleId } from "../../domain/ids.ts";
import type { Balances } from "../../domain/ledger.ts";
import { openPaymentStates } from "../../domain/movement.ts";
import { assert } from "../../lib/assert.ts";
import type { Page, Records, SaleCounts, StoreTotals } from "../../ports/records.ts";
import { ListStatement } from "./chunks.ts";
import { adjustmentColumns, adjustmentOf, inventoryColumns, inventoryOf, type AdjustmentRow, type InventoryRow } from "./inventory-rows.ts";
import { listProducts, listPurchases, listSales, type Statement } from "./listings.ts";
import {
  paymentColumns,
  paymentOf,
  productColumns,
  productOf,
  purchaseColumns,
  purchaseOf,
  refundColumns,
  refundOf,
  saleColumns,
  saleOf,
  type PaymentRow,
  type ProductRow,
  type PurchaseRow,
  type RefundRow,
  type SaleRow,
} from "./rows.ts";
import type { SqlReads, SqlValue } from "./sql-transaction.ts";

/** Records, but for their typed arrays: what goes over the wire of the embedded store's threads. */
export type RecordReaders = Omit<Records, "buyersOf"> & {
  buyersOf(...args: Parameters<Records["buyersOf"]>): Promise<readonly number[]>;
};

const productEver = `SELECT ${productColumns} FROM product WHERE id = #`;
const productById = `${productEver} AND deleted_at IS NULL`;
const stockInSales = `SELECT count(*) AS sales, coalesce(sum(issued), 0) AS issued, coalesce(sum(available), 0) AS available,
  coalesce(sum(held), 0) AS held, coalesce(sum(sold), 0) AS sold, coalesce(sum(withdrawn), 0) AS withdrawn
  FROM sale WHERE product_id = # AND phase <> 'draft'`;
const inventoryPage = {
  items: `SELECT ${inventoryColumns} FROM inventory_ledger WHERE product_id = # ORDER BY seq DESC LIMIT ? OFFSET ?`,
  total: `SELECT count(*) AS total FROM inventory_ledger WHERE product_id = #`,
};
const adjustmentsPage = {
  items: `SELECT ${adjustmentColumns} FROM adjustment WHERE sale_id = # ORDER BY adjustment.id DESC LIMIT ? OFFSET ?`,
  total: `SELECT count(*) AS total FROM adjustment WHERE sale_id = #`,
};
// Twice "<> 'draft'": the index of sales to settle is asked for in its own words.
const toSettle = `SELECT CAST(sale.id AS TEXT) AS id FROM sale WHERE settled_at IS NULL AND phase <> 'draft' AND held = 0`;
const salesToSettle = `${toSettle} AND phase = 'published' AND ends_at <= ? UNION ALL ${toSettle} AND phase = 'cancelled' LIMIT ?`;
const saleById = `SELECT ${saleColumns} FROM sale WHERE id = #`;
const published = `SELECT ${saleColumns} FROM sale WHERE product_id = # AND phase = 'published'`;
const liveSale = `${published} AND starts_at <= ? AND ends_at > ? ORDER BY ends_at, sale.id LIMIT 1`;
const nextSale = `${published} AND starts_at > ? AND ends_at > ? ORDER BY starts_at, sale.id LIMIT 1`;
const lastSale = `SELECT ${saleColumns} FROM sale WHERE product_id = # AND phase <> 'draft' ORDER BY ends_at DESC, sale.id LIMIT 1`;
const purchaseById = `SELECT ${purchaseColumns} FROM purchase WHERE id = #`;
const purchasesById = new ListStatement(`SELECT ${purchaseColumns} FROM purchase WHERE id IN :list`);
const purchaseByKey = `SELECT ${purchaseColumns} FROM purchase WHERE sale_id = # AND buyer_id = ? AND idempotency_key = ?`;
// One step in the index of keys for each sale of the product.
// Of those that lost the key, or do not have it yet, the latest: a buyer's purchases in a sale are few.
const purchaseWithKeyAside = `SELECT ${purchaseColumns} FROM purchase WHERE sale_id = # AND buyer_id = ? AND key_aside = ? ORDER BY purchase.id DESC LIMIT 1`;
const purchaseByProductKey = `SELECT ${purchaseColumns} FROM purchase
  WHERE sale_id IN (SELECT sale.id FROM sale WHERE product_id = #) AND buyer_id = ? AND idempotency_key = ?
  ORDER BY purchase.id DESC LIMIT 1`;
const paymentById = `SELECT ${paymentColumns} FROM payment WHERE id = #`;
const paymentsOf = `SELECT ${paymentColumns} FROM payment WHERE purchase_id = # ORDER BY payment.id`;
const refundById = `SELECT ${refundColumns} FROM refund WHERE id = #`;
const refundsOf = `SELECT ${refundColumns} FROM refund WHERE purchase_id = # ORDER BY refund.id`;
const buyerIdOf = `SELECT id FROM buyer WHERE issuer = ? AND subject = ?`;
const buyersOf = `SELECT DISTINCT buyer_id FROM purchase WHERE sale_id = # AND buyer_id > ? ORDER BY buyer_id LIMIT ?`;
const dueColumns = `CAST(purchase.id AS TEXT) AS id, CAST(purchase.sale_id AS TEXT) AS sale_id`;
const duePurchases = `SELECT ${dueColumns} FROM purchase WHERE state = 'reserved' AND hold_until <= ? ORDER BY hold_until LIMIT ?`;
const salesToClose = `SELECT 1 AS one FROM sale WHERE phase = 'cancelled' AND held > 0 LIMIT 1`;
// Reads the index of deadlines alone; it runs only while a cancelled sale holds units.
const purchasesToClose = `SELECT ${dueColumns} FROM purchase {INDEXED BY purchase_due} WHERE state = 'reserved'
  AND sale_id IN (SELECT sale.id FROM sale WHERE phase = 'cancelled' AND held > 0) LIMIT ?`;
const open = openPaymentStates.map((state) => `'${state}'`).join(", ");
const quietPayments = `SELECT ${paymentColumns} FROM payment WHERE state IN (${open}) AND changed_at < ? ORDER BY changed_at LIMIT ?`;
const dueRefunds = `SELECT ${refundColumns} FROM refund WHERE state <> 'done' AND next_try_at <= ? ORDER BY next_try_at LIMIT ?`;
const counts = `SELECT buyer_count AS buyers, reserved_count AS reserved, paid_count AS paid, cancelled_count AS cancelled,
  expired_count AS expired, closed_count AS closed, queued_count AS queued, refused_count AS refused FROM sale WHERE id = #`;
const totals = `SELECT count(*) AS sales,
  coalesce(sum(reserved_count + paid_count + cancelled_count + expired_count + closed_count + queued_count + refused_count), 0) AS purchases,
  (SELECT coalesce(max(id), 0) FROM buyer) AS buyers, (SELECT count(*) FROM refund WHERE state <> 'done') AS refunds_open FROM sale`;

type DueRow = Pick<PurchaseRow, "id" | "sale_id">;
type CountsRow = Record<"buyers" | "reserved" | "paid" | "cancelled" | "expired" | "closed" | "queued" | "refused", number>;
type StockRow = Balances & { readonly sales: number };
type TotalsRow = Omit<StoreTotals, "refundsOpen"> & { readonly refunds_open: number };

export function recordReaders(db: SqlReads): RecordReaders {
  const one = async <Row, Item>(sql: string, of: (row: Row) => Item, ...params: SqlValue[]): Promise<Item | undefined> => {
    const [row] = await db.query<Row>(sql, params);
    return row === undefined ? undefined : of(row);
  };
  const all = async <Row, Item>(sql: string, of: (row: Row) => Item, ...params: SqlValue[]): Promise<Item[]> =>
    (await db.query<Row>(sql, params)).map(of);
  const page = async <Row, Item>({ items, total }: { items: Statement; total: Statement }, of: (row: Row) => Item) => ({
    items: (await db.query<Row>(items.sql, items.params)).map(of),
    total: (await db.query<{ total: number }>(total.sql, total.params))[0]?.total ?? 0,
  });
  const pageOf = <Row, Item>(sql: { items: string; total: string }, of: (row: Row) => Item, key: string, { offset, limit }: Page) =>
    page({ items: { sql: sql.items, params: [key, limit, offset] }, total: { sql: sql.total, params: [key] } }, of);
  const due = ({ id, sale_id }: DueRow) => ({ id, saleId: sale_id });
  return {
    product: (id) => one<ProductRow, ReturnType<typeof productOf>>(productById, productOf, id),
    productEver: (id) => one<ProductRow, ReturnType<typeof productOf>>(productEver, productOf, id),
    products: (query, at) => page<ProductRow, ReturnType<typeof productOf>>(listProducts(query, at), productOf),
    productStock: async (id) => {
      const product = await one<ProductRow, ReturnType<typeof productOf>>(productById, productOf, id);
      return product && one(stockInSales, ({ sales, ...inSales }: StockRow) => ({ inventory: product.inventory, sales, inSales }), id);
    },
    inventoryOf: (id, at) => pageOf<InventoryRow, ReturnType<typeof inventoryOf>>(inventoryPage, inventoryOf, id, at),
    adjustmentsOf: (id, at) => pageOf<AdjustmentRow, ReturnType<typeof adjustmentOf>>(adjustmentsPage, adjustmentOf, id, at),
    salesToSettle: (nowMs, countMax) => all(salesToSettle, ({ id }: { id: SaleId }) => id, nowMs, countMax),
    sale: (id) => one(saleById, saleOf, id),
    sales: (query, at) => page<SaleRow, ReturnType<typeof saleOf>>(listSales(query, at), saleOf),
    currentSaleOf: async (id, nowMs) =>
      (await one(liveSale, saleOf, id, nowMs, nowMs)) ?? (await one(nextSale, saleOf, id, nowMs, nowMs)) ?? one(lastSale, saleOf, id),
    purchase: (id) => one(purchaseById, purchaseOf, id),
    purchasesWithIds: async (ids) => (await purchasesById.query<PurchaseRow>(db, [], ids)).map(purchaseOf),
    purchaseByKey: async ({ saleId, buyerId, key }) =>
      (await one(purchaseByKey, purchaseOf, saleId, buyerId, key)) ??
      (db.dialect.shared ? one(purchaseWithKeyAside, purchaseOf, saleId, buyerId, key) : undefined),
    purchaseByProductKey: ({ productId, buyerId, key }) => one(purchaseByProductKey, purchaseOf, productId, buyerId, key),
    purchasesOf: (buyerId, query, at) => page<PurchaseRow, ReturnType<typeof purchaseOf>>(listPurchases(buyerId, query, at), purchaseOf),
    buyerId: ({ issuer, subject }) => one(buyerIdOf, numberOf, issuer, subject),
    payment: (id) => one<PaymentRow, ReturnType<typeof paymentOf>>(paymentById, paymentOf, id),
    paymentsOf: (id) => all(paymentsOf, paymentOf, id),
    refund: (id) => one<RefundRow, ReturnType<typeof refundOf>>(refundById, refundOf, id),
    refundsOf: (id) => all(refundsOf, refundOf, id),
    buyersOf: (id, after, countMax) => all(buyersOf, (row: { buyer_id: number }) => row.buyer_id, id, after, countMax),
    duePurchases: (nowMs, countMax) => all(duePurchases, due, nowMs, countMax),
    purchasesToClose: async (countMax) => ((await db.query(salesToClose, [])).length === 0 ? [] : all(purchasesToClose, due, countMax)),
    quietPayments: (beforeMs, countMax) => all(quietPayments, paymentOf, beforeMs, countMax),
    dueRefunds: (nowMs, countMax) => all(dueRefunds, refundOf, nowMs, countMax),
    counts: async (id) => (await one(counts, countsOf, id)) ?? { byState: {}, buyers: 0 },
    totals: async () => {
      const [row] = await db.query<TotalsRow>(totals, []);
      assert(row !== undefined, "totals are one row");
      const { refunds_open: refundsOpen, ...counted } = row;
      return { ...counted, refundsOpen };
    },
  };
}

function numberOf({ id }: { id: number }): BuyerId {
  const buyerId = parseBuyerId(id);
  assert(buyerId !== undefined, "a buyer's number is a positive integer");
  return buyerId;
}

function countsOf({ buyers, ...states }: CountsRow): SaleCounts {
  return { byState: Object.fromEntries(Object.entries(states).filter(([, count]) => count > 0)), buyers };
}
