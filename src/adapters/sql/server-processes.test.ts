import { expect, test } from "bun:test";
import { freeNumber, goneAfterMs } from "./server-processes.ts";

const nowMs = 1_000_000;
const row = (number: number, until: number) => ({ number, until_at: until });
const living = nowMs + 3_000;
const gone = (sinceMs: number) => nowMs - goneAfterMs - sinceMs;

test.each<[string, Parameters<typeof freeNumber>[0], number | undefined]>([
  ["the first", [], 0],
  ["one that nobody ever had, though another's is free again", [row(0, gone(5_000)), row(1, living)], 2],
  [
    "the one that has been free for the longest time, when all have been had",
    [row(0, gone(1)), row(1, gone(9)), row(2, living), row(3, gone(5))],
    1,
  ],
  [
    "none of a process that was silent a moment ago and may wake",
    [row(0, living), row(1, living), row(2, nowMs - goneAfterMs + 1), row(3, living)],
    undefined,
  ],
])("a process gets %s", (_what, others, number) => expect(freeNumber(others, { nowMs, numbers: 4 })).toBe(number));
