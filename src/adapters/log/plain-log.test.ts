import { expect, test } from "bun:test";
import { guarded, type Level } from "./open-log.ts";
import { plainLines } from "./plain-log.ts";

const nowMs = () => Date.parse("2026-11-20T10:00:05.123Z");
const written: string[] = [];
const log = (level: Level) =>
  guarded(
    plainLines((line) => void written.push(line), nowMs),
    nowMs,
  )(level);
const lastLine = () => written.at(-1) ?? "";

test("a line has time, level, message and fields", () => {
  log("info")("listening", { url: "http://127.0.0.1:8083", tries: 2, none: undefined });
  expect(lastLine()).toBe("10:00:05 info  listening url=http://127.0.0.1:8083 tries=2\n");
});

test("[LG6] a caller's text cannot forge a line", () => {
  log("warn")("bad place", { place: "x\n10:00:05 error forged\u2028\u0085\r" });
  expect(lastLine().match(/[\n\r\u2028\u0085]/gu)).toEqual(["\n"]);
});

test("an error is told with where it came from, on one line", () => {
  log("error")("failed", { err: new TypeError("no such thing") });
  expect(lastLine()).toMatch(/^10:00:05 error failed err=TypeError: no such thing/);
  expect(lastLine()).toContain("plain-log.test.ts");
  expect(lastLine().split("\n").length).toBe(2);
});
