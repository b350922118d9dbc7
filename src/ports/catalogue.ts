import type { Buyer, BuyerId, ProductId, SaleId } from "../domain/ids.ts";
import type { FirstCount, InventoryChange, InventoryEntry } from "../domain/inventory.ts";
import type { Product, ProductChanges } from "../domain/product.ts";
import type { DraftProblem, Sale, SaleDraft } from "../domain/sale.ts";

/**
 * Products with their inventory, draft sales, quotas and buyers: what is written outside the acceptance path. Everything
 * here may be repeated. Writes are durable when they answer.
 *
 * Throws StoreUnavailable (`code` storage_full | unavailable | unknown) when the store cannot answer.
 */
export interface Catalogue {
  /** Keeps a product; the same id with equal fields again gives the first. The id of a deleted one stays taken. */
  addProduct(product: NewProduct): Promise<{ kind: "added" | "exists"; product: Product } | { kind: "differs"; product: Product }>;
  /** Changes a product if its version is the expected one. Changes that it has already are none. */
  updateProduct(update: ProductUpdate): Promise<ProductUpdated>;
  /** Deletes a product that no sale is going to sell or sells: drafts, scheduled, live and paused ones are in its way. */
  deleteProduct(deletion: ProductDeletion): Promise<ProductDeleted>;
  /** Counts a product's inventory, stops counting, or changes the count. The same change (by its id) again has one effect. */
  changeInventory(change: InventoryChange): Promise<InventoryChanged>;
  /** The id that `owner` made under `key`: this one, or that of the first time; `differs` if the first was for something else. */
  claimId(claim: IdClaim): Promise<{ kind: "claimed"; id: string; repeated: boolean } | { kind: "differs" }>;
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

export type NewProduct = Omit<Product, "inventory" | "version" | "deletedAtMs"> & {
  /** Whose first count it is. Without one the shop keeps count elsewhere. */
  readonly counted?: FirstCount | undefined;
};
export type ProductUpdate = {
  readonly id: ProductId;
  readonly expectedVersion?: number | undefined;
  readonly changes: ProductChanges;
};
export type ProductUpdated =
  | { readonly kind: "updated"; readonly product: Product; readonly repeated: boolean }
  | { readonly kind: "version_differs"; readonly product: Product }
  | { readonly kind: "product_unknown" };
export type ProductDeletion = { readonly id: ProductId; readonly expectedVersion?: number | undefined; readonly nowMs: number };
export type ProductDeleted =
  | { readonly kind: "deleted" }
  /** A sale that is not over. */
  | { readonly kind: "in_use"; readonly saleId: SaleId }
  | { readonly kind: "version_differs"; readonly product: Product }
  | { readonly kind: "product_unknown" };
export type InventoryChanged =
  | { readonly kind: "changed"; readonly product: Product; readonly entry: InventoryEntry; readonly repeated: boolean }
  | { readonly kind: "product_unknown" }
  | ({ readonly kind: "invalid" } & DraftProblem);
export type IdClaim = {
  readonly owner: string;
  readonly key: string;
  /** Of what is asked for under the key. */
  readonly fingerprint: string;
  readonly id: string;
};

export type NewSale = {
  readonly id: SaleId;
  readonly draft: SaleDraft;
  readonly createdAtMs: number;
  readonly submission?: { readonly owner: string; readonly key: string; readonly fingerprint: string } | undefined;
};
