import { expect, test } from "bun:test";
import type { BuyerId } from "../../domain/ids.ts";
import { must, saleId } from "../../../tests/kit/samples.ts";
import { buyersBetween } from "./change-log.ts";
import { mysql as dialect } from "./dialect.ts";
import { ServerChangeFeed } from "./server-change-feed.ts";
import { ServerDatabase } from "./server-database.ts";
import type { ServerConnection } from "./server-driver.ts";
import type { SqlValue } from "./sql-transaction.ts";

type Row = { id: number; sale_id: string; feed: number; buyers: string | null };
const row = (id: number, feed: number, buyers: string | null = null): Row => ({ id, sale_id: saleId(), feed, buyers });

/** A log whose rows appear when a test says so, before any of the statements that a reader sends. */
function log(...there: Row[]) {
  const rows = [...there];
  const before: (() => void)[] = [];
  let nowMs = 0;
  const query = async (sql: string, params: readonly SqlValue[]): Promise<object[]> => {
    before.shift()?.();
    const sorted = rows.toSorted((a, b) => a.id - b.id);
    if (sql.includes("max(id)")) return [{ id: sorted.at(-1)?.id ?? 0 }];
    if (sql.includes("WHERE id > ?")) return sorted.filter(({ id }) => id > Number(params[0]));
    // MySQL takes a list of ids as one text.
    if (sql.includes("WHERE id IN")) return sorted.filter(({ id }) => params.some((ids) => String(ids).split(",").includes(String(id))));
    if (sql.includes("min(feed)")) return [{ feed: sorted[0]?.feed ?? null }];
    return sorted.filter(({ feed, buyers }) => buyers !== null && feed > Number(params[1]) && feed <= Number(params[2]));
  };
  // The feed reads, and asks for nothing else of a connection.
  const connection = { dialect, query, release: () => {}, destroy: () => {} } as unknown as ServerConnection;
  const driver = { dialect, name: "planted", connect: async () => connection, close: async () => {} };
  const feed = new ServerChangeFeed(new ServerDatabase(driver), () => nowMs);
  const heard = async () => (await feed.next()).map(({ feed: number }) => number);
  return { rows, before, heard, connection, pass: (ms: number) => (nowMs += ms) };
}

test("[PU27] the first look begins with what comes from then on, each commit once", async () => {
  const { rows, heard } = log(row(1, 1), row(2, 2));
  expect(await heard()).toEqual([]);
  rows.push(row(3, 3), row(4, 4));
  expect([await heard(), await heard()]).toEqual([[3, 4], []]);
});

test("[PU27] a commit that took its id before others did is heard when it shows itself", async () => {
  const { rows, heard, pass } = log(row(1, 1));
  await heard();
  rows.push(row(4, 4));
  expect(await heard()).toEqual([4]);
  rows.push(row(2, 2));
  pass(29_000);
  expect(await heard()).toEqual([2]);
  pass(2_000);
  rows.push(row(3, 3));
  await heard();
  expect(await heard()).toEqual([]);
});

test("[PU27] a commit that was under way when the first look was taken is heard of", async () => {
  const { rows, heard } = log(row(1, 1), row(3, 3));
  expect(await heard()).toEqual([]);
  rows.push(row(2, 2));
  expect(await heard()).toEqual([2]);
});

test("[PU27] of one sale nothing is heard before what was committed earlier, whenever it shows itself", async () => {
  const { rows, before, heard } = log(row(1, 1));
  await heard();
  rows.push(row(3, 9));
  await heard();
  // Both become visible between two statements of one look: the one that was missing, and the next of its sale.
  before.push(
    () => {},
    () => rows.push(row(2, 2), row(4, 3)),
  );
  expect([await heard(), await heard()]).toEqual([[2], [3]]);
});

test("[PU27] buyers of a log that is forgotten while it is read are not taken for all there are", async () => {
  const { rows, before, connection } = log(row(1, 1, "7"), row(2, 2, "8"));
  const ask = { saleId: saleId(), feed: 0, until: 2 };
  expect(await buyersBetween(connection, ask)).toEqual([7, 8] as BuyerId[]);
  before.push(
    () => {},
    () => void rows.shift(),
  );
  expect(await buyersBetween(connection, ask)).toBeUndefined();
  expect(must(rows[0]).feed).toBe(2);
});
