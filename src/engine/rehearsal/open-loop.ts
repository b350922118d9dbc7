/**
 * Sends a crowd off by a schedule that takes no notice of answers. Requests in flight are bounded by a gate; who finds it
 * full waits, and that wait counts as the buyer's, because its latency runs from when it was due. Who would wait longer
 * than a buyer would is not sent and is counted, so a load machine that cannot keep up is seen in the report.
 */
import type { Clock } from "../../ports/clock.ts";
import type { StopSignal, Tasks } from "../../ports/tasks.ts";

/** Waiting longer than this before the request even leaves says more about the load machine than about the shop. */
export const gateWaitMaxMs = 10_000;
export const gateQueueMax = 20_000;

export class Gate {
  readonly #clock: Clock;
  readonly #width: number;
  readonly #waiting: { readonly untilMs: number; readonly enter: (entered: boolean) => void }[] = [];
  #inside = 0;

  constructor(clock: Clock, width: number) {
    this.#clock = clock;
    this.#width = width;
  }

  /** Runs it when there is room; undefined when there was none in time. */
  async run<Value>(send: () => Promise<Value>): Promise<Value | undefined> {
    if (!(await this.#enter())) return undefined;
    try {
      return await send();
    } finally {
      this.#inside -= 1;
      this.#next();
    }
  }

  #enter(): boolean | Promise<boolean> {
    if (this.#inside < this.#width) {
      this.#inside += 1;
      return true;
    }
    if (this.#waiting.length >= gateQueueMax) return false;
    return new Promise((enter) => this.#waiting.push({ untilMs: this.#clock.nowMs() + gateWaitMaxMs, enter }));
  }

  #next(): void {
    const nowMs = this.#clock.nowMs();
    while (this.#inside < this.#width) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      const entered = nowMs <= next.untilMs;
      if (entered) this.#inside += 1;
      next.enter(entered);
    }
  }
}

export type Departures = {
  /** When each one is due, in order, on the clock's time. */
  readonly dueMs: Iterable<number>;
  readonly halt: StopSignal;
};

/** Lets each go when it is due, and resolves when the last one is back. Rejects with the first failure of a visit. */
export async function openLoop(
  { clock, tasks }: { readonly clock: Clock; readonly tasks: Tasks },
  { dueMs, halt }: Departures,
  visit: (number: number, dueMs: number) => Promise<void>,
): Promise<void> {
  let under = 0;
  let failure: Error | undefined;
  let allBack: (() => void) | undefined;
  const back = () => {
    under -= 1;
    if (under === 0) allBack?.();
  };
  let number = 0;
  for (const due of dueMs) {
    while (clock.nowMs() < due && !halt.aborted) await tasks.sleep(Math.ceil(due - clock.nowMs()), halt);
    if (halt.aborted || failure !== undefined) break;
    under += 1;
    void visit(number++, due)
      .catch((error: unknown) => (failure ??= error instanceof Error ? error : new Error(String(error))))
      .then(back);
  }
  if (under > 0) await new Promise<void>((resolve) => (allBack = resolve));
  if (failure !== undefined) throw failure;
}
