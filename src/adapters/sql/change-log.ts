/**
 * What one process tells the others that share its store: a row for each commit, in that commit. It says which sale it
 * was, which number the sale has now, and whose purchases were made or changed, so that the others know whose to read again.
 *
 * Must stay true: a row is there if and only if its commit is, and of one sale the rows stand in the order of its
 * commits, for they are written under the sale's lock. Rows of other sales may appear later than their ids say.
 */
import type { BuyerId, SaleId } from "../../domain/ids.ts";
import type { SaleWrites } from "../../domain/batch-state.ts";
import { insertInto } from "./insert-statement.ts";
import type { SqlReads, SqlTransaction } from "./sql-transaction.ts";

const insertRow = insertInto("change_log", { sale_id: "id", feed: "integer", buyers: "text", at_ms: "integer" });
const sinceFeed = `SELECT buyers FROM change_log WHERE sale_id = # AND feed > ? AND feed <= ? AND buyers IS NOT NULL ORDER BY id`;
const oldestFeed = `SELECT min(feed) AS feed FROM change_log WHERE sale_id = #`;

export async function addToChangeLog(
  tx: SqlTransaction,
  { sale, newPurchases, changedPurchases, nowMs }: Pick<SaleWrites, "sale" | "newPurchases" | "changedPurchases"> & { nowMs: number },
): Promise<void> {
  const buyers = new Set<BuyerId>();
  for (const { buyerId } of newPurchases.values()) buyers.add(buyerId);
  for (const { purchase } of changedPurchases.values()) buyers.add(purchase.buyerId);
  await tx.insert(insertRow, [sale.id, sale.feed, buyers.size === 0 ? null : [...buyers].join(" "), nowMs]);
}

export const buyersIn = (text: string | null): number[] => (text === null ? [] : text.split(" ").map(Number));

/** The buyers of the sale's commits after `feed` and up to `until`, or undefined where some of those rows are gone. */
export async function buyersBetween(
  db: SqlReads,
  { saleId, feed, until }: { saleId: SaleId; feed: number; until: number },
): Promise<number[] | undefined> {
  const rows = await db.query<{ buyers: string }>(sinceFeed, [saleId, feed, until]);
  // Looked for afterwards: what is there now was there when the rows were read, however much is forgotten meanwhile.
  const [oldest] = await db.query<{ feed: number | null }>(oldestFeed, [saleId]);
  // The first commit makes number 1; without any row the sale has changed nothing since rows were kept.
  if (oldest === undefined || oldest.feed === null || oldest.feed > feed + 1) return undefined;
  return rows.flatMap(({ buyers }) => buyersIn(buyers));
}
