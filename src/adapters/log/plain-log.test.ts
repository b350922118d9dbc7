import { expect, test } from "bun:test";
import { openPlainLog } from "./plain-log.ts";

const at = () => new Date("2026-11-20T10:00:05.123Z");

test("a line has time, level, message and fields, and less important ones are left out", () => {
  const lines: string[] = [];
  const log = openPlainLog("info", (line) => lines.push(line), at);
  log.debug("not seen");
  log.info("listening", { url: "http://127.0.0.1:8083", tries: 2 });
  expect(lines).toEqual(["10:00:05 info  listening url=http://127.0.0.1:8083 tries=2\n"]);
});

test("a caller's text cannot forge a line", () => {
  const lines: string[] = [];
  openPlainLog("info", (line) => lines.push(line), at).warn("bad name", { name: "x\n10:00:05 error forged" });
  expect(lines.join("").split("\n").length).toBe(2);
});

test("an error is told with where it came from, on one line", () => {
  const lines: string[] = [];
  const log = openPlainLog("info", (line) => lines.push(line), at);
  log.error("failed", { err: new TypeError("no such thing") });
  expect(lines[0]).toMatch(/^10:00:05 error failed err=TypeError: no such thing/);
  expect(lines[0]).toContain("plain-log.test.ts");
  expect(lines.join("").split("\n").length).toBe(2);
});
