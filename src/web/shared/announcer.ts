/**
 * What is said aloud to whoever listens instead of looking: seldom, and then the newest. Digits that tick are never said;
 * events are, and of several within a few seconds only the last.
 */
import { browserTimers, type Timers } from "./edge-timer.ts";

/** Between two announcements. */
export const announceGapMs = 5_000;

export class Announcer {
  readonly #show: (text: string) => void;
  readonly #nowMs: () => number;
  readonly #timers: Timers;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #next: string | undefined;

  constructor(show: (text: string) => void, nowMs: () => number = () => performance.now(), timers: Timers = browserTimers) {
    this.#show = show;
    this.#nowMs = nowMs;
    this.#timers = timers;
  }

  say(text: string): void {
    const waitMs = this.#saidAtMs + announceGapMs - this.#nowMs();
    if (waitMs <= 0) return this.#speak(text);
    const isWaiting = this.#next !== undefined;
    this.#next = text;
    if (!isWaiting) this.#timers.set(() => this.#speak(this.#next ?? ""), waitMs);
  }

  /** What somebody has asked for is said at once. */
  answer(text: string): void {
    this.#speak(text);
  }

  #speak(text: string): void {
    this.#next = undefined;
    this.#saidAtMs = this.#nowMs();
    this.#show(text);
  }
}
