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
import type { MovementOutcome } from "../../domain/movement.ts";
import { decideBatch } from "../../domain/sale-batch.ts";
import type { Sale } from "../../domain/sale.ts";
import type { LedgerBatch, SaleGroup } from "../../ports/stock-ledger.ts";
import { ListStatement } from "./chunks.ts";
import { readFacts } from "./ledger-facts.ts";
import { beforeDeciding, LedgerWriter } from "./ledger-writes.ts";
import { saleColumns, saleOf, type SaleRow } from "./rows.ts";
import type { SqlTransaction } from "./sql-transaction.ts";
import { readTakesAhead } from "./takes-ahead.ts";

const salesById = new ListStatement(`SELECT ${saleColumns} FROM sale WHERE id IN :list`);

export type BatchAnswer = {
  readonly groups: readonly GroupAnswer[];
  /** Whether there is anything to commit. */
  readonly wrote: boolean;
};
export type GroupAnswer = {
  readonly outcomes: readonly MovementOutcome[];
  /** Absent for an unknown sale. */
  readonly sale?: Sale | undefined;
};
/** Committed copies of sales, for a writer that is the only one. */
export type SaleCopies = { get(id: SaleId): Sale | undefined };

export async function decideAndWrite(tx: SqlTransaction, batch: LedgerBatch, copies: SaleCopies): Promise<BatchAnswer> {
  const sales = await readSales(tx, batch.groups, copies);
  const writer = new LedgerWriter(tx, batch.nowMs);
  const groups: GroupAnswer[] = [];
  const touched = new Set<SaleId>();
  const ahead = await readTakesAhead(tx, batch.groups, sales);
  for (const { saleId, movements } of batch.groups) {
    const sale = sales.get(saleId);
    if (sale === undefined) {
      groups.push({ outcomes: movements.map(() => ({ kind: "sale_unknown" })) });
      continue;
    }
    let facts = ahead.get(saleId);
    if (facts === undefined) {
      if (touched.size > 0 && (sale.limitGroup !== undefined || touched.has(saleId))) await writer.flush();
      facts = await readFacts(tx, sale, movements);
    } else {
      // Only the sale's first group was read ahead.
      ahead.delete(saleId);
    }
    const before = beforeDeciding(facts);
    const { outcomes, writes, changed } = decideBatch(facts, movements, batch.nowMs);
    if (changed) {
      await writer.write(before, writes);
      sales.set(saleId, writes.sale);
      touched.add(saleId);
    }
    groups.push({ outcomes, sale: writes.sale });
  }
  return { groups, wrote: await writer.finish() };
}

async function readSales(tx: SqlTransaction, groups: readonly SaleGroup[], copies: SaleCopies): Promise<Map<SaleId, Sale>> {
  const sales = new Map<SaleId, Sale>();
  const missing: SaleId[] = [];
  for (const { saleId } of groups) {
    const copy = copies.get(saleId);
    if (copy === undefined) missing.push(saleId);
    else sales.set(saleId, copy);
  }
  for (const row of await salesById.query<SaleRow>(tx, [], missing)) sales.set(row.id, saleOf(row));
  return sales;
}
