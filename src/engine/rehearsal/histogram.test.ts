import { expect, test } from "bun:test";
import { SeededRandom } from "../../lib/seeded-random.ts";
import { bucketMax, Histogram, nearestRank } from "./histogram.ts";

test("one value is every percentile, none is none", () => {
  const latencies = new Histogram();
  expect(latencies.summary()).toBeUndefined();
  latencies.add(1.239);
  expect(latencies.summary()).toEqual({ count: 1, p50: 1.24, p90: 1.24, p99: 1.24, p999: 1.24, max: 1.24 });
});

test.each([
  [1, 0.5, 0],
  [2, 0.5, 0],
  [3, 0.5, 1],
  [100, 0.99, 98],
  [100, 1, 99],
  [100, 0, 0],
])("rank of %p values at %p is %p", (count, share, rank) => expect(nearestRank(count, share)).toBe(rank));

/** From µs to minutes, evenly over the magnitudes. */
function values(seed: number, count: number): number[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => 10 ** (random.next() * 8 - 2.9));
}

test("[J4] every percentile is within 0.4 % of the exact one, over eight magnitudes, 20 seeds", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const ms = values(seed, 3_000);
    const found = new Histogram();
    for (const value of ms) found.add(value);
    const exact = ms.map((value) => Math.round(value * 1000) / 1000).toSorted((a, b) => a - b);
    for (const share of [0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1]) {
      const right = exact[nearestRank(exact.length, share)] ?? 0;
      expect(Math.abs(found.at(share) - right), `seed ${seed}, share ${share}`).toBeLessThanOrEqual(right * 0.004 + 0.0005);
    }
    expect(found.at(1)).toBe(exact.at(-1) ?? 0);
  }
});

test("parts add up to the whole, and survive being written down", () => {
  const ms = values(3, 2_000);
  const whole = new Histogram();
  const sum = new Histogram();
  for (let part = 0; part < 4; part++) {
    const one = new Histogram();
    for (const value of ms.filter((_, i) => i % 4 === part)) {
      one.add(value);
      whole.add(value);
    }
    const read = Histogram.of(JSON.parse(JSON.stringify(one.data())));
    expect(read).toBeDefined();
    if (read !== undefined) sum.merge(read);
  }
  expect(sum.data()).toEqual(whole.data());
  expect(sum.summary()).toEqual(whole.summary());
});

test("what takes for ever, nothing or less than nothing stays within the buckets", () => {
  const found = new Histogram();
  for (const ms of [-1, 0, 1e12, Number.POSITIVE_INFINITY]) found.add(ms);
  expect(found.count).toBe(4);
  expect(found.data().buckets.filter((_, i) => i % 2 === 0)).toEqual([0, bucketMax]);
});

test.each([
  [{}],
  [{ max_us: 1, buckets: [1] }],
  [{ max_us: 1, buckets: [bucketMax + 1, 1] }],
  [{ max_us: 1, buckets: [1, -1] }],
  [{ max_us: 1, buckets: [0.5, 1] }],
  [{ max_us: "1", buckets: [] }],
])("%j is no histogram", (value) => expect(Histogram.of(value)).toBeUndefined());
