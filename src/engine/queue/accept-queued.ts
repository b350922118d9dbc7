/**
 * Queued acceptance: the cache decides takes, the broker carries them, the ledger settles them. What takes units out of a
 * sale in another way waits for the next cut; everything else the ledger decides by itself, and its feed tells the cache.
 *
 *   take ─► lane of its sale ─► cache ─► broker ─► 202 ─► (ledger) ─► 201
 *   fewer units, settling ─► at the next cut
 *   all others ─► DirectAcceptance
 */
import type { SaleId } from "../../domain/ids.ts";
import { unitsAside } from "../../domain/lines-aside.ts";
import { statusOf } from "../../domain/sale.ts";
import type { Adjust, Movement, Settle, Take } from "../../domain/movement.ts";
import type { Acceptance, Answer, SubmitOptions } from "../../ports/acceptance.ts";
import type { Journal } from "../../ports/journal.ts";
import type { QueueLedger } from "../../ports/queue-ledger.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import type { DirectAcceptance } from "../accept-direct.ts";
import { notTried, OpenLines, unknown, type LineAnswer } from "../open-lines.ts";
import type { SaleBoard } from "../sale-board.ts";
import { TakeLane, type TakeLaneDeps, type TakeLine } from "./take-lane.ts";

export type QueuedOptions = {
  /** Lines in one call of the cache, and so in one message. */
  readonly batchMax: number;
  readonly queueMax: number;
  readonly answerTimeoutMs: number;
  /** Messages that were not confirmed; with so many of them nothing more is accepted. */
  readonly outboxMax: number;
};

export type QueuedDeps = Omit<TakeLaneDeps, "lines" | "noteOutbox"> & {
  readonly direct: DirectAcceptance;
  readonly journal: Pick<Journal, "isOpen">;
  readonly ledger: Pick<QueueLedger, "askAtCut" | "outcomeAtCut" | "linesAside">;
  /** Copies of sales out of the ledger. */
  readonly board: Pick<SaleBoard, "load" | "loadFresh">;
};

const lanesMax = 10_000;
/** After the cache has told of a full outbox nothing is asked of it for so long. */
const fullOutboxMs = 250;
const lookAtCutMs = 100;
const lookAtOpeningMs = 50;

const isPublish = (movement: Movement): boolean => movement.kind === "switch" && movement.change.kind === "publish";

export class QueuedAcceptance implements Acceptance {
  readonly #deps: QueuedDeps;
  readonly #options: QueuedOptions;
  readonly #lines: OpenLines;
  readonly #lanes = new Map<SaleId, TakeLane>();
  #fullUntilMs = 0;
  #isClosed = false;

  constructor(deps: QueuedDeps, options: QueuedOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#lines = new OpenLines({ ...deps, lanes: () => this.#lanes.values() }, options);
  }

  get waiting(): number {
    return this.#lines.waiting + this.#deps.direct.waiting;
  }

  get counts(): Readonly<Record<"commits" | "retries" | "lines" | "shed", number>> {
    const { commits, retries, lines, shed } = this.#deps.direct.counts;
    return { commits, retries, lines: lines + this.#lines.counts.lines, shed: shed + this.#lines.counts.shed };
  }

  isPending(saleId: SaleId, buyerId: number): boolean {
    return this.#lines.isPending(saleId, buyerId);
  }

  submit<M extends Movement>(saleId: SaleId, movements: readonly M[], options: SubmitOptions = {}): Promise<readonly Answer<M>[]> {
    if (movements.every(({ kind }) => kind !== "take" && kind !== "adjust" && kind !== "settle")) {
      const answers = this.#deps.direct.submit(saleId, movements, options);
      return movements.some(isPublish) ? answers.then((given) => this.#prewarmed(given)) : answers;
    }
    // Each way answers a movement with its own kind's outcome.
    const submitOne = (movement: M) => this.#submitOne(saleId, movement, options) as Promise<Answer<M>>;
    const [first] = movements;
    // Nearly always it is one, and each promise on its way costs.
    if (movements.length === 1 && first !== undefined) return submitOne(first).then((answer) => [answer]);
    return Promise.all(movements.map(submitOne));
  }

  #submitOne(saleId: SaleId, movement: Movement, options: SubmitOptions): Promise<LineAnswer> {
    if (movement.kind === "take") return this.#take(saleId, movement, options);
    if (movement.kind === "settle" || (movement.kind === "adjust" && movement.units < 0))
      return this.#atCut(saleId, movement, options).catch(unavailable);
    return this.#direct(saleId, movement, options);
  }

  async #direct(saleId: SaleId, movement: Movement, options: SubmitOptions): Promise<LineAnswer> {
    const [answer] = await this.#deps.direct.submit(saleId, [movement], options);
    return answer ?? unknown;
  }

