/** Reading the tables the way Records promises. Plain scans: the store is for tests and models, not for millions of rows. */
import type { BuyerId, ProductId, SaleId } from "../../domain/ids.ts";
import { openPaymentStates } from "../../domain/movement.ts";
import type { Payment, Refund } from "../../domain/payment.ts";
import type { Purchase, PurchaseState } from "../../domain/purchase.ts";
import { statusOf, type Sale } from "../../domain/sale.ts";
import type { Listing, Page, PurchaseQuery, SaleCounts, SaleQuery, StoreTotals } from "../../ports/records.ts";
import type { Tables } from "./tables.ts";

export function listSales(tables: Tables, query: SaleQuery, page: Page): Listing<Sale> {
  const matches = (sale: Sale) =>
    (query.productId === undefined || sale.productId === query.productId) &&
    (query.status === undefined || statusOf(sale, query.nowMs) === query.status) &&
    (query.withDrafts || sale.phase !== "draft");
  return paged([...tables.sales.values()].filter(matches).sort(newestFirst), page);
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
