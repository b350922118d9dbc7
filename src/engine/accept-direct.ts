/**
 * Direct acceptance: the ledger decides. What arrives while one commit is in flight forms the next batch, so a hot sale
 * costs one durable commit per batch instead of one per buyer.
 *
 *   submit ─► queue (≤ queueMax) ─► batch (≤ batchMax) ─► ledger.commit ─► board, then answers
 *                 full: not_tried         unknown: the same batch again, with the same ids and time
 *
 * Must stay true: a line is answered after its commit is definite, or with `unknown`; the board hears of a commit before
 * any of its lines is answered; a batch is never formed anew while its commit is unknown. Otherwise a repeat could be
 * refused although its first was accepted.
 */
import { assert, unreachable } from "../lib/assert.ts";
import type { SaleId } from "../domain/ids.ts";
import type { Movement, MovementOutcome } from "../domain/movement.ts";
import type { Acceptance, Answer, NotTried, NotTriedCause, Unknown } from "../ports/acceptance.ts";
import type { ChangeSink } from "../ports/changes.ts";
import type { Clock } from "../ports/clock.ts";
import type { Fence } from "../ports/leases.ts";
import type { CommitResult, LedgerBatch, SaleGroup, StockLedger } from "../ports/stock-ledger.ts";
import type { CancelTask, Tasks } from "../ports/tasks.ts";
import { backoffMs } from "../lib/backoff.ts";
import { tellPurchases } from "./change-board.ts";
import type { SaleBoard } from "./sale-board.ts";

export type DirectOptions = {
  /** Lines in one commit. */
  readonly batchMax: number;
  /** Lines waiting for a commit; beyond it no take is tried, and beyond `otherLinesMax` more nothing is. */
  readonly queueMax: number;
  /** After this long a caller hears `unknown` (in flight) or `not_tried` (still queued). */
  readonly answerTimeoutMs: number;
};

/**
 * Room beyond `queueMax` for what ends orders, carries money or turns switches: a storm of buyers must not keep holds
 * from expiring. It holds a sweep of `releasesMax` besides callbacks.
 */
export const otherLinesMax = 1_000;

/** Sales whose pending takes are counted; beyond it all are forgotten, and counted again when asked about. */
const countedSalesMax = 10_000;

/** A caller hears at most this part of the answer timeout late. */
export const looksPerTimeout = 4;

type FailCause = Extract<CommitResult, { kind: "failed" }>["cause"];
type LineAnswer = MovementOutcome | NotTried | Unknown;
type Line = {
  readonly saleId: SaleId;
  readonly fence: Fence | undefined;
  readonly movement: Movement;
  readonly queuedAtMs: number;
  settle: ((answer: LineAnswer) => void) | undefined;
  /** Its outcome is definite; its caller may have heard `unknown` long before. */
  done: boolean;
};
/** Lines whose commits follow one another. */
type Lane = { queue: Line[]; inFlight: readonly Line[]; scheduled: boolean };

const unknown: Unknown = { kind: "unknown" };
const notTried = (cause: NotTriedCause): NotTried => ({ kind: "not_tried", cause });

export class DirectAcceptance implements Acceptance {
  readonly #ledger: StockLedger;
  readonly #board: SaleBoard;
  readonly #clock: Clock;
  readonly #tasks: Tasks;
  readonly #changes: ChangeSink | undefined;
  readonly #options: DirectOptions;
  readonly #lanes = new Map<string, Lane>();
  /**
   * How many takes of a buyer are queued or in flight, for the sales somebody asked about: while a sale has units nobody
   * asks, and that is when it must be fast.
   */
  readonly #pending = new Map<SaleId, Map<number, number>>();
  #waiting = 0;
  #draining = false;
  #closed = false;
  /** Commits and lines so far, for the metrics. */
  readonly counts = { commits: 0, lines: 0, retries: 0, shed: 0 };

  constructor(
    deps: { ledger: StockLedger; board: SaleBoard; clock: Clock; tasks: Tasks; changes?: ChangeSink | undefined },
    options: DirectOptions,
  ) {
    this.#ledger = deps.ledger;
    this.#board = deps.board;
    this.#clock = deps.clock;
    this.#tasks = deps.tasks;
    this.#changes = deps.changes;
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting;
  }

