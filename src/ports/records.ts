import type { Buyer, BuyerId, PaymentId, ProductId, PurchaseId, RefundId, SaleId } from "../domain/ids.ts";
import type { InventoryEntry } from "../domain/inventory.ts";
import type { Balances } from "../domain/ledger.ts";
import type { Adjustment } from "../domain/movement.ts";
import type { Payment, Refund } from "../domain/payment.ts";
import type { Product } from "../domain/product.ts";
import type { Purchase, PurchaseState } from "../domain/purchase.ts";
import type { Sale, SaleStatus } from "../domain/sale.ts";

/**
 * Committed state, for reading. Reads see every commit that was answered before they began (read your writes).
 * Throws StoreUnavailable when the store cannot answer.
 */
export interface Records {
  /** Not one that was deleted. */
  product(id: ProductId): Promise<Product | undefined>;
  /** Also a deleted one: its orders still show it. */
  productEver(id: ProductId): Promise<Product | undefined>;
  products(query: ProductQuery, page: Page): Promise<Listing<Product>>;
  /** A product's units: free ones, and those in all its sales together. */
  productStock(id: ProductId): Promise<ProductStock | undefined>;
  /** What became of a product's inventory, newest first. */
  inventoryOf(id: ProductId, page: Page): Promise<Listing<InventoryEntry>>;
  sale(id: SaleId): Promise<Sale | undefined>;
  sales(query: SaleQuery, page: Page): Promise<Listing<Sale>>;
  /** The sale of a product that product-only paths mean: the live one that ends first, else the next, else the last. */
  currentSaleOf(productId: ProductId, nowMs: number): Promise<Sale | undefined>;
  purchase(id: PurchaseId): Promise<Purchase | undefined>;
  /** Those that there are, in no order. */
  purchasesWithIds(ids: readonly PurchaseId[]): Promise<readonly Purchase[]>;
  purchaseByKey(ask: { saleId: SaleId; buyerId: BuyerId; key: string }): Promise<Purchase | undefined>;
  /** The same without a sale: in whichever sale of the product the key was accepted; the latest, should there be several. */
  purchaseByProductKey(ask: { productId: ProductId; buyerId: BuyerId; key: string }): Promise<Purchase | undefined>;
  purchasesOf(buyerId: BuyerId, query: PurchaseQuery, page: Page): Promise<Listing<Purchase>>;
  /** The number of a buyer who has been here before; asking mints none (see Catalogue.internBuyers). */
  buyerId(buyer: Buyer): Promise<BuyerId | undefined>;
  payment(id: PaymentId): Promise<Payment | undefined>;
  paymentsOf(id: PurchaseId): Promise<readonly Payment[]>;
  refundsOf(id: PurchaseId): Promise<readonly Refund[]>;
  refund(id: RefundId): Promise<Refund | undefined>;
  /** Ids of all buyers that ever had a purchase accepted in the sale, in pages by id: `after` is the last one seen. */
  buyersOf(saleId: SaleId, after: number, countMax: number): Promise<Float64Array>;
  /** Reserved purchases whose deadline has passed, earliest first. */
  duePurchases(nowMs: number, countMax: number): Promise<readonly { id: PurchaseId; saleId: SaleId }[]>;
  /** Reserved purchases of cancelled sales. */
  purchasesToClose(countMax: number): Promise<readonly { id: PurchaseId; saleId: SaleId }[]>;
  /** Open payments not heard of since `changedBeforeMs`, oldest first. */
  quietPayments(changedBeforeMs: number, countMax: number): Promise<readonly Payment[]>;
  dueRefunds(nowMs: number, countMax: number): Promise<readonly Refund[]>;
  /** A sale's adjustments and settlements, newest first. */
  adjustmentsOf(saleId: SaleId, page: Page): Promise<Listing<Adjustment>>;
  /** Sales that are over and hold nothing, and have not been settled. */
  salesToSettle(nowMs: number, countMax: number): Promise<readonly SaleId[]>;
  counts(saleId: SaleId): Promise<SaleCounts>;
  totals(): Promise<StoreTotals>;
}

export type Page = { readonly offset: number; readonly limit: number };
export type Listing<Item> = { readonly items: readonly Item[]; readonly total: number };
export const productSorts = ["created_at", "name", "price"] as const;
export type ProductSort = { readonly by: (typeof productSorts)[number]; readonly descending: boolean };
export type ProductQuery = {
  readonly seller?: string | undefined;
  /** Somewhere in the name, small and capital letters alike: those of ASCII everywhere, others where the store knows them. */
  readonly nameContains?: string | undefined;
  readonly ids?: readonly ProductId[] | undefined;
  /** Whether it has free units, or nobody counts them. */
  readonly inStock?: boolean | undefined;
  readonly priceMinorMin?: number | undefined;
  readonly priceMinorMax?: number | undefined;
  readonly currency?: string | undefined;
  /** Those alike stand in the order of their ids. Newest first without. */
  readonly sort?: ProductSort | undefined;
};
/** `inSales`: of published and cancelled ones. */
export type ProductStock = { readonly inventory: Product["inventory"]; readonly sales: number; readonly inSales: Balances };
export type SaleQuery = {
  readonly seller?: string | undefined;
  readonly productId?: ProductId | undefined;
  readonly status?: SaleStatus | undefined;
  readonly nowMs: number;
  /** Drafts are for the shop's eyes: all of them, or those of one merchant. */
  readonly withDrafts: boolean | { readonly of: string };
};
export type PurchaseQuery = {
  readonly saleId?: SaleId | undefined;
  /** One state, or any of several. */
  readonly state?: PurchaseState | readonly PurchaseState[] | undefined;
};
/** Purchases of a sale by state, and the buyers behind them. */
export type SaleCounts = { readonly byState: Readonly<Partial<Record<PurchaseState, number>>>; readonly buyers: number };
export type StoreTotals = { readonly sales: number; readonly purchases: number; readonly buyers: number; readonly refundsOpen: number };
