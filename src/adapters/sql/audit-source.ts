/**
 * The embedded store as an auditor reads it: a connection of its own that can only read, and one read transaction from
 * opening to closing, so that all tables show the same commit while a server goes on writing. Rows come as streams.
 */
import type Database from "better-sqlite3";
import type { BuyerId } from "../../domain/ids.ts";
import type { AuditSource, BuyerRow, InventoryRow, LedgerRow, Pages, SaleQuota, SaleRow as AuditedSale } from "../../ports/audit-source.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import { adjustmentColumns, adjustmentOf, inventoryColumns, inventoryOf, type InventoryRow as StoredInventory } from "./inventory-rows.ts";
import { migrations } from "./migrate.ts";
import * as rows from "./rows.ts";
import { openReadOnly } from "./sqlite-connection.ts";

const pageRows = 1_000;

/** Throws StoreUnavailable when the folder holds no store of this version's schema. */
export function openAuditSource(dataDir: string): AuditSource {
  return new SqliteAuditSource(openSnapshot(dataDir), dataDir);
}

/** A connection that can only read, and sees one commit for as long as it is open. Throws StoreUnavailable as above. */
export function openSnapshot(dataDir: string): Database.Database {
  let database: Database.Database | undefined;
  try {
    database = openReadOnly(dataDir);
    database.exec("BEGIN");
    assertSchema(database);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof StoreUnavailable) throw error;
    throw new StoreUnavailable("unavailable", `Open the store in "${dataDir}": ${messageOf(error)}`, error);
  }
}

/** The read that also fixes the snapshot. */
function assertSchema(database: Database.Database): void {
  const found = database.prepare<[], number>("SELECT coalesce(max(number), 0) FROM migration").pluck().get() ?? 0;
  const known = migrations.at(-1)?.number ?? 0;
  if (found === known) return;
  const todo = found < known ? "run migrate first" : "use the newer program";
  throw new StoreUnavailable("unavailable", `Read the store: its schema is ${found}, this program's ${known}; ${todo}`);
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

type CountedSale = rows.SaleRow & {
  readonly buyer_count: number;
  readonly reserved_count: number;
  readonly paid_count: number;
  readonly cancelled_count: number;
  readonly expired_count: number;
  readonly closed_count: number;
};
type LedgerSqlRow = {
  readonly seq: number;
  readonly sale_id: LedgerRow["saleId"];
  readonly source_id: LedgerRow["sourceId"];
  readonly kind: LedgerRow["kind"];
  readonly units: number;
  readonly buyer_limit: number | null;
  readonly at_ms: number;
};
type QuotaRow = { readonly sale_id: SaleQuota["saleId"]; readonly buyer_id: BuyerId; readonly units: number };

class SqliteAuditSource implements AuditSource {
  readonly name: string;
  readonly #database: Database.Database;

  constructor(database: Database.Database, dataDir: string) {
    this.#database = database;
    this.name = dataDir;
  }

  products = () => this.#read(`SELECT ${rows.productColumns} FROM product ORDER BY product.id`, rows.productOf);
  sales = () => this.#read(`SELECT ${countedSaleColumns} FROM sale ORDER BY sale.id`, saleOf);
  quotas = () => this.#read("SELECT CAST(sale_id AS TEXT) AS sale_id, buyer_id, units FROM sale_quota", quotaOf);
  buyers = () => this.#read<BuyerRow, BuyerRow>("SELECT id, issuer, subject FROM buyer ORDER BY id", (row) => row);
  purchases = () => this.#read(`SELECT ${rows.purchaseColumns} FROM purchase ORDER BY purchase.id`, rows.purchaseOf);
  ledger = () => this.#read(`SELECT ${ledgerColumns} FROM ledger ORDER BY seq`, entryOf);
  inventory = () => this.#read(`SELECT ${inventoryColumns} FROM inventory_ledger ORDER BY seq`, numbered);
  adjustments = () => this.#read(`SELECT ${adjustmentColumns} FROM adjustment ORDER BY adjustment.id`, adjustmentOf);
  payments = () => this.#read(`SELECT ${rows.paymentColumns} FROM payment ORDER BY payment.id`, rows.paymentOf);
  captures = () => this.#read(`SELECT ${rows.captureColumns} FROM capture ORDER BY rowid`, rows.captureOf);
  refunds = () => this.#read(`SELECT ${rows.refundColumns} FROM refund ORDER BY refund.id`, rows.refundOf);
  callbacks = () => this.#read<{ id: string }, string>("SELECT id FROM callback ORDER BY id", ({ id }) => id);

  async close(): Promise<void> {
    this.#database.close();
  }

  async *#read<Stored, Row>(sql: string, rowOf: (stored: Stored) => Row): Pages<Row> & AsyncGenerator<readonly Row[]> {
    let page: Row[] = [];
    try {
      for (const stored of this.#database.prepare<[], Stored>(sql).iterate()) {
        if (page.push(rowOf(stored)) < pageRows) continue;
        yield page;
        page = [];
      }
    } catch (error) {
      throw new StoreUnavailable("unavailable", `Read the store in "${this.name}": ${messageOf(error)}`, error);
    }
    yield page;
  }
}

const countedSaleColumns = `${rows.saleColumns}, buyer_count, reserved_count, paid_count, cancelled_count, expired_count, closed_count`;
function saleOf(row: CountedSale): AuditedSale {
  const byState = {
    reserved: row.reserved_count,
    paid: row.paid_count,
    cancelled: row.cancelled_count,
    expired: row.expired_count,
    closed: row.closed_count,
  };
  return { ...rows.saleOf(row), counts: { byState, buyers: row.buyer_count } };
}

const ledgerColumns = "seq, CAST(sale_id AS TEXT) AS sale_id, CAST(source_id AS TEXT) AS source_id, kind, units, buyer_limit, at_ms";
function entryOf(row: LedgerSqlRow): LedgerRow {
  return {
    number: row.seq,
    saleId: row.sale_id,
    sourceId: row.source_id,
    kind: row.kind,
    units: row.units,
    limit: row.buyer_limit ?? undefined,
    atMs: row.at_ms,
  };
}

function numbered(row: StoredInventory): InventoryRow {
  return { ...inventoryOf(row), number: row.seq };
}

function quotaOf(row: QuotaRow): SaleQuota {
  return { saleId: row.sale_id, buyerId: row.buyer_id, units: row.units };
}
