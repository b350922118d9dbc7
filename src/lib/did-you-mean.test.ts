import { expect, test } from "bun:test";
import { didYouMean, nearestWord } from "./did-you-mean.ts";

test.each([
  ["verfiy", ["verify", "serve"], "verify"],
  ["DOORBUSTER_HTTP_PROT", ["DOORBUSTER_HTTP_PORT", "DOORBUSTER_HTTP_HOST"], "DOORBUSTER_HTTP_PORT"],
  ["completely-else", ["verify", "serve"], undefined],
  ["x", ["json", "plain"], undefined],
  ["xml", ["json", "plain"], undefined],
  ["ifno", ["info", "warn"], "info"],
  ["JSON", ["json", "plain"], "json"],
  ["", ["a"], undefined],
  ["a", [], undefined],
] as const)("%p among %p means %p", (word, known, meant) => {
  expect(nearestWord(word, known)).toBe(meant);
});

test("the question is always put the same way", () => {
  expect(didYouMean("verfiy", ["verify"])).toBe('; did you mean "verify"?');
  expect(didYouMean("completely-else", ["verify"])).toBe("");
});
