import { expect, test } from "bun:test";
import fc from "fast-check";
import { SecondBudget } from "./second-budget.ts";

test("[LG2] lets the first so many of each second through and counts the others", () => {
  const budget = new SecondBudget(3);
  expect([0, 1, 2, 3, 999].map((at) => budget.take(at))).toEqual([true, true, true, false, false]);
  expect(budget.takeLeftOut()).toBe(2);
  expect([1000, 1000, 1001, 1002].map((at) => budget.take(at))).toEqual([true, true, true, false]);
  expect(budget.leftOut).toBe(1);
});

test("[LG2] a budget of nothing lets nothing through", () => {
  const budget = new SecondBudget(0);
  expect([0, 5000].map((at) => budget.take(at))).toEqual([false, false]);
});

test("[LG2] whatever the arrivals, no second holds more than two windows' worth, and none is lost from the count", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 300 }), (max, gaps) => {
      const budget = new SecondBudget(max);
      let nowMs = 0;
      const taken = gaps.flatMap((gap) => (budget.take((nowMs += gap)) ? [nowMs] : []));
      for (const at of taken) expect(taken.filter((other) => other > at - 1000 && other <= at).length).toBeLessThanOrEqual(2 * max);
      expect(taken.length + budget.takeLeftOut()).toBe(gaps.length);
    }),
  );
});
