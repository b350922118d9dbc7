import { expect, spyOn, test } from "bun:test";
import { printSqlReport, type SqlReport } from "./report.ts";

const spent = { perSecond: 50_000, clientUs: 4, engineUs: 12 };
const settled = (size: number, ofBare: number) => ({ size, ledger: spent, bare: spent, ofBare, ofBareMin: 0.4, ofBareMax: 0.9 });
const accepts = { connections: 512, perSecond: 12_000, cpuUs: 40, p50Ms: 20, p99Ms: 50, perCommit: 128 };
const refusals = { perSecond: 60_000, cpuUs: 14, p50Ms: 1, p99Ms: 3 };
const sync = { writes: 500, medianMs: 0.2, p99Ms: 1, maxMs: 2 };

function printed({ ofBare, ofSingle, probes }: { ofBare: number; ofSingle: number; probes: number }): string {
  const lines: string[] = [];
  const log = spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  const report: SqlReport = {
    machine: { cpu: "cpu", cores: 2, memoryGb: 24, system: "Linux", commit: "abc" },
    at: "2026-11-20T00:00:00Z",
    settings: { rounds: 3, seconds: 4, takes: 30_000, quick: false },
    pinned: "ours on core 0, theirs on core 1",
    load: 1.5,
    engines: [
      {
        title: "MariaDB 10.11.19",
        syncs: [sync, sync],
        settling: [settled(100, 0.2), settled(500, ofBare)],
        storm: { batched: accepts, single: accepts, ofSingle, ofSingleMin: 8, ofSingleMax: 30 },
        soldOut: {
          floor: refusals,
          refused: refusals,
          ofFloor: 1.6,
          idle: { transactions: 2, probes: 0 },
          storm: { transactions: 6, probes },
        },
      },
    ],
  };
  try {
    printSqlReport(report);
  } finally {
    log.mockRestore();
  }
  return lines.join("\n");
}

test("goals are those of batches of 500, of the storm and of what refusing costs the database", () => {
  const text = printed({ ofBare: 0.7, ofSingle: 20, probes: 4 });
  expect(text).not.toContain("MISSED");
  expect(text.match(/ met$/gm)).toHaveLength(3);
});

test("a goal that is missed says so", () => {
  const text = printed({ ofBare: 0.5, ofSingle: 9, probes: 7 });
  for (const name of [/settling 500 .*MISSED/, /two API processes, × .*MISSED/, /probes a second.*MISSED/]) expect(text).toMatch(name);
});
