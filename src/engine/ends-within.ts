/** Waiting that has an end: for what is to end when a process stops, and may hang on somebody else. */
import type { Tasks } from "../ports/tasks.ts";

/** Whether it ended by then. Rejects as it does; what comes of it later is nobody's any more. */
export function endsWithin(work: Promise<unknown>, ms: number, tasks: Pick<Tasks, "after">): Promise<boolean> {
  return new Promise((resolve, reject) => {
    // A timer that is left running keeps the process alive for as long.
    const cancel = tasks.after(ms, () => resolve(false));
    work.then(() => resolve(true), reject).finally(cancel);
  });
}
