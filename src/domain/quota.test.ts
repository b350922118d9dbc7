import { expect, test } from "bun:test";
import { limitInForce } from "./quota.ts";

test("[PU4] a quota replaces the limit, also with nothing", () => {
  expect(limitInForce({ perBuyerLimit: 2 }, undefined)).toBe(2);
  expect(limitInForce({ perBuyerLimit: 2 }, 5)).toBe(5);
  expect(limitInForce({ perBuyerLimit: 2 }, 1)).toBe(1);
  expect(limitInForce({ perBuyerLimit: 2 }, 0)).toBe(0);
});
