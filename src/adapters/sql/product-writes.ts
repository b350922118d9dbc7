/** Products and their inventory, each write one transaction of the writer. All of them may be repeated. */
import { beganAs, decideInventory, firstCountEntry, type InventoryChange } from "../../domain/inventory.ts";
import type { ProductId, SaleId } from "../../domain/ids.ts";
import { changedProduct, isSameProduct, type Product } from "../../domain/product.ts";
import { assert } from "../../lib/assert.ts";
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
import { addInventory, inventoryColumns, inventoryOf, type InventoryRow } from "./inventory-rows.ts";
import { productColumns, productOf, type ProductRow } from "./rows.ts";
import type { SqlTransaction, SqlValue } from "./sql-transaction.ts";

const selectProduct = `SELECT ${productColumns} FROM product WHERE id = # {lock}`;
const insertProduct = `INSERT INTO product (id, name, price_minor, currency, seller, image, created_at, inventory) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
const updateFields = `UPDATE product SET name = ?, price_minor = ?, currency = ?, image = ?, version = ? WHERE id = # AND version = ?`;
const updateInventory = `UPDATE product SET inventory = ?, version = ? WHERE id = # AND version = ?`;
const markDeleted = `UPDATE product SET deleted_at = ?, version = ? WHERE id = # AND version = ?`;
const saleInTheWay = `SELECT CAST(sale.id AS TEXT) AS id FROM sale
  WHERE product_id = # AND (phase = 'draft' OR (phase = 'published' AND ends_at > ?)) ORDER BY sale.id LIMIT 1`;
const firstEntry = `SELECT ${inventoryColumns} FROM inventory_ledger WHERE product_id = # ORDER BY seq LIMIT 1`;
const entryBySource = `SELECT ${inventoryColumns} FROM inventory_ledger WHERE source_id = # AND kind = ?`;
const selectClaim = `SELECT CAST(id AS TEXT) AS id, fingerprint FROM claim WHERE owner = ? AND claim_key = ?`;
const insertClaim = `INSERT INTO claim (owner, claim_key, id, fingerprint) VALUES (?, ?, ?, ?)`;

/** Not one that was deleted. */
export async function readProduct(tx: SqlTransaction, id: ProductId): Promise<Product | undefined> {
  const product = await readProductEver(tx, id);
  return product?.deletedAtMs === undefined ? product : undefined;
}

async function readProductEver(tx: SqlTransaction, id: ProductId): Promise<Product | undefined> {
  const [row] = await tx.query<ProductRow>(selectProduct, [id]);
  return row && productOf(row);
}

async function change(tx: SqlTransaction, sql: string, params: readonly SqlValue[]): Promise<void> {
  const matched = await tx.execute(sql, params);
  assert(matched === 1, `a product changes from the version it was read in, got ${matched}: ${sql}`);
}

export async function addProduct(tx: SqlTransaction, { counted, ...fields }: NewProduct): ReturnType<Catalogue["addProduct"]> {
  const { id, name, price, seller, image, createdAtMs } = fields;
  const first = await readProductEver(tx, id);
  if (first !== undefined) {
    const [entry] = await tx.query<InventoryRow>(firstEntry, [id]);
    return { kind: isSameProduct(first, fields) && beganAs(entry, counted) ? "exists" : "differs", product: first };
  }
  const inventory = counted?.units ?? null;
  await tx.execute(insertProduct, [id, name, price.minor, price.currency, seller, image ?? null, createdAtMs, inventory]);
  if (counted !== undefined) await addInventory(tx, [firstCountEntry(counted, fields)]);
  return { kind: "added", product: { ...fields, inventory, version: 1 } };
}

export async function updateProduct(tx: SqlTransaction, { id, expectedVersion, changes }: ProductUpdate): Promise<ProductUpdated> {
  const product = await readProduct(tx, id);
  if (product === undefined) return { kind: "product_unknown" };
  const changed = changedProduct(product, changes);
  if (changed === product) return { kind: "updated", product, repeated: true };
  if (expectedVersion !== undefined && expectedVersion !== product.version) return { kind: "version_differs", product };
  const { name, price, image, version } = changed;
  await change(tx, updateFields, [name, price.minor, price.currency, image ?? null, version, id, product.version]);
  return { kind: "updated", product: changed, repeated: false };
}

export async function deleteProduct(tx: SqlTransaction, { id, expectedVersion, nowMs }: ProductDeletion): Promise<ProductDeleted> {
  const product = await readProduct(tx, id);
  if (product === undefined) return { kind: "product_unknown" };
  if (expectedVersion !== undefined && expectedVersion !== product.version) return { kind: "version_differs", product };
  const [sale] = await tx.query<{ id: SaleId }>(saleInTheWay, [id, nowMs]);
  if (sale !== undefined) return { kind: "in_use", saleId: sale.id };
  await change(tx, markDeleted, [nowMs, product.version + 1, id, product.version]);
  return { kind: "deleted" };
}

export async function changeInventory(tx: SqlTransaction, asked: InventoryChange): Promise<InventoryChanged> {
  const product = await readProduct(tx, asked.productId);
  if (product === undefined) return { kind: "product_unknown" };
  const [first] = await tx.query<InventoryRow>(entryBySource, [asked.id, asked.change.kind]);
  if (first !== undefined) return { kind: "changed", product, entry: inventoryOf(first), repeated: true };
  const verdict = decideInventory(product.inventory, asked);
  if (verdict.kind === "invalid") return verdict;
  const { entry } = verdict;
  const changed = { ...product, inventory: entry.balance, version: product.version + 1 };
  await change(tx, updateInventory, [entry.balance, changed.version, product.id, product.version]);
  await addInventory(tx, [entry]);
  return { kind: "changed", product: changed, entry, repeated: false };
}

export async function claimId(tx: SqlTransaction, { owner, key, fingerprint, id }: IdClaim): ReturnType<Catalogue["claimId"]> {
  const [first] = await tx.query<{ id: string; fingerprint: string }>(selectClaim, [owner, key]);
  if (first === undefined) {
    await tx.execute(insertClaim, [owner, key, id, fingerprint]);
    return { kind: "claimed", id, repeated: false };
  }
  return first.fingerprint === fingerprint ? { kind: "claimed", id: first.id, repeated: true } : { kind: "differs" };
}
