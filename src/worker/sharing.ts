/** What a process does for living on a store that it shares with others: it says that it is there, follows the store's clock, and tidies up. */
import type { Ids } from "../ports/ids.ts";
import { StoreUnavailable } from "../ports/store-unavailable.ts";
import { runLoop, type LoopOptions } from "./loop.ts";

export const membershipTickMs = 1_000;
export const clockTickMs = 5_000;
export const housekeepTickMs = 60_000;
/** Rows that one round of tidying up removes. */
export const purgedMax = 5_000;

/**
 * Renews this process's place among the others. One whose number was given away while it was stopped must not mint ids any
 * more: the loop ends by an error, and the process with it.
 */
export function runMembership(membership: { renew(): Promise<boolean> }, loop: LoopOptions): Promise<void> {
  return runLoop(loop, async () => {
    if (!(await membership.renew())) throw new NumberLost();
    return false;
  });
}

export class NumberLost extends Error {
  override readonly name = "NumberLost";
  readonly code = "process_number_lost";
  constructor() {
    super("Renew this process's number: it was silent for so long that another process has it; it must be started again");
  }
}

/** Ids for as long as the process's number is surely its own: who was stopped for too long tries nothing until it has asked. */
export function idsOf(membership: { isSure(): boolean }, mint: Ids): Ids {
  return {
    mint() {
      if (!membership.isSure())
        throw new StoreUnavailable("unavailable", "This process was silent for so long that another may have its number");
      return mint.mint();
    },
  };
}

export function runClockFollower(measure: () => Promise<void>, loop: LoopOptions): Promise<void> {
  return runLoop(loop, async () => {
    await measure();
    return false;
  });
}

/** `purge` removes at most `purgedMax` rows and tells how many. */
export function runHousekeeper(purge: () => Promise<number>, loop: LoopOptions): Promise<void> {
  return runLoop(loop, async () => (await purge()) >= purgedMax);
}
