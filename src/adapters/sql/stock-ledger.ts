/**
 * One commit of the stock ledger, the same for every SQL database:
 *
 *   sales (locked) ─► facts ─► domain/sale-batch decides ─► inserts and conditional updates ─► the caller commits
 *
 * Must stay true: each group sees what the groups before it wrote, as far as it can matter to it (its own sale, and sales
 * with its limit group); nothing is written when nothing changed; the caller drops its copies of sales when the
 * transaction does not commit.
 */
import type { SaleId } from "../../domain/ids.ts";
import type { SaleFacts } from "../../domain/batch-state.ts";
import { decideBatch } from "../../domain/sale-batch.ts";
import type { Sale } from "../../domain/sale.ts";
import type { CommittedGroup, LedgerBatch } from "../../ports/stock-ledger.ts";
import { ListStatement } from "./chunks.ts";
import { askAhead, readFacts, type Asked } from "./ledger-facts.ts";
import { beforeDeciding, LedgerWriter } from "./ledger-writes.ts";
import { saleColumns, saleOf, type SaleRow } from "./rows.ts";
import { mysqlNowMs, postgresNowMs } from "./server-clock.ts";
import { noteInScope, readScope, type QueueTerms } from "./scope-rows.ts";
import type { SqlTransaction } from "./sql-transaction.ts";
import { readTakesAhead } from "./takes-ahead.ts";

const salesById = new ListStatement(`SELECT ${saleColumns} FROM sale WHERE id IN :list`);

/** On a server the clock is read once the lock is held, for waiting for it may take a while. */
const lockedSales = {
  mysql: new ListStatement(`SELECT ${saleColumns}, last_at, ${mysqlNowMs} AS now_ms FROM sale WHERE id IN :list ORDER BY sale.id {lock}`),
  postgres: new ListStatement(
    `WITH locked AS MATERIALIZED (SELECT ${saleColumns}, last_at FROM sale WHERE id IN :list ORDER BY sale.id {lock})
     SELECT locked.*, ${postgresNowMs} AS now_ms FROM locked`,
  ),
};
/** The other sales that count with one: their takes must not be decided at the same time. All are locked in the order of their ids. */
const groupIds = `SELECT CAST(other.id AS TEXT) AS id FROM sale JOIN sale other ON other.seller = sale.seller AND other.limit_group = sale.limit_group
  WHERE sale.id = #`;

export type BatchAnswer = {
  readonly groups: readonly CommittedGroup[];
  /** Whether there is anything to commit. */
  readonly wrote: boolean;
  /** The time that it was decided by. */
  readonly nowMs: number;
};
/** Committed copies of sales, for a writer that is the only one. */
export type SaleCopies = { get(id: SaleId): Sale | undefined };
export type Terms = {
  readonly copies?: SaleCopies | undefined;
  readonly reopenDelayMs?: number | undefined;
  /** Whether the database's clock decides, and not the batch's time. */
  readonly ownClock?: boolean | undefined;
  /** Where a cache decides: what sales are published into. */
  readonly queue?: QueueTerms | undefined;
  /** Sales known to be published and to count with no other, which stays so: there is nothing to look for. */
  readonly countsAlone?: { has(id: SaleId): boolean } | undefined;
};

export async function decideAndWrite(tx: SqlTransaction, batch: LedgerBatch, terms: Terms): Promise<BatchAnswer> {
  const { sales, nowMs, asked } = tx.dialect.shared ? await lockSales(tx, batch, terms) : await readSales(tx, batch, terms);
  const { reopenDelayMs } = terms;
  const writer = new LedgerWriter(tx, nowMs);
  const groups: CommittedGroup[] = [];
  const touched = new Set<SaleId>();
  // A server's batch is of one sale, so there is nothing to read together.
  const ahead = tx.dialect.shared ? new Map<SaleId, SaleFacts>() : await readTakesAhead(tx, batch.groups, sales);
  for (const [g, { saleId, movements }] of batch.groups.entries()) {
    const sale = sales.get(saleId);
    if (sale === undefined) {
      groups.push({ outcomes: movements.map(() => ({ kind: "sale_unknown" })) });
      continue;
    }
    let facts = ahead.get(saleId);
    if (facts === undefined) {
      if (touched.size > 0 && (sale.limitGroup !== undefined || touched.has(saleId))) await writer.flush();
      // Nothing was written before the first.
      facts = await readFacts(tx, sale, g === 0 && asked !== undefined ? asked : askAhead(tx, saleId, movements));
    } else {
      // Only the sale's first group was read ahead.
      ahead.delete(saleId);
    }
    if (reopenDelayMs !== undefined) facts = { ...facts, reopenDelayMs };
    if (terms.queue !== undefined) facts = { ...facts, ...(await readScope(tx, sale, sales)) };
    const before = beforeDeciding(facts);
    const { outcomes, writes, changed } = decideBatch(facts, movements, nowMs);
    if (changed) {
      await writer.write(before, writes);
      if (terms.queue !== undefined) await noteInScope(tx, { facts, before, writes }, terms.queue);
      sales.set(saleId, writes.sale);
      touched.add(saleId);
    }
    groups.push({ outcomes, sale: writes.sale, ...(tx.dialect.shared && { moved: writes.sale !== sale }) });
  }
  return { groups, wrote: await writer.finish(), nowMs };
}

type Met = {
  readonly sales: Map<SaleId, Sale>;
  readonly nowMs: number;
  /** What the first group needs to know that came along with the sales. */
  readonly asked?: Asked | undefined;
};

async function readSales(tx: SqlTransaction, { groups, nowMs }: LedgerBatch, { copies }: Terms): Promise<Met> {
  const sales = new Map<SaleId, Sale>();
  const missing: SaleId[] = [];
  for (const { saleId } of groups) {
    const copy = copies?.get(saleId);
    if (copy === undefined) missing.push(saleId);
    else sales.set(saleId, copy);
  }
  for (const row of await salesById.query<SaleRow>(tx, [], missing)) sales.set(row.id, saleOf(row));
  return { sales, nowMs };
}

type LockedRow = SaleRow & { readonly last_at: number; readonly now_ms: number };

/** Within a sale time never runs back: what a batch is decided by is not before what the one before it was. */
async function lockSales(tx: SqlTransaction, { groups, nowMs }: LedgerBatch, { ownClock, countsAlone }: Terms): Promise<Met> {
  const wanted = new Set<SaleId>();
  for (const { saleId } of groups) {
    wanted.add(saleId);
    if (countsAlone?.has(saleId) === true) continue;
    for (const { id } of await tx.query<{ id: SaleId }>(groupIds, [saleId])) wanted.add(id);
  }
  const statement = tx.dialect.name === "mysql" ? lockedSales.mysql : lockedSales.postgres;
  const locked = statement.query<LockedRow>(tx, [], [...wanted].toSorted(byNumber));
  const [first] = groups;
  // Behind the lock, hence read under it.
  const asked = first && askAhead(tx, first.saleId, first.movements);
  const [rows, purchases = []] = await Promise.all([locked, asked?.purchases]);
  const sales = new Map(rows.map((row) => [row.id, saleOf(row)]));
  const times = rows.flatMap((row) => (ownClock ? [row.last_at, row.now_ms] : [row.last_at]));
  return { sales, nowMs: Math.max(ownClock ? 0 : nowMs, ...times), asked: asked && { ...asked, purchases } };
}

const byNumber = (a: string, b: string) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
