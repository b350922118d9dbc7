/** Reading the tables the way Records promises. Plain scans: the store is for tests and models, not for millions of rows. */
import type { BuyerId, ProductId, SaleId } from "../../domain/ids.ts";
import type { InventoryEntry } from "../../domain/inventory.ts";
import { emptyBalances, type Balances } from "../../domain/ledger.ts";
import { openPaymentStates, type Adjustment } from "../../domain/movement.ts";
import type { Payment, Refund } from "../../domain/payment.ts";
import type { Product } from "../../domain/product.ts";
import type { Purchase, PurchaseState } from "../../domain/purchase.ts";
import { isOver, statusOf, type Sale } from "../../domain/sale.ts";
import type { Listing, Page, ProductQuery, ProductStock, PurchaseQuery, SaleCounts, SaleQuery, StoreTotals } from "../../ports/records.ts";
import type { Tables } from "./tables.ts";

export function listSales(tables: Tables, query: SaleQuery, page: Page): Listing<Sale> {
  const matches = (sale: Sale) =>
    (query.productId === undefined || sale.productId === query.productId) &&
    (query.status === undefined || statusOf(sale, query.nowMs) === query.status) &&
    (query.seller === undefined || sale.seller === query.seller) &&
    (sale.phase !== "draft" || (typeof query.withDrafts === "boolean" ? query.withDrafts : query.withDrafts.of === sale.seller));
  return paged([...tables.sales.values()].filter(matches).sort(newestFirst), page);
}

export function listProducts(tables: Tables, query: ProductQuery, page: Page): Listing<Product> {
  const { seller, ids, inStock, priceMinorMin = 0, priceMinorMax = Infinity, currency } = query;
  const part = query.nameContains === undefined ? "" : inLowerAscii(query.nameContains);
  const matches = ({ id, name, price, inventory, deletedAtMs, ...product }: Product) =>
    deletedAtMs === undefined &&
    (seller === undefined || product.seller === seller) &&
    inLowerAscii(name).includes(part) &&
    (ids === undefined || ids.includes(id)) &&
    (inStock === undefined || inStock === (inventory !== 0)) &&
    price.minor >= priceMinorMin &&
    price.minor <= priceMinorMax &&
    (currency === undefined || price.currency === currency);
  const { by, descending } = query.sort ?? { by: "created_at", descending: true };
  const order = { created_at: byCreation, name: byName, price: byPrice }[by];
  const compare = (a: Product, b: Product) => (descending ? -1 : 1) * (order(a, b) || newestFirst(b, a));
  return paged([...tables.products.values()].filter(matches).sort(compare), page);
}

/** As SQLite's LIKE has it. */
const inLowerAscii = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
const byCreation = (a: Product, b: Product) => a.createdAtMs - b.createdAtMs;
const byPrice = (a: Product, b: Product) => a.price.minor - b.price.minor;
/** By code points, which is how UTF-8 compares. */
const byName = (a: Product, b: Product) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));

export function productStockOf(tables: Tables, id: ProductId): ProductStock | undefined {
  const product = tables.products.get(id);
  if (product === undefined || product.deletedAtMs !== undefined) return undefined;
  const sales = [...tables.sales.values()].filter((sale) => sale.productId === id && sale.phase !== "draft");
  const sum = (a: Balances, b: Balances): Balances => ({
    issued: a.issued + b.issued,
    available: a.available + b.available,
    held: a.held + b.held,
    sold: a.sold + b.sold,
    withdrawn: a.withdrawn + b.withdrawn,
  });
  return { inventory: product.inventory, sales: sales.length, inSales: sales.map((sale) => sale.balances).reduce(sum, emptyBalances) };
}

export function listInventory(tables: Tables, id: ProductId, page: Page): Listing<InventoryEntry> {
  return paged([...tables.inventory.values()].filter((entry) => entry.productId === id).toReversed(), page);
}

export function listAdjustments(tables: Tables, saleId: SaleId, page: Page): Listing<Adjustment> {
  return paged([...tables.adjustments.values()].filter((adjustment) => adjustment.saleId === saleId).sort(newestFirst), page);
}

export function listSalesToSettle(tables: Tables, nowMs: number, countMax: number): readonly SaleId[] {
  const toSettle = (sale: Sale) => isOver(statusOf(sale, nowMs)) && sale.balances.held === 0 && sale.settledAtMs === undefined;
  return [...tables.sales.values()]
    .filter(toSettle)
    .map((sale) => sale.id)
    .slice(0, countMax);
}