  isPending(saleId: SaleId, buyerId: number): boolean {
    return (this.#pending.get(saleId) ?? this.#countPending(saleId)).has(buyerId);
  }

  submit<M extends Movement>(saleId: SaleId, movements: readonly M[], fence?: Fence): Promise<readonly Answer<M>[]> {
    const refusal = this.#draining ? "draining" : this.#hasRoom(movements) ? undefined : "busy";
    if (refusal !== undefined) {
      this.counts.shed += movements.length;
      return Promise.resolve(movements.map(() => notTried(refusal)));
    }
    const [only] = movements;
    if (only !== undefined && movements.length === 1)
      // As below; a storm's takes come one by one.
      return new Promise((resolve) => this.#enqueue({ saleId, fence, movement: only }, (answer) => resolve([answer as Answer<M>])));
    return new Promise((resolve) => {
      const answers: Answer<M>[] = [];
      let open = movements.length;
      if (open === 0) resolve(answers);
      movements.forEach((movement, index) => {
        this.#enqueue({ saleId, fence, movement }, (answer) => {
          // The ledger answers each movement with its own kind's outcome; the contract suite holds it to that.
          answers[index] = answer as Answer<M>;
          if (--open === 0) resolve(answers);
        });
      });
    });
  }

  #hasRoom(movements: readonly Movement[]): boolean {
    const { queueMax } = this.#options;
    if (this.#waiting + movements.length <= queueMax) return true;
    return this.#waiting + movements.length <= queueMax + otherLinesMax && movements.every(({ kind }) => kind !== "take");
  }

  /** Refuses new work and resolves when everything queued has its answer. */
  async drain(): Promise<void> {
    this.#draining = true;
    while (this.#waiting > 0) await this.#tasks.sleep(5);
  }

  /** After a drain that did not come to its end: a commit that stays unknown is not tried again, for the store goes away. */
  close(): void {
    this.#closed = true;
  }

  #enqueue(ask: Pick<Line, "saleId" | "fence" | "movement">, settle: (answer: LineAnswer) => void): void {
    const { saleId, movement } = ask;
    this.#waiting += 1;
    const pending = this.#pending.get(saleId);
    if (pending !== undefined && movement.kind === "take") addOne(pending, movement.buyerId);
    const lane = this.#lane(ask);
    lane.queue.push({ ...ask, queuedAtMs: this.#clock.nowMs(), settle, done: false });
    this.#schedule(lane);
  }

  /** What a fence stops must not stop others, so it has lanes of its own. */
  #lane({ saleId, fence }: Pick<Line, "saleId" | "fence">): Lane {
    const name = `${this.#ledger.batchesAcrossSales ? "" : saleId} ${fence?.lease ?? ""}`;
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = { queue: [], inFlight: [], scheduled: false };
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #schedule(lane: Lane): void {
    if (lane.scheduled) return;
    lane.scheduled = true;
    this.#tasks.soon(() => void this.#run(lane));
  }

  async #run(lane: Lane): Promise<void> {
    const stopWatch = this.#watch(lane);
    while (lane.queue.length > 0) {
      const { batchMax } = this.#options;
      const lines = lane.queue.length <= batchMax ? lane.queue : lane.queue.slice(0, batchMax);
      lane.queue = lane.queue.length <= batchMax ? [] : lane.queue.slice(batchMax);
      lane.inFlight = lines;
      await this.#commitDefinitely(lines);
      lane.inFlight = [];
    }
    stopWatch();
    lane.scheduled = false;
  }

  /**
   * Commits until the outcome is definite, and answers. `uncertain`: an earlier commit of these lines may have happened,
   * so that a later one's failure proves nothing but of itself.
   */
  async #commitDefinitely(lines: readonly Line[], uncertain = false): Promise<void> {
    const batch = batchOf(lines, Math.floor(this.#clock.nowMs()));
    for (let attempt = 0; ; attempt++) {
      const sentAtMs = this.#clock.nowMs();
      const result = await this.#ledger.commit(batch.ledgerBatch);
      this.counts.commits += 1;
      switch (result.kind) {
        case "committed":
          return this.#committed(batch.groups, result, sentAtMs);
        case "unknown":
          uncertain = true;
          break;
        case "failed":
          // Trying again settles nothing where the lease is another's: it would be so for ever, and keep all behind it waiting.
          if (!uncertain || result.cause === "bad_line" || result.cause === "fenced") return this.#failed(lines, result.cause, uncertain);
          break;
        default:
          return unreachable(result);
      }
      if (this.#closed) return this.#settleAll(lines, unknown);
      this.counts.retries += 1;
      await this.#tasks.sleep(backoffMs(attempt, { baseMs: 20, ceilingMs: 1000 }));
    }
  }

  #committed(groups: readonly Line[][], result: CommitResult & { kind: "committed" }, sentAtMs: number): void {
    assert(result.groups.length === groups.length, "a commit answers every group");
    for (const { sale, outcomes, moved } of result.groups) {
      if (sale === undefined) continue;
      this.#board.observe(sale, { sentAtMs, decidedAtMs: result.decidedAtMs ?? sentAtMs });
      for (const outcome of outcomes) if (outcome.kind === "accepted") this.#board.noteAccepted(sale.id, outcome.purchase.buyerId);
      if (moved) this.#board.noteCommit(sale.id, { feed: sale.feed, buyers: [] });
    }
    for (const [g, lines] of groups.entries()) {
      const outcomes = result.groups[g]?.outcomes ?? [];
      assert(outcomes.length === lines.length, "a commit answers every line");
      let i = 0;
      for (const outcome of outcomes) this.#settle(lines[i++], outcome);
    }
    if (this.#changes?.hearsPurchases) for (const { outcomes } of result.groups) tellPurchases(this.#changes, outcomes);
  }

  async #failed(lines: readonly Line[], cause: FailCause, uncertain: boolean): Promise<void> {
    if (cause === "bad_line" && lines.length > 1) {
      const middle = Math.ceil(lines.length / 2);
      await this.#commitDefinitely(lines.slice(0, middle), uncertain);
      return this.#commitDefinitely(lines.slice(middle), uncertain);
    }
    // What may have been accepted must not be refused from memory.
    if (uncertain)
      for (const { saleId, movement } of lines) if (movement.kind === "take") this.#board.noteAccepted(saleId, movement.buyerId);
    const answer = uncertain ? unknown : notTried(cause === "bad_line" ? "failed" : cause === "storage_full" ? cause : "busy");
    this.#settleAll(lines, answer);
  }

  #settleAll(lines: readonly Line[], answer: LineAnswer): void {
    for (const line of lines) this.#settle(line, answer);
  }

