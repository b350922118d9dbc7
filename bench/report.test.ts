import { expect, spyOn, test } from "bun:test";
import { median } from "./machine.ts";
import { printReport, type Report, type Row, type WorldReport } from "./report.ts";

const row = (perSecond: number, cpuUs: number): Row => ({ perSecond, cpuUs, ofFloor: cpuUs / 10, p50Ms: 1, p99Ms: 2, p99OfFloor: 1 });
const world = (name: string, accepted: Row): WorldReport => ({
  name,
  about: name,
  floor: row(60_000, 10),
  refused: row(50_000, 14),
  buying: { accepted, acceptedByFew: accepted, settledPerSecond: accepted.perSecond - 1 },
  memoryMb: 120,
  firstAcceptMs: 400,
});

function printed(worlds: readonly WorldReport[]): string {
  const lines: string[] = [];
  const log = spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  const machine = { cpu: "cpu", cores: 2, memoryGb: 24, system: "Linux", commit: "abc" };
  const report: Report = {
    machine,
    at: "2026-11-20T00:00:00Z",
    settings: { rounds: 3, seconds: 4, connections: 64, crowd: 256, quick: false },
    worlds,
    parts: { decision: 0.5 },
  };
  try {
    printReport(report);
  } finally {
    log.mockRestore();
  }
  return lines.join("\n");
}

test("[J2] accepts, refusals and settled orders stand apart, beside the figure that the seeds ask for", () => {
  const text = printed([world("plain", row(25_000, 24)), world("many", row(24_000, 25))]);
  expect(text).toContain("25,000 durable accepts/s · 50,000 refusals/s · 24,999 settled orders/s (the seeds ask for 20,000 requests/s)");
  expect(text).toContain("fsync before every yes");
  expect(text).not.toContain("MISSED");
});

test("[J2] a goal that is missed says so", () => {
  expect(printed([world("plain", row(15_000, 40))])).toMatch(/durable accepts\/s\s+≥ 20,000\s+15,000\s+MISSED/);
});

test("the median of an even number of rounds lies between the middle two", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([3, 1, 2])).toBe(2);
});