export function findCurrentSale(tables: Tables, productId: ProductId, nowMs: number): Sale | undefined {
  const sales = [...tables.sales.values()].filter((sale) => sale.productId === productId && sale.phase !== "draft");
  const inStatus = (...wanted: string[]) => sales.filter((sale) => wanted.includes(statusOf(sale, nowMs)));
  return (
    inStatus("live", "paused").sort((a, b) => a.endsAtMs - b.endsAtMs)[0] ??
    inStatus("scheduled").sort((a, b) => a.startsAtMs - b.startsAtMs)[0] ??
    sales.sort((a, b) => b.endsAtMs - a.endsAtMs)[0]
  );
}

export function listPurchases(tables: Tables, buyerId: BuyerId, query: PurchaseQuery, page: Page): Listing<Purchase> {
  const matches = (purchase: Purchase) =>
    purchase.buyerId === buyerId &&
    (query.saleId === undefined || purchase.saleId === query.saleId) &&
    (query.state === undefined || [query.state].flat().includes(purchase.state));
  return paged([...tables.purchases.values()].filter(matches).sort(newestFirst), page);
}

export function findByProductKey(
  tables: Tables,
  { productId, buyerId, key }: { productId: ProductId; buyerId: BuyerId; key: string },
): Purchase | undefined {
  const matches = (purchase: Purchase) => purchase.productId === productId && purchase.buyerId === buyerId && purchase.key === key;
  return [...tables.purchases.values()].filter(matches).sort(newestFirst)[0];
}

export function listBuyers(tables: Tables, saleId: SaleId, after: number, countMax: number): Float64Array {
  const ids = new Set<number>();
  for (const purchase of tables.purchases.values()) if (purchase.saleId === saleId && purchase.buyerId > after) ids.add(purchase.buyerId);
  return Float64Array.from(ids).sort().slice(0, countMax);
}

export function listDuePurchases(tables: Tables, nowMs: number, countMax: number): readonly Purchase[] {
  const due = [...tables.purchases.values()].filter((purchase) => purchase.state === "reserved" && purchase.holdUntilMs <= nowMs);
  return due.sort((a, b) => a.holdUntilMs - b.holdUntilMs).slice(0, countMax);
}

export function listPurchasesToClose(tables: Tables, countMax: number): readonly Purchase[] {
  const cancelled = (id: SaleId) => tables.sales.get(id)?.phase === "cancelled";
  return [...tables.purchases.values()]
    .filter((purchase) => purchase.state === "reserved" && cancelled(purchase.saleId))
    .slice(0, countMax);
}

export function listQuietPayments(tables: Tables, changedBeforeMs: number, countMax: number): readonly Payment[] {
  const quiet = (payment: Payment) => openPaymentStates.includes(payment.state) && payment.changedAtMs < changedBeforeMs;
  return [...tables.payments.values()]
    .filter(quiet)
    .sort((a, b) => a.changedAtMs - b.changedAtMs)
    .slice(0, countMax);
}

export function listDueRefunds(tables: Tables, nowMs: number, countMax: number): readonly Refund[] {
  const due = [...tables.refunds.values()].filter((refund) => isOpen(refund) && refund.nextTryAtMs <= nowMs);
  return due.sort((a, b) => a.nextTryAtMs - b.nextTryAtMs).slice(0, countMax);
}

export function countPurchases(tables: Tables, saleId: SaleId): SaleCounts {
  const byState: Partial<Record<PurchaseState, number>> = {};
  const buyers = new Set<number>();
  for (const purchase of tables.purchases.values()) {
    if (purchase.saleId !== saleId) continue;
    byState[purchase.state] = (byState[purchase.state] ?? 0) + 1;
    buyers.add(purchase.buyerId);
  }
  return { byState, buyers: buyers.size };
}

export function countAll(tables: Tables): StoreTotals {
  const refundsOpen = [...tables.refunds.values()].filter(isOpen).length;
  return { sales: tables.sales.size, purchases: tables.purchases.size, buyers: tables.buyers.size, refundsOpen };
}

const isOpen = (refund: Refund) => refund.state !== "done";

/** Ids are time-ordered, and longer is later. */
const newestFirst = (a: { readonly id: string }, b: { readonly id: string }) =>
  b.id.length - a.id.length || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);

function paged<Item>(items: readonly Item[], { offset, limit }: Page): Listing<Item> {
  return { items: items.slice(offset, offset + limit), total: items.length };
}
