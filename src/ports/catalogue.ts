import type { Buyer, BuyerId, ProductId, SaleId } from "../domain/ids.ts";
import type { Product } from "../domain/product.ts";
import type { Sale, SaleDraft } from "../domain/sale.ts";

/**
 * Products, draft sales, quotas and buyers: what is written outside the acceptance path. Everything here may be
 * repeated. Writes are durable when they answer.
 *
 * Throws StoreUnavailable (`code` storage_full | unavailable | unknown) when the store cannot answer.
 */
export interface Catalogue {
  /** Keeps a product; the same id with equal fields again gives the first. */
  addProduct(product: Product): Promise<{ kind: "added" | "exists"; product: Product } | { kind: "differs" }>;
  /**
   * Keeps a draft sale under (`owner`, `submission`): the same submission again gives the first sale, and `differs` if
   * what was submitted (`fingerprint`) is not the same.
   */
  addSale(sale: NewSale): Promise<{ kind: "added" | "exists"; sale: Sale } | { kind: "differs" } | { kind: "product_unknown" }>;
  /** Sets or, with `undefined`, removes a buyer's quota for a product. Sales already published keep their copy. */
  setQuota(productId: ProductId, buyerId: BuyerId, units: number | undefined): Promise<"set" | "product_unknown">;
  /** The internal ids of buyers, minted where they are new; one per buyer, in order. */
  internBuyers(buyers: readonly Buyer[]): Promise<readonly BuyerId[]>;
}

export type NewSale = {
  readonly id: SaleId;
  readonly draft: SaleDraft;
  readonly createdAtMs: number;
  readonly submission?: { readonly owner: string; readonly key: string; readonly fingerprint: string } | undefined;
};
