import type { Buyer, BuyerId, PaymentId, ProductId, PurchaseId, RefundId, SaleId } from "../domain/ids.ts";
import type { Payment, Refund } from "../domain/payment.ts";
import type { Product } from "../domain/product.ts";
import type { Purchase, PurchaseState } from "../domain/purchase.ts";
import type { Sale, SaleStatus } from "../domain/sale.ts";

/**
 * Committed state, for reading. Reads see every commit that was answered before they began (read your writes).
 * Throws StoreUnavailable when the store cannot answer.
 */
export interface Records {
  product(id: ProductId): Promise<Product | undefined>;
  sale(id: SaleId): Promise<Sale | undefined>;
  sales(query: SaleQuery, page: Page): Promise<Listing<Sale>>;
  /** The sale of a product that product-only paths mean: the live one that ends first, else the next, else the last. */
  currentSaleOf(productId: ProductId, nowMs: number): Promise<Sale | undefined>;
  purchase(id: PurchaseId): Promise<Purchase | undefined>;
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
  counts(saleId: SaleId): Promise<SaleCounts>;
  totals(): Promise<StoreTotals>;
}

export type Page = { readonly offset: number; readonly limit: number };
export type Listing<Item> = { readonly items: readonly Item[]; readonly total: number };
export type SaleQuery = {
  readonly productId?: ProductId | undefined;
  readonly status?: SaleStatus | undefined;
  readonly nowMs: number;
  /** Drafts are for the shop's eyes. */
  readonly withDrafts: boolean;
};
export type PurchaseQuery = {
  readonly saleId?: SaleId | undefined;
  /** One state, or any of several. */
  readonly state?: PurchaseState | readonly PurchaseState[] | undefined;
};
/** Purchases of a sale by state, and the buyers behind them. */
export type SaleCounts = { readonly byState: Readonly<Partial<Record<PurchaseState, number>>>; readonly buyers: number };
export type StoreTotals = { readonly sales: number; readonly purchases: number; readonly buyers: number; readonly refundsOpen: number };
