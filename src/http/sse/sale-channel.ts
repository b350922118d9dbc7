/**
 * A sale's live stock: one state, told to everybody in the same bytes, at most twice a second. Whatever happens in
 * between, the last state is told.
 *
 *   change ─┐                      ┌─ at once, if the last frame is old enough
 *   clock  ─┴► is it another state? ┤
 *                                  └─ at the end of the half second, with what is true then
 *
 * Must stay true: a member never hears an older state after a newer one, and none misses the last.
 */
import type { Sale } from "../../domain/sale.ts";
import type { Changes, StopWatching } from "../../ports/changes.ts";
import type { Clock } from "../../ports/clock.ts";
import type { CancelTask, Tasks } from "../../ports/tasks.ts";
import type { EventStream } from "./event-stream.ts";
import { nothingNewFrame, stockFrame, stockIdOf } from "./frames.ts";
import type { Streams } from "./streams.ts";

/** Between two frames of a sale. */
export const frameGapMs = 500;
/** Clients written to in one turn of the event loop, so that buyers' answers are not kept waiting. */
const sliceMax = 500;

export type ChannelDeps = {
  readonly changes: Changes;
  readonly clock: Clock;
  readonly tasks: Tasks;
  readonly streams: Streams;
  /** Less than `frameGapMs` only where a test plants the bug. */
  readonly gapMs?: number | undefined;
};

export class SaleChannel {
  readonly #deps: ChannelDeps;
  readonly #stopWatching: StopWatching;
  /** Each with the id of the state that it heard last. */
  readonly #members = new Map<EventStream, string>();
  #sale: Sale;
  #toldId: string;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #isTelling = false;
  #timer: { readonly atMs: number; readonly cancel: CancelTask } | undefined;

  constructor(sale: Sale, deps: ChannelDeps) {
    this.#deps = deps;
    this.#sale = sale;
    this.#toldId = stockIdOf(sale, deps.clock.nowMs());
    this.#stopWatching = deps.changes.watchSale(sale.id, (copy) => this.hear(copy));
  }

  get size(): number {
    return this.#members.size;
  }

  hear(copy: Sale): void {
    if (copy.feed <= this.#sale.feed) return;
    this.#sale = copy;
    this.#look();
  }

  /** Tells the present state, unless it is the one that the client knows already. */
  join(stream: EventStream, knownId: string | undefined): void {
    const nowMs = this.#deps.clock.nowMs();
    const id = stockIdOf(this.#sale, nowMs);
    this.#members.set(stream, id);
    this.#deps.streams.tell(stream, id === knownId ? nothingNewFrame : stockFrame(this.#sale, nowMs));
    this.#look();
  }

  leave(stream: EventStream): void {
    this.#members.delete(stream);
    if (this.#members.size > 0) return;
    this.#stopWatching();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Tells what is new if it is time, and sees to it that somebody looks again when it will be. */
  #look(): void {
    if (this.#isTelling || this.#members.size === 0) return;
    const nowMs = this.#deps.clock.nowMs();
    const id = stockIdOf(this.#sale, nowMs);
    if (id === this.#toldId) return this.#lookAt(nextEdgeMs(this.#sale, nowMs));
    const dueMs = this.#toldAtMs + (this.#deps.gapMs ?? frameGapMs);
    if (nowMs < dueMs) return this.#lookAt(dueMs);
    this.#toldId = id;
    this.#toldAtMs = nowMs;
    this.#isTelling = true;
    this.#tell(id, stockFrame(this.#sale, nowMs), this.#members.entries());
  }

  #lookAt(atMs: number): void {
    if (this.#timer?.atMs === atMs) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (atMs === Number.POSITIVE_INFINITY) return;
    const { clock, tasks } = this.#deps;
    const look = () => {
      this.#timer = undefined;
      this.#look();
    };
    this.#timer = { atMs, cancel: tasks.after(Math.max(1, atMs - clock.nowMs()), look) };
  }

  /** Who joins while this goes on has heard the state on joining. */
  #tell(id: string, frame: Uint8Array, members: Iterator<[EventStream, string]>): void {
    const { streams, tasks } = this.#deps;
    for (let told = 0; told < sliceMax; told++) {
      const next = members.next();
      if (next.done) {
        this.#isTelling = false;
        return this.#look();
      }
      const [stream, heardId] = next.value;
      if (heardId === id) continue;
      this.#members.set(stream, id);
      streams.tell(stream, frame);
    }
    tasks.soon(() => this.#tell(id, frame, members));
  }
}

/** When time alone changes the status. */
function nextEdgeMs({ phase, startsAtMs, endsAtMs }: Sale, nowMs: number): number {
  if (phase !== "published" || nowMs >= endsAtMs) return Number.POSITIVE_INFINITY;
  return nowMs < startsAtMs ? startsAtMs : endsAtMs;
}
