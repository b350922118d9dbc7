/**
 * The cut: in one transaction under the locks of all of a scope's sales, its epoch is raised and what waited is decided. What
 * the cache is to be loaded with is read behind it, from one view, for a large sale takes a while and its locks are wanted.
 *
 * Must stay true: until the scope is open nothing of the new epoch is accepted, so whatever the view has was there before, or
 * is a commit that gives back. The number of the feed is read in the same view: rows up to it are in what is loaded, and
 * those behind it come to the cache afterwards.
 */
import { decideBatch } from "../../domain/sale-batch.ts";
import type { BuyerId, PurchaseId, SaleId } from "../../domain/ids.ts";
import type { ScopeId } from "../../domain/journal-message.ts";
import { saleWithAside, unitsWithAside } from "../../domain/lines-aside.ts";
import type { Movement, MovementOutcome, Unpark } from "../../domain/movement.ts";
import { isOver, statusOf, type Sale } from "../../domain/sale.ts";
import type { Scope } from "../../domain/scope.ts";
import type { AtCut, CutResult, CutSale, OpenerMark } from "../../ports/queue-ledger.ts";
import { ListStatement } from "./chunks.ts";
import { cutSaleOf, unitsPages, type PageTerms } from "./cut-pages.ts";
import { askAhead, readFacts } from "./ledger-facts.ts";
import { beforeDeciding, LedgerWriter } from "./ledger-writes.ts";
import { countLinesAside, readLinesAside } from "./lines-aside.ts";
import { saleColumns, saleOf, type SaleRow } from "./rows.ts";
import { lockScope, putScope, scopeColumns, scopeOf, type ScopeRow } from "./scope-rows.ts";
import { mysqlNowMs, postgresNowMs } from "./server-clock.ts";
import type { SqlReads, SqlTransaction } from "./sql-transaction.ts";

const saleIds = `SELECT CAST(id AS TEXT) AS id FROM sale WHERE scope_id = # ORDER BY sale.id`;
const lockedSales = new ListStatement(`SELECT ${saleColumns}, last_at FROM sale WHERE id IN :list ORDER BY sale.id {lock}`);
const parkedOf = `SELECT CAST(id AS TEXT) AS id, buyer_id FROM purchase WHERE sale_id = # AND state = 'queued' ORDER BY purchase.id`;
const waiting = `SELECT CAST(id AS TEXT) AS id, CAST(sale_id AS TEXT) AS sale_id, movement FROM at_cut WHERE scope_id = # AND waits = 1 ORDER BY at_cut.id`;
const answerWaiting = `UPDATE at_cut SET outcome = ?, waits = 0 WHERE id = # AND waits = 1`;
const dropFeed = `DELETE FROM feed_row WHERE scope_id = # AND number <= ?`;
const dropWaits = `DELETE FROM scope_wait WHERE scope_id = # AND closing <= ?`;
const dropMarks = `DELETE FROM scope_mark WHERE scope_id = # AND closing <= ?`;
const allSales = `SELECT ${saleColumns} FROM sale WHERE scope_id = # ORDER BY sale.id`;
const viewedScope = `SELECT ${scopeColumns} FROM scope WHERE id = #`;
const marked = `SELECT 1 AS one FROM scope_mark WHERE scope_id = # AND closing = ? AND process = ? AND life = ?`;
/** Processes that owe a mark, are alive, and have not sent it. */
export const fromOwing = `FROM scope_wait w JOIN process p ON p.number = w.process AND p.life = w.life AND p.until_at > ?
  WHERE w.scope_id = # AND w.closing = ? AND NOT EXISTS (SELECT 1 FROM scope_mark m
    WHERE m.scope_id = w.scope_id AND m.closing = w.closing AND m.process = w.process AND m.life = w.life)`;
const owed = `SELECT count(*) AS owed ${fromOwing}`;

const unparkedAtOnce = 1_000;

export type CutTerms = { readonly scopeId: ScopeId; readonly opener: OpenerMark; readonly batchNowMs: number | undefined };
type Counted = { readonly buyer_id: BuyerId };

/** The scope as it is then, at that time. */
export type Cut = { readonly scope: Scope; readonly nowMs: number };

/** Undefined where the scope is not to be cut now. */
export async function cutScope(tx: SqlTransaction, { scopeId, opener, batchNowMs }: CutTerms): Promise<Cut | undefined> {
  const { sales, lastMs } = await lockSalesOf(tx, scopeId);
  const scope = await lockScope(tx, scopeId);
  const clockMs = await clockOf(tx);
  if (scope === undefined || scope.state === "open") return undefined;
  if (scope.state === "closing" && !(await isDrained(tx, scope, clockMs))) return undefined;
  if (scope.state === "closing" && !(await hasMark(tx, scope, opener))) return undefined;
  const nowMs = Math.max(batchNowMs ?? clockMs, ...lastMs);
  const decider = new CutDecider(tx, nowMs, sales);
  for (const saleId of sales.keys()) await decider.unpark(saleId);
  await decider.answerWaiting(scopeId);
  const left = [...sales.values()].filter((sale) => canSell(sale, nowMs));
  const cut: Scope = { ...scope, epoch: scope.epoch + 1, state: left.length > 0 ? "opening" : "closed" };
  await putScope(tx, cut);
  await countLinesAside(tx, cut, sales);
  await tx.execute(dropFeed, [scopeId, cut.feed]);
  await tx.execute(dropWaits, [scopeId, cut.closing]);
  await tx.execute(dropMarks, [scopeId, cut.closing]);
  return { scope: cut, nowMs };
}

