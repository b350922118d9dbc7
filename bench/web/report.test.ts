import { expect, test } from "bun:test";
import { linesOf, readmeText, type WebReport } from "./report.ts";

type Figures = {
  readonly kb: number;
  readonly ms: number;
  readonly earliestMs: number;
  readonly failed: number;
  readonly perSecond: number;
};
const good: Figures = { kb: 12, ms: 40, earliestMs: 3, failed: 0, perSecond: 4_990 };
const bad: Figures = { kb: 40, ms: 200_000, earliestMs: -1, failed: 2, perSecond: 4_000 };

function reportOf({ kb, ms, earliestMs, failed, perSecond }: Figures): WebReport {
  const opening = { afterMs: ms, earliestMs, latestMs: ms, boundMs: 20, buttons: 3 };
  return {
    machine: { cpu: "cpu", cores: 2, memoryGb: 24, system: "Linux", commit: "abc" },
    at: "2026-11-30T00:00:00Z",
    settings: { rounds: 3, quick: false },
    pinned: "apart",
    load: 1,
    loading: {
      programBytes: kb * 1024,
      bytes: kb * 1024,
      requests: kb / 2,
      foreign: failed,
      paintMs: ms,
      paintMsMax: ms,
      shift: ms / 10_000,
    },
    starts: { near: opening, phone: { ...opening, earliestMs: earliestMs * 25 } },
    pixels: { listeners: 1_000, purchases: 60, p50Ms: ms, p95Ms: ms, maxMs: ms, framesEach: 1 },
    stampede: {
      wantedPerSecond: 5_000,
      perSecond,
      cpuUs: 38,
      p50Ms: ms,
      p99Ms: ms,
      failed,
      purchases: { perSecond: 2_000, shedShare: 1 },
      mostPerSecond: 25_000,
      joins: { paintMs: ms, state: "SIGN_IN" },
    },
    newcomer: { firstPageSeconds: 1, paidSeconds: ms / 10, paidSecondsMax: ms / 10 },
  };
}

test("each goal is met by good figures, and missed by bad ones", () => {
  expect(linesOf(reportOf(good)).map(({ met }) => met)).toEqual(Array.from({ length: 14 }, () => true));
  expect(linesOf(reportOf(bad)).map(({ met }) => met)).toEqual(Array.from({ length: 14 }, () => false));
});

test("a button that opens before the start misses, however little; one that cannot know better may be early by what it says", () => {
  const lines = linesOf(reportOf({ ...good, earliestMs: -0.5 })).filter(({ name }) => name.startsWith("the button"));
  expect(lines.map(({ met }) => met)).toEqual([false, true]);
});

test("READMEs get a row for each figure, and say which is missed", () => {
  const rows = readmeText(reportOf(bad))
    .split("\n")
    .filter((line) => line.startsWith("|"));
  expect(rows).toHaveLength(2 + 14);
  for (const row of rows) expect(row.split("|")).toHaveLength(5);
  expect(rows.filter((row) => row.includes("**missed**"))).toHaveLength(14);
});
