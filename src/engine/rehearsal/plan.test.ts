import { expect, test } from "bun:test";
import { buyerPlan } from "./plan.ts";
import { count } from "./tally.ts";

test("a buyer's plan depends on seed and number alone", () => {
  expect(buyerPlan(7, 1_234)).toEqual(buyerPlan(7, 1_234));
  expect(buyerPlan(7, 1_234)).not.toEqual(buyerPlan(8, 1_234));
});

test("a crowd holds every manner and every life after the yes, and no key twice", () => {
  const manners = new Map<string, number>();
  const aftermaths = new Map<string, number>();
  const keys = new Set<string>();
  for (let number = 0; number < 5_000; number++) {
    const plan = buyerPlan(1, number);
    count(manners, plan.manner);
    count(aftermaths, plan.aftermath);
    keys.add(plan.key);
  }
  expect(manners.size).toBe(5);
  expect(aftermaths.size).toBe(10);
  expect(keys.size).toBe(5_000);
  expect(manners.get("plain") ?? 0).toBeGreaterThan(2_500);
});
