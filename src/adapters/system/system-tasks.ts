/** Waiting, by the event loop. A wait may be longer than asked for, never shorter: deadlines must not be met early. */
import type { CancelTask, StopSignal, Tasks } from "../../ports/tasks.ts";

/** The longest wait a timer of the event loop can hold; longer ones are put together. */
const timerMaxMs = 2 ** 31 - 1;

export class SystemTasks implements Tasks {
  sleep(ms: number, signal?: StopSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = () => {
        cancel();
        resolve();
      };
      const cancel = this.after(ms, () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      });
      signal?.addEventListener("abort", stop, { once: true });
    });
  }

  soon(run: () => void): void {
    setImmediate(run);
  }

  after(ms: number, run: () => void): CancelTask {
    const dueMs = performance.now() + ms;
    let timer: ReturnType<typeof setTimeout>;
    const arm = (leftMs: number) => {
      timer = setTimeout(
        () => {
          // Timers round, and may fire up to a millisecond early.
          const stillMs = dueMs - performance.now();
          if (stillMs > 0) arm(stillMs);
          else run();
        },
        Math.min(Math.max(0, Math.ceil(leftMs)), timerMaxMs),
      );
    };
    arm(ms);
    return () => clearTimeout(timer);
  }
}
