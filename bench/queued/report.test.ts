import { expect, spyOn, test } from "bun:test";
import { printQueuedReport, readmeText, type QueuedReport } from "./report.ts";

const spent = { perSecond: 50_000, clientUs: 4, engineUs: 12 };
const refusals = { perSecond: 60_000, cpuUs: 14, p50Ms: 1, p99Ms: 3 };
const sync = { writes: 500, medianMs: 0.2, p99Ms: 1, maxMs: 2 };

type Figures = {
  readonly ofSingle: number;
  readonly ofFloor: number;
  readonly calls: number;
  readonly lagMs: number;
  readonly waitMs: number;
  readonly drained: number;
  readonly peakMb: number;
};
const good: Figures = { ofSingle: 0.3, ofFloor: 1.6, calls: 6, lagMs: 90, waitMs: 150, drained: 40_000, peakMb: 210 };
const bad: Figures = { ofSingle: 0.6, ofFloor: 1.8, calls: 10, lagMs: 900, waitMs: 1_500, drained: 20_000, peakMb: 700 };

const reportOf = ({ ofSingle, ofFloor, calls, lagMs, waitMs, drained, peakMb }: Figures): QueuedReport => ({
  machine: { cpu: "cpu", cores: 2, memoryGb: 24, system: "Linux", commit: "abc" },
  at: "2026-11-20T00:00:00Z",
  settings: { rounds: 3, seconds: 4, crowd: 512, backlog: 100_000, quick: false },
  pinned: "ours on core 0",
  load: 1.5,
  cache: [
    { size: 1, redisUs: 50, perSecond: 7_000, ofSingle: 1 },
    { size: 256, redisUs: 15, perSecond: 30_000, ofSingle },
  ],
  engines: [
    {
      title: "MariaDB 10.11.19",
      syncs: [sync, sync],
      soldOut: { floor: refusals, refused: refusals, ofFloor, idle: { calls: 2 }, storm: { calls } },
      endToEnd: {
        full: { connections: 512, perSecond: 9_000, cpuUs: 50, p50Ms: 60, p99Ms: 150, settledPerSecond: 8_800 },
        half: { perSecond: 4_500, lag: { orders: 18_000, p50Ms: 20, p99Ms: lagMs, maxMs: 1_000 } },
        waiting: { perSecond: 4_500, p50Ms: 40, p99Ms: waitMs, share: 1 },
      },
      settling: { size: 1_000, ledger: spent, bare: spent, ofBare: 0.7, ofBareMin: 0.6, ofBareMax: 0.8 },
      backlog: { lines: 100_200, settledPerSecond: drained, perCommit: 1_003, restMb: 140, peakMb },
    },
  ],
});

function printed(figures: Figures): string {
  const lines: string[] = [];
  const log = spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  try {
    printQueuedReport(reportOf(figures));
  } finally {
    log.mockRestore();
  }
  return lines.join("\n");
}

test("goals are those of the cache, of refusals, of the way to the order, and of a backlog", () => {
  const text = printed(good);
  expect(text).not.toContain("MISSED");
  expect(text.match(/ met$/gm)).toHaveLength(7);
});

test("a goal that is missed says so", () => {
  const text = printed(bad);
  expect(text).not.toMatch(/ met$/m);
  expect(text.match(/ MISSED$/gm)).toHaveLength(7);
});

test("calls that the cache has anyway are no probes", () => expect(printed({ ...good, calls: 6.5 })).toMatch(/probes .* 4\.50 +MISSED/));

test("READMEs get a row for each figure, with as many cells as there are databases", () => {
  const report = reportOf(good);
  const [engine] = report.engines;
  const two = { ...report, engines: [...report.engines, { ...engine!, title: "PostgreSQL 15.1", soldOut: undefined }] };
  const rows = readmeText(two)
    .split("\n")
    .filter((line) => line.startsWith("|"));
  expect(rows).toHaveLength(2 + 2 + 5);
  for (const row of rows) expect(row.split("|")).toHaveLength(5);
});
