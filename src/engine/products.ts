import type { AdjustmentId, Buyer, ProductId } from "../domain/ids.ts";
import { problemOfCount, reasonProblem, systemActor, type InventoryChange } from "../domain/inventory.ts";
import { problemOfChanges, problemOfProduct, type Product } from "../domain/product.ts";
import { quotaUnitsMax } from "../domain/quota.ts";
import type { DraftProblem } from "../domain/sale.ts";
import type { Catalogue, InventoryChanged, ProductDeleted, ProductUpdate, ProductUpdated } from "../ports/catalogue.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import { claimId, type Submission } from "./claims.ts";
import type { ProductCache } from "./product-cache.ts";

export type ProductDeps = {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Forgets what these change. */
  readonly products: ProductCache;
};
export type ProductDraft = Pick<Product, "name" | "price" | "seller" | "image"> & {
  readonly id?: ProductId | undefined;
  /** How many there are, where the inventory is to be kept here. */
  readonly inventory?: number | null | undefined;
};

export type CreateProductAnswer =
  | { readonly kind: "added" | "exists"; readonly product: Product }
  /** The id belongs to a product with other fields, or to one that was deleted. */
  | { readonly kind: "differs"; readonly id: ProductId }
  /** The submission key was used with another product. */
  | { readonly kind: "key_reused" }
  | ({ readonly kind: "invalid" } & DraftProblem);

/** Keeps a product under the caller's id, or a minted one. The same again, or the same submission, is the same product. */
export async function createProduct(
  deps: ProductDeps,
  draft: ProductDraft,
  { submission, actor = systemActor }: { submission?: Submission | undefined; actor?: string | undefined } = {},
): Promise<CreateProductAnswer> {
  const { name, price, seller, image, inventory = null } = draft;
  const problem = problemOfProduct(draft) ?? (inventory === null ? undefined : problemOfCount(inventory));
  if (problem !== undefined) return { kind: "invalid", ...problem };
  const fields = [draft.id ?? null, name, price.minor, price.currency, seller, image ?? null, inventory];
  const claim = await claimId(deps, submission, { what: "product", fields });
  if (claim.kind === "differs") return { kind: "key_reused" };
  // A claimed id is a product's by its use here, and the one minted for the count an adjustment's.
  const id = draft.id ?? (claim.id as ProductId);
  const counted = inventory === null ? undefined : { id: deps.ids.mint() as AdjustmentId, units: inventory, actor };
  const createdAtMs = Math.floor(deps.clock.nowMs());
  const answer = await deps.catalogue.addProduct({ id, name, price, seller, image, createdAtMs, counted });
  deps.products.forget(id);
  if (answer.kind !== "differs") return answer;
  // What an earlier submission made may have changed since: its repeat finds it as it is now.
  const isRepeat = claim.repeated && draft.id === undefined && answer.product.deletedAtMs === undefined;
  return isRepeat ? { kind: "exists", product: answer.product } : { kind: "differs", id };
}

export type UpdateProductAnswer = ProductUpdated | ({ readonly kind: "invalid" } & DraftProblem);

/** Changes a product, if it is still what the caller saw. */
export async function updateProduct(deps: ProductDeps, update: ProductUpdate): Promise<UpdateProductAnswer> {
  const problem = problemOfChanges(update.changes);
  if (problem !== undefined) return { kind: "invalid", ...problem };
  return afterwardsForgotten(deps, update.id, deps.catalogue.updateProduct(update));
}

/** Deletes a product that no sale sells or is going to sell. Its orders stay. */
export async function deleteProduct(
  deps: ProductDeps,
  { id, expectedVersion }: { id: ProductId; expectedVersion?: number | undefined },
): Promise<ProductDeleted> {
  const nowMs = Math.floor(deps.clock.nowMs());
  return afterwardsForgotten(deps, id, deps.catalogue.deleteProduct({ id, expectedVersion, nowMs }));
}

export type ChangeInventory = Pick<InventoryChange, "productId" | "change" | "reason" | "actor"> & {
  readonly submission?: Submission | undefined;
};

/** Counts a product's units, or changes the count. The same submission again has one effect. */
export async function changeInventory(
  deps: ProductDeps,
  { submission, ...asked }: ChangeInventory,
): Promise<InventoryChanged | { readonly kind: "key_reused" }> {
  const { productId, change, reason } = asked;
  const problem = reasonProblem(reason);
  if (problem !== undefined) return { kind: "invalid", ...problem };
  const claim = await claimId(deps, submission, { what: `inventory ${productId}`, fields: [change.kind, change.units, reason] });
  if (claim.kind === "differs") return { kind: "key_reused" };
  // A claimed id is an adjustment's by its use here.
  const id = claim.id as AdjustmentId;
  return afterwardsForgotten(deps, productId, deps.catalogue.changeInventory({ ...asked, id, atMs: Math.floor(deps.clock.nowMs()) }));
}

/** Also when it fails: it may have happened. */
async function afterwardsForgotten<Answer>({ products }: ProductDeps, id: ProductId, change: Promise<Answer>): Promise<Answer> {
  try {
    return await change;
  } finally {
    products.forget(id);
  }
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
