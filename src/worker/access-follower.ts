import type { AccessFollower } from "../engine/accounts/follow-access.ts";
import { runLoop, type LoopOptions } from "./loop.ts";

/** What another process ended is refused here within this and the time of one read. */
export const followTickMs = 1_000;

/** Keeps up with what other processes end, ban and rotate. */
export async function runAccessFollower(follower: AccessFollower, options: LoopOptions): Promise<void> {
  await runLoop(options, () => follower.round());
}
