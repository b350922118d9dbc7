/** QueueLedger over the memory store, for tests and models. */
import type { ScopeId } from "../../domain/journal-message.ts";
import type { Fence } from "../../ports/leases.ts";
import type { CutResult, DeadLetter, LetterSeen, QueueLedger, SaleQuote } from "../../ports/queue-ledger.ts";
import { linesAsideOf } from "./gather-facts.ts";
import type { MemoryQueue } from "./memory-queue.ts";
import type { MemoryStore } from "./memory-store.ts";
import { Changes, joined } from "./tables.ts";

export type MemoryQueueDeps = {
  readonly store: MemoryStore;
  readonly nowMs: () => number;
  /** Whether the fence's holder has its lease still. */
  readonly isCurrent?: ((fence: Fence) => boolean) | undefined;
};

export class MemoryQueueLedger implements QueueLedger {
  readonly #store: MemoryStore;
  readonly #queue: MemoryQueue;
  readonly #nowMs: () => number;
  readonly #isCurrent: (fence: Fence | undefined) => boolean;

  constructor({ store, nowMs, isCurrent = () => true }: MemoryQueueDeps) {
    this.#store = store;
    this.#queue = store.queue();
    this.#nowMs = nowMs;
    this.#isCurrent = (fence) => fence === undefined || isCurrent(fence);
  }

  scopes = async () => this.#queue.scopesNow(this.#nowMs());
  scope = async (id: ScopeId) => this.#tables.scopes.get(id);
  salesOf = async (scopeId: ScopeId) => [...this.#tables.sales.values()].filter((sale) => sale.scopeId === scopeId).map(({ id }) => id);
  close = async (ask: Parameters<QueueLedger["close"]>[0]) => this.#queue.closeNow(ask, new Changes());
  isDrained = async (scopeId: ScopeId) => this.#queue.isDrainedNow(scopeId);

  async noteMark({ scopeId, closing, process, life }: Parameters<QueueLedger["noteMark"]>[0]): Promise<void> {
    this.#tables.scopeMarks.set(joined(scopeId, closing, joined(process, life)), true);
  }

  async cut({ fence, ...ask }: Parameters<QueueLedger["cut"]>[0]): Promise<CutResult | undefined> {
    return this.#isCurrent(fence) ? this.#queue.cutNow(ask, new Changes()) : undefined;
  }

  async opened({ scopeId, epoch, fence }: Parameters<QueueLedger["opened"]>[0]): Promise<boolean> {
    const { scopes } = this.#tables;
    const scope = scopes.get(scopeId);
    if (scope?.epoch !== epoch || !this.#isCurrent(fence)) return false;
    if (scope.state === "opening") scopes.set(scopeId, { ...scope, state: "open" });
    return scope.state === "opening" || scope.state === "open";
  }

  async feedAfter({ scopeId, number, countMax }: Parameters<QueueLedger["feedAfter"]>[0]) {
    const { feedRows } = this.#tables;
    const rows = [];
    for (let next = number + 1; rows.length < countMax; next++) {
      const row = feedRows.get(joined(scopeId, next));
      if (row === undefined) break;
      rows.push(row);
    }
    return rows;
  }

  async askAtCut(ask: Parameters<QueueLedger["askAtCut"]>[0]): Promise<string> {
    const { atCut, scopes } = this.#tables;
    const same = [...atCut.values()].find(
      ({ ask: other, outcome }) =>
        ask.movement.kind === "settle" && other.movement.kind === "settle" && other.saleId === ask.saleId && outcome === undefined,
    );
    const id = same?.ask.id ?? ask.id;
    if (!atCut.has(id)) atCut.set(id, { ask, outcome: undefined });
    const scope = scopes.get(ask.scopeId);
    const waits = atCut.get(id)?.outcome === undefined;
    if (scope !== undefined && waits) await this.close({ scopeId: ask.scopeId, epoch: scope.epoch, cause: "at_cut" });
    return id;
  }

  outcomeAtCut = async (id: string) => this.#tables.atCut.get(id)?.outcome;

  async noteFailedLine({ line }: Parameters<QueueLedger["noteFailedLine"]>[0]): Promise<number> {
    const { failedLines } = this.#tables;
    const tries = (failedLines.get(line.purchaseId) ?? 0) + 1;
    failedLines.set(line.purchaseId, tries);
    return tries;
  }

  async bury(letter: Parameters<QueueLedger["bury"]>[0]): Promise<void> {
    const { deadLetters, failedLines } = this.#tables;
    const tries = letter.kind === "line" ? (failedLines.get(letter.line.purchaseId) ?? 0) : 0;
    const before = deadLetters.get(letter.id);
    const counted = before?.kind === "line" && letter.kind === "line" ? Math.max(before.epoch, letter.epoch) : undefined;
    deadLetters.set(letter.id, { ...letter, ...(counted !== undefined && { epoch: counted }), tries });
  }

  deadLetters = async (): Promise<readonly DeadLetter[]> => [...this.#tables.deadLetters.values()];
  deadLetter = async (id: string) => this.#tables.deadLetters.get(id);
  parked = async ({ scopeId, countMax }: Parameters<QueueLedger["parked"]>[0]) => this.#queue.parkedNow(scopeId, countMax);

  withParked = async (): Promise<readonly ScopeId[]> =>
    [...this.#tables.scopes.values()].filter(({ id }) => this.#queue.parkedNow(id, 1).length > 0).map(({ id }) => id);

  async quotes(): Promise<readonly SaleQuote[]> {
    const quotes: SaleQuote[] = [];
    for (const { id: saleId, scopeId, balances } of this.#tables.sales.values())
      if (scopeId !== undefined && this.#tables.scopes.get(scopeId)?.state === "open") {
        const { sold, withdrawn, issued } = balances;
        quotes.push({ scopeId, saleId, sold, withdrawn, issued });
      }
    return quotes;
  }

  linesAside = async (scopeId: ScopeId) => linesAsideOf(this.#tables, scopeId);

  async unbury({ id, atMs, epoch = 0 }: LetterSeen): Promise<void> {
    const { deadLetters, failedLines } = this.#tables;
    const kept = deadLetters.get(id);
    const keptEpoch = kept?.kind === "line" ? kept.epoch : 0;
    if (kept?.atMs !== atMs || keptEpoch !== epoch) return;
    deadLetters.delete(id);
    if (kept.kind === "line") failedLines.delete(kept.line.purchaseId);
  }

  get #tables() {
    return this.#store.tables;
  }
}
