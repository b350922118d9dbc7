/**
 * Runs something at an instant of the server's time, not before it and hardly after: a countdown's own second is too
 * coarse for a button. Timers are set for at most a while and aim anew when they fire, so a corrected clock counts.
 */
export type Timers = {
  readonly set: (run: () => void, ms: number) => unknown;
  readonly clear: (timer: unknown) => void;
};
export const browserTimers: Timers = {
  set: (run, ms) => setTimeout(run, ms),
  // Made by `set` above.
  clear: (timer) => clearTimeout(timer as number),
};

/** Longer waits are cut in pieces: timers of browsers end at 24.8 days, and clocks are corrected meanwhile. */
const waitMaxMs = 60_000;
/** The last piece begins here, since a long timer may be late by a few ms. */
const finalMs = 30;

export class EdgeTimer {
  readonly #nowMs: () => number | undefined;
  readonly #timers: Timers;
  readonly #run: () => void;
  #timer: unknown;
  #atMs: number | undefined;

  constructor(nowMs: () => number | undefined, run: () => void, timers: Timers = browserTimers) {
    this.#nowMs = nowMs;
    this.#run = run;
    this.#timers = timers;
  }

  /** The next instant that matters; undefined for none. Aims anew, also at the same one. */
  aim(atMs: number | undefined): void {
    if (this.#timer !== undefined) this.#timers.clear(this.#timer);
    this.#timer = undefined;
    this.#atMs = atMs;
    const nowMs = this.#nowMs();
    if (atMs === undefined || nowMs === undefined) return;
    const leftMs = atMs - nowMs;
    const waitMs = leftMs > finalMs * 2 ? Math.min(leftMs - finalMs, waitMaxMs) : Math.max(1, Math.ceil(leftMs));
    this.#timer = this.#timers.set(() => this.#fired(), waitMs);
  }

  #fired(): void {
    const [atMs, nowMs] = [this.#atMs, this.#nowMs()];
    if (atMs === undefined) return;
    if (nowMs === undefined || nowMs < atMs) return this.aim(atMs);
    this.#timer = undefined;
    this.#atMs = undefined;
    this.#run();
  }
}
