/** The queries whose shape depends on what is asked, put together with Kysely in the words of dialect.ts; whoever holds a connection runs them. */
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql, type RawBuilder } from "kysely";
import type { BuyerId } from "../../domain/ids.ts";
import type { SaleStatus } from "../../domain/sale.ts";
import { unreachable } from "../../lib/assert.ts";
import type { AccountQuery } from "../../ports/accounts.ts";
import type { Page, ProductQuery, PurchaseQuery, SaleQuery } from "../../ports/records.ts";
import { accountColumns } from "./account-rows.ts";
import { productColumns, purchaseColumns, saleColumns } from "./rows.ts";
import type { SqlValue } from "./sql-transaction.ts";

export type Statement = { readonly sql: string; readonly params: readonly SqlValue[] };
export type ListingStatements = { readonly items: Statement; readonly total: Statement };
type Condition = RawBuilder<unknown>;

const builder = new Kysely<object>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

/** `seller` first: its index gives the newest of one merchant without looking at the others'. */
export function listSales({ seller, productId, status, nowMs, withDrafts }: SaleQuery, page: Page): ListingStatements {
  const conditions: Condition[] = [];
  if (seller !== undefined) conditions.push(sql`seller = ${seller}`);
  if (productId !== undefined) conditions.push(sql`product_id = ${idOf(productId)}`);
  if (withDrafts === false) conditions.push(sql`phase <> 'draft'`);
  if (typeof withDrafts === "object") conditions.push(sql`(phase <> 'draft' OR seller = ${withDrafts.of})`);
  if (status !== undefined) conditions.push(hasStatus(status, nowMs));
  return listing({ table: "sale", columns: saleColumns, conditions }, page);
}

/** The names of a query are columns; only those with an index over all products are sorted by. */
const sortColumns = { created_at: "created_at", name: "name", price: "price_minor" } as const;

export function listProducts(query: ProductQuery, page: Page): ListingStatements {
  const { seller, nameContains, ids, inStock, priceMinorMin, priceMinorMax, currency } = query;
  const conditions: Condition[] = [sql`deleted_at IS NULL`];
  if (seller !== undefined) conditions.push(sql`seller = ${seller}`);
  // A pattern ends at NUL, and would be met by every name; no name has one.
  const named = nameContains?.includes("\0") ? never : sql`lower(name) LIKE lower(${likePart(nameContains ?? "")}) ESCAPE '!'`;
  if (nameContains !== undefined) conditions.push(named);
  if (ids !== undefined) conditions.push(ids.length === 0 ? never : sql`product.id IN (${sql.join(ids.map(idOf))})`);
  if (inStock !== undefined) conditions.push(inStock ? sql`(inventory IS NULL OR inventory <> 0)` : sql`inventory = 0`);
  if (priceMinorMin !== undefined) conditions.push(sql`price_minor >= ${priceMinorMin}`);
  if (priceMinorMax !== undefined) conditions.push(sql`price_minor <= ${priceMinorMax}`);
  if (currency !== undefined) conditions.push(sql`currency = ${currency}`);
  const { by, descending } = query.sort ?? { by: "created_at", descending: true };
  const direction = descending ? sql`DESC` : sql`ASC`;
  const order = sql`${sql.raw(sortColumns[by])} ${direction}, product.id ${direction}`;
  return listing({ table: "product", columns: productColumns, conditions, order }, page);
}

/** Exact in every database, and also in a list, where nothing makes an integer of decimal text. */
const idOf = (id: string): Condition => sql`CAST(${id} AS BIGINT)`;
const never: Condition = sql`1 = 0`;
const likePart = (text: string): string => `%${text.replace(/[!%_]/g, "!$&")}%`;

/** A buyer's purchases: one step in the index of keys for each sale there is. */
export function listPurchases(buyerId: BuyerId, { saleId, state }: PurchaseQuery, page: Page): ListingStatements {
  const conditions: Condition[] = [sql`buyer_id = ${buyerId}`];
  conditions.push(saleId === undefined ? sql`sale_id IN (SELECT sale.id FROM sale)` : sql`sale_id = ${idOf(saleId)}`);
  if (state !== undefined) conditions.push(sql`state IN (${sql.join([state].flat())})`);
  return listing({ table: "purchase", columns: purchaseColumns, conditions }, page);
}

export function listAccounts({ role, banned, usernameKey }: AccountQuery, page: Page): ListingStatements {
  const conditions: Condition[] = [];
  if (role !== undefined) conditions.push(sql`role = ${role}`);
  if (banned !== undefined) conditions.push(banned ? sql`banned_at IS NOT NULL` : sql`banned_at IS NULL`);
  if (usernameKey !== undefined) conditions.push(sql`username_key = ${usernameKey}`);
  return listing({ table: "account", columns: accountColumns, conditions }, page);
}

/** The condition that domain/sale.ts computes as `statusOf`. */
function hasStatus(status: SaleStatus, nowMs: number): Condition {
  const open = sql`phase = 'published' AND starts_at <= ${nowMs} AND ends_at > ${nowMs}`;
  switch (status) {
    case "draft":
    case "cancelled":
      return sql`phase = ${status}`;
    case "ended":
      return sql`phase = 'published' AND ends_at <= ${nowMs}`;
    case "scheduled":
      return sql`phase = 'published' AND ends_at > ${nowMs} AND starts_at > ${nowMs}`;
    case "paused":
      return sql`${open} AND paused = 1`;
    case "live":
      return sql`${open} AND paused = 0`;
    default:
      return unreachable(status);
  }
}

type What = {
  readonly table: string;
  readonly columns: string;
  readonly conditions: readonly Condition[];
  /** Newest first without: ids are time-ordered. */
  readonly order?: Condition | undefined;
};

function listing({ table, columns, conditions, order: by }: What, { offset, limit }: Page): ListingStatements {
  const where = conditions.length === 0 ? sql`` : sql`WHERE ${sql.join(conditions, sql` AND `)}`;
  const from = sql`FROM ${sql.raw(table)} ${where}`;
  const order = sql`ORDER BY ${by ?? sql`${sql.raw(table)}.id DESC`} LIMIT ${limit} OFFSET ${offset}`;
  return {
    items: compiled(sql`SELECT ${sql.raw(columns)} ${from} ${order}`),
    total: compiled(sql`SELECT count(*) AS total ${from}`),
  };
}

function compiled(query: RawBuilder<unknown>): Statement {
  const { sql, parameters } = query.compile(builder);
  // Only texts and numbers go in above.
  return { sql, params: parameters as readonly SqlValue[] };
}
