/** Exponential: base, twice that, … up to the ceiling. `attempt` counts from 0. */
export function backoffMs(attempt: number, { baseMs, ceilingMs }: { baseMs: number; ceilingMs: number }): number {
  return Math.min(ceilingMs, baseMs * 2 ** Math.min(attempt, 30));
}
