/**
 * Lines that somebody waits for: how many there are, whose takes are on their way, and what callers hear that have waited
 * too long. Both ways to accept keep theirs here.
 *
 * Must stay true: a caller hears one answer; a line ends once, which may be long after its caller has heard `unknown`.
 */
import type { SaleId } from "../domain/ids.ts";
import type { Movement, MovementOutcome } from "../domain/movement.ts";
import { assert } from "../lib/assert.ts";
import type { NotTried, NotTriedCause, Unknown } from "../ports/acceptance.ts";
import type { Clock } from "../ports/clock.ts";
import type { CancelTask, Tasks } from "../ports/tasks.ts";

export type LineAnswer = MovementOutcome | NotTried | Unknown;
export type OpenLine = {
  readonly saleId: SaleId;
  readonly movement: Movement;
  readonly queuedAtMs: number;
  settle: ((answer: LineAnswer) => void) | undefined;
  /** What its caller hears who has waited too long while it is in flight. */
  late: LineAnswer;
  /** Its outcome is definite. */
  done: boolean;
};
/** Lines that follow one another, in the order in which they came. */
export type Lane<Line extends OpenLine = OpenLine> = { queue: Line[]; readonly inFlight: Iterable<Line> };

export const unknown: Unknown = { kind: "unknown" };
export const notTried = (cause: NotTriedCause): NotTried => ({ kind: "not_tried", cause });

/**
 * Room beyond `queueMax` for what ends orders, carries money or turns switches: a storm of buyers must not keep holds
 * from expiring. It holds a sweep of `releasesMax` besides callbacks.
 */
export const otherLinesMax = 1_000;

/** Sales whose pending takes are counted; beyond it all are forgotten, and counted again when asked about. */
const countedSalesMax = 10_000;

/** A caller hears at most this part of the answer timeout late. */
export const looksPerTimeout = 4;

export type OpenLinesOptions = {
  /** Lines waiting for an answer; beyond it no take is tried, and beyond `otherLinesMax` more nothing is. */
  readonly queueMax: number;
  /** After this long a caller hears `unknown` (in flight) or `not_tried` (still queued). */
  readonly answerTimeoutMs: number;
};

export class OpenLines {
  readonly #clock: Clock;
  readonly #tasks: Tasks;
  readonly #lanes: () => Iterable<Lane>;
  readonly #options: OpenLinesOptions;
  /**
   * How many takes of a buyer are queued or in flight, for the sales somebody asked about: while a sale has units nobody
   * asks, and that is when it must be fast.
   */
  readonly #pending = new Map<SaleId, Map<number, number>>();
  #waiting = 0;
  #draining = false;
  readonly counts = { lines: 0, shed: 0 };

  constructor(deps: { clock: Clock; tasks: Tasks; lanes: () => Iterable<Lane> }, options: OpenLinesOptions) {
    this.#clock = deps.clock;
    this.#tasks = deps.tasks;
    this.#lanes = deps.lanes;
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Why these are not to be tried, if they are not; they count as shed then. */
  obstacle(movements: readonly Movement[]): NotTriedCause | undefined {
    const cause = this.#draining ? "draining" : this.#hasRoom(movements) ? undefined : "busy";
    if (cause !== undefined) this.counts.shed += movements.length;
    return cause;
  }

  #hasRoom(movements: readonly Movement[]): boolean {
    const { queueMax } = this.#options;
    if (this.#waiting + movements.length <= queueMax) return true;
    return this.#waiting + movements.length <= queueMax + otherLinesMax && movements.every(({ kind }) => kind !== "take");
  }

  /** Refuses new work and resolves when everything open has its answer. */
  async drain(): Promise<void> {
    this.#draining = true;
    while (this.#waiting > 0) await this.#tasks.sleep(5);
  }

  /** A line that is open from now on, for whoever keeps it in a lane. */
  open<More extends object>(
    ask: Pick<OpenLine, "saleId" | "movement"> & More,
    settle: (answer: LineAnswer) => void,
  ): Pick<OpenLine, "saleId" | "movement"> & More & OpenLine {
    const { saleId, movement } = ask;
    this.#waiting += 1;
    const pending = this.#pending.get(saleId);
    if (pending !== undefined && movement.kind === "take") addOne(pending, movement.buyerId);
    return { ...ask, queuedAtMs: this.#clock.nowMs(), settle, late: unknown, done: false };
  }

  settleAll(lines: readonly OpenLine[], answer: LineAnswer): void {
    for (const line of lines) this.settle(line, answer);
  }

  /** Ends a line. Its caller may have heard `unknown` before. */
  settle(line: OpenLine | undefined, answer: LineAnswer): void {
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
   * While there is work: callers that wait too long hear `late` when in flight, and are let go untried when still queued.
   * It goes by each line's own waiting, for a store that is slow and never stands still keeps them waiting too.
   */
  watch(lane: Lane): CancelTask {
    const { answerTimeoutMs } = this.#options;
    const look = () => {
      const before = this.#clock.nowMs() - answerTimeoutMs;
      for (const line of lane.inFlight) {
        if (line.queuedAtMs > before) break;
        line.settle?.(line.late);
        line.settle = undefined;
      }
      const fresh = lane.queue.findIndex((line) => line.queuedAtMs > before);
      const stale = fresh < 0 ? lane.queue.splice(0) : lane.queue.splice(0, fresh);
      this.counts.shed += stale.length;
      for (const line of stale) this.settle(line, notTried("busy"));
      cancel = this.#tasks.after(answerTimeoutMs / looksPerTimeout, look);
    };
    let cancel = this.#tasks.after(answerTimeoutMs / looksPerTimeout, look);
    return () => cancel();
  }

  isPending(saleId: SaleId, buyerId: number): boolean {
    return (this.#pending.get(saleId) ?? this.#countPending(saleId)).has(buyerId);
  }

  /** Whether another take of an open line's buyer is queued or in flight. */
  hasOther({ saleId, buyerId }: { saleId: SaleId; buyerId: number }): boolean {
    return ((this.#pending.get(saleId) ?? this.#countPending(saleId)).get(buyerId) ?? 0) > 1;
  }

  /** From then on the sale's counts are kept up with its lines. */
  #countPending(saleId: SaleId): Map<number, number> {
    const pending = new Map<number, number>();
    for (const { inFlight, queue } of this.#lanes())
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
