/**
 * Time that stands still until a test moves it: clock and timers. `soon` is the real event loop's, so that the I/O of a
 * store under test goes on.
 */
import type { Clock } from "../../src/ports/clock.ts";
import type { CancelTask, StopSignal, Tasks } from "../../src/ports/tasks.ts";

type Timer = { readonly atMs: number; readonly order: number; readonly run: () => void };

export class ManualTime implements Clock, Tasks {
  #nowMs: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  get timers(): number {
    return this.#timers.size;
  }

  after(ms: number, run: () => void): CancelTask {
    const timer = { atMs: this.#nowMs + ms, order: this.#order++, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  soon(run: () => void): void {
    setImmediate(run);
  }

  sleep(ms: number, signal?: StopSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.after(ms, resolve);
      signal?.addEventListener("abort", () => (cancel(), resolve()), { once: true });
    });
  }

  /** Moves the clock, firing what falls due on the way in order of time, and lets each run to its next wait. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (let timer = this.#next(untilMs); timer !== undefined; timer = this.#next(untilMs)) {
      this.#timers.delete(timer);
      this.#nowMs = Math.max(this.#nowMs, timer.atMs);
      timer.run();
      await turns(2);
    }
    this.#nowMs = untilMs;
    await turns(2);
  }

  #next(untilMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs > untilMs) continue;
      if (next === undefined || timer.atMs < next.atMs || (timer.atMs === next.atMs && timer.order < next.order)) next = timer;
    }
    return next;
  }
}

/** Lets the event loop turn: everything that waits for no timer and no I/O gets done. */
export async function turns(count = 4): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

const patienceMs = 5_000;

/** Waits until a condition holds; fails after a bound of real time, saying what it waited for. */
export async function eventually(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (let i = 0; !(await condition()); i++) {
    if (performance.now() > deadline) throw new Error(`Waited ${patienceMs} ms in vain for ${what}`);
    await (i < 20 ? turns(1) : new Promise((resolve) => setTimeout(resolve, 1)));
  }
}
