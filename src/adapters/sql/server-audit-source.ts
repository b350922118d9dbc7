/**
 * A server's store as an auditor reads it: one transaction that sees one commit from opening to closing, while the shop
 * goes on. Rows come in pages by their keys, so that a store larger than memory can be read.
 */
import type { AuditSource, BuyerRow, InventoryRow, LedgerRow, SaleQuota, SaleRow } from "../../ports/audit-source.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import * as audit from "./audit-rows.ts";
import {
  adjustmentColumns,
  adjustmentOf,
  inventoryColumns,
  type AdjustmentRow,
  type InventoryRow as StoredInventory,
} from "./inventory-rows.ts";
import * as rows from "./rows.ts";
import type { ServerDatabase } from "./server-database.ts";
import type { ServerConnection } from "./server-driver.ts";
import { assertOpens, readApplied, serverMigrations } from "./server-migrate.ts";
import type { SqlValue } from "./sql-transaction.ts";

const pageRows = 1_000;

/** How a table is walked: the columns of its key, each with the mark of its kind, and its first place. */
type Walk<Stored> = {
  readonly columns: string;
  readonly from: string;
  readonly key: readonly string[];
  readonly marks: readonly ("#" | "?")[];
  readonly start: readonly SqlValue[];
  readonly keyOf: (row: Stored) => readonly SqlValue[];
};

/** Throws StoreUnavailable when the server cannot be reached or holds no store of this version's schema. */
export async function openServerAuditSource(database: ServerDatabase): Promise<AuditSource> {
  const connection = await database.openSnapshot();
  try {
    assertOpens(await readApplied(connection), serverMigrations.at(-1)?.number ?? 0);
    return new ServerAuditSource(connection, database.name);
  } catch (error) {
    connection.destroy();
    throw new StoreUnavailable("unavailable", `Read the store in "${database.name}": ${messageOf(error)}`, error);
  }
}

class ServerAuditSource implements AuditSource {
  readonly name: string;
  readonly #connection: ServerConnection;

  constructor(connection: ServerConnection, name: string) {
    this.#connection = connection;
    this.name = name;
  }

  products = () => this.#walk(byId<rows.ProductRow>("product", rows.productColumns), rows.productOf);
  sales = () => this.#walk<audit.CountedSale, SaleRow>(byId("sale", audit.countedSaleColumns), audit.saleOf);
  quotas = () =>
    this.#walk<audit.QuotaRow, SaleQuota>(
      {
        columns: audit.quotaColumns,
        from: "sale_quota",
        key: ["sale_id", "buyer_id"],
        marks: ["#", "?"],
        start: ["0", 0],
        keyOf: (row) => [row.sale_id, row.buyer_id],
      },
      audit.quotaOf,
    );
  buyers = () =>
    this.#walk<BuyerRow, BuyerRow>(
      { columns: "id, issuer, subject", from: "buyer", key: ["id"], marks: ["?"], start: [0], keyOf: (row) => [row.id] },
      (row) => row,
    );
  purchases = () => this.#walk(byId<rows.PurchaseRow>("purchase", rows.purchaseColumns), rows.purchaseOf);
  ledger = () => this.#walk<audit.LedgerSqlRow, LedgerRow>(bySeq("ledger", audit.ledgerColumns), audit.entryOf);
  inventory = () => this.#walk<StoredInventory, InventoryRow>(bySeq("inventory_ledger", inventoryColumns), audit.numbered);
  adjustments = () => this.#walk(byId<AdjustmentRow>("adjustment", adjustmentColumns), adjustmentOf);
  payments = () => this.#walk(byId<rows.PaymentRow>("payment", rows.paymentColumns), rows.paymentOf);
  captures = () => this.#walk(byText<rows.CaptureRow>("capture", rows.captureColumns), rows.captureOf);
  refunds = () => this.#walk(byId<rows.RefundRow>("refund", rows.refundColumns), rows.refundOf);
  callbacks = () => this.#walk<{ id: string }, string>(byText("callback", "id"), ({ id }) => id);

  async close(): Promise<void> {
    this.#connection.destroy();
  }

  async *#walk<Stored, Row>({ columns, from, key, marks, start, keyOf }: Walk<Stored>, rowOf: (stored: Stored) => Row) {
    const names = key.map((name) => `${from}.${name}`).join(", ");
    const sql = `SELECT ${columns} FROM ${from} WHERE (${names}) > (${marks.join(", ")}) ORDER BY ${names} LIMIT ${pageRows}`;
    let after = start;
    for (;;) {
      const page = await this.#read<Stored>(sql, after);
      yield page.map(rowOf);
      const last = page.at(-1);
      if (last === undefined || page.length < pageRows) return;
      after = keyOf(last);
    }
  }

  async #read<Stored>(sql: string, after: readonly SqlValue[]): Promise<readonly Stored[]> {
    try {
      return await this.#connection.query<Stored>(sql, after);
    } catch (error) {
      throw new StoreUnavailable("unavailable", `Read the store in "${this.name}": ${messageOf(error)}`, error);
    }
  }
}

type WithId = { readonly id: string };
const byId = <Stored extends WithId>(from: string, columns: string): Walk<Stored> => ({
  columns,
  from,
  key: ["id"],
  marks: ["#"],
  start: ["0"],
  keyOf: (row) => [row.id],
});
const byText = <Stored extends WithId>(from: string, columns: string): Walk<Stored> => ({
  ...byId<Stored>(from, columns),
  marks: ["?"],
  start: [""],
});
const bySeq = <Stored extends { readonly seq: number }>(from: string, columns: string): Walk<Stored> => ({
  columns,
  from,
  key: ["seq"],
  marks: ["?"],
  start: [0],
  keyOf: (row) => [row.seq],
});

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
