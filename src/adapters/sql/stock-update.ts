/**
 * What a batch does to the rows of its sales. SQLite's batches hold many sales, hence one statement for many rows; on a
 * server a batch is of one sale, whose row also keeps the time of its last change: there the store's clock decides, and
 * must not go back within a sale when a standby whose clock is behind takes over.
 */
import { assert } from "../../lib/assert.ts";
import { RowsStatement } from "./chunks.ts";
import type { SqlTransaction, SqlValue } from "./sql-transaction.ts";

const balances = ["issued", "available", "held", "sold", "withdrawn"];
const counts = [
  "buyer_count",
  "reserved_count",
  "paid_count",
  "cancelled_count",
  "expired_count",
  "closed_count",
  "queued_count",
  "refused_count",
];
/** Columns of a row: id, the feed it was decided on, its new feed, balances, changes of the counts. */
const width = 3 + balances.length + counts.length;
const column = (at: number) => `new.column${at}`;
const manyRows = new RowsStatement(
  `UPDATE sale SET feed = ${column(3)}, ${balances.map((name, i) => `${name} = ${column(4 + i)}`).join(", ")},
     ${counts.map((name, i) => `${name} = ${name} + ${column(4 + balances.length + i)}`).join(", ")}
   FROM (VALUES :rows) AS new WHERE sale.id = ${column(1)} AND sale.feed = ${column(2)}`,
  `(${Array(width).fill("?").join(", ")})`,
);
const oneRow = `UPDATE sale SET feed = ?, ${balances.map((name) => `${name} = ?`).join(", ")},
    ${counts.map((name) => `${name} = ${name} + ?`).join(", ")}, last_at = ? WHERE id = # AND feed = ?`;

/** `rows` stand one after another. Asserts that each sale still was what it was decided on. */
export async function updateStock(tx: SqlTransaction, rows: readonly SqlValue[], nowMs: number): Promise<void> {
  const wanted = rows.length / width;
  const matched = tx.dialect.shared ? await updateEach(tx, rows, nowMs) : await manyRows.execute(tx, rows);
  assert(matched === wanted, `each of ${wanted} sales' stock changes from what was decided on, got ${matched}`);
}

async function updateEach(tx: SqlTransaction, rows: readonly SqlValue[], nowMs: number): Promise<number> {
  let matched = 0;
  for (let at = 0; at < rows.length; at += width) {
    const [id = null, decidedOn = null, ...values] = rows.slice(at, at + width);
    matched += await tx.execute(oneRow, [...values, nowMs, id, decidedOn]);
  }
  return matched;
}
