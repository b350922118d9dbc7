/**
 * The ledger's side of a sale that a cache decides, on the model server: what ServerQueueLedger does in SQL is done over the
 * memory store's tables, in the same transactions, under the same locks.
 *
 * What a transaction reads of other processes it reads when its statement comes; what it writes is there when it commits.
 */
import { applyWrites } from "../../../src/adapters/memory/apply-writes.ts";
import { gatherFacts } from "../../../src/adapters/memory/gather-facts.ts";
import { MemoryQueue } from "../../../src/adapters/memory/memory-queue.ts";
import { MemoryQueueLedger } from "../../../src/adapters/memory/memory-queue-ledger.ts";
import { Changes } from "../../../src/adapters/memory/tables.ts";
import type { ServerDatabase } from "../../../src/adapters/sql/server-database.ts";
import { isCurrent } from "../../../src/adapters/sql/server-leases.ts";
import type { SqlTransaction } from "../../../src/adapters/sql/sql-transaction.ts";
import type { SaleId } from "../../../src/domain/ids.ts";
import type { ScopeId } from "../../../src/domain/journal-message.ts";
import type { Movement, MovementOutcome } from "../../../src/domain/movement.ts";
import { decideBatch } from "../../../src/domain/sale-batch.ts";
import { assert } from "../../../src/lib/assert.ts";
import type { Fence } from "../../../src/ports/leases.ts";
import type { CutResult, QueueLedger } from "../../../src/ports/queue-ledger.ts";
import { connectionOf } from "../sql/model-driver.ts";
import type { ModelServer } from "../sql/model-server.ts";
import { keepRows, queueFacts } from "../sql/model-store.ts";

type Living = readonly { readonly number: number; readonly life: string }[];
/** Who is alive, as the transaction found it that is being made durable. */
export type LivingNow = { living: () => Living };
type Deps = {
  readonly database: ServerDatabase;
  readonly server: ModelServer;
  readonly partitions: number;
  /** That of the memory store. */
  readonly livingNow: LivingNow;
  /** Where bugs are planted. */
  readonly decide?: typeof decideBatch | undefined;
};

export function modelQueueLedger(deps: Deps): QueueLedger {
  const { database, server } = deps;
  const memory = new MemoryQueueLedger({ store: server.store, nowMs: () => server.nowMs() });
  const told = <Answer>(run: () => Promise<Answer>): Promise<Answer> =>
    database.read(async (db) => {
      const { answer } = await connectionOf(db).run<{ answer: Promise<Answer> }>((_, __, done) =>
        done({ kind: "value", value: { answer: run() } }),
      );
      return answer;
    });
  /** A transaction that does one thing under its locks. */
  const done = async <Answer>(keys: readonly string[], run: () => Promise<Answer>, fence?: Fence): Promise<Answer | undefined> => {
    const kept = await database.write<{ answer?: Promise<Answer> }>(async (tx) => {
      if (fence !== undefined && !(await isCurrent(tx, fence))) return {};
      return connectionOf(tx).run<{ answer?: Promise<Answer> }>((locking, session, finish) =>
        locking.lock(session, keys, "alone", (granted) => {
          if (granted === "conflict") return finish({ kind: "error", error: "conflict" });
          const value: { answer?: Promise<Answer> } = {};
          const living = server.livingApis();
          session.effects.push(() => {
            const before = deps.livingNow.living;
            deps.livingNow.living = () => living;
            value.answer = run();
            deps.livingNow.living = before;
          });
          finish({ kind: "value", value });
        }),
      );
    });
    return kept.answer;
  };
  const surely = async <Answer>(keys: readonly string[], run: () => Promise<Answer>): Promise<Answer> => {
    const answer = await done(keys, async () => ({ value: await run() }));
    assert(answer !== undefined, "what is committed was done");
    return answer.value;
  };
  const scopeKey = (id: ScopeId) => [`scope ${id}`];
  return {
    scopes: () => told(() => memory.scopes()),
    scope: (id) => told(() => memory.scope(id)),
    salesOf: (id) => told(() => memory.salesOf(id)),
    isDrained: (id) => told(() => memory.isDrained(id)),
    parked: (ask) => told(() => memory.parked(ask)),
    feedAfter: (ask) => told(() => memory.feedAfter(ask)),
    outcomeAtCut: (id) => told(() => memory.outcomeAtCut(id)),
    deadLetters: () => told(() => memory.deadLetters()),
    deadLetter: (id) => told(() => memory.deadLetter(id)),
    close: (ask) => surely(scopeKey(ask.scopeId), () => memory.close(ask)),
    noteMark: (mark) => surely([], () => memory.noteMark(mark)),
    opened: async ({ fence, ...ask }) => (await done(scopeKey(ask.scopeId), () => memory.opened(ask), fence)) ?? false,
    askAtCut: (ask) => surely(scopeKey(ask.scopeId), () => memory.askAtCut(ask)),
    noteFailedLine: (ask) => surely([`line ${ask.line.purchaseId}`], () => memory.noteFailedLine(ask)),
    bury: (letter) => surely([`letter ${letter.id}`], () => memory.bury(letter)),
    unbury: (letter) => surely([`letter ${letter.id}`], () => memory.unbury(letter)),
    cut: ({ fence, ...ask }) =>
      database.write(async (tx) => {
        if (fence !== undefined && !(await isCurrent(tx, fence))) return undefined;
        return cutIn(tx, deps, ask);
      }),
  };
}

