/**
 * Scopes of sales that a cache decides, as rows: what a commit of one of their sales means for them, in that commit. A
 * scope's row is locked behind the rows of its sales.
 */
import type { SaleFacts, SaleWrites } from "../../domain/batch-state.ts";
import { feedOf, type FeedPatch, type FeedRow } from "../../domain/feed.ts";
import type { SaleId } from "../../domain/ids.ts";
import type { ScopeId } from "../../domain/journal-message.ts";
import type { Sale } from "../../domain/sale.ts";
import { afterCommit, newScope, type Scope } from "../../domain/scope.ts";
import type { Before } from "./ledger-writes.ts";
import { serverNowMs } from "./server-leases.ts";
import type { SqlReads, SqlTransaction } from "./sql-transaction.ts";

export type QueueTerms = {
  /** The broker's queues. */
  readonly partitions: number;
};

export const scopeColumns = `CAST(scope.id AS TEXT) AS id, state, epoch, feed, closing, queue_partition`;
export type ScopeRow = Omit<Scope, "partition"> & { readonly queue_partition: number };
export const scopeOf = ({ queue_partition: partition, id, state, epoch, feed, closing }: ScopeRow): Scope => ({
  id,
  state,
  epoch,
  feed,
  closing,
  partition,
});

const lockedScope = `SELECT ${scopeColumns} FROM scope WHERE id = # {lock}`;
const insertScope = `INSERT INTO scope (id, state, epoch, feed, closing, queue_partition) VALUES (?, ?, ?, ?, ?, ?)`;
const updateScope = `UPDATE scope SET state = ?, epoch = ?, feed = ?, closing = ? WHERE id = #`;
const insertFeed = `INSERT INTO feed_row (scope_id, number, patch) VALUES (?, ?, ?)`;
const feedRows = `SELECT number, patch FROM feed_row WHERE scope_id = # AND number > ? ORDER BY number LIMIT ?`;
/** Whoever may have asked the cache: it owes a mark, unless it is no longer alive when the others have sent theirs. */
const noteWaits = `INSERT INTO scope_wait (scope_id, closing, process, life)
  SELECT CAST(# AS BIGINT), CAST(? AS BIGINT), number, life FROM process WHERE until_at > ? AND roles LIKE '%api%'`;

/** The scope's row, locked until the transaction ends. */
export async function lockScope(tx: SqlTransaction, id: ScopeId): Promise<Scope | undefined> {
  const [row] = await tx.query<ScopeRow>(lockedScope, [id]);
  return row && scopeOf(row);
}

/** For deciding a group of the sale. `sales`: with all that count with it. */
export async function readScope(
  tx: SqlTransaction,
  sale: Sale,
  sales: ReadonlyMap<SaleId, Sale>,
): Promise<Pick<SaleFacts, "scope" | "publishesTo">> {
  if (sale.scopeId !== undefined) return { scope: await lockScope(tx, sale.scopeId) };
  const other = [...sales.values()].find(
    ({ seller, limitGroup, scopeId }) => isGroup(sale, { seller, limitGroup }) && scopeId !== undefined,
  );
  return { publishesTo: other?.scopeId ?? sale.id };
}

const isGroup = (sale: Sale, { seller, limitGroup }: Pick<Sale, "seller" | "limitGroup">) =>
  sale.limitGroup !== undefined && sale.limitGroup === limitGroup && sale.seller === seller;

type Decided = {
  readonly facts: SaleFacts;
  readonly before: Before;
  readonly writes: SaleWrites;
};

/** What a commit means for its sale's scope. */
export async function noteInScope(tx: SqlTransaction, { facts, before, writes }: Decided, { partitions }: QueueTerms): Promise<void> {
  const { scopeId } = writes.sale;
  if (scopeId === undefined) return;
  const known = facts.scope ?? (await lockScope(tx, scopeId));
  const scope = known ?? newScope(scopeId, partitions);
  const published = before.sale.phase === "draft";
  const patch = published ? undefined : feedOf(before, writes);
  const after = afterCommit(scope, { fed: patch !== undefined, published, drifted: writes.drifted });
  if (patch !== undefined) await tx.execute(insertFeed, [scopeId, after.feed, JSON.stringify(patch)]);
  if (known === undefined) await tx.execute(insertScope, [scopeId, after.state, after.epoch, after.feed, after.closing, after.partition]);
  else if (after.feed !== scope.feed || after.closing !== scope.closing) await putScope(tx, after);
  if (after.closing > scope.closing) await addWaits(tx, after);
}

export async function putScope(tx: SqlTransaction, { id, state, epoch, feed, closing }: Scope): Promise<void> {
  await tx.execute(updateScope, [state, epoch, feed, closing, id]);
}

export async function addWaits(tx: SqlTransaction, { id, closing }: Scope): Promise<void> {
  await tx.execute(noteWaits, [id, closing, await serverNowMs(tx)]);
}

export async function readFeed(db: SqlReads, ask: { scopeId: ScopeId; number: number; countMax: number }): Promise<FeedRow[]> {
  const rows = await db.query<{ number: number; patch: string }>(feedRows, [ask.scopeId, ask.number, ask.countMax]);
  // What stands there was written above.
  return rows.map(({ number, patch }) => ({ number, patch: JSON.parse(patch) as FeedPatch }));
}
