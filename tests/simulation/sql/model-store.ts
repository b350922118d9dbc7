/**
 * The ports of one process on the model server. Transactions, tries, leases and feed are the production code's; what is
 * decided inside a transaction is decided over the memory store, as stock-ledger.ts decides it over SQL:
 *
 *   sales (locked, with their group's) ─► the server's time ─► facts ─► domain/sale-batch decides ─► kept at COMMIT
 */
import { applyWrites } from "../../../src/adapters/memory/apply-writes.ts";
import { gatherFacts } from "../../../src/adapters/memory/gather-facts.ts";
import { noteCommit, scopeToPublish } from "../../../src/adapters/memory/memory-queue.ts";
import type { CommitSteps, MemoryStore } from "../../../src/adapters/memory/memory-store.ts";
import { Changes, type Tables } from "../../../src/adapters/memory/tables.ts";
import type { ServerDatabase } from "../../../src/adapters/sql/server-database.ts";
import type { BatchAnswer, decideAndWrite } from "../../../src/adapters/sql/stock-ledger.ts";
import type { SaleFacts, SaleWrites } from "../../../src/domain/batch-state.ts";
import type { SaleId } from "../../../src/domain/ids.ts";
import type { ScopeId } from "../../../src/domain/journal-message.ts";
import type { Movement } from "../../../src/domain/movement.ts";
import { decideBatch } from "../../../src/domain/sale-batch.ts";
import type { Sale } from "../../../src/domain/sale.ts";
import { assert, InvariantBroken } from "../../../src/lib/assert.ts";
import type { Catalogue } from "../../../src/ports/catalogue.ts";
import type { Records } from "../../../src/ports/records.ts";
import type { LedgerBatch } from "../../../src/ports/stock-ledger.ts";
import { isPoisoned } from "../poison.ts";
import { observedCatalogue, type Committed } from "../store-observer.ts";
import { connectionOf, type Work } from "./model-driver.ts";
import type { ModelServer, Session } from "./model-server.ts";

/** Where bugs are planted. */
export type DecideOptions = {
  readonly steps?: Partial<CommitSteps> | undefined;
  /** The sales of a group are not locked together. */
  readonly locksAlone?: boolean | undefined;
  /** Decides by the time that the process says it is. */
  readonly byProcessClock?: boolean | undefined;
  /** What a commit means for its sale's scope, where a cache decides. */
  readonly noteCommit?: typeof noteCommit | undefined;
};
type Decide = typeof decideAndWrite;
type Terms = Parameters<Decide>[2];

/** What ServerLedger does inside its transaction. */
export function modelDecide(options: DecideOptions): Decide {
  return (tx, batch, terms) => connectionOf(tx).run(deciding(batch, terms, options));
}

function deciding(batch: LedgerBatch, terms: Terms, options: DecideOptions): Work<BatchAnswer> {
  return (server, session, done) => {
    const [group, ...others] = batch.groups;
    assert(group !== undefined && others.length === 0, "a server's batch is of one sale");
    const { saleId, movements } = group;
    const { tables } = server.store;
    const decide = (): void => {
      if (isPoisoned(batch) && !server.isCured) return done({ kind: "error", error: "bad_line" });
      try {
        done({ kind: "value", value: new Decision(server, session, { batch, terms, options }).stage() });
      } catch (error) {
        if (!(error instanceof InvariantBroken)) throw error;
        // As a row that is there already, or that a constraint refuses.
        done({ kind: "error", error: "duplicate" });
      }
    };
    if (!tables.sales.has(saleId)) return decide();
    const sales = options.locksAlone === true ? [saleId] : lockedWith(tables, saleId, terms);
    const scopeId = terms.queue && scopeOf(tables, saleId);
    server.lock(
      session,
      [...sales.map((id) => `sale ${id}`), ...(scopeId === undefined ? [] : [`scope ${scopeId}`])],
      "alone",
      (answer) => {
        if (answer === "conflict") return done({ kind: "error", error: "conflict" });
        const product = tables.sales.get(saleId)?.productId;
        if (!supplies(movements)) return decide();
        server.lock(session, [`product ${product}`], "alone", (again) =>
          again === "granted" ? decide() : done({ kind: "error", error: "conflict" }),
        );
      },
    );
  };
}

