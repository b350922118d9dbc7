import { expect, test } from "bun:test";
import fc from "fast-check";
import { HttpCounters, latencyBucketsSeconds } from "./counters.ts";

const bucketOf = (tookMs: number) => {
  const counters = new HttpCounters();
  counters.purchase("accepted", 201, tookMs);
  return counters.latency.indexOf(1);
};

test("a duration is counted in the first bucket that holds it", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 60_000, noNaN: true }), (tookMs) => {
      // Counted in whole units of 64 µs, so up to one unit above what was measured.
      const units = Math.max(1, Math.ceil((tookMs * 1000) / 64));
      const expected = latencyBucketsSeconds.findIndex((edge) => (units * 64) / 1_000_000 <= edge);
      expect(bucketOf(tookMs)).toBe(expected < 0 ? latencyBucketsSeconds.length : expected);
    }),
  );
});

test.each([
  [0, 0],
  [0.001, 0],
  [0.064, 0],
  [0.065, 1],
  [0.128, 1],
  [0.129, 2],
  [8388.608, 17],
  [8389, 18],
  [1e12, 18],
  [-5, 0],
])("%p ms is in bucket %p", (tookMs, bucket) => expect(bucketOf(tookMs)).toBe(bucket));
