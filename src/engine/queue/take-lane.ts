/**
 * The takes of one sale on their way through the cache and the broker.
 *
 *   add ─► (one turn of the event loop) ─► cache.reserve ─► refused: answer, and a mark answers those that wait
 *                                     └─► accepted: broker ─► confirmed: 202, or wait for the order: 201
 *
 * Must stay true: a line whose call got no answer is called again with the same id, and then ends accepted or unknown,
 * never refused, for the first call may have run or run yet; 202 is said of lines that the broker has confirmed while this
 * process counted as alive without a break since before the cache was asked; the book hears of a line's end after its confirm.
 */
import { refusalToAll } from "../../domain/availability.ts";
import type { PurchaseId } from "../../domain/ids.ts";
import type { Take } from "../../domain/movement.ts";
import type { Sale } from "../../domain/sale.ts";
import type { Scope } from "../../domain/scope.ts";
import { assert, unreachable } from "../../lib/assert.ts";
import { backoffMs } from "../../lib/backoff.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Presence } from "../../ports/presence.ts";
import type { OutboxEntry, ReserveReply, StockCache } from "../../ports/stock-cache.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import type { CancelTask, Tasks } from "../../ports/tasks.ts";
import { notTried, unknown, type Lane, type LineAnswer, type OpenLine, type OpenLines } from "../open-lines.ts";
import { cachedSale, type CacheMarks } from "./cache-marks.ts";
import type { Carrier } from "./carrier.ts";
import type { LedgerAnswers } from "./ledger-answers.ts";
import type { OrderWatch } from "./order-watch.ts";
import type { ScopeBook } from "./scope-book.ts";
import { fatesOf, type Kept, type Queued, type TakenLine } from "./take-fates.ts";

export type TakeLine = OpenLine & { readonly movement: Take; readonly wait: boolean };

export type TakeLaneDeps = {
  readonly lines: OpenLines;
  readonly book: ScopeBook;
  readonly cache: Pick<StockCache, "reserve">;
  readonly carrier: Carrier;
  readonly orders: OrderWatch;
  readonly marks: CacheMarks;
  readonly ledgerAnswers: LedgerAnswers;
  readonly presence: Presence;
  readonly clock: Clock;
  readonly tasks: Tasks;
  /** Called when the cache tells how long its outbox is. */
  readonly noteOutbox: (entries: number) => void;
};

export type TakeLaneOptions = { readonly batchMax: number; readonly answerTimeoutMs: number };

/** Calls of one sale that may be on their way at once: the next need not wait for the disk of the one before. */
const callsMax = 2;
/** While the cache refuses everybody: what one call hears is said to all who came meanwhile. */
const probesMax = 1;

type Asked = {
  readonly scope: Scope;
  readonly sale: Sale;
  /** The presence during which it was sent. */
  readonly during: number | undefined;
  readonly sentAtMs: number;
};

export class TakeLane implements Lane<TakeLine> {
  readonly #sale: Sale;
  readonly #deps: TakeLaneDeps;
  readonly #options: TakeLaneOptions;
  queue: TakeLine[] = [];
  readonly inFlight = new Set<TakeLine>();
  #calls = 0;
  #isScheduled = false;
  /** The cache refused everybody when it answered last. */
  #isRefusing = false;
  #stopWatch: CancelTask | undefined;
  #isClosed = false;

  /** `sale`: for what never changes of it. */
  constructor(sale: Sale, deps: TakeLaneDeps, options: TakeLaneOptions) {
    this.#sale = sale;
    this.#deps = deps;
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.queue.length === 0 && this.inFlight.size === 0 && this.#calls === 0;
  }

  add(line: TakeLine): void {
    this.queue.push(line);
    this.#stopWatch ??= this.#deps.lines.watch(this);
    this.#schedule();
  }

