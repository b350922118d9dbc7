/**
 * Plain numbers that the hot path may touch: an array slot or a map entry each. Prometheus sees them when it scrapes.
 * Latency is counted in buckets of a factor two, from 64 µs to 8 s.
 */
export const latencyBucketsSeconds: readonly number[] = Array.from({ length: 18 }, (_, i) => (64 * 2 ** i) / 1_000_000);

export class HttpCounters {
  /** Purchases by how they ended: accepted, replayed, or the reason of the refusal or error. */
  readonly purchases = new Map<string, number>();
  readonly answers = new Map<number, number>();
  readonly latency = new Float64Array(latencyBucketsSeconds.length + 1);
  latencySumMs = 0;

  purchase(outcome: string, status: number, tookMs: number): void {
    this.outcome(outcome);
    this.answer(status);
    // 64 µs · 2^i ≥ took: the position of the highest bit says which.
    const units = tookMs > 0 ? Math.ceil((tookMs * 1000) / 64) : 1;
    const bucket = Math.min(32 - Math.clz32(Math.min(units, 2 ** 30) - 1), latencyBucketsSeconds.length);
    this.latency[bucket] = (this.latency[bucket] ?? 0) + 1;
    this.latencySumMs += tookMs;
  }

  outcome(outcome: string): void {
    this.purchases.set(outcome, (this.purchases.get(outcome) ?? 0) + 1);
  }

  answer(status: number): void {
    this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
  }
}
