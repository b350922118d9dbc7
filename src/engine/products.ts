import type { Buyer, ProductId } from "../domain/ids.ts";
import { problemOfProduct, type Product } from "../domain/product.ts";
import { quotaUnitsMax } from "../domain/quota.ts";
import type { DraftProblem } from "../domain/sale.ts";
import type { Catalogue } from "../ports/catalogue.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";

export type ProductDeps = { readonly catalogue: Catalogue; readonly clock: Clock; readonly ids: Ids };
export type ProductDraft = Omit<Product, "id" | "createdAtMs"> & { readonly id?: ProductId | undefined };

export type CreateProductAnswer =
  | { readonly kind: "added" | "exists"; readonly product: Product }
  /** The id belongs to a product with other fields. */
  | { readonly kind: "differs" }
  | ({ readonly kind: "invalid" } & DraftProblem);

/** Keeps a product under the caller's id, or a minted one. The same again is the same product. */
export async function createProduct(deps: ProductDeps, draft: ProductDraft): Promise<CreateProductAnswer> {
  const problem = problemOfProduct(draft);
  if (problem !== undefined) return { kind: "invalid", ...problem };
  const { name, price, seller, image } = draft;
  // A freshly minted id is a product's id by its use here.
  const id = draft.id ?? (deps.ids.mint() as ProductId);
  return deps.catalogue.addProduct({ id, name, price, seller, image, createdAtMs: Math.floor(deps.clock.nowMs()) });
}

export type SetQuotaAnswer =
  | { readonly kind: "set" }
  | { readonly kind: "product_unknown" }
  | ({ readonly kind: "invalid" } & DraftProblem);

/** Sets a buyer's own limit for a product, or with `undefined` takes it away. Sales published before keep their copy. */
export async function setQuota(
  deps: Pick<ProductDeps, "catalogue">,
  quota: { productId: ProductId; buyer: Buyer; units: number | undefined },
): Promise<SetQuotaAnswer> {
  const { productId, buyer, units } = quota;
  if (units !== undefined && !(Number.isSafeInteger(units) && units >= 0 && units <= quotaUnitsMax))
    return { kind: "invalid", field: "units", problem: `must be an integer from 0 to ${quotaUnitsMax}` };
  const [buyerId] = await deps.catalogue.internBuyers([buyer]);
  if (buyerId === undefined) return { kind: "product_unknown" };
  return { kind: await deps.catalogue.setQuota(productId, buyerId, units) };
}