  /** After a drain: calls that stay unknown are not tried again. */
  close(): void {
    this.#isClosed = true;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#calls >= (this.#isRefusing ? probesMax : callsMax)) return;
    this.#isScheduled = true;
    this.#deps.tasks.soon(() => {
      this.#isScheduled = false;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    const lines = this.queue.splice(0, this.#options.batchMax);
    if (lines.length > 0) {
      this.#calls += 1;
      for (const line of lines) this.inFlight.add(line);
      await this.#decide(lines);
      this.#calls -= 1;
      if (this.#isRefusing) this.#refuseFromMark();
    }
    if (this.queue.length > 0) this.#schedule();
    else this.#rest();
  }

  /** Who came while a call was out is told what it heard, as anybody would be who came now. */
  #refuseFromMark(): void {
    const { marks, lines, clock } = this.#deps;
    const saleId = this.#sale.id;
    const nowMs = clock.nowMs();
    const left: TakeLine[] = [];
    for (const line of this.queue) {
      const { buyerId } = line.movement;
      const refusal = marks.refusal(saleId, { buyerId, pending: () => lines.hasOther({ saleId, buyerId }), nowMs });
      if (refusal === undefined) left.push(line);
      else lines.settle(line, { kind: "refused", refusal });
    }
    this.queue = left;
  }

