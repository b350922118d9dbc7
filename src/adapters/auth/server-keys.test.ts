import { expect, test } from "bun:test";
import { createServerKeys } from "./server-keys.ts";

const keys = createServerKeys([
  { id: "a", issuer: "shop", secret: "first-key-of-the-shop-0123456789" },
  { id: "b", issuer: "other", secret: "second-key-0123456789-0123456789" },
]);

test("[E3] a known key names its shop", () => {
  expect(keys.check("first-key-of-the-shop-0123456789", 0)).toMatchObject({ id: "a", issuer: "shop", access: { merchant: "shop" } });
  expect(keys.check("second-key-0123456789-0123456789", 0)).toMatchObject({ id: "b", issuer: "other", access: { merchant: "other" } });
});

test.each([
  "",
  "x",
  "first-key-of-the-shop-012345678",
  "first-key-of-the-shop-0123456789 ",
  "FIRST-KEY-OF-THE-SHOP-0123456789",
  "a",
  "undefined",
])("refuses %p", (presented) => expect(keys.check(presented, 0)).toBeUndefined());

test("an overlong key is refused without being hashed", () => expect(keys.check("x".repeat(100_000), 0)).toBeUndefined());
test("no keys, no entry", () => expect(createServerKeys([]).check("", 0)).toBeUndefined());
test("an empty secret is refused at start", () =>
  expect(() => createServerKeys([{ id: "a", issuer: "s", secret: "" }])).toThrow("1 to 256"));
