import { expect, test } from "bun:test";
import { jumpMs, SystemClock, type ClockJump, type SystemClockOptions } from "./system-clock.ts";

const bootMs = 1_800_000_000_000;

/** A wall and a monotonic clock that the test moves. */
function rig(options: SystemClockOptions = {}) {
  const time = { wallMs: bootMs, monotonicMs: 50 };
  const jumps: ClockJump[] = [];
  const clock = new SystemClock({
    wallMs: () => time.wallMs,
    monotonicMs: () => time.monotonicMs,
    onJump: (jump) => jumps.push(jump),
    ...options,
  });
  const pass = (ms: number, wallMs = ms) => {
    time.monotonicMs += ms;
    time.wallMs += wallMs;
    return clock.nowMs();
  };
  return { time, jumps, clock, pass };
}

test("says the wall's time while the wall is steady", () => {
  const { clock, pass } = rig();
  expect(clock.nowMs()).toBe(bootMs);
  expect(pass(1_234)).toBe(bootMs + 1_234);
});

test("reaches a wall that stepped ahead by at most half a millisecond per millisecond", () => {
  const { pass, jumps } = rig();
  expect(pass(0, 1_000)).toBe(bootMs);
  expect(pass(1_000)).toBe(bootMs + 1_500);
  expect(pass(1_000)).toBe(bootMs + 3_000);
  expect(pass(1_000)).toBe(bootMs + 4_000);
  expect(jumps).toEqual([]);
});

test("never runs backwards while it waits for a wall that stepped back", () => {
  const { pass, jumps } = rig();
  let before = pass(0, -1_000);
  for (let step = 0; step < 100; step++) {
    const now = pass(10);
    expect(now).toBeGreaterThanOrEqual(before + 5);
    before = now;
  }
  expect(pass(1_000)).toBe(bootMs + 1_000);
  expect(jumps).toEqual([]);
});

for (const byMs of [3_600_000, -3_600_000, jumpMs + 1, -jumpMs - 1])
  test(`reports a jump of ${byMs} ms once and does not follow it`, () => {
    const { pass, jumps } = rig();
    expect(pass(10, 10 + byMs)).toBe(bootMs + 10);
    expect(pass(1_000)).toBe(bootMs + 1_010);
    expect(jumps).toEqual([{ byMs, offsetMs: -byMs }]);
  });

test("is at the wall's time again when the wall comes back from a jump", () => {
  const { pass, jumps } = rig();
  pass(10, 10 + 3_600_000);
  pass(10, 10 - 3_600_000 + 100);
  expect(jumps.map((jump) => jump.offsetMs)).toEqual([-3_600_000, 0]);
  expect(pass(1_000)).toBe(bootMs + 1_120);
});

test("starts no earlier than the last commit, and lets the wall catch up", () => {
  const { clock, pass, jumps } = rig({ notBeforeMs: bootMs + 500 });
  expect(clock.nowMs()).toBe(bootMs + 500);
  expect(pass(2_000)).toBe(bootMs + 2_000);
  expect(jumps).toEqual([]);
});

test("stays ahead of a wall that was set far back between two starts, with an alarm", () => {
  const { clock, pass, jumps } = rig({ notBeforeMs: bootMs + 60_000 });
  expect(clock.nowMs()).toBe(bootMs + 60_000);
  expect(pass(1_000)).toBe(bootMs + 61_000);
  expect(jumps).toEqual([{ byMs: -60_000, offsetMs: 60_000 }]);
});

test("works on the machine's own clocks", () => {
  const clock = new SystemClock();
  expect(Math.abs(clock.nowMs() - Date.now())).toBeLessThan(jumpMs);
});

test("where another's clock decides it follows that, however far it goes: ahead at once, back gently, and without alarm", () => {
  const { pass, jumps } = rig({ follows: true });
  expect(pass(10, 10 + 60_000)).toBe(bootMs + 60_010);
  let before = pass(0, -10_000);
  expect(before).toBe(bootMs + 60_010);
  for (let passedMs = 0; passedMs < 20_000; passedMs += 100) {
    const now = pass(100);
    expect(now).toBeGreaterThanOrEqual(before + 50);
    before = now;
  }
  expect(pass(0)).toBe(bootMs + 60_010 - 10_000 + 20_000);
  expect(jumps).toEqual([]);
});