  #rest(): void {
    if (!this.isIdle) return;
    this.#stopWatch?.();
    this.#stopWatch = undefined;
  }

  #settle(line: TakeLine, answer: LineAnswer): void {
    this.inFlight.delete(line);
    this.#deps.lines.settle(line, answer);
    this.#rest();
  }

  #settleAll(lines: readonly TakeLine[], answer: LineAnswer): void {
    for (const line of lines) this.#settle(line, answer);
  }

  async #decide(lines: readonly TakeLine[]): Promise<void> {
    const { book, clock, presence, ledgerAnswers } = this.#deps;
    const { scopeId } = this.#sale;
    assert(scopeId !== undefined, "the cache decides sales that have a scope");
    try {
      const standing = await book.look(scopeId);
      // Between the look and the begin nothing may come: a closing would be answered ahead of these lines.
      if (standing.kind === "open") {
        const asked = { scope: standing.scope, sale: this.#sale, during: presence.unbroken, sentAtMs: clock.nowMs() };
        book.begin(asked.scope, lines.length);
        return await this.#ask(asked, lines);
      }
      if (standing.kind === "rebuilding") return this.#settleAll(lines, notTried("rebuilding"));
      const answers = await ledgerAnswers.afterwards(this.#sale.id, lines);
      lines.forEach((line, index) => this.#settle(line, answers[index] ?? unknown));
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      this.#settleAll(lines, notTried("busy"));
    }
  }

  async #ask(asked: Asked, lines: readonly TakeLine[]): Promise<void> {
    const { scope, sale } = asked;
    const ask = { scopeId: scope.id, epoch: scope.epoch, saleId: sale.id, lines: lines.map(({ movement }) => movement) };
    let isUncertain = false;
    for (let attempt = 0; ; attempt++) {
      const answer = await this.#deps.cache.reserve(ask);
      switch (answer.kind) {
        case "ok":
          return this.#decided(asked, { lines, reply: answer.value, isUncertain });
        case "closed":
          this.#deps.book.lost(scope);
          return this.#untaken(asked, lines, isUncertain ? unknown : notTried("rebuilding"));
        case "absent":
          return this.#absent(asked, lines, isUncertain);
        case "failed":
          if (!isUncertain) return this.#untaken(asked, lines, notTried("busy"));
          break;
        case "unknown":
          isUncertain = true;
          break;
        default:
          return unreachable(answer);
      }
      if (this.#isClosed) return this.#untaken(asked, lines, unknown);
      await this.#deps.tasks.sleep(backoffMs(attempt, { baseMs: 20, ceilingMs: 500 }));
    }
  }

  /** The sale was over when the cache was loaded, or it was published since and the cache must be loaded again. */
  async #absent({ scope }: Asked, lines: readonly TakeLine[], isUncertain: boolean): Promise<void> {
    this.#deps.book.end(scope, lines.length);
    if (isUncertain) return this.#settleAll(lines, unknown);
    const answers = await this.#deps.ledgerAnswers.afterwards(this.#sale.id, lines);
    if (answers.some(({ kind }) => kind === "not_tried")) this.#deps.book.lost(scope);
    lines.forEach((line, index) => this.#settle(line, answers[index] ?? unknown));
  }

  #untaken({ scope }: Asked, lines: readonly TakeLine[], answer: LineAnswer): void {
    this.#deps.book.end(scope, lines.length);
    this.#settleAll(lines, answer);
  }

  #decided(asked: Asked, { lines, reply, isUncertain }: { lines: readonly TakeLine[]; reply: ReserveReply; isUncertain: boolean }): void {
    const { marks, noteOutbox, book } = this.#deps;
    const { scope, sale, sentAtMs } = asked;
    assert(reply.outcomes.length === lines.length, "the cache answers every line");
    noteOutbox(reply.outbox);
    const { nowMs: decidedAtMs } = reply.view;
    const cached = cachedSale(sale, reply.view, scope.epoch);
    marks.observe(cached, { sentAtMs, decidedAtMs });
    this.#isRefusing = refusalToAll(cached, decidedAtMs) !== undefined;
    const fates = fatesOf(reply, { lines, sale, isUncertain });
    book.end(scope, fates.filter(({ fate }) => fate.kind !== "taken").length);
    const inLedger: Kept[] = [];
    // Lines of one message have one confirm.
    const carried = new Map<OutboxEntry, TakenLine[]>();
    for (const { line, fate } of fates) {
      if (fate.kind === "answered") {
        this.#settle(line, fate.answer);
        continue;
      }
      marks.noteAccepted(sale.id, line.movement.buyerId);
      if (fate.kind === "in_ledger") {
        inLedger.push({ line, purchaseId: fate.purchaseId, queued: fate.queued });
        continue;
      }
      const others = carried.get(fate.entry);
      if (others === undefined) carried.set(fate.entry, [{ line, fate }]);
      else others.push({ line, fate });
    }
    for (const [entry, taken] of carried) void this.#carry(asked, entry, taken);
    if (inLedger.length > 0) void this.#answerFromLedger(asked, inLedger);
  }

  async #carry(asked: Asked, entry: OutboxEntry, taken: readonly TakenLine[]): Promise<void> {
    const { carrier, book } = this.#deps;
    const isConfirmed = await carrier.carry(asked.scope, entry);
    book.end(asked.scope, taken.length);
    // Whoever was taken for dead is not waited for: what it published may come too late for the cut.
    const isDurable = isConfirmed && this.#isUnbroken(asked);
    const again: Kept[] = [];
    for (const { line, fate } of taken) {
      const { purchase, replayed } = fate;
      const queued: Queued = { kind: "queued", purchase, replayed };
      if (!isDurable) this.#settle(line, unknown);
      else if (replayed) again.push({ line, purchaseId: purchase.id, queued });
      else void this.#answerFromOrder(line, queued);
    }
    if (again.length > 0) await this.#answerFromLedger(asked, again);
  }

  #isUnbroken({ during }: Asked): boolean {
    return during !== undefined && this.#deps.presence.unbroken === during;
  }

  /** Of a confirmed line. Whoever waits so long that it is to be known by then hears that it is queued. */
  async #answerFromOrder(line: TakeLine, queued: Queued): Promise<void> {
    const { orders, ledgerAnswers } = this.#deps;
    line.late = queued;
    if (!line.wait) return this.#settle(line, queued);
    const order = await orders.wait(queued.purchase.id, line.queuedAtMs + this.#options.answerTimeoutMs);
    this.#settle(line, order === undefined ? queued : await ledgerAnswers.settled(order, queued.replayed));
  }

  /**
   * Repeats hear what the ledger says, if it says anything: who was told of an order does not hear afterwards that it is
   * queued. So where it cannot be read, they hear nothing definite.
   */
  async #answerFromLedger(asked: Asked, kept: readonly Kept[]): Promise<void> {
    const { ledgerAnswers } = this.#deps;
    let known: ReadonlyMap<PurchaseId, LineAnswer>;
    try {
      known = await ledgerAnswers.repeated(new Set(kept.map(({ purchaseId }) => purchaseId)));
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      return kept.forEach(({ line }) => this.#settle(line, unknown));
    }
    for (const { line, purchaseId, queued } of kept) {
      // A call that was made again is no repeat of its caller's.
      const answer = queued?.replayed === false ? undefined : known.get(purchaseId);
      if (answer !== undefined && answer.kind !== "queued") this.#settle(line, answer);
      else if (queued === undefined) this.#settle(line, answer ?? (await ledgerAnswers.aside(purchaseId, asked.sale)));
      else if (this.#isUnbroken(asked)) void this.#answerFromOrder(line, queued);
      else this.#settle(line, unknown);
    }
  }
}
