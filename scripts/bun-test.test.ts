import { expect, test } from "bun:test";
import { countsOf, failuresOf, judge } from "./bun-test.ts";
import { findSuites, suiteOf } from "./suites.ts";

const report = (head: string, cases = "") => `<?xml version="1.0"?>\n<testsuites name="bun test" ${head}>${cases}</testsuites>\n`;
const green = report('tests="7" assertions="2" failures="0" skipped="1" time="0.1"');
const red = report(
  'tests="3" assertions="2" failures="1" skipped="0" time="0.1"',
  '<testcase name="a &lt; b" classname="group" time="0" file="x.test.ts" line="1" assertions="1">\n  <failure type="E">no</failure></testcase>' +
    '<testcase name="fine" classname="" time="0" file="x.test.ts" line="2" assertions="1" />',
);

test("the totals of a report are read, a cut-off one is not", () => {
  expect(countsOf(green)).toEqual({ passed: 6, failed: 0, skipped: 1 });
  expect(countsOf(red)).toEqual({ passed: 2, failed: 1, skipped: 0 });
  expect(countsOf(red.slice(0, -10))).toBeUndefined();
  expect(countsOf("")).toBeUndefined();
});

test("failed tests are named with file and group", () => {
  expect(failuresOf(red)).toEqual(["x.test.ts: group > a < b"]);
  expect(failuresOf(green)).toEqual([]);
});

test.each([
  ["green", green, 0, 6, 0],
  ["red", red, 1, 2, 1],
  ["crashed before the report", undefined, 139, 0, 1],
  ["killed by the time-out", undefined, null, 0, 1],
  ["green report, red exit", green, 1, 6, 1],
  ["nothing ran", report('tests="0" assertions="0" failures="0" skipped="0" time="0"'), 0, 0, 1],
  ["only skipped", report('tests="2" assertions="0" failures="0" skipped="2" time="0"'), 0, 0, 1],
])("a run that is %s", (_, text, exitCode, passed, failed) => {
  expect(judge("suite", { report: text, exitCode })).toMatchObject({ passed, failed });
});

test("every test file is in exactly one suite", () => {
  const files = findSuites().flatMap((suite) => suite.files);
  expect(new Set(files).size).toBe(files.length);
  expect(files).toContain("scripts/bun-test.test.ts");
});

test.each([
  ["src/domain/sale.test.ts", "quick"],
  ["tests/contract/sqlite.test.ts", "quick"],
  ["tests/tidy.test.ts", "quick"],
  ["tests/simulation/kernel.test.ts", "simulation"],
  ["tests/nemesis/kill.test.ts", "nemesis"],
  ["tests/deploy/tls.test.ts", "deploy"],
  ["tests/proxy-files.test.ts", "quick"],
])("%s belongs to %s", (file, suite) => {
  expect(suiteOf(file)).toBe(suite);
});
