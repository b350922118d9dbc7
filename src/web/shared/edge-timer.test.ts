import { describe, expect, test } from "bun:test";
import { manualTimers } from "../../../tests/kit/manual-timers.ts";
import { EdgeTimer } from "./edge-timer.ts";

describe("[SF6] the edge timer", () => {
  test.each([1, 29, 30, 59, 61, 999, 60_000, 86_400_000, 40 * 86_400_000])("runs %d ms later, not before and at most 2 ms after", (ms) => {
    const { at, timers, pass, nowMs } = manualTimers();
    const ran: number[] = [];
    new EdgeTimer(nowMs, () => ran.push(at.ms), timers).aim(ms);
    pass(ms - 1);
    expect(ran).toEqual([]);
    pass(3);
    expect(ran).toHaveLength(1);
    expect(ran[0]).toBeGreaterThanOrEqual(ms);
  });

  test("a clock that was corrected counts, forwards and backwards", () => {
    const { at, timers, pass } = manualTimers();
    const corrected = { ms: 0 };
    const ran: number[] = [];
    new EdgeTimer(
      () => at.ms + corrected.ms,
      () => ran.push(at.ms),
      timers,
    ).aim(100_000);
    corrected.ms = -20_000;
    pass(100_000);
    expect(ran).toEqual([]);
    corrected.ms = 10_000;
    pass(60_000);
    expect(ran).toHaveLength(1);
  });

  test("aims anew, and at nothing", () => {
    const { timers, pass, nowMs, waiting } = manualTimers();
    const ran: string[] = [];
    const timer = new EdgeTimer(nowMs, () => ran.push("ran"), timers);
    timer.aim(50);
    timer.aim(500);
    pass(100);
    expect(ran).toEqual([]);
    timer.aim(undefined);
    expect(waiting()).toBe(0);
    pass(1_000);
    expect(ran).toEqual([]);
  });

  test("without a time it waits for one", () => {
    const { timers, waiting } = manualTimers();
    new EdgeTimer(
      () => undefined,
      () => {},
      timers,
    ).aim(50);
    expect(waiting()).toBe(0);
  });
});
