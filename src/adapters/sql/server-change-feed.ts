/**
 * The change log as a feed. A row's id is taken before its commit, so a smaller id may show itself later than a larger
 * one: ids that are missing are asked for again for a while, until whoever took them must have ended.
 */
import type { BuyerId } from "../../domain/ids.ts";
import type { ChangeFeed, CommittedChange } from "../../ports/change-feed.ts";
import { buyersBetween, buyersIn } from "./change-log.ts";
import { ListStatement } from "./chunks.ts";
import type { ServerDatabase } from "./server-database.ts";

const pageRows = 1_000;
/** Missing ids kept in mind; beyond it the oldest are given up. */
const missingMax = 2_000;
/** Longer than any transaction takes. */
const missingForMs = 30_000;
/** Rows are kept so long, for who has not heard of a sale for a while. */
export const changeLogKeptMs = 3_600_000;

const columns = "id, CAST(change_log.sale_id AS TEXT) AS sale_id, feed, buyers";
const lastId = `SELECT coalesce(max(id), 0) AS id FROM change_log`;
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
      if (this.#after === undefined) {
        const [last] = await db.query<{ id: number }>(lastId, []);
        this.#after = last?.id ?? 0;
      }
      const late = await rowsWithIds.query<LogRow>(db, [], [...this.#missing.keys()]);
      const fresh = await db.query<LogRow>(rowsAfter, [this.#after]);
      for (const { id } of late) this.#missing.delete(id);
      this.#noteMissing(fresh);
      return [...late, ...fresh].map(changeOf);
    });
  }

  async buyersBetween(ask: Parameters<ChangeFeed["buyersBetween"]>[0]): Promise<readonly BuyerId[] | undefined> {
    // Numbers of buyers are what the log was written from.
    return (await this.#database.read((db) => buyersBetween(db, ask))) as readonly BuyerId[] | undefined;
  }

  #noteMissing(fresh: readonly LogRow[]): void {
    const nowMs = this.#nowMs();
    for (const [id, sinceMs] of this.#missing) if (sinceMs < nowMs - missingForMs) this.#missing.delete(id);
    for (const { id } of fresh) {
      const expected = (this.#after ?? 0) + 1;
      // MySQL may skip whole ranges when it restarts.
      for (let gap = Math.max(expected, id - missingMax); gap < id; gap++) this.#missing.set(gap, nowMs);
      this.#after = id;
    }
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
