import { expect, test } from "bun:test";
import { Latencies, nearestRank } from "./percentiles.ts";

test("the summary is exact: nearest rank over all values, in any order", () => {
  const latencies = new Latencies();
  for (let value = 1_000; value >= 1; value--) latencies.add(value);
  expect(latencies.summary()).toEqual({ count: 1_000, p50: 500, p90: 900, p99: 990, p999: 999, max: 1_000 });
});

test("one value is every percentile, none is none", () => {
  const latencies = new Latencies();
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
