/**
 * The change log as a feed. A row's id is taken before its commit, so a smaller id may show itself later than a larger
 * one: ids that are missing are asked for again for a while, until whoever took them must have ended.
 *
 *   ids   … 7  8  ·  10  ·  12 │ 13 …        · is missing: its commit is still to come, or never will
 *                              └ after: what is larger is new
 *
 * Must stay true: of one sale, whose ids grow with its commits, nothing is told before what was committed earlier. So what
 * is new is read before what was missing: whatever was committed before a row that is new then shows itself now.
 */
import type { BuyerId } from "../../domain/ids.ts";
import type { ChangeFeed, CommittedChange } from "../../ports/change-feed.ts";
import { buyersBetween, buyersIn } from "./change-log.ts";
import { ListStatement } from "./chunks.ts";
import type { ServerDatabase } from "./server-database.ts";
import type { SqlReads } from "./sql-transaction.ts";

const pageRows = 1_000;
/** Ids before the first call that may have been taken by commits which are still to come. */
const startsBackBy = 1_000;
/** Missing ids kept in mind; beyond it the oldest are given up. */
const missingMax = 2_000;
/** Longer than any transaction takes. */
const missingForMs = 30_000;
/** Rows are kept so long, for who has not heard of a sale for a while. */
export const changeLogKeptMs = 3_600_000;

const columns = "id, CAST(change_log.sale_id AS TEXT) AS sale_id, feed, buyers";
const lastId = `SELECT coalesce(max(id), 0) AS id FROM change_log`;
const idsAfter = `SELECT id FROM change_log WHERE id > ? ORDER BY id LIMIT ${startsBackBy}`;
const rowsAfter = `SELECT ${columns} FROM change_log WHERE id > ? ORDER BY id LIMIT ${pageRows}`;
const rowsWithIds = new ListStatement(`SELECT ${columns} FROM change_log WHERE id IN :list ORDER BY id`);
const oldRows = `SELECT id FROM change_log WHERE at_ms < ? ORDER BY at_ms LIMIT ?`;
const forget = new ListStatement(`DELETE FROM change_log WHERE id IN :list`);

type LogRow = { readonly id: number; readonly sale_id: CommittedChange["saleId"]; readonly feed: number; readonly buyers: string | null };

export class ServerChangeFeed implements ChangeFeed {
  readonly #database: ServerDatabase;
  readonly #nowMs: () => number;
  #after: number | undefined;
  /** With the time at which they were first missed. */
  readonly #missing = new Map<number, number>();

  constructor(database: ServerDatabase, nowMs: () => number) {
    this.#database = database;
    this.#nowMs = nowMs;
  }

  async next(): Promise<readonly CommittedChange[]> {
    return this.#database.read(async (db) => {
      const after = this.#after ?? (await this.#begin(db));
      const fresh = await db.query<LogRow>(rowsAfter, [after]);
      // The largest first, for many are asked for in several statements, and so it is among these.
      const missing = [...this.#missing.keys()].toSorted((a, b) => b - a);
      const late = (await rowsWithIds.query<LogRow>(db, [], missing)).toSorted((a, b) => a.id - b.id);
      for (const { id } of late) this.#missing.delete(id);
      this.#noteMissing(after, fresh);
      return [...late, ...fresh].map(changeOf);
    });
  }

  /** What is there already was before us; what has its id and is not there is still to come. */
  async #begin(db: SqlReads): Promise<number> {
    const [last] = await db.query<{ id: number }>(lastId, []);
    const after = last?.id ?? 0;
    const start = Math.max(0, after - startsBackBy);
    const there = new Set((await db.query<{ id: number }>(idsAfter, [start])).map(({ id }) => id));
    const nowMs = this.#nowMs();
    for (let id = start + 1; id < after; id++) if (!there.has(id)) this.#missing.set(id, nowMs);
    return (this.#after = after);
  }

  async buyersBetween(ask: Parameters<ChangeFeed["buyersBetween"]>[0]): Promise<readonly BuyerId[] | undefined> {
    // Numbers of buyers are what the log was written from.
    return (await this.#database.read((db) => buyersBetween(db, ask))) as readonly BuyerId[] | undefined;
  }

  #noteMissing(after: number, fresh: readonly LogRow[]): void {
    const nowMs = this.#nowMs();
    for (const [id, sinceMs] of this.#missing) if (sinceMs < nowMs - missingForMs) this.#missing.delete(id);
    let last = after;
    for (const { id } of fresh) {
      // MySQL may skip whole ranges when it restarts.
      for (let gap = Math.max(last + 1, id - missingMax); gap < id; gap++) this.#missing.set(gap, nowMs);
      last = id;
    }
    this.#after = last;
    for (const id of this.#missing.keys()) {
      if (this.#missing.size <= missingMax) break;
      this.#missing.delete(id);
    }
  }
}

function changeOf({ sale_id: saleId, feed, buyers }: LogRow): CommittedChange {
  // As above.
  return { saleId, feed, buyers: buyersIn(buyers) as BuyerId[] };
}

/** Forgets what nobody asks for any more; how many rows that were. Throws StoreUnavailable. */
export async function purgeChangeLog(
  database: ServerDatabase,
  { beforeMs, countMax }: { beforeMs: number; countMax: number },
): Promise<number> {
  return database.write(async (tx) => {
    const rows = await tx.query<{ id: number }>(oldRows, [beforeMs, countMax]);
    return forget.execute(
      tx,
      [],
      rows.map(({ id }) => id),
    );
  });
}
