import { describe, expect, test } from "bun:test";
import { problemOfUsername, usernameKeyOf } from "./account.ts";
import { problemOfMerchant } from "./merchant.ts";

test.each([
  ["Alice", "alice"],
  ["ＡＬＩＣＥ", "alice"],
  ["İ", "i̇"],
  ["Straße", "strasse"],
  ["ﬁona", "fiona"],
  ["Ångström", "ångström"],
  ["张伟", "张伟"],
  ["a.b+c@example.org", "a.b+c@example.org"],
])("[AC1] the name %p is compared as %p", (username, key) => {
  expect(usernameKeyOf(username)).toBe(key);
  expect(usernameKeyOf(key)).toBe(key);
});

test.each(["bob", "张小伟", "x".repeat(64), "a_b-c.d", "ann@example.org", "O3O"])("[AC1] %p can be a name", (username) =>
  expect(problemOfUsername(username)).toBeUndefined(),
);

test.each([
  "",
  "ab",
  "x".repeat(65),
  "x".repeat(100_000),
  "a b c",
  "a\nbc",
  "a\u0000bc",
  "a\u200bbc",
  "\u202eabc",
  "\u0301abc",
  "<b>bold</b>",
  "bob'; --",
  "😀😀😀",
  "/etc",
  "a:b:c",
])("[AC1] %p cannot be a name", (username) => expect(problemOfUsername(username)).toMatchObject({ field: "username" }));

describe("shops", () => {
  test.each(["shop", "a", "lamps-and-more.2", "x".repeat(64)])("[AC15] %p can be a shop", (id) =>
    expect(problemOfMerchant({ id, name: "Shop" })).toBeUndefined(),
  );
  test.each(["local", "", "Shop", "-a", "a b", "x".repeat(65), "a/b", "ä"])("[AC15] %p cannot be a shop", (id) =>
    expect(problemOfMerchant({ id, name: "Shop" })).toMatchObject({ field: "id" }),
  );
  test("[AC15] a shop has a name", () => expect(problemOfMerchant({ id: "a", name: " " })).toMatchObject({ field: "name" }));
});
