/**
 * Settles what a partition of the broker brings: lines become orders, end marks are noted, and both are acknowledged after
 * the commit.
 *
 *   deliveries ─► runs of one sale ─► ledger.commit ─► settled, parked: acknowledge
 *                                                 └─► readmit: ask the cache that stands ─► publish anew ─► acknowledge
 *
 * Must stay true: a delivery is acknowledged when every line in it is settled, parked, published anew, or buried, and a
 * mark when it is noted; a mark is noted after everything that was delivered before it; a line that fails stops nobody for
 * long: after `triesMax` it is put aside for somebody to look at.
 */
import { decodeMessage, type LinesMessage } from "../../domain/journal-message.ts";
import type { Admit, MovementOutcome } from "../../domain/movement.ts";
import { assert, unreachable } from "../../lib/assert.ts";
import { backoffMs } from "../../lib/backoff.ts";
import { fingerprint } from "../../lib/fingerprint.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Delivery } from "../../ports/journal.ts";
import type { Log } from "../../ports/log.ts";
import type { QueueLedger } from "../../ports/queue-ledger.ts";
import type { StockLedger } from "../../ports/stock-ledger.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import type { StopSignal, Tasks } from "../../ports/tasks.ts";
import type { LineInHand, Readmission } from "./readmit-lines.ts";

export type SettleLinesDeps = {
  readonly stockLedger: StockLedger;
  readonly ledger: QueueLedger;
  readonly readmission: Readmission;
  readonly clock: Clock;
  readonly tasks: Tasks;
  readonly log: Log;
  readonly signal: StopSignal;
};

/** Lines in one commit. */
export const settleBatchMax = 1_000;
/** A line is tried so often, each time alone, before it is put aside. */
export const triesMax = 5;
/** Of a fault that lasts, one try in so many is told: twice a minute or so. */
const toldEvery = 30;
/** How long a message that a later version wrote is left before it is looked at again. */
const newerPauseMs = 5_000;

/** Resolves with what is left to be asked of the cache. */
type Settled = { readonly readmit: readonly LineInHand[] };

export class Stopped extends Error {
  override readonly name = "Stopped";
}

export class LineSettler {
  readonly #deps: SettleLinesDeps;
  readonly counts = { lines: 0, commits: 0, repeats: 0, parked: 0, refused: 0, buried: 0, failures: 0 };

  constructor(deps: SettleLinesDeps) {
    this.#deps = deps;
  }

  /** Deals with deliveries in their order; ends early, with the rest not acknowledged, when it is told to stop. */
  async handle(deliveries: readonly Delivery[]): Promise<void> {
    try {
      for (let at = 0; at < deliveries.length;) at = await this.#next(deliveries, at);
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
  }

  /** Where the next run begins. */
  async #next(deliveries: readonly Delivery[], at: number): Promise<number> {
    const first = deliveries[at];
    assert(first !== undefined, "there is a delivery to deal with");
    const decoded = decodeMessage(first.text);
    if (decoded.kind !== "message") {
      await this.#unreadable(first, decoded);
      return at + 1;
    }
    if (decoded.message.kind === "mark") {
      const { message: mark } = decoded;
      await this.#untilDone(() => this.#deps.ledger.noteMark(mark));
      first.acknowledge();
      return at + 1;
    }
    const items = itemsOf(decoded.message);
    let end = at + 1;
    for (; end < deliveries.length && items.length < settleBatchMax; end++) {
      const more = decodeMessage(deliveries[end]?.text ?? "");
      if (more.kind !== "message" || more.message.kind !== "lines" || more.message.saleId !== decoded.message.saleId) break;
      items.push(...itemsOf(more.message));
    }
    await this.#settleAll(items);
    for (const delivery of deliveries.slice(at, end)) delivery.acknowledge();
    return end;
  }

  async #settleAll(items: readonly LineInHand[]): Promise<void> {
    let left = items;
    for (let attempt = 0; left.length > 0; attempt++) {
      if (attempt > 0) await this.#pause(attempt - 1);
      const { readmit } = await this.#settle(left);
      if (readmit.length === 0) return;
      const { again, failed } = await this.#untilDone(() => this.#deps.readmission.ask(readmit));
      const tried: LineInHand[] = [];
      for (const { item, problem } of failed) tried.push(...(await this.#failed(item, problem)).readmit);
      left = [...again, ...tried];
    }
  }

  async #settle(items: readonly LineInHand[]): Promise<Settled> {
    const [first] = items;
    assert(first !== undefined, "there are lines to settle");
    const movements = items.map(({ line, epoch }): Admit => ({ kind: "admit", line, epoch }));
    for (let attempt = 0; ; attempt++) {
      // The time to pay begins when there is an order, however long the database was away.
      const nowMs = Math.floor(this.#deps.clock.nowMs());
      const result = await this.#deps.stockLedger.commit({ nowMs, groups: [{ saleId: first.saleId, movements }] });
      this.counts.commits += 1;
      if (result.kind === "committed") return this.#settled(items, result.groups[0]?.outcomes ?? []);
      if (result.kind === "failed" && result.cause === "bad_line") return this.#split(items, result.message);
      this.counts.failures += 1;
      this.#tellOf(attempt, result.kind === "failed" ? result.cause : result.kind, result.message);
      await this.#pause(attempt);
    }
  }

  /** Nothing is lost by it, but nobody gets an order meanwhile. */
  #tellOf(attempt: number, cause: string, problem: string): void {
    if (attempt % toldEvery === 0) this.#deps.log.warn("the database settles nothing: it is tried again until it does", { cause, problem });
  }

