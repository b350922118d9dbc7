import { expect, test } from "bun:test";
import fc from "fast-check";
import { isSameText } from "./same-text.ts";

test("[HO7] says what === says, of any two texts and of two that differ in one place", () => {
  const text = fc.string({ unit: "binary", maxLength: 50 });
  fc.assert(fc.property(text, text, (one, other) => expect(isSameText(one, other)).toBe(one === other)));
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 50 }), fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), (one, at, letter) => {
      const place = at % one.length;
      const other = one.slice(0, place) + letter + one.slice(place + 1);
      expect(isSameText(one, other)).toBe(one === other);
      expect(isSameText(one, one.slice(0, place))).toBe(false);
      expect(isSameText(one.slice(0, place), one)).toBe(false);
      expect(isSameText(one, `${one}\u0000`)).toBe(false);
    }),
  );
});
