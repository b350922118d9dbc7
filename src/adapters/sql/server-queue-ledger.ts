/** QueueLedger on a database server. What decides about a scope is done under its row's lock, what only tells is not. */
import type { SaleId } from "../../domain/ids.ts";
import type { ScopeId } from "../../domain/journal-message.ts";
import type { LineAside } from "../../domain/lines-aside.ts";
import type { Purchase } from "../../domain/purchase.ts";
import { closing, type Scope } from "../../domain/scope.ts";
import type { AtCutOutcome, CutResult, DeadLetter, LetterSeen, NewDeadLetter, QueueLedger, SaleQuote } from "../../ports/queue-ledger.ts";
import { clockOf, cutScope, isDrained, readCut } from "./cut-scope.ts";
import { readLinesAside } from "./lines-aside.ts";
import { purchaseColumns, purchaseOf, type PurchaseRow } from "./rows.ts";
import { addWaits, lockScope, putScope, readFeed, scopeColumns, scopeOf, type ScopeRow } from "./scope-rows.ts";
import type { ServerDatabase } from "./server-database.ts";
import { isCurrent } from "./server-leases.ts";
import type { SqlTransaction } from "./sql-transaction.ts";

const canSellNow = `SELECT 1 FROM sale WHERE sale.scope_id = scope.id AND sale.phase = 'published' AND sale.ends_at > ? AND sale.settled_at IS NULL`;
/** Not over: its lines may be on their way, or will be. */
export const isWanted = `(state <> 'closed' OR EXISTS (${canSellNow})
  OR EXISTS (SELECT 1 FROM at_cut WHERE at_cut.scope_id = scope.id AND at_cut.waits = 1))`;
const wantedScopes = `SELECT ${scopeColumns} FROM scope WHERE ${isWanted}
  ORDER BY (SELECT max(sale.last_at) FROM sale WHERE sale.scope_id = scope.id) DESC, scope.id`;
const scopeById = `SELECT ${scopeColumns} FROM scope WHERE id = #`;
const salesOfScope = `SELECT CAST(id AS TEXT) AS id FROM sale WHERE scope_id = # ORDER BY sale.id`;
const addMark = `INSERT INTO scope_mark (scope_id, closing, process, life) SELECT CAST(# AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS TEXT)
  FROM (SELECT count(*) AS marks FROM scope_mark WHERE scope_id = # AND closing = ? AND process = ? AND life = ?) AS counted WHERE counted.marks = 0`;
const parkedOfScope = `SELECT ${purchaseColumns} FROM purchase WHERE state = 'queued' AND sale_id IN
  (SELECT sale.id FROM sale JOIN scope ON scope.id = sale.scope_id WHERE scope.id = # AND scope.state = 'open') LIMIT ?`;
const scopesWithParked = `SELECT DISTINCT CAST(scope.id AS TEXT) AS id FROM scope JOIN sale ON sale.scope_id = scope.id
  WHERE scope.state = 'open' AND sale.queued_count > 0`;
const openQuotes = `SELECT CAST(sale.id AS TEXT) AS id, CAST(scope.id AS TEXT) AS scope_id, sold, withdrawn, issued FROM scope
  JOIN sale ON sale.scope_id = scope.id WHERE scope.state = 'open'`;
const waitingSettle = `SELECT CAST(id AS TEXT) AS id FROM at_cut WHERE scope_id = # AND sale_id = # AND kind = 'settle' AND waits = 1`;
const knownAsk = `SELECT waits FROM at_cut WHERE id = #`;
const addAsk = `INSERT INTO at_cut (id, scope_id, sale_id, kind, movement, outcome, waits) VALUES (?, ?, ?, ?, ?, ?, 1)`;
const outcomeOfAsk = `SELECT outcome FROM at_cut WHERE id = #`;
const triesOf = `SELECT tries FROM failed_line WHERE id = # {lock}`;
const addTry = `INSERT INTO failed_line (id, tries, problem, at_ms) VALUES (?, ?, ?, ?)`;
const moreTries = `UPDATE failed_line SET tries = ?, problem = ?, at_ms = ? WHERE id = #`;
const letterById = `SELECT id, tries, at_ms, letter FROM dead_letter WHERE id = ?`;
const lockedLetter = `${letterById} {lock}`;
const allLetters = `SELECT id, tries, at_ms, letter FROM dead_letter ORDER BY at_ms, id LIMIT ?`;
const addLetter = `INSERT INTO dead_letter (id, tries, at_ms, letter) VALUES (?, ?, ?, ?)`;
const replaceLetter = `UPDATE dead_letter SET tries = ?, at_ms = ?, letter = ? WHERE id = ?`;
const dropLetter = `DELETE FROM dead_letter WHERE id = ?`;
const forgetTries = `DELETE FROM failed_line WHERE id = #`;

