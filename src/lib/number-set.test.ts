import { expect, test } from "bun:test";
import fc from "fast-check";
import { NumberSet } from "./number-set.ts";

test("it holds what a built-in set holds, whatever the order and the size of the numbers", () => {
  const member = fc.oneof(
    fc.integer({ min: 1, max: 50 }),
    fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    fc.constantFrom(2 ** 32, 2 ** 33, 2 ** 52),
  );
  fc.assert(
    fc.property(fc.array(member, { maxLength: 300 }), fc.array(member, { maxLength: 50 }), (added, asked) => {
      const set = new NumberSet();
      const model = new Set<number>();
      for (const number of added) {
        set.add(number);
        model.add(number);
        expect(set.size).toBe(model.size);
      }
      for (const number of [...added, ...asked]) expect(set.has(number)).toBe(model.has(number));
      set.clear();
      expect([set.size, added.some((number) => set.has(number))]).toEqual([0, false]);
    }),
  );
});

test("it grows to many neighbours without losing one", () => {
  const set = new NumberSet();
  for (let i = 1; i <= 100_000; i++) set.add(i);
  expect(set.size).toBe(100_000);
  for (let i = 1; i <= 100_000; i++) if (!set.has(i)) throw new Error(`${i} is missing`);
  expect(set.has(100_001)).toBe(false);
});

test("zero is never a member, and nothing but positive integers can be", () => {
  const set = new NumberSet();
  expect(set.has(0)).toBe(false);
  for (const wrong of [0, -1, 1.5, Number.NaN, 2 ** 53]) expect(() => set.add(wrong)).toThrow("positive integer");
});
