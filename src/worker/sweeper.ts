/** Releases what nobody paid: orders past their deadline, late by no more than a second, and orders of cancelled sales. */
import { closeCancelled, expireDue, releasesMax, type ReleaseDeps, type ReleaseResult } from "../engine/expire.ts";
import { runLoop, type LoopOptions } from "./loop.ts";

export const sweepTickMs = 250;

export type SweepCounts = { expired: number; closed: number };

export function runSweeper(deps: ReleaseDeps, loop: LoopOptions, counts: SweepCounts = { expired: 0, closed: 0 }): Promise<void> {
  return runLoop(loop, async (fence) => {
    const expired = await expireDue(deps, { fence });
    const closed = await closeCancelled(deps, { fence });
    counts.expired += expired.released;
    counts.closed += closed.released;
    return leftSome(expired) || leftSome(closed);
  });
}

/** A full round that made headway: there may be more. One that released nothing waits for the next tick. */
function leftSome({ due, released }: ReleaseResult): boolean {
  return due === releasesMax && released > 0;
}
