/** Timers that a test moves, for programs of pages. Whatever is due runs in its order, at its own time. */
import type { Timers } from "../../src/web/shared/edge-timer.ts";

export function manualTimers() {
  const at = { ms: 0 };
  let nextId = 1;
  const due = new Map<number, { readonly run: () => void; readonly atMs: number }>();
  const timers: Timers = {
    set(run, ms) {
      const id = nextId++;
      due.set(id, { run, atMs: at.ms + ms });
      return id;
    },
    clear: (id) => void due.delete(id as number),
  };
  const pass = (ms: number) => {
    const untilMs = at.ms + ms;
    for (;;) {
      const next = [...due].filter(([, each]) => each.atMs <= untilMs).toSorted(([, a], [, b]) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      due.delete(next[0]);
      at.ms = next[1].atMs;
      next[1].run();
    }
    at.ms = untilMs;
  };
  return { at, timers, pass, nowMs: () => at.ms, waiting: () => due.size };
}
