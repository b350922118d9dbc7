import { ChangeFollower, type FollowChangesDeps } from "../engine/follow-changes.ts";
import { runLoop, type LoopOptions } from "./loop.ts";

/** What another process committed is known here within this and the time of a read. */
export const changesTickMs = 150;
/** As many as one look may bring: there may be more. */
const manyChanges = 1_000;

/** Keeps up with what other processes commit to the same store. */
export async function runChangeFollower(deps: FollowChangesDeps, options: LoopOptions): Promise<void> {
  const follower = new ChangeFollower(deps);
  await runLoop(options, async () => (await follower.round()) >= manyChanges);
}