/** What the cache is to be loaded with, in a view that has the cut; undefined where another one was made since. */
export async function readCut(db: SqlReads, { scope: { id, epoch }, nowMs }: Cut, terms?: PageTerms): Promise<CutResult | undefined> {
  const [row] = await db.query<ScopeRow>(viewedScope, [id]);
  if (row?.epoch !== epoch || row.state !== "opening") return undefined;
  const sales = (await db.query<SaleRow>(allSales, [id])).map(saleOf);
  const read: CutSale[] = [];
  // Those that the cut counted: what is put aside behind it is of an older epoch, and no cache has given it anything.
  const aside = (await readLinesAside(db, id)).filter((letter) => letter.epoch === epoch);
  for (const sale of sales) if (canSell(sale, nowMs)) read.push(saleWithAside(await cutSaleOf(db, sale, terms), aside));
  return { scope: scopeOf(row), sales: read, units: unitsWithAside(unitsPages(db, sales, terms), aside) };
}

export const canSell = (sale: Sale, nowMs: number): boolean => !isOver(statusOf(sale, nowMs));

export async function isDrained(db: SqlReads, { id, closing }: Scope, clockMs: number): Promise<boolean> {
  const [row] = await db.query<{ owed: number }>(owed, [clockMs, id, closing]);
  return row?.owed === 0;
}

async function hasMark(db: SqlReads, { id, closing }: Scope, { process, life }: OpenerMark): Promise<boolean> {
  return (await db.query(marked, [id, closing, process, life])).length > 0;
}

export async function clockOf(db: SqlReads): Promise<number> {
  const [row] = await db.query<{ now_ms: number }>(`SELECT ${db.dialect.name === "mysql" ? mysqlNowMs : postgresNowMs} AS now_ms`, []);
  if (row === undefined) throw new Error("The database did not say its time");
  return row.now_ms;
}

async function lockSalesOf(tx: SqlTransaction, scopeId: ScopeId): Promise<{ sales: Map<SaleId, Sale>; lastMs: number[] }> {
  const ids = (await tx.query<{ id: SaleId }>(saleIds, [scopeId])).map(({ id }) => id);
  const rows = await lockedSales.query<SaleRow & { readonly last_at: number }>(tx, [], ids);
  return { sales: new Map(rows.map((row) => [row.id, saleOf(row)])), lastMs: rows.map(({ last_at: lastAt }) => lastAt) };
}

/** Decides movements as a commit does, but for what they mean to the scope: the cut reads everything anew. */
class CutDecider {
  readonly #tx: SqlTransaction;
  readonly #nowMs: number;
  readonly #sales: Map<SaleId, Sale>;

  constructor(tx: SqlTransaction, nowMs: number, sales: Map<SaleId, Sale>) {
    this.#tx = tx;
    this.#nowMs = nowMs;
    this.#sales = sales;
  }

  async unpark(saleId: SaleId): Promise<void> {
    const rows = await this.#tx.query<Counted & { id: PurchaseId }>(parkedOf, [saleId]);
    const movements = rows.map(({ id: purchaseId, buyer_id: buyerId }): Unpark => ({ kind: "unpark", purchaseId, buyerId }));
    for (let at = 0; at < movements.length; at += unparkedAtOnce) await this.#decide(saleId, movements.slice(at, at + unparkedAtOnce));
  }

  async answerWaiting(scopeId: ScopeId): Promise<void> {
    const rows = await this.#tx.query<{ id: string; sale_id: SaleId; movement: string }>(waiting, [scopeId]);
    for (const { id, sale_id: saleId, movement } of rows) {
      // As it was asked for.
      const [outcome] = await this.#decide(saleId, [JSON.parse(movement) as AtCut["movement"]]);
      await this.#tx.execute(answerWaiting, [JSON.stringify(outcome ?? { kind: "sale_unknown" }), id]);
    }
  }

  async #decide(saleId: SaleId, movements: readonly Movement[]): Promise<readonly MovementOutcome[]> {
    const sale = this.#sales.get(saleId);
    if (sale === undefined) return [];
    const facts = await readFacts(this.#tx, sale, askAhead(this.#tx, saleId, movements));
    const before = beforeDeciding(facts);
    const { outcomes, writes, changed } = decideBatch(facts, movements, this.#nowMs);
    if (!changed) return outcomes;
    const writer = new LedgerWriter(this.#tx, this.#nowMs);
    await writer.write(before, writes);
    await writer.finish();
    this.#sales.set(saleId, writes.sale);
    return outcomes;
  }
}
