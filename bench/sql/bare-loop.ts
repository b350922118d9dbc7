/**
 * What settling is held against: a loop that does nothing but insert the rows that as many takes would make, into the same
 * tables with the same indexes, a transaction for each batch. It is written for the one engine it meets, sends a whole batch
 * in one trip and looks at nothing: no sale is locked, no buyer is read, nothing is decided.
 */
import mysql from "mysql2/promise";
import pg from "pg";
import type { Take } from "../../src/domain/movement.ts";
import type { EngineName } from "./engines.ts";

export type BareLoop = {
  /** One batch, durable when this resolves. */
  readonly insert: (takes: readonly Take[], sale: BareSale) => Promise<void>;
  readonly close: () => Promise<void>;
};
/** What the rows of one sale have in common. */
export type BareSale = {
  readonly saleId: string;
  readonly productId: string;
  readonly priceMinor: number;
  readonly limit: number;
  /** Of each take. */
  readonly quantity: number;
  readonly payWindowMs: number;
};

const purchaseColumns =
  "id, sale_id, product_id, buyer_id, idempotency_key, quantity, price_minor, currency, buyer_limit, metadata, accepted_at, pay_by, state, hold_until, changed_at, refunded";
const ledgerColumns = "sale_id, source_id, kind, units, buyer_limit, at_ms";

export const openBareLoop = (engine: EngineName, url: string): Promise<BareLoop> =>
  engine === "mariadb" ? openMysql(url) : openPostgres(url);

/** Rows as text; the keys are the bench's own and need no escaping. */
async function openMysql(url: string): Promise<BareLoop> {
  const connection = await mysql.createConnection({ uri: url, multipleStatements: true });
  await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
  return {
    async insert(takes, { saleId, productId, priceMinor, limit, quantity, payWindowMs }) {
      const atMs = Date.now();
      const payBy = atMs + payWindowMs;
      let purchases = "";
      let entries = "";
      for (const { purchaseId, buyerId, key } of takes) {
        const comma = purchases === "" ? "" : ",";
        purchases += `${comma}(${purchaseId},${saleId},${productId},${buyerId},'${key}',${quantity},${priceMinor},'CNY',${limit},NULL,${atMs},${payBy},'reserved',${payBy},${atMs},0)`;
        entries += `${comma}(${saleId},${purchaseId},'take',${quantity},${limit},${atMs})`;
      }
      await connection.query(
        `START TRANSACTION; INSERT INTO purchase (${purchaseColumns}) VALUES ${purchases}; INSERT INTO ledger (${ledgerColumns}) VALUES ${entries}; COMMIT`,
      );
    },
    close: () => connection.end(),
  };
}

const insertPurchases = {
  name: "purchases",
  text: `INSERT INTO purchase (${purchaseColumns})
    SELECT id, $1::bigint, $2::bigint, buyer, key, $3::bigint, $4::bigint, 'CNY', $5::bigint, NULL, $6::bigint, $7::bigint, 'reserved', $7::bigint, $6::bigint, 0
    FROM unnest($8::bigint[], $9::bigint[], $10::text[]) AS added (id, buyer, key)`,
};
const insertEntries = {
  name: "entries",
  text: `INSERT INTO ledger (${ledgerColumns}) SELECT $1::bigint, id, 'take', $2::bigint, $3::bigint, $4::bigint
    FROM unnest($5::bigint[]) AS added (id)`,
};

/** Prepared statements over arrays, which are the quickest of the forms that were tried: texts, one statement for both tables. */
async function openPostgres(url: string): Promise<BareLoop> {
  // Its statements go out without waiting for the answers to those before.
  const client = new pg.Client({ connectionString: url, pipeline: true, options: "-c synchronous_commit=on" } as pg.ClientConfig);
  await client.connect();
  return {
    async insert(takes, { saleId, productId, priceMinor, limit, quantity, payWindowMs }) {
      const atMs = Date.now();
      const payBy = atMs + payWindowMs;
      const array = (valueOf: (take: Take) => string | number) => `{${takes.map(valueOf).join(",")}}`;
      const ids = array(({ purchaseId }) => purchaseId);
      const buyers = array(({ buyerId }) => buyerId);
      const keys = array(({ key }) => `"${key}"`);
      await Promise.all([
        client.query("BEGIN"),
        client.query({ ...insertPurchases, values: [saleId, productId, quantity, priceMinor, limit, atMs, payBy, ids, buyers, keys] }),
        client.query({ ...insertEntries, values: [saleId, quantity, limit, atMs, ids] }),
        client.query("COMMIT"),
      ]);
    },
    close: () => client.end(),
  };
}