  async #settled(items: readonly LineInHand[], outcomes: readonly MovementOutcome[]): Promise<Settled> {
    const readmit: LineInHand[] = [];
    for (const [index, item] of items.entries()) {
      const outcome = outcomes[index];
      assert(outcome !== undefined, "a commit answers every line");
      this.counts.lines += 1;
      switch (outcome.kind) {
        case "readmit":
          readmit.push(item);
          break;
        case "parked":
          this.counts.parked += 1;
          break;
        case "admitted":
          if (outcome.repeated) this.counts.repeats += 1;
          else if (outcome.purchase.state === "refused") this.#refused(item, outcome.purchase.refusedFor);
          break;
        default:
          // A sale that is not there has no lines: its scope came with its publishing.
          await this.#bury(item, "The line names a sale that does not exist");
      }
    }
    return { readmit };
  }

  #refused({ saleId, epoch }: LineInHand, reason: string | undefined): void {
    this.counts.refused += 1;
    this.#deps.log.warn("an accepted purchase was refused", { sale_id: saleId, epoch, reason });
  }

  /** One of these makes the commit fail, which is a bug of ours: it is found and put aside, and its neighbours pass. */
  async #split(items: readonly LineInHand[], problem: string): Promise<Settled> {
    const [only] = items;
    if (only !== undefined && items.length === 1) return this.#failed(only, problem);
    const middle = Math.ceil(items.length / 2);
    const first = await this.#settle(items.slice(0, middle));
    const second = await this.#settle(items.slice(middle));
    return { readmit: [...first.readmit, ...second.readmit] };
  }

  async #failed(item: LineInHand, problem: string): Promise<Settled> {
    const { ledger, clock } = this.#deps;
    const atMs = Math.floor(clock.nowMs());
    const tries = await this.#untilDone(() => ledger.noteFailedLine({ ...item, problem, nowMs: atMs }));
    if (tries < triesMax) {
      await this.#pause(tries);
      return this.#settle([item]);
    }
    await this.#bury(item, problem);
    return { readmit: [] };
  }

  async #bury(item: LineInHand, problem: string): Promise<void> {
    const { ledger, clock, log } = this.#deps;
    const { line, saleId } = item;
    const atMs = Math.floor(clock.nowMs());
    await this.#untilDone(() => ledger.bury({ kind: "line", id: line.purchaseId, problem, atMs, ...item }));
    this.counts.buried += 1;
    log.error("a purchase cannot be settled and was put aside", { sale_id: saleId, purchase_id: line.purchaseId, problem });
  }

  async #unreadable(delivery: Delivery, decoded: Exclude<ReturnType<typeof decodeMessage>, { kind: "message" }>): Promise<void> {
    const { ledger, tasks, log, clock, signal } = this.#deps;
    switch (decoded.kind) {
      case "newer":
        log.error("a message is of a later version than this program reads: update it", { version: decoded.version });
        await tasks.sleep(newerPauseMs, signal);
        throw new Stopped("left for a later version");
      case "damaged": {
        const { problem } = decoded;
        const atMs = Math.floor(clock.nowMs());
        const letter = { kind: "message", id: `message-${fingerprint(delivery.text)}`, problem, atMs, text: delivery.text } as const;
        await this.#untilDone(() => ledger.bury(letter));
        this.counts.buried += 1;
        log.error("a message cannot be read and was put aside", { problem });
        return delivery.acknowledge();
      }
      default:
        return unreachable(decoded);
    }
  }

  async #untilDone<Value>(run: () => Promise<Value>): Promise<Value> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await run();
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        this.counts.failures += 1;
        this.#tellOf(attempt, error.code, error.message);
        await this.#pause(attempt);
      }
    }
  }

  async #pause(attempt: number): Promise<void> {
    const { tasks, signal } = this.#deps;
    if (signal.aborted) throw new Stopped("told to stop");
    await tasks.sleep(backoffMs(attempt, { baseMs: 20, ceilingMs: 1_000 }), signal);
    if (signal.aborted) throw new Stopped("told to stop");
  }
}

const itemsOf = ({ saleId, scopeId, epoch, lines }: LinesMessage): LineInHand[] => lines.map((line) => ({ saleId, scopeId, epoch, line }));
