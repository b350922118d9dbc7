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
import type { Movement } from "../domain/movement.ts";
import type { Acceptance, Answer, SubmitOptions } from "../ports/acceptance.ts";
import type { ChangeSink } from "../ports/changes.ts";
import type { Clock } from "../ports/clock.ts";
import type { Fence } from "../ports/leases.ts";
import type { CommitResult, LedgerBatch, SaleGroup, StockLedger } from "../ports/stock-ledger.ts";
import type { Tasks } from "../ports/tasks.ts";
import { backoffMs } from "../lib/backoff.ts";
import { tellPurchases } from "./change-board.ts";
import { notTried, OpenLines, unknown, type LineAnswer, type OpenLine, type OpenLinesOptions } from "./open-lines.ts";
import type { SaleBoard } from "./sale-board.ts";

export type DirectOptions = OpenLinesOptions & {
  /** Lines in one commit. */
  readonly batchMax: number;
};

type FailCause = Extract<CommitResult, { kind: "failed" }>["cause"];
type Line = OpenLine & { readonly fence: Fence | undefined };
/** Lines whose commits follow one another. */
type DirectLane = { queue: Line[]; inFlight: readonly Line[]; scheduled: boolean };

export class DirectAcceptance implements Acceptance {
  readonly #ledger: StockLedger;
  readonly #board: SaleBoard;
  readonly #clock: Clock;
  readonly #tasks: Tasks;
  readonly #changes: ChangeSink | undefined;
  readonly #options: DirectOptions;
  readonly #lanes = new Map<string, DirectLane>();
  readonly #lines: OpenLines;
  #closed = false;
  /** Commits and lines so far, for the metrics. */
  readonly #counts = { commits: 0, retries: 0 };

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
    this.#lines = new OpenLines({ ...deps, lanes: () => this.#lanes.values() }, options);
  }

  get counts(): Readonly<Record<"commits" | "retries" | "lines" | "shed", number>> {
    return { ...this.#counts, ...this.#lines.counts };
  }

  get waiting(): number {
    return this.#lines.waiting;
  }

  isPending(saleId: SaleId, buyerId: number): boolean {
    return this.#lines.isPending(saleId, buyerId);
  }

  submit<M extends Movement>(saleId: SaleId, movements: readonly M[], { fence }: SubmitOptions = {}): Promise<readonly Answer<M>[]> {
    const obstacle = this.#lines.obstacle(movements);
    if (obstacle !== undefined) return Promise.resolve(movements.map(() => notTried(obstacle)));
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

  /** Refuses new work and resolves when everything queued has its answer. */
  drain(): Promise<void> {
    return this.#lines.drain();
  }

  /** After a drain that did not come to its end: a commit that stays unknown is not tried again, for the store goes away. */
  close(): void {
    this.#closed = true;
  }

  #enqueue(ask: Pick<Line, "saleId" | "fence" | "movement">, settle: (answer: LineAnswer) => void): void {
    const lane = this.#lane(ask);
    lane.queue.push(this.#lines.open(ask, settle));
    this.#schedule(lane);
  }

  /** What a fence stops must not stop others, so it has lanes of its own. */
  #lane({ saleId, fence }: Pick<Line, "saleId" | "fence">): DirectLane {
    const name = `${this.#ledger.batchesAcrossSales ? "" : saleId} ${fence?.lease ?? ""}`;
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = { queue: [], inFlight: [], scheduled: false };
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #schedule(lane: DirectLane): void {
    if (lane.scheduled) return;
    lane.scheduled = true;
    this.#tasks.soon(() => void this.#run(lane));
  }

  async #run(lane: DirectLane): Promise<void> {
    const stopWatch = this.#lines.watch(lane);
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
      this.#counts.commits += 1;
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
      if (this.#closed) return this.#lines.settleAll(lines, unknown);
      this.#counts.retries += 1;
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
      for (const outcome of outcomes) this.#lines.settle(lines[i++], outcome);
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
    this.#lines.settleAll(lines, answer);
  }
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
