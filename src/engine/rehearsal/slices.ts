/** A report's seconds, put together into at most so many columns, for charts and their tables. */
import { Histogram, type LatencySummary } from "./histogram.ts";
import type { Counts, SecondData } from "./series.ts";
import type { StockSample } from "./tally.ts";

export type Slice = {
  /** From the opening; a slice ends where the next begins. */
  readonly from: number;
  readonly seconds: number;
  readonly attempts: number;
  readonly accepted: number;
  readonly replayed: number;
  readonly refused: Counts;
  readonly notTried: number;
  readonly errors: number;
  readonly notSent: number;
  readonly polls: number;
  readonly latency: LatencySummary | undefined;
};

export const columnsMax = 240;
/** Walked away on purpose: a manner of the crowd, no failure of the shop. */
export const onPurpose = "dropped";

export function slicesOf(seconds: readonly SecondData[], most: number = columnsMax): Slice[] {
  const width = Math.max(1, Math.ceil(seconds.length / most));
  return Array.from({ length: Math.ceil(seconds.length / width) }, (_, i) => sliceOf(seconds.slice(i * width, (i + 1) * width)));
}

function sliceOf(rows: readonly SecondData[]): Slice {
  const latency = latencyOf(rows);
  const sum = (of: (row: SecondData) => number) => rows.reduce((total, row) => total + of(row), 0);
  return {
    from: rows[0]?.second ?? 0,
    seconds: rows.length,
    attempts: sum((row) => row.attempts),
    accepted: sum((row) => row.accepted),
    replayed: sum((row) => row.replayed),
    refused: added(rows.map((row) => row.refused)),
    notTried: sum((row) => total(row.not_tried)),
    errors: sum((row) => failuresOf(row)),
    notSent: sum((row) => row.not_sent),
    polls: sum((row) => row.polls),
    latency: latency.summary(),
  };
}

/** All of them in one histogram. */
export function latencyOf(rows: readonly SecondData[]): Histogram {
  const latency = new Histogram();
  for (const row of rows) {
    const one = row.latency === undefined ? undefined : Histogram.of(row.latency);
    if (one !== undefined) latency.merge(one);
  }
  return latency;
}

export const failuresOf = ({ errors }: SecondData): number => total(errors) - (errors[onPurpose] ?? 0);
export const total = (counts: Counts): number => Object.values(counts).reduce((sum, times) => sum + times, 0);

export function added(all: readonly Counts[]): Counts {
  const sums = new Map<string, number>();
  for (const counts of all) for (const [name, times] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + times);
  return Object.fromEntries([...sums].sort(([, a], [, b]) => b - a));
}

/** Every so many-th look at the stock, the first and the last always. */
export function stockColumns(samples: readonly StockSample[], most: number = columnsMax): StockSample[] {
  const step = Math.max(1, Math.ceil(samples.length / most));
  return samples.filter((_, i) => i % step === 0 || i === samples.length - 1);
}

/**
 * In ms from the opening: the first look that found every unit with buyers; undefined if there was none. Units that the
 * sale's cancelling withdrew are nobody's: without them none are free, and yet not all were taken.
 */
export function allTakenAtMs(samples: readonly StockSample[]): number | undefined {
  let most = 0;
  for (const { atMs, available, held, sold } of samples) {
    most = Math.max(most, available + held + sold);
    if (atMs >= 0 && available === 0 && held + sold === most && most > 0) return atMs;
  }
  return undefined;
}
