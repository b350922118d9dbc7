/** Sends refunds that are due, until each is done or declined. */
import { refundLimitsDefault, sendDueRefunds, type RefundDeps, type RefundLimits } from "../engine/refunds.ts";
import { runLoop, type LoopOptions } from "./loop.ts";

export const refundTickMs = 250;

export type RefundCounts = { done: number; failed: number; tries: number };

export function runRefunder(
  deps: RefundDeps,
  loop: LoopOptions,
  counts: RefundCounts = { done: 0, failed: 0, tries: 0 },
  limits: RefundLimits = refundLimitsDefault,
): Promise<void> {
  return runLoop(loop, async (fence) => {
    const results = await sendDueRefunds(deps, limits, fence);
    counts.tries += results.length;
    for (const result of results) if (result !== "open") counts[result] += 1;
    return results.length === limits.refundsMax && results.some((result) => result !== "open");
  });
}
