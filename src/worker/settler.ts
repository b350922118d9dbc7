/** Settles sales that are over, within a second or two of their last order. */
import { settleDue, settlementsMax, type SettleDeps } from "../engine/settle.ts";
import { runLoop, type LoopOptions } from "./loop.ts";

export const settleTickMs = 1_000;

export type SettleCounts = { settled: number; units: number };

export function runSettler(deps: SettleDeps, loop: LoopOptions, counts: SettleCounts = { settled: 0, units: 0 }): Promise<void> {
  return runLoop(loop, async (fence) => {
    const { due, settled, units } = await settleDue(deps, { fence });
    counts.settled += settled;
    counts.units += units;
    // A full round that made headway: there may be more.
    return due === settlementsMax && settled > 0;
  });
}
