import { expect, test } from "bun:test";
import {
  isKey,
  isSubject,
  keyLengthMax,
  parseAdjustmentId,
  parseBuyerId,
  parsePaymentId,
  parseProductId,
  parsePurchaseId,
  parseRefundId,
  parseSaleId,
  subjectLengthMax,
} from "./ids.ts";

const parsers = { parseProductId, parseSaleId, parsePurchaseId, parsePaymentId, parseRefundId, parseAdjustmentId };

test("[OR9] an id is decimal text of a positive 63-bit integer, kept as written", () => {
  for (const parse of Object.values(parsers)) {
    for (const right of ["1", "1001", "9007199254740993", "9223372036854775807", "999999999999999999"])
      expect<string | undefined>(parse(right)).toBe(right);
    for (const wrong of [
      "",
      "0",
      "01",
      "-1",
      "+1",
      "1.0",
      "1e3",
      " 1",
      "1 ",
      "1\n",
      "abc",
      "0x1",
      "9223372036854775808",
      "10000000000000000000",
      "１",
    ])
      expect(parse(wrong)).toBeUndefined();
  }
});

test("[OR9] a buyer's internal id is a positive integer", () => {
  expect<number | undefined>(parseBuyerId(1)).toBe(1);
  for (const wrong of [0, -1, 1.5, Number.NaN, 2 ** 53]) expect(parseBuyerId(wrong)).toBeUndefined();
});

test("[PU8] a key is 1 to 128 printable ASCII characters, space included", () => {
  for (const right of ["a", "a b", " ", "~", "x".repeat(keyLengthMax)]) expect(isKey(right)).toBe(true);
  for (const wrong of ["", "x".repeat(keyLengthMax + 1), "a\n", "\t", "\u007f", "ä", "\0"]) expect(isKey(wrong)).toBe(false);
});

test("[PU8] a buyer's name is 1 to 64 printable ASCII characters without space", () => {
  for (const right of ["a", "user-1@example.com", "x".repeat(subjectLengthMax)]) expect(isSubject(right)).toBe(true);
  for (const wrong of ["", " ", "a b", "x".repeat(subjectLengthMax + 1), "ä", "a\n", "\u007f"]) expect(isSubject(wrong)).toBe(false);
});
