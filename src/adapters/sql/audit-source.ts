/**
 * The embedded store as an auditor reads it: a connection of its own that can only read, and one read transaction from
 * opening to closing, so that all tables show the same commit while a server goes on writing. Rows come as streams.
 */
import type Database from "better-sqlite3";
import type { AuditSource, BuyerRow, Pages } from "../../ports/audit-source.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import * as audit from "./audit-rows.ts";
import { adjustmentColumns, adjustmentOf, inventoryColumns } from "./inventory-rows.ts";
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

class SqliteAuditSource implements AuditSource {
  readonly name: string;
  readonly #database: Database.Database;

  constructor(database: Database.Database, dataDir: string) {
    this.#database = database;
    this.name = dataDir;
  }

  products = () => this.#read(`SELECT ${rows.productColumns} FROM product ORDER BY product.id`, rows.productOf);
  sales = () => this.#read(`SELECT ${audit.countedSaleColumns} FROM sale ORDER BY sale.id`, audit.saleOf);
  quotas = () => this.#read(`SELECT ${audit.quotaColumns} FROM sale_quota`, audit.quotaOf);
  buyers = () => this.#read<BuyerRow, BuyerRow>("SELECT id, issuer, subject FROM buyer ORDER BY id", (row) => row);
  purchases = () => this.#read(`SELECT ${rows.purchaseColumns} FROM purchase ORDER BY purchase.id`, rows.purchaseOf);
  ledger = () => this.#read(`SELECT ${audit.ledgerColumns} FROM ledger ORDER BY seq`, audit.entryOf);
  inventory = () => this.#read(`SELECT ${inventoryColumns} FROM inventory_ledger ORDER BY seq`, audit.numbered);
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
