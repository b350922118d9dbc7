/**
 * Latencies of one kind of answer, in log-linear buckets like those of HdrHistogram: a value is known to better than
 * 0.4 %, the largest one exactly, and the whole takes a few hundred numbers however many values it saw. Histograms add up
 * without loss, so one per second tells both the second and, summed, the run.
 *
 *   µs 0 … 127: a bucket each · 128 … 255: width 1 · 256 … 511: width 2 · 512 … 1023: width 4 · …
 */
export type LatencySummary = {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
};

/** As a report keeps it: bucket, count, bucket, count, …, in growing order of bucket. */
export type HistogramData = { readonly max_us: number; readonly buckets: readonly number[] };

const subBucketBits = 7;
const subBuckets = 2 ** subBucketBits;
/** 35 minutes; what took longer counts as this long. */
const largestUs = 2 ** 31 - 1;
export const bucketMax = (31 - subBucketBits) * subBuckets + subBuckets - 1;

export class Histogram {
  readonly #buckets = new Map<number, number>();
  #count = 0;
  #maxUs = 0;
  /** In order of bucket, until the next value comes. */
  #order: readonly (readonly [bucket: number, times: number])[] | undefined;

  add(ms: number): void {
    const us = Math.min(largestUs, Math.max(0, Math.round(ms * 1000)));
    this.#into(bucketOf(us), 1);
    if (us > this.#maxUs) this.#maxUs = us;
  }

  merge(other: Histogram): void {
    for (const [bucket, times] of other.#buckets) this.#into(bucket, times);
    this.#maxUs = Math.max(this.#maxUs, other.#maxUs);
  }

  get count(): number {
    return this.#count;
  }

  /** In ms: the smallest value that at least `share` of all do not exceed (nearest rank), to the bucket; 0 when empty. */
  at(share: number): number {
    const rank = nearestRank(this.#count, share);
    if (rank >= this.#count - 1) return this.#maxUs / 1000;
    let below = 0;
    for (const [bucket, times] of this.#sorted()) {
      below += times;
      if (below > rank) return Math.min(this.#maxUs, middleOf(bucket)) / 1000;
    }
    return this.#maxUs / 1000;
  }

  /** In ms, rounded to 0.01; undefined when nothing was measured. */
  summary(): LatencySummary | undefined {
    if (this.#count === 0) return undefined;
    const at = (share: number) => Math.round(this.at(share) * 100) / 100;
    return { count: this.#count, p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1) };
  }

  data(): HistogramData {
    return { max_us: this.#maxUs, buckets: this.#sorted().flat() };
  }

  /** Of what `data` gave; undefined for anything else. */
  static of(value: { readonly max_us?: unknown; readonly buckets?: unknown }): Histogram | undefined {
    const { max_us: maxUs, buckets } = value;
    if (!isWithin(maxUs, largestUs) || !Array.isArray(buckets) || buckets.length % 2 !== 0) return undefined;
    const found = new Histogram();
    for (let i = 0; i < buckets.length; i += 2) {
      const bucket: unknown = buckets[i];
      const times: unknown = buckets[i + 1];
      if (!isWithin(bucket, bucketMax) || !isWithin(times, Number.MAX_SAFE_INTEGER)) return undefined;
      found.#into(bucket, times);
    }
    found.#maxUs = maxUs;
    return found;
  }

  #into(bucket: number, times: number): void {
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + times);
    this.#count += times;
    this.#order = undefined;
  }

  #sorted(): readonly (readonly [bucket: number, times: number])[] {
    return (this.#order ??= [...this.#buckets].toSorted(([a], [b]) => a - b));
  }
}

/** Index of the smallest value that at least `share` of all values do not exceed. */
export function nearestRank(count: number, share: number): number {
  return Math.min(count - 1, Math.max(0, Math.ceil(count * share) - 1));
}

function bucketOf(us: number): number {
  const shift = Math.max(0, 31 - Math.clz32(us) - subBucketBits);
  return shift * subBuckets + (us >>> shift);
}

function middleOf(bucket: number): number {
  const shift = Math.max(0, Math.floor(bucket / subBuckets) - 1);
  return (bucket - shift * subBuckets) * 2 ** shift + (2 ** shift - 1) / 2;
}

const isWithin = (value: unknown, max: number): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= max;
