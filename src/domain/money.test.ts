import { describe, expect, test } from "bun:test";
import { money, must } from "../../tests/kit/samples.ts";
import { exponentOf, formatDecimal, isPriceMinor, parseCurrency, parseDecimal, priceMinorMax, sameMoney } from "./money.ts";
import { amountOf } from "./purchase.ts";
import { quotaUnitsMax } from "./quota.ts";

describe("[PA12] decimals become minor units exactly", () => {
  const rows: readonly (readonly [string, string, number | undefined])[] = [
    ["99.99", "EUR", 9_999],
    ["8999.00", "CNY", 899_900],
    ["0.1", "EUR", 10],
    ["0.10000", "EUR", 10],
    ["0", "EUR", 0],
    ["007", "EUR", 700],
    ["1.005", "EUR", undefined],
    ["1.234", "KWD", 1_234],
    ["1.2345", "KWD", undefined],
    ["500", "JPY", 500],
    ["500.0", "JPY", 500],
    ["500.5", "JPY", undefined],
    ["999999999999.99", "EUR", 99_999_999_999_999],
    ["1000000000000", "EUR", undefined],
    ["-1", "EUR", undefined],
    ["+1", "EUR", undefined],
    ["1e3", "EUR", undefined],
    [" 1", "EUR", undefined],
    ["1.", "EUR", undefined],
    [".5", "EUR", undefined],
    ["1,5", "EUR", undefined],
    ["", "EUR", undefined],
    ["NaN", "EUR", undefined],
    ["Infinity", "EUR", undefined],
    ["0x10", "EUR", undefined],
    ["١", "EUR", undefined],
    ["1\n", "EUR", undefined],
  ];
  test.each(rows)("%p %s", (text, currency, expected) => expect(parseDecimal(text, must(parseCurrency(currency)))).toBe(expected));
});

test("[PA12] formatting is the way back", () => {
  for (const [minor, currency, text] of [
    [9_999, "EUR", "99.99"],
    [5, "EUR", "0.05"],
    [0, "EUR", "0.00"],
    [500, "JPY", "500"],
    [1_234, "KWD", "1.234"],
    [1, "KWD", "0.001"],
  ] as const) {
    expect(formatDecimal(money(minor, currency))).toBe(text);
    expect(parseDecimal(text, must(parseCurrency(currency)))).toBe(minor);
  }
});

test("[PA12] a currency is three capital letters; its exponent is two unless listed", () => {
  for (const wrong of ["eur", "EU", "EURO", "", "E1R", "EUR\n", "ÉUR"]) expect(parseCurrency(wrong)).toBeUndefined();
  expect(exponentOf(must(parseCurrency("EUR")))).toBe(2);
  expect(exponentOf(must(parseCurrency("JPY")))).toBe(0);
  expect(exponentOf(must(parseCurrency("BHD")))).toBe(3);
});

test("[PU23] a price is a positive integer up to its bound", () => {
  for (const right of [1, 999, priceMinorMax]) expect(isPriceMinor(right)).toBe(true);
  for (const wrong of [0, -1, 1.5, priceMinorMax + 1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60])
    expect(isPriceMinor(wrong)).toBe(false);
});

test("[PU23] an order's amount is exact to the last unit: the highest price times the most units that anybody may buy", () => {
  const exact = BigInt(priceMinorMax) * BigInt(quotaUnitsMax);
  expect(exact <= BigInt(Number.MAX_SAFE_INTEGER)).toBe(true);
  expect(BigInt(amountOf({ price: money(priceMinorMax - 1), quantity: quotaUnitsMax - 1 }).minor)).toBe(
    BigInt(priceMinorMax - 1) * BigInt(quotaUnitsMax - 1),
  );
});

test("[PA4] equal money has equal units and currency", () => {
  expect(sameMoney(money(5), money(5))).toBe(true);
  expect(sameMoney(money(5), money(6))).toBe(false);
  expect(sameMoney(money(5), money(5, "USD"))).toBe(false);
});
