/**
 * The shape of every worker: a round, a pause, a round, until it is told to stop. A store that does not answer makes the
 * pauses longer and nothing else; whatever was not done is found again by the next round. Anything else that is thrown
 * is a bug and ends the worker.
 */
import { backoffMs } from "../lib/backoff.ts";
import { StoreUnavailable } from "../ports/store-unavailable.ts";
import type { StopSignal, Tasks } from "../ports/tasks.ts";

export type LoopOptions = {
  readonly tasks: Tasks;
  readonly signal: StopSignal;
  /** Between rounds that left nothing to do. */
  readonly tickMs: number;
  readonly onUnavailable?: ((error: StoreUnavailable) => void) | undefined;
};

const pauseMaxMs = 2_000;
/** Rounds in a row without a pause: others want the store, too. */
const roundsInARowMax = 20;

/** Runs `round` until the signal; it returns whether there is more to do at once. */
export async function runLoop({ tasks, signal, tickMs, onUnavailable }: LoopOptions, round: () => Promise<boolean>): Promise<void> {
  let failures = 0;
  let inARow = 0;
  while (!signal.aborted) {
    try {
      const more = await round();
      failures = 0;
      inARow = more ? inARow + 1 : 0;
      if (more && inARow < roundsInARowMax) continue;
      inARow = 0;
      await tasks.sleep(tickMs, signal);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      onUnavailable?.(error);
      await tasks.sleep(backoffMs(failures, { baseMs: tickMs, ceilingMs: pauseMaxMs }), signal);
      failures += 1;
    }
  }
}
