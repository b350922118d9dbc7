/** Products and their inventory in the tables. Each function runs in one turn, so it is its own transaction. */
import { beganAs, decideInventory, firstCountEntry, type InventoryChange, type InventoryEntry } from "../../domain/inventory.ts";
import { changedProduct, isSameProduct, type Product } from "../../domain/product.ts";
import { isOver, statusOf } from "../../domain/sale.ts";
import type {
  Catalogue,
  IdClaim,
  InventoryChanged,
  NewProduct,
  ProductDeleted,
  ProductDeletion,
  ProductUpdate,
  ProductUpdated,
} from "../../ports/catalogue.ts";
import { appendInventory } from "./apply-writes.ts";
import { Changes, joined, type Tables } from "./tables.ts";

type Added = Awaited<ReturnType<Catalogue["addProduct"]>>;

export function addProduct(tables: Tables, { counted, ...fields }: NewProduct): Added {
  const first = tables.products.get(fields.id);
  if (first !== undefined) {
    const began = beganAs(
      [...tables.inventory.values()].find(({ productId }) => productId === first.id),
      counted,
    );
    const isSame = began && isSameProduct(first, fields);
    return { kind: isSame ? "exists" : "differs", product: first };
  }
  const product: Product = { ...fields, inventory: counted?.units ?? null, version: 1 };
  tables.products.set(product.id, product);
  if (counted !== undefined) appendInventory(tables, firstCountEntry(counted, product), new Changes());
  return { kind: "added", product };
}

function present(tables: Tables, id: Product["id"]): Product | undefined {
  const product = tables.products.get(id);
  return product?.deletedAtMs === undefined ? product : undefined;
}

export function updateProduct(tables: Tables, { id, expectedVersion, changes }: ProductUpdate): ProductUpdated {
  const product = present(tables, id);
  if (product === undefined) return { kind: "product_unknown" };
  const changed = changedProduct(product, changes);
  if (changed === product) return { kind: "updated", product, repeated: true };
  if (expectedVersion !== undefined && expectedVersion !== product.version) return { kind: "version_differs", product };
  tables.products.set(id, changed);
  return { kind: "updated", product: changed, repeated: false };
}

export function deleteProduct(tables: Tables, { id, expectedVersion, nowMs }: ProductDeletion): ProductDeleted {
  const product = present(tables, id);
  if (product === undefined) return { kind: "product_unknown" };
  if (expectedVersion !== undefined && expectedVersion !== product.version) return { kind: "version_differs", product };
  const inTheWay = [...tables.sales.values()].find((sale) => sale.productId === id && !isOver(statusOf(sale, nowMs)));
  if (inTheWay !== undefined) return { kind: "in_use", saleId: inTheWay.id };
  tables.products.set(id, { ...product, deletedAtMs: nowMs, version: product.version + 1 });
  return { kind: "deleted" };
}

export function changeInventory(tables: Tables, change: InventoryChange): InventoryChanged {
  const product = present(tables, change.productId);
  if (product === undefined) return { kind: "product_unknown" };
  const number = tables.inventorySources.get(joined(change.id, change.change.kind));
  const first: InventoryEntry | undefined = number === undefined ? undefined : tables.inventory.get(number);
  if (first !== undefined) return { kind: "changed", product, entry: first, repeated: true };
  const verdict = decideInventory(product.inventory, change);
  if (verdict.kind === "invalid") return verdict;
  const changed = { ...product, inventory: verdict.entry.balance, version: product.version + 1 };
  tables.products.set(product.id, changed);
  appendInventory(tables, verdict.entry, new Changes());
  return { kind: "changed", product: changed, entry: verdict.entry, repeated: false };
}

export function claimId(tables: Tables, { owner, key, fingerprint, id }: IdClaim): Awaited<ReturnType<Catalogue["claimId"]>> {
  const first = tables.claims.get(joined(owner, key));
  if (first === undefined) {
    tables.claims.set(joined(owner, key), { id, fingerprint });
    return { kind: "claimed", id, repeated: false };
  }
  return first.fingerprint === fingerprint ? { kind: "claimed", id: first.id, repeated: true } : { kind: "differs" };
}