  #take(saleId: SaleId, take: Take, { wait = true }: SubmitOptions): Promise<LineAnswer> {
    const obstacle = this.#lines.obstacle([take]) ?? (this.#mayAsk() ? undefined : "busy");
    if (obstacle !== undefined) return Promise.resolve(notTried(obstacle));
    const lane = this.#lanes.get(saleId);
    return lane === undefined ? this.#takeInNew(saleId, take, wait) : this.#takeIn(lane, { saleId, movement: take, wait });
  }

  async #takeInNew(saleId: SaleId, take: Take, wait: boolean): Promise<LineAnswer> {
    const lane = await this.#newLane(saleId).catch(unavailable);
    return "kind" in lane ? lane : this.#takeIn(lane, { saleId, movement: take, wait });
  }

  #takeIn(lane: TakeLane, ask: Pick<TakeLine, "saleId" | "movement" | "wait">): Promise<LineAnswer> {
    return new Promise((settle) => lane.add(this.#lines.open(ask, settle)));
  }

  /** What the broker does not take now must not be accepted. */
  #mayAsk(): boolean {
    const { journal, carrier, clock } = this.#deps;
    return journal.isOpen && carrier.carried < this.#options.outboxMax && clock.nowMs() >= this.#fullUntilMs;
  }

  #noteOutbox(entries: number): void {
    if (entries >= this.#options.outboxMax) this.#fullUntilMs = this.#deps.clock.nowMs() + fullOutboxMs;
  }

  async #newLane(saleId: SaleId): Promise<TakeLane | LineAnswer> {
    const { board } = this.#deps;
    let view = await board.load(saleId);
    // It may have been published elsewhere since.
    if (view !== undefined && view.sale.scopeId === undefined) view = await board.loadFresh(saleId);
    if (view === undefined) return { kind: "sale_unknown" };
    // What is not published is nobody's business; of what never will be that is said, as where no cache decides.
    if (view.sale.scopeId === undefined)
      return { kind: "refused", refusal: { reason: view.sale.phase === "cancelled" ? "sale_cancelled" : "sale_unknown" } };
    const known = this.#lanes.get(saleId);
    if (known !== undefined) return known;
    const deps = { ...this.#deps, lines: this.#lines, noteOutbox: (entries: number) => this.#noteOutbox(entries) };
    const lane = new TakeLane(view.sale, deps, this.#options);
    if (this.#lanes.size >= lanesMax) for (const [id, other] of this.#lanes) if (other.isIdle) this.#lanes.delete(id);
    this.#lanes.set(saleId, lane);
    return lane;
  }

  /** Who publishes hears of it when the cache has the sale, or when that takes too long: it is being loaded then. */
  async #prewarmed<M extends Movement>(answers: readonly Answer<M>[]): Promise<readonly Answer<M>[]> {
    const { book, clock, tasks } = this.#deps;
    const published = answers.find((answer) => answer.kind === "switched");
    const scopeId = published?.kind === "switched" ? published.sale.scopeId : undefined;
    const untilMs = clock.nowMs() + this.#options.answerTimeoutMs / 2;
    while (scopeId !== undefined && !this.#isClosed && clock.nowMs() < untilMs) {
      await book.refresh().catch(unavailable);
      if (book.peek(scopeId)?.kind !== "rebuilding") break;
      await tasks.sleep(lookAtOpeningMs);
    }
    return answers;
  }

  /** It is done at the next cut, which is brought about. A repeat with the same id, here or later, hears of the same outcome. */
  async #atCut(saleId: SaleId, movement: Adjust | Settle, options: SubmitOptions): Promise<LineAnswer> {
    const { ledger, board, clock, tasks } = this.#deps;
    // As it was before it was published elsewhere it has no scope: what is done to it then would not wait for its lines.
    const view = await board.load(saleId);
    const sale = (view?.sale.scopeId === undefined ? await board.loadFresh(saleId) : view)?.sale;
    const scopeId = sale?.scopeId;
    if (sale === undefined || scopeId === undefined) return this.#direct(saleId, movement, options);
    const before = await ledger.outcomeAtCut(movement.adjustmentId);
    // It was done, and the ledger knows it by its id.
    if (before?.kind === "adjusted" || before?.kind === "settled") return this.#direct(saleId, movement, options);
    if (movement.kind === "settle" && sale.phase !== "cancelled") {
      // The cut would say so, too: it is spared, for this goes on until somebody has dealt with them.
      const held = unitsAside(await ledger.linesAside(scopeId), saleId);
      if (held > 0) return { kind: "not_over", status: statusOf(sale, clock.nowMs()), held: sale.balances.held + held };
    }
    const untilMs = clock.nowMs() + this.#options.answerTimeoutMs;
    const id = await ledger.askAtCut({ id: movement.adjustmentId, scopeId, saleId, movement });
    for (;;) {
      const outcome = await ledger.outcomeAtCut(id);
      if (outcome !== undefined) return outcome;
      if (this.#isClosed || clock.nowMs() >= untilMs) return unknown;
      await tasks.sleep(lookAtCutMs);
    }
  }

  /** Refuses new work and resolves when everything open has its answer. */
  async drain(): Promise<void> {
    await Promise.all([this.#lines.drain(), this.#deps.direct.drain()]);
  }

  /** After a drain that did not come to its end: what is unknown is not tried again. */
  close(): void {
    this.#isClosed = true;
    for (const lane of this.#lanes.values()) lane.close();
    this.#deps.carrier.close();
    this.#deps.book.close();
    this.#deps.direct.close();
  }
}

function unavailable(error: unknown): LineAnswer {
  if (!(error instanceof StoreUnavailable)) throw error;
  return error.code === "unknown" ? unknown : notTried("busy");
}
