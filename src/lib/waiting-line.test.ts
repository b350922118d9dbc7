import { expect, test } from "bun:test";
import fc from "fast-check";
import { ManualTime } from "../../tests/kit/manual-time.ts";
import { WaitingLine } from "./waiting-line.ts";

const lineOf = (seats: readonly string[], time = new ManualTime(0)) => ({
  time,
  line: new WaitingLine(seats, { waitingMax: 3, waitMaxMs: 100, after: (ms, run) => time.after(ms, run) }),
});

test("[AC4] seats are handed on in the order of the line, and beyond it the answer is no at once", async () => {
  const { line, time } = lineOf(["a"]);
  expect(await line.enter()).toBe("a");
  const order: number[] = [];
  const waiting = [1, 2, 3].map((n) => line.enter().then((seat) => (order.push(n), seat)));
  expect(line.waiting).toBe(3);
  expect(await line.enter()).toBeUndefined();
  for (const one of waiting) {
    line.leave("a");
    expect(await one).toBe("a");
  }
  expect(order).toEqual([1, 2, 3]);
  line.leave("a");
  expect(await line.enter()).toBe("a");
  expect(time.timers).toBe(0);
});

test("[AC4] who waits too long leaves the line, and its place is another's", async () => {
  const { line, time } = lineOf(["a"]);
  await line.enter();
  const first = line.enter();
  await time.advance(99);
  const second = line.enter();
  await time.advance(1);
  expect(await first).toBeUndefined();
  expect(line.waiting).toBe(1);
  line.leave("a");
  expect(await second).toBe("a");
});

test("[AC4] whatever comes and goes, no seat has two holders and nobody waits beside a free one", () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 60 }), async (steps) => {
      const { line, time } = lineOf(["a", "b"]);
      const held: string[] = [];
      for (const step of steps) {
        if (step === 0) void line.enter().then((seat) => seat !== undefined && held.push(seat));
        else if (step === 1) {
          const seat = held.shift();
          if (seat !== undefined) line.leave(seat);
        } else await time.advance(60);
        for (let i = 0; i < 5; i++) await Promise.resolve();
        expect(new Set(held).size).toBe(held.length);
        expect(held.length).toBeLessThanOrEqual(2);
        if (line.waiting > 0) expect(held).toHaveLength(2);
        expect(line.waiting).toBeLessThanOrEqual(3);
      }
    }),
    { numRuns: 100 },
  ));
