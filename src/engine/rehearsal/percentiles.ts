/**
 * Latencies of one kind of answer. Keeps every value, so the percentiles are exact (nearest rank) and not those of
 * buckets; a rehearsal is bounded, and so is this.
 */
export type LatencySummary = {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
};

export class Latencies {
  #values: number[] = [];

  add(ms: number): void {
    this.#values.push(ms);
  }

  get count(): number {
    return this.#values.length;
  }

  /** In ms, rounded to 0.01; undefined when nothing was measured. */
  summary(): LatencySummary | undefined {
    if (this.#values.length === 0) return undefined;
    const sorted = Float64Array.from(this.#values).sort();
    const at = (share: number) => hundredths(sorted[nearestRank(sorted.length, share)] ?? 0);
    return { count: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1) };
  }
}

/** Index of the smallest value that at least `share` of all values do not exceed. */
export function nearestRank(count: number, share: number): number {
  return Math.min(count - 1, Math.max(0, Math.ceil(count * share) - 1));
}

const hundredths = (value: number) => Math.round(value * 100) / 100;
