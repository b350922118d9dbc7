/**
 * The shape of every worker: a round, a pause, a round, until it is told to stop. A store that does not answer makes the
 * pauses longer and nothing else; whatever was not done is found again by the next round. Anything else that is thrown
 * is a bug and ends the worker.
 */
import { backoffMs } from "../lib/backoff.ts";
import { StoreUnavailable } from "../ports/store-unavailable.ts";
import type { Fence, Leases } from "../ports/leases.ts";
import type { StopSignal, Tasks } from "../ports/tasks.ts";

export type LoopOptions = {
  readonly tasks: Tasks;
  readonly signal: StopSignal;
  /** Between rounds that left nothing to do. */
  readonly tickMs: number;
  readonly onUnavailable?: ((error: StoreUnavailable) => void) | undefined;
  /** Where several processes could do this work, the one that holds the lease does. Absent where there is one process. */
  readonly lease?: { readonly leases: Leases; readonly name: string } | undefined;
};

const pauseMaxMs = 2_000;
/** Rounds in a row without a pause: others want the store, too. */
const roundsInARowMax = 20;

/** Whoever does not hold the lease asks again after so long; whoever does keeps it as often while a round runs. */
const leaseAskMs = 1_000;

/**
 * Runs `round` until the signal; it returns whether there is more to do at once. What it writes carries the fence it is
 * given, so that a process which slept through the end of its lease writes nothing any more. A round may take longer than a
 * lease lasts: it is kept meanwhile, or two processes would take turns in beginning the same work.
 */
export async function runLoop(options: LoopOptions, round: (fence: Fence | undefined) => Promise<boolean>): Promise<void> {
  const { tasks, signal, tickMs, onUnavailable, lease } = options;
  let failures = 0;
  let inARow = 0;
  let fence: Fence | undefined;
  while (!signal.aborted) {
    try {
      fence = await lease?.leases.hold(lease.name);
      if (lease !== undefined && fence === undefined) {
        await tasks.sleep(Math.max(tickMs, leaseAskMs), signal);
        continue;
      }
      const more = await keeping(options, fence, round);
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
  if (lease !== undefined && fence !== undefined) await lease.leases.giveUp(fence).catch(expired);
}

/** Runs a round, and renews the lease until it has ended. */
async function keeping({ tasks, lease }: LoopOptions, fence: Fence | undefined, round: (fence: Fence | undefined) => Promise<boolean>) {
  if (lease === undefined) return round(fence);
  let renewing: Promise<unknown> = Promise.resolve();
  let isOver = false;
  const renew = () => {
    // Where it was lost, what the round writes is not done; the store says so when it can be reached again.
    renewing = lease.leases
      .hold(lease.name)
      .catch(expired)
      .then(() => {
        if (!isOver) cancel = tasks.after(leaseAskMs, renew);
      });
  };
  let cancel = tasks.after(leaseAskMs, renew);
  try {
    return await round(fence);
  } finally {
    isOver = true;
    cancel();
    // One that is on its way could take the lease again after it was given up.
    await renewing;
  }
}

/** It runs out by itself. */
const expired = (error: unknown): void => {
  if (!(error instanceof StoreUnavailable)) throw error;
};
