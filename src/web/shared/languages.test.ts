import { describe, expect, test } from "bun:test";
import { clockText, instant, money, remaining } from "./format.ts";
import { languageFor } from "./languages.ts";
import { nextPath } from "./paths.ts";

describe("[SF9] the reader's language", () => {
  test.each([
    [null, "en"],
    ["", "en"],
    ["zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"],
    ["zh-TW", "zh-CN"],
    ["en-GB,zh;q=0.9", "en"],
    ["fr;q=1, zh;q=0.5, en;q=0.4", "zh-CN"],
    ["de", "en"],
    ["zh;q=0, de", "en"],
    ["*", "en"],
    ["zh;q=x", "en"],
  ])("%p asks for %s", (header, language) => expect(languageFor(header)).toBe(language as "en"));

  test("money is written by its currency", () => {
    expect(money("en", 399_900, "CNY")).toBe("¥3,999.00");
    expect(money("zh-CN", 5, "USD")).toBe("$0.05");
    expect(money("en", 1_200, "JPY")).toBe("¥1,200");
  });

  test("times name their zone", () => {
    expect(instant("en", Date.UTC(2030, 0, 31, 12), "UTC")).toContain("UTC");
    expect(instant("zh-CN", Date.UTC(2030, 0, 31, 12), "Asia/Shanghai")).toContain("20:00:00");
  });

  test("what is left is rounded up", () => {
    expect(remaining(1)).toEqual({ days: 0, hours: 0, minutes: 0, seconds: 1 });
    expect(remaining(-5)).toEqual({ days: 0, hours: 0, minutes: 0, seconds: 0 });
    expect(remaining(90_061_000)).toEqual({ days: 1, hours: 1, minutes: 1, seconds: 1 });
    expect([clockText(59_001), clockText(872_000), clockText(90_061_000)]).toEqual(["01:00", "14:32", "25:01:01"]);
  });
});

describe("[SF13] after signing in", () => {
  test.each([
    ["?next=%2Fen%2Fs%2F12", "/en/s/12"],
    ["?next=%2Fzh-CN%2Forders", "/zh-CN/orders"],
    ["", "/en/account"],
    ["?next=https%3A%2F%2Fevil.example", "/en/account"],
    ["?next=%2F%2Fevil.example", "/en/account"],
    ["?next=%2Fen%2F..%2F..%2Fevil", "/en/account"],
    ["?next=javascript%3Aalert(1)", "/en/account"],
    ["?next=%2Fen%2F%0A%2Fevil", "/en/account"],
  ])("%p leads to %s", (search, path) => expect(nextPath(search, "/en/account")).toBe(path));
});
