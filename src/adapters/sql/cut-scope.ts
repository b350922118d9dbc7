/**
 * The cut: in one transaction under the locks of all of a scope's sales, its epoch is raised, what waited is decided, and
 * what the cache is to be loaded with is read. Whoever commits after it finds the new epoch; whoever committed before it is
 * in what it read.
 */
import { decideBatch } from "../../domain/sale-batch.ts";
import type { BuyerId, PurchaseId, SaleId } from "../../domain/ids.ts";
import type { ScopeId } from "../../domain/journal-message.ts";
import { saleWithAside, unitsWithAside } from "../../domain/lines-aside.ts";
import type { Movement, MovementOutcome, Unpark } from "../../domain/movement.ts";
import { payloadFingerprint } from "../../domain/purchase.ts";
import { isOver, statusOf, type Sale } from "../../domain/sale.ts";
import type { Scope } from "../../domain/scope.ts";
import type { AtCut, CutKey, CutResult, CutSale, OpenerMark } from "../../ports/queue-ledger.ts";
import { ListStatement } from "./chunks.ts";
import { askAhead, readFacts } from "./ledger-facts.ts";
import { beforeDeciding, LedgerWriter } from "./ledger-writes.ts";
import { countLinesAside } from "./lines-aside.ts";
import { saleColumns, saleOf, type SaleRow } from "./rows.ts";
import { lockScope, putScope } from "./scope-rows.ts";
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
const unitsOfBuyers = `SELECT p.buyer_id AS buyer_id, sum(p.quantity) AS units FROM sale s JOIN purchase p ON p.sale_id = s.id
  WHERE s.scope_id = # AND (p.state = 'reserved' OR (p.state = 'paid' AND (p.refunded = 0 OR s.refunded_units_count = 1))) GROUP BY p.buyer_id`;
const attemptsOfBuyers = `SELECT buyer_id, count(*) AS attempts FROM purchase WHERE sale_id = # GROUP BY buyer_id ORDER BY buyer_id`;
const quotasOf = `SELECT buyer_id, units FROM sale_quota WHERE sale_id = #`;
const keysOf = `SELECT CAST(id AS TEXT) AS id, buyer_id, idempotency_key, quantity, metadata FROM purchase
  WHERE sale_id = # AND idempotency_key IS NOT NULL AND purchase.id > # ORDER BY purchase.id LIMIT ?`;
const marked = `SELECT 1 AS one FROM scope_mark WHERE scope_id = # AND closing = ? AND process = ? AND life = ?`;
/** Processes that owe a mark, are alive, and have not sent it. */
export const fromOwing = `FROM scope_wait w JOIN process p ON p.number = w.process AND p.life = w.life AND p.until_at > ?
  WHERE w.scope_id = # AND w.closing = ? AND NOT EXISTS (SELECT 1 FROM scope_mark m
    WHERE m.scope_id = w.scope_id AND m.closing = w.closing AND m.process = w.process AND m.life = w.life)`;
const owed = `SELECT count(*) AS owed ${fromOwing}`;

const keysPageMax = 10_000;
const unparkedAtOnce = 1_000;

export type CutTerms = { readonly scopeId: ScopeId; readonly opener: OpenerMark; readonly batchNowMs: number | undefined };
type Counted = { readonly buyer_id: BuyerId };

/** Undefined where the scope is not to be cut now. */
export async function cutScope(tx: SqlTransaction, { scopeId, opener, batchNowMs }: CutTerms): Promise<CutResult | undefined> {
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
  const aside = await countLinesAside(tx, scopeId, cut.epoch);
  await tx.execute(dropFeed, [scopeId, cut.feed]);
  await tx.execute(dropWaits, [scopeId, cut.closing]);
  await tx.execute(dropMarks, [scopeId, cut.closing]);
  if (left.length === 0) return { scope: cut, sales: [], units: [] };
  const units = await tx.query<Counted & { units: number }>(unitsOfBuyers, [scopeId]);
  const read: CutSale[] = [];
  for (const sale of left) read.push(saleWithAside(await readSale(tx, sale), aside));
  const counted = units.map((row) => [row.buyer_id, row.units] as const);
  return { scope: cut, sales: read, units: unitsWithAside(counted, aside) };
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

async function readSale(tx: SqlTransaction, sale: Sale): Promise<CutSale> {
  const attempts = await tx.query<Counted & { attempts: number }>(attemptsOfBuyers, [sale.id]);
  const quotas = sale.hasQuotas ? await tx.query<Counted & { units: number }>(quotasOf, [sale.id]) : [];
  return {
    sale,
    quotas: quotas.map((row) => [row.buyer_id, row.units]),
    attempts: attempts.map((row) => [row.buyer_id, row.attempts]),
    keys: await readKeys(tx, sale.id),
  };
}

type KeyRow = Counted & {
  readonly id: PurchaseId;
  readonly idempotency_key: string;
  readonly quantity: number;
  readonly metadata: string | null;
};

async function readKeys(tx: SqlTransaction, saleId: SaleId): Promise<CutKey[]> {
  const keys: CutKey[] = [];
  for (let after = "0"; ;) {
    const rows = await tx.query<KeyRow>(keysOf, [saleId, after, keysPageMax]);
    for (const { id, buyer_id: buyerId, idempotency_key: key, quantity, metadata } of rows)
      keys.push([buyerId, key, id, payloadFingerprint({ quantity, metadata: metadata ?? undefined })]);
    after = rows.at(-1)?.id ?? after;
    if (rows.length < keysPageMax) return keys;
  }
}