type CutAsk = Omit<Parameters<QueueLedger["cut"]>[0], "fence">;

/** Decided when its statement comes, under the locks of all sales of the scope; done once more, alike, when it commits. */
function cutIn(tx: SqlTransaction, { server, partitions, decide = decideBatch }: Deps, ask: CutAsk): Promise<CutResult | undefined> {
  const { tables } = server.store;
  const sales = [...tables.sales.values()].filter(({ scopeId }) => scopeId === ask.scopeId);
  const ids = sales.map(({ id }) => id).toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1));
  const keys = [...ids.map((id) => `sale ${id}`), `scope ${ask.scopeId}`, ...new Set(sales.map(({ productId }) => `product ${productId}`))];
  return connectionOf(tx).run<CutResult | undefined>((_, session, done) =>
    server.lock(session, keys, "alone", (granted) => {
      if (granted === "conflict") return done({ kind: "error", error: "conflict" });
      const nowMs = Math.max(server.nowMs(), ...ids.map((id) => server.lastAtMs.get(id) ?? 0));
      const living = server.livingApis();
      const cut = (changes: Changes, keeps: boolean): CutResult | undefined => {
        const commit = (saleId: SaleId, movements: readonly Movement[]) =>
          decideInCut({ server, decide, changes, keeps }, saleId, movements, nowMs);
        const queue = new MemoryQueue({ tables: () => tables, setup: { partitions, living: () => living }, commit });
        return queue.cutNow({ ...ask, nowMs }, changes);
      };
      const changes = new Changes();
      const value = cut(changes, false);
      changes.undo();
      if (value !== undefined) session.effects.push(() => void cut(new Changes(), true));
      done({ kind: "value", value });
    }),
  );
}

type InCut = {
  readonly server: ModelServer;
  readonly decide: typeof decideBatch;
  readonly changes: Changes;
  readonly keeps: boolean;
};

function decideInCut(
  { server, decide, changes, keeps }: InCut,
  saleId: SaleId,
  movements: readonly Movement[],
  nowMs: number,
): readonly MovementOutcome[] {
  const { tables } = server.store;
  const sale = tables.sales.get(saleId);
  if (sale === undefined) return movements.map(() => ({ kind: "sale_unknown" }));
  const facts = { ...gatherFacts(tables, sale, movements), ...queueFacts(tables, sale) };
  const { outcomes, writes, changed } = decide(facts, movements, nowMs);
  if (changed) applyWrites(tables, facts, writes, changes);
  if (!keeps) return outcomes;
  const moved = writes.sale !== sale;
  if (changed) keepRows(server, writes, { logId: server.takeLogId(), nowMs, moved });
  const batch = { nowMs, groups: [{ saleId, movements }] };
  server.observer.committed(batch, { kind: "committed", groups: [{ outcomes, sale: writes.sale, moved }] }, nowMs);
  return outcomes;
}
