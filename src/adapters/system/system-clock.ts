/**
 * The clock of a process that lives long: the wall's time at the start, carried on by the monotonic clock and led back
 * to the wall gently. Deadlines rest on it, so it never runs backwards and never leaps: what an operator or NTP does to
 * the wall in one step is slewed over (at most half a millisecond per millisecond), or, beyond two seconds, reported
 * and not followed.
 *
 *   offset to the wall   0 ≤ 2 s ──► rate 0.5 … 1.5 until it is gone
 *                          > 2 s ──► alarm once; the offset stays, and goes when the wall comes back
 *
 * `notBeforeMs` is the time of the last commit in the store: a wall that was set back while nothing ran cannot make new
 * entries older than those there are.
 *
 * Where another clock decides, this one only follows it (`follows`): ahead at once and back gently, however far that goes,
 * for what it says is an estimate, and one that stays wrong would sweep late for ever.
 */
import type { Clock } from "../../ports/clock.ts";

export const jumpMs = 2_000;
const slewMax = 0.5;

export type ClockJump = {
  /** How far the wall went from where it was expected; negative is back. */
  readonly byMs: number;
  /** How far this clock is from the wall's new time, and stays. */
  readonly offsetMs: number;
};

export type SystemClockOptions = {
  readonly notBeforeMs?: number | undefined;
  readonly onJump?: ((jump: ClockJump) => void) | undefined;
  /** The wall is another's clock, which decides. */
  readonly follows?: boolean | undefined;
  /** The two sources, for tests. */
  readonly wallMs?: (() => number) | undefined;
  readonly monotonicMs?: (() => number) | undefined;
};

export class SystemClock implements Clock {
  readonly #wallMs: () => number;
  readonly #monotonicMs: () => number;
  readonly #onJump: (jump: ClockJump) => void;
  readonly #follows: boolean;
  /** What was said last, with its fraction, and when that was. */
  #nowMs: number;
  #readAtMs: number;
  /** Our time minus the wall's, where a jump was not followed. */
  #offsetMs = 0;

  constructor(options: SystemClockOptions = {}) {
    this.#wallMs = options.wallMs ?? Date.now;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#onJump = options.onJump ?? (() => {});
    this.#follows = options.follows ?? false;
    this.#readAtMs = this.#monotonicMs();
    this.#nowMs = this.#wallMs();
    const notBeforeMs = options.notBeforeMs ?? 0;
    if (notBeforeMs > this.#nowMs) {
      const behindMs = notBeforeMs - this.#nowMs;
      this.#nowMs = notBeforeMs;
      if (behindMs > jumpMs && !this.#follows) this.#noteJump(-behindMs);
    }
  }

  nowMs(): number {
    const readAtMs = this.#monotonicMs();
    const passedMs = Math.max(0, readAtMs - this.#readAtMs);
    this.#readAtMs = readAtMs;
    const steadyMs = this.#nowMs + passedMs;
    const wallMs = this.#wallMs();
    if (this.#follows && wallMs - steadyMs > jumpMs) return Math.floor((this.#nowMs = wallMs));
    if (!this.#follows && Math.abs(wallMs + this.#offsetMs - steadyMs) > jumpMs) {
      this.#nowMs = steadyMs;
      this.#noteJump(wallMs + this.#offsetMs - steadyMs);
      return Math.floor(steadyMs);
    }
    const missingMs = wallMs + this.#offsetMs - steadyMs;
    const slewMs = Math.max(-passedMs * slewMax, Math.min(passedMs * slewMax, missingMs));
    this.#nowMs = steadyMs + slewMs;
    return Math.floor(this.#nowMs);
  }

  #noteJump(byMs: number): void {
    this.#offsetMs -= byMs;
    // A wall that came back to where it was (within what a slew may correct) needs no offset any more.
    if (Math.abs(this.#offsetMs) <= jumpMs) this.#offsetMs = 0;
    this.#onJump({ byMs, offsetMs: this.#offsetMs });
  }
}
