import { expect, test } from "bun:test";
import { isOlder } from "./newer.ts";

const at = (changed: number, held: number | null) => ({
  changed_at: `2030-01-01T12:00:0${changed}.000Z`,
  hold_until: held === null ? null : `2030-01-01T12:1${held}:00.000Z`,
});

test("[SF22] of two copies the one that changed earlier is older; of the same change the one that is held less long", () => {
  expect(isOlder(at(1, 6), at(2, 5))).toBe(true);
  expect(isOlder(at(2, 5), at(1, 6))).toBe(false);
  expect(isOlder(at(1, 5), at(1, 6))).toBe(true);
  expect(isOlder(at(1, null), at(1, 5))).toBe(true);
  expect([isOlder(at(1, 6), at(1, 5)), isOlder(at(1, 5), at(1, 5))]).toEqual([false, false]);
});