/** Letters in one listing. */
export const deadLettersMax = 1_000;
const problemLengthMax = 2_000;

type QuoteRow = Pick<SaleQuote, "sold" | "withdrawn" | "issued"> & { readonly id: SaleId; readonly scope_id: ScopeId };
type LetterRow = { readonly id: string; readonly tries: number; readonly at_ms: number; readonly letter: string };

export type ServerQueueOptions = {
  /** Whose time decides at the cut: the server's, or the caller's, for tests that turn the clock. */
  readonly time?: "server" | "batch" | undefined;
  /** Where what a cache is loaded with is read: connections of their own, since a large sale has one for a while. */
  readonly views?: ServerDatabase | undefined;
  /** Rows in a page of that. */
  readonly pageMax?: number | undefined;
};

export class ServerQueueLedger implements QueueLedger {
  readonly #database: ServerDatabase;
  readonly #time: "server" | "batch";
  readonly #views: ServerDatabase;
  readonly #pageMax: number | undefined;
  #batchNowMs = 0;

  constructor(database: ServerDatabase, { time = "server", views = database, pageMax }: ServerQueueOptions = {}) {
    this.#database = database;
    this.#time = time;
    this.#views = views;
    this.#pageMax = pageMax;
  }

  async scopes(): Promise<readonly Scope[]> {
    return this.#database.read(async (db) => {
      const nowMs = this.#time === "server" ? await clockOf(db) : this.#batchNowMs;
      return (await db.query<ScopeRow>(wantedScopes, [nowMs])).map(scopeOf);
    });
  }

  async scope(id: ScopeId): Promise<Scope | undefined> {
    const [row] = await this.#database.reads.query<ScopeRow>(scopeById, [id]);
    return row && scopeOf(row);
  }

  async salesOf(scopeId: ScopeId): Promise<readonly SaleId[]> {
    return (await this.#database.reads.query<{ id: SaleId }>(salesOfScope, [scopeId])).map(({ id }) => id);
  }

  close({ scopeId, epoch }: Parameters<QueueLedger["close"]>[0]): Promise<Scope | undefined> {
    return this.#database.write((tx) => closeScope(tx, scopeId, epoch));
  }

  async noteMark({ scopeId, closing: answered, process, life }: Parameters<QueueLedger["noteMark"]>[0]): Promise<void> {
    const mark = [scopeId, answered, process, life];
    await this.#database.write((tx) => Promise.resolve(tx.execute(addMark, [...mark, ...mark])));
  }

  async isDrained(scopeId: ScopeId): Promise<boolean> {
    return this.#database.read(async (db) => {
      const [row] = await db.query<ScopeRow>(scopeById, [scopeId]);
      if (row === undefined || row.state === "open") return false;
      return row.state !== "closing" || isDrained(db, scopeOf(row), await clockOf(db));
    });
  }

  async cut({ scopeId, opener, fence, nowMs }: Parameters<QueueLedger["cut"]>[0]): Promise<CutResult | undefined> {
    this.#batchNowMs = nowMs;
    const batchNowMs = this.#time === "server" ? undefined : nowMs;
    const made = await this.#database.write(async (tx) => {
      if (fence !== undefined && !(await isCurrent(tx, fence))) return undefined;
      return cutScope(tx, { scopeId, opener, batchNowMs });
    });
    if (made?.scope.state !== "opening") return made && { scope: made.scope, sales: [], units: [] };
    const view = await this.#views.openView();
    try {
      const cut = await readCut(view.reads, made, { countMax: this.#pageMax });
      if (cut !== undefined) return { ...cut, end: view.end };
    } catch (error) {
      await view.end();
      throw error;
    }
    await view.end();
    return undefined;
  }

  opened({ scopeId, epoch, fence }: Parameters<QueueLedger["opened"]>[0]): Promise<boolean> {
    return this.#database.write(async (tx) => {
      if (fence !== undefined && !(await isCurrent(tx, fence))) return false;
      const scope = await lockScope(tx, scopeId);
      if (scope?.epoch !== epoch) return false;
      if (scope.state === "opening") await putScope(tx, { ...scope, state: "open" });
      return scope.state === "opening" || scope.state === "open";
    });
  }

  async parked({ scopeId, countMax }: Parameters<QueueLedger["parked"]>[0]): Promise<readonly Purchase[]> {
    return (await this.#database.reads.query<PurchaseRow>(parkedOfScope, [scopeId, countMax])).map(purchaseOf);
  }

  async withParked(): Promise<readonly ScopeId[]> {
    return (await this.#database.reads.query<{ id: ScopeId }>(scopesWithParked, [])).map(({ id }) => id);
  }

  async quotes(): Promise<readonly SaleQuote[]> {
    const rows = await this.#database.reads.query<QuoteRow>(openQuotes, []);
    return rows.map(({ id: saleId, scope_id: scopeId, ...counts }) => ({ scopeId, saleId, ...counts }));
  }

  feedAfter(ask: Parameters<QueueLedger["feedAfter"]>[0]) {
    return readFeed(this.#database.reads, ask);
  }

  askAtCut({ id, scopeId, saleId, movement }: Parameters<QueueLedger["askAtCut"]>[0]): Promise<string> {
    return this.#database.write(async (tx) => {
      const scope = await lockScope(tx, scopeId);
      const [same] = movement.kind === "settle" ? await tx.query<{ id: string }>(waitingSettle, [scopeId, saleId]) : [];
      const askId = same?.id ?? id;
      const [known] = await tx.query<{ waits: number }>(knownAsk, [askId]);
      if (known === undefined) await tx.execute(addAsk, [id, scopeId, saleId, movement.kind, JSON.stringify(movement), null]);
      if (scope?.state === "open" && known?.waits !== 0) await beginClosing(tx, scope);
      return askId;
    });
  }

  async outcomeAtCut(id: string): Promise<AtCutOutcome | undefined> {
    const [row] = await this.#database.reads.query<{ outcome: string | null }>(outcomeOfAsk, [id]);
    // Written at the cut, as it was decided.
    return row === undefined || row.outcome === null ? undefined : (JSON.parse(row.outcome) as AtCutOutcome);
  }

  noteFailedLine({ line, problem, nowMs }: Parameters<QueueLedger["noteFailedLine"]>[0]): Promise<number> {
    return this.#database.write(async (tx) => {
      const [row] = await tx.query<{ tries: number }>(triesOf, [line.purchaseId]);
      const tries = (row?.tries ?? 0) + 1;
      const text = problem.slice(0, problemLengthMax);
      if (row === undefined) await tx.execute(addTry, [line.purchaseId, tries, text, nowMs]);
      else await tx.execute(moreTries, [tries, text, nowMs, line.purchaseId]);
      return tries;
    });
  }

  bury(letter: NewDeadLetter): Promise<void> {
    const { id, atMs } = letter;
    return this.#database.write(async (tx) => {
      const [row] = letter.kind === "line" ? await tx.query<{ tries: number }>(triesOf, [letter.line.purchaseId]) : [];
      const tries = row?.tries ?? 0;
      const epoch = letter.kind === "line" ? Math.max(letter.epoch, epochOf(await lockLetter(tx, id))) : undefined;
      const text = JSON.stringify({ ...letter, epoch, problem: letter.problem.slice(0, problemLengthMax) });
      const replaced = await tx.execute(replaceLetter, [tries, atMs, text, id]);
      if (replaced === 0) await tx.execute(addLetter, [id, tries, atMs, text]);
    });
  }

  async deadLetters(): Promise<readonly DeadLetter[]> {
    return (await this.#database.reads.query<LetterRow>(allLetters, [deadLettersMax])).map(letterOf);
  }

  async deadLetter(id: string): Promise<DeadLetter | undefined> {
    const [row] = await this.#database.reads.query<LetterRow>(letterById, [id]);
    return row && letterOf(row);
  }

  linesAside(scopeId: ScopeId): Promise<readonly LineAside[]> {
    return this.#database.read((db) => readLinesAside(db, scopeId));
  }

  unbury(letter: LetterSeen): Promise<void> {
    return this.#database.write(async (tx) => {
      const kept = await lockLetter(tx, letter.id);
      if (kept?.atMs !== letter.atMs || epochOf(kept) !== (letter.epoch ?? 0)) return;
      await tx.execute(dropLetter, [letter.id]);
      // Were it to fail once more, it would be tried as often as at first.
      if (kept.kind === "line") await tx.execute(forgetTries, [kept.line.purchaseId]);
    });
  }
}

async function closeScope(tx: SqlTransaction, scopeId: ScopeId, epoch: number): Promise<Scope | undefined> {
  const scope = await lockScope(tx, scopeId);
  return scope?.state === "open" && scope.epoch === epoch ? beginClosing(tx, scope) : scope;
}

async function beginClosing(tx: SqlTransaction, scope: Scope): Promise<Scope> {
  const after = closing(scope);
  await putScope(tx, after);
  await addWaits(tx, after);
  return after;
}

async function lockLetter(tx: SqlTransaction, id: string): Promise<DeadLetter | undefined> {
  const [row] = await tx.query<LetterRow>(lockedLetter, [id]);
  return row && letterOf(row);
}

/** What stands there was written above. */
const letterOf = ({ tries, letter }: LetterRow): DeadLetter => ({ ...(JSON.parse(letter) as NewDeadLetter), tries });

/** Of a letter that is no line's, or is not there, no cut counts anything. */
const epochOf = (letter: DeadLetter | undefined): number => (letter?.kind === "line" ? letter.epoch : 0);