  /** Ends a line. Its caller may have heard `unknown` before. */
  #settle(line: Line | undefined, answer: LineAnswer): void {
    assert(line !== undefined, "every outcome has its line");
    this.#waiting -= 1;
    this.counts.lines += 1;
    assert(!line.done, "a line ends once");
    line.done = true;
    const pending = this.#pending.get(line.saleId);
    if (pending !== undefined && line.movement.kind === "take") removeOne(pending, line.movement.buyerId);
    line.settle?.(answer);
    line.settle = undefined;
  }

  /**
   * While there is work: callers that wait too long hear `unknown` when in flight, and are let go untried when still
   * queued. It goes by each line's own waiting, for a store that is slow and never stands still keeps them waiting too.
   */
  #watch(lane: Lane): CancelTask {
    const { answerTimeoutMs } = this.#options;
    const look = () => {
      const before = this.#clock.nowMs() - answerTimeoutMs;
      for (const line of lane.inFlight) {
        if (line.queuedAtMs > before) break;
        line.settle?.(unknown);
        line.settle = undefined;
      }
      const fresh = lane.queue.findIndex((line) => line.queuedAtMs > before);
      const stale = fresh < 0 ? lane.queue.splice(0) : lane.queue.splice(0, fresh);
      this.counts.shed += stale.length;
      for (const line of stale) this.#settle(line, notTried("busy"));
      cancel = this.#tasks.after(answerTimeoutMs / looksPerTimeout, look);
    };
    let cancel = this.#tasks.after(answerTimeoutMs / looksPerTimeout, look);
    return () => cancel();
  }

  /** From then on the sale's counts are kept up with its lines. */
  #countPending(saleId: SaleId): Map<number, number> {
    const pending = new Map<number, number>();
    for (const { inFlight, queue } of this.#lanes.values())
      for (const lines of [inFlight, queue])
        for (const { saleId: of, movement, done } of lines)
          if (of === saleId && !done && movement.kind === "take") addOne(pending, movement.buyerId);
    if (this.#pending.size >= countedSalesMax) this.#pending.clear();
    this.#pending.set(saleId, pending);
    return pending;
  }
}

function addOne(pending: Map<number, number>, buyerId: number): void {
  pending.set(buyerId, (pending.get(buyerId) ?? 0) + 1);
}

function removeOne(pending: Map<number, number>, buyerId: number): void {
  const left = (pending.get(buyerId) ?? 0) - 1;
  assert(left >= 0, "a settled take was pending");
  if (left > 0) pending.set(buyerId, left);
  else pending.delete(buyerId);
}

/** Groups lines by sale, keeping arrival order within each; sales cannot see each other, so order across them is free. */
function batchOf(lines: readonly Line[], nowMs: number): { ledgerBatch: LedgerBatch; groups: Line[][] } {
  const bySale = new Map<SaleId, Line[]>();
  for (const line of lines) {
    const group = bySale.get(line.saleId);
    if (group === undefined) bySale.set(line.saleId, [line]);
    else group.push(line);
  }
  const groups: SaleGroup[] = [];
  for (const [saleId, group] of bySale) groups.push({ saleId, movements: group.map((line) => line.movement) });
  const fence = lines[0]?.fence;
  return { ledgerBatch: { nowMs, groups, fence }, groups: [...bySale.values()] };
}
