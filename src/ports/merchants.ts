import type { MerchantId } from "../domain/access.ts";
import type { Merchant } from "../domain/merchant.ts";

/** The shops of this installation. Throws StoreUnavailable when the store cannot answer. */
export interface Merchants {
  addMerchant(merchant: Merchant): Promise<"added" | "exists" | "too_many">;
  renameMerchant(id: MerchantId, name: string): Promise<Merchant | undefined>;
  /** All of them, oldest first. */
  merchants(): Promise<readonly Merchant[]>;
  /**
   * Adds the shop that the configuration names, unless it is there. If it is the very first one, it takes over the
   * products and sales that were made before shops were kept; tells how many products.
   */
  ensureMerchant(merchant: Merchant): Promise<number>;
}