/** The sale and those that count with it, in the order of their ids. */
function lockedWith(tables: Readonly<Tables>, saleId: SaleId, { countsAlone }: Terms): SaleId[] {
  const sale = tables.sales.get(saleId);
  if (sale?.limitGroup === undefined || countsAlone?.has(saleId) === true) return [saleId];
  const together = [...tables.sales.values()].filter((other) => other.seller === sale.seller && other.limitGroup === sale.limitGroup);
  return together.map(({ id }) => id).toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1));
}

/** That of the sale, or the one that it would be published into. */
function scopeOf(tables: Readonly<Tables>, saleId: SaleId): ScopeId | undefined {
  const sale = tables.sales.get(saleId);
  return sale && (sale.scopeId ?? scopeToPublish(tables, sale));
}

/** Whether units may move between the sale and its product. */
const supplies = (movements: readonly Movement[]): boolean =>
  movements.some(({ kind }) => kind === "adjust" || kind === "settle" || kind === "switch");

class Decision {
  readonly #server: ModelServer;
  readonly #session: Session;
  readonly #batch: LedgerBatch;
  readonly #terms: Terms;
  readonly #options: DecideOptions;

  constructor(
    server: ModelServer,
    session: Session,
    { batch, terms, options }: { batch: LedgerBatch; terms: Terms; options: DecideOptions },
  ) {
    this.#server = server;
    this.#session = session;
    this.#batch = batch;
    this.#terms = terms;
    this.#options = options;
  }

  /** Decides, and leaves with the session what COMMIT will make true. */
  stage(): BatchAnswer {
    const { reopenDelayMs, queue } = this.#terms;
    const { gather = gatherFacts, decide = decideBatch, apply = applyWrites } = this.#options.steps ?? {};
    const { noteCommit: note = noteCommit } = this.#options;
    const { tables } = this.#server.store;
    const nowMs = this.#nowMs();
    const [{ saleId, movements }] = this.#batch.groups as [LedgerBatch["groups"][number]];
    const sale = tables.sales.get(saleId);
    if (sale === undefined) return this.#told({ outcomes: movements.map(() => ({ kind: "sale_unknown" })) }, nowMs);
    const gathered = gather(tables, sale, movements);
    const facts = { ...gathered, ...(reopenDelayMs !== undefined && { reopenDelayMs }), ...(queue && queueFacts(tables, sale)) };
    const before = { sale, purchases: new Map(facts.purchases) };
    const { outcomes, writes, changed } = decide(facts, movements, nowMs);
    const answer = { outcomes, sale: writes.sale, moved: writes.sale !== sale };
    if (!changed) return this.#told(answer, nowMs);
    assertKeeps(tables, facts, writes, apply);
    const logId = this.#server.takeLogId();
    // Who is alive is read now, and may be another when it is written.
    const living = this.#server.livingApis();
    this.#session.effects.push(() => {
      apply(tables, facts, writes, new Changes());
      keepRows(this.#server, writes, { logId, nowMs, moved: answer.moved });
      this.#tell(answer, nowMs);
      if (queue) note(tables, { before, writes }, { ...queue, living: () => living }, new Changes());
    });
    return { groups: [answer], wrote: true, nowMs };
  }

  /** Within a sale time never runs back, whatever the clock does. */
  #nowMs(): number {
    const { ownClock } = this.#terms;
    const { lastAtMs } = this.#server;
    const ownMs = ownClock === true && this.#options.byProcessClock !== true ? this.#server.nowMs() : this.#batch.nowMs;
    const { tables } = this.#server.store;
    const [group] = this.#batch.groups;
    const sales = group === undefined ? [] : lockedWith(tables, group.saleId, this.#terms);
    return Math.max(ownMs, ...sales.map((id) => lastAtMs.get(id) ?? 0));
  }

  /** Nothing is to be written: what was decided is what was read under the lock. */
  #told(answer: Committed["groups"][number], nowMs: number): BatchAnswer {
    this.#tell(answer, nowMs);
    return { groups: [answer], wrote: false, nowMs };
  }

  #tell(answer: Committed["groups"][number], nowMs: number): void {
    this.#server.observer.committed(this.#batch, { kind: "committed", groups: [answer] }, nowMs, this.#session.client.number);
  }
}

