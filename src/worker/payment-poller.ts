/** Asks providers about payments that have gone quiet, a few at a time. */
import { PaymentPoller, type PollDeps, type PollLimits } from "../engine/poll-payments.ts";
import { runLoop, type LoopOptions } from "./loop.ts";

export const pollTickMs = 1_000;

export function runPaymentPoller(deps: PollDeps, loop: LoopOptions, limits?: PollLimits): Promise<void> {
  const poller = new PaymentPoller(deps, limits);
  return runLoop(loop, async (fence) => {
    await poller.round(fence);
    return false;
  });
}
