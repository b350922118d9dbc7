import { expect, test } from "bun:test";
import fc from "fast-check";
import { IdIndex } from "./id-index.ts";
import { RangeMinimum } from "./range-minimum.ts";
import { TextSet } from "./text-set.ts";

const id = fc.bigInt({ min: 1n, max: 9_223_372_036_854_775_807n }).map(String);
const smallId = fc.integer({ min: 1, max: 3_000 }).map(String);

test("an id index finds what a map finds, exactly", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(id, smallId), { maxLength: 4_000, size: "max" }), fc.array(smallId), (added, asked) => {
      const index = new IdIndex();
      const model = new Map<string, number>();
      for (const text of added) {
        const row = index.add(text);
        expect(row).toBe(model.has(text) ? -1 : model.size);
        if (row >= 0) model.set(text, row);
      }
      for (const text of [...added, ...asked]) expect(index.find(text)).toBe(model.get(text) ?? -1);
      for (const [text, row] of model) expect(index.idAt(row)).toBe(text);
    }),
    { numRuns: 30 },
  );
});

test.each(["", "0", "01", "-1", "1.5", "x", "12345678901234567890"])("an id index does not take %p for an id", (text) => {
  const index = new IdIndex();
  expect(index.add(text)).toBe(-1);
  expect(index.find(text)).toBe(-1);
});

test("a text set notices every repeat and, among these, nothing else", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), smallId), { maxLength: 5_000, size: "max" }), (texts) => {
      const set = new TextSet();
      const model = new Set<string>();
      for (const text of texts) {
        expect(set.add(text)).toBe(!model.has(text));
        model.add(text);
      }
    }),
    { numRuns: 30 },
  );
});

test("a range's minimum is that of its slice", () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1, maxLength: 60 }), fc.nat(70), fc.nat(70), (values, from, length) => {
      const minimum = new RangeMinimum(values.length, (i) => values[i] ?? 0);
      const to = Math.min(values.length - 1, from + length);
      expect(minimum.between(from, to)).toBe(Math.min(...values.slice(from, to + 1)));
    }),
  );
});