/** What a commit leaves behind beside its rows: the sale's time, a row in the change log, ids that are taken. */
export function keepRows(
  server: ModelServer,
  writes: SaleWrites,
  { logId, nowMs, moved }: { logId: number; nowMs: number; moved: boolean },
): void {
  const { sale, newPurchases, changedPurchases } = writes;
  if (moved) server.lastAtMs.set(sale.id, nowMs);
  const touched = [...newPurchases.values(), ...[...changedPurchases.values()].map(({ purchase }) => purchase)];
  const buyers = new Set(touched.map(({ buyerId }) => buyerId));
  const listed = buyers.size === 0 ? null : [...buyers].join(" ");
  server.log.set(logId, { id: logId, saleId: sale.id, feed: sale.feed, buyers: listed, committedMs: server.sim.now });
  for (const id of [...newPurchases.keys(), ...writes.payments.keys(), ...writes.refunds.keys(), ...writes.adjustments.keys()])
    server.noteId(id);
}

/** Of a sale that the cache decides, or will. */
export function queueFacts(tables: Readonly<Tables>, sale: Sale): Pick<SaleFacts, "scope" | "publishesTo"> {
  const scope = sale.scopeId === undefined ? undefined : tables.scopes.get(sale.scopeId);
  return { scope, publishesTo: scopeToPublish(tables, sale) };
}

/** As constraints do when a row is written: what cannot be kept fails before COMMIT. */
function assertKeeps(tables: Readonly<Tables>, facts: SaleFacts, writes: SaleWrites, apply: CommitSteps["apply"]): void {
  const changes = new Changes();
  try {
    apply(tables, facts, writes, changes);
  } finally {
    changes.undo();
  }
}

export function modelCatalogue(database: ServerDatabase, server: ModelServer): Catalogue {
  const { store, observer } = server;
  return observedCatalogue({
    store,
    observer,
    noteId: (id) => server.noteId(id),
    async write({ keys }, apply) {
      type Kept = { result?: ReturnType<typeof apply> };
      const kept = await database.write((tx) =>
        connectionOf(tx).run<Kept>((locking, session, done) =>
          locking.lock(session, keys, "alone", (answer) => {
            if (answer === "conflict") return done({ kind: "error", error: "conflict" });
            const value: Kept = {};
            session.effects.push(() => void (value.result = apply()));
            done({ kind: "value", value });
          }),
        ),
      );
      assert("result" in kept, "what is committed was done");
      return kept.result as ReturnType<typeof apply>;
    },
    read: (run) => database.read((db) => connectionOf(db).run((_, __, done) => done({ kind: "value", value: run() }))),
  });
}

/** Each a statement that sees what is committed when it is done. */
export function modelRecords(database: ServerDatabase, store: MemoryStore): Records {
  return new Proxy(store, {
    get: (target, name) => {
      // Only methods of the Records port are asked for through its type, and all of those give promises.
      const method = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
      return (...args: unknown[]) =>
        database.read(async (db) => (await connectionOf(db).run(asking(() => method.apply(target, args)))).read);
    },
  });
}

/** What is read is what is there when the statement comes; it is told when it has come back. */
function asking(ask: () => Promise<unknown>): Work<{ readonly read: Promise<unknown> }> {
  return (_, __, done) => done({ kind: "value", value: { read: ask() } });
}
