import { expect, test } from "bun:test";
import { ManualTime, turns } from "../../tests/kit/manual-time.ts";
import { endsWithin } from "./ends-within.ts";

test("what ends in time is told at once, and leaves no timer behind", async () => {
  const time = new ManualTime(0);
  expect(await endsWithin(Promise.resolve(), 10_000, time)).toBe(true);
  expect(endsWithin(Promise.reject(new Error("planted")), 10_000, time)).rejects.toThrow("planted");
  await turns();
  expect(time.timers).toBe(0);
});

test("what hangs is waited for so long and no longer", async () => {
  const time = new ManualTime(0);
  const ended = endsWithin(new Promise(() => undefined), 10_000, time);
  await time.advance(10_000);
  expect(await ended).toBe(false);
});
