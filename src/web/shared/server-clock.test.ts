import { describe, expect, test } from "bun:test";
import { askForTime, ServerClock } from "./server-clock.ts";

const serverOffsetMs = 1_900_000_000_000;

/** A line to a server with a latency each way; the monotonic clock is the test's. */
function line(latencies: readonly (readonly [there: number, back: number])[]) {
  const at = { ms: 1_000 };
  const left = [...latencies];
  const ask = async () => {
    const next = left.shift();
    if (next === undefined) throw new Error("no answer");
    at.ms += next[0];
    const serverMs = Math.floor(serverOffsetMs + at.ms);
    at.ms += next[1];
    return serverMs;
  };
  return { at, ask, monotonicMs: () => at.ms };
}

describe("[SF5] the server's clock", () => {
  test("is not known before the first answer", () => {
    const clock = new ServerClock(() => 5);
    expect([clock.nowMs(), clock.boundMs]).toEqual([undefined, Number.POSITIVE_INFINITY]);
  });

  test.each([
    ["even ways", [[20, 20]], 20],
    ["a slow way there", [[150, 5]], 78],
    [
      "the shortest of several trips",
      [
        [300, 300],
        [4, 2],
        [90, 10],
      ],
      3.5,
    ],
  ] as const)("is off by no more than it says: %s", async (_, latencies, boundMax) => {
    const { at, ask, monotonicMs } = line(latencies);
    const clock = new ServerClock(monotonicMs);
    expect(await askForTime(clock, ask, monotonicMs)).toBe(true);
    expect(Math.abs((clock.nowMs() ?? 0) - (serverOffsetMs + at.ms))).toBeLessThanOrEqual(clock.boundMs);
    expect(clock.boundMs).toBeLessThanOrEqual(boundMax + 0.5);
  });

  test("goes on by the monotonic clock alone", async () => {
    const { at, ask, monotonicMs } = line([[10, 10]]);
    const clock = new ServerClock(monotonicMs);
    await askForTime(clock, ask, monotonicMs);
    const before = clock.nowMs() ?? 0;
    at.ms += 60_000;
    expect((clock.nowMs() ?? 0) - before).toBe(60_000);
  });

  test("after a sleep it takes the next answer, however slow", async () => {
    const { at, ask, monotonicMs } = line([[1, 1]]);
    const clock = new ServerClock(monotonicMs);
    await askForTime(clock, ask, monotonicMs);
    clock.forget();
    expect(clock.boundMs).toBe(Number.POSITIVE_INFINITY);
    // The monotonic clock stood still for ten minutes.
    clock.add({ sentMs: at.ms, receivedMs: at.ms + 400, serverMs: serverOffsetMs + at.ms + 600_200 });
    expect(clock.nowMs()).toBeCloseTo(serverOffsetMs + at.ms + 600_000, -1);
  });

  test("an old sample gives way to a newer one", () => {
    const at = { ms: 0 };
    const clock = new ServerClock(() => at.ms);
    clock.add({ sentMs: 0, receivedMs: 2, serverMs: 1_000 });
    clock.add({ sentMs: 700_000, receivedMs: 700_100, serverMs: 701_500 });
    expect(clock.boundMs).toBe(50.5);
  });

  test("what cannot be is no sample", () => {
    const clock = new ServerClock(() => 0);
    clock.add({ sentMs: 10, receivedMs: 5, serverMs: 1 });
    clock.add({ sentMs: 1, receivedMs: 2, serverMs: Number.NaN });
    expect(clock.nowMs()).toBeUndefined();
  });
});
