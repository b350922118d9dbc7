import { expect, test } from "bun:test";
import { lastCallMs, soonMs, urgencyOf, warningOf } from "./more-time.ts";

const nowMs = Date.parse("2030-01-01T12:00:00.000Z");
const due = (inMs: number, state: "reserved" | "paid" = "reserved") => ({ state, pay_by: new Date(nowMs + inMs).toISOString() });

test("[SF22] the page warns two minutes before the deadline, and again with at least twenty seconds to act", () => {
  const left = [soonMs, soonMs - 1, lastCallMs, lastCallMs - 1, 0, -5_000];
  expect(left.map((ms) => urgencyOf(due(ms), nowMs))).toEqual([0, 1, 1, 2, 2, 2]);
  // It looks each second, and between two announcements are five.
  expect(lastCallMs - 6_000).toBeGreaterThanOrEqual(20_000);
  expect(urgencyOf(due(1_000, "paid"), nowMs)).toBe(0);
  expect(urgencyOf(due(1_000), undefined)).toBe(0);
  expect(urgencyOf({ state: "reserved", pay_by: null }, nowMs)).toBe(0);
});

test("[SF22] the last warning names the button while there is more time to be had", () => {
  expect(warningOf({ extensions_left: 3 }, 2)).toBe("say_last_call_more");
  expect(warningOf({ extensions_left: 0 }, 2)).toBe("say_last_call");
  expect(warningOf({ extensions_left: 0 }, 1)).toBe("say_2_minutes");
});
