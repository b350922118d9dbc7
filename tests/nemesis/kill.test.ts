import { expect, test } from "bun:test";
import { killRun } from "./kill-run.ts";

const seed = Number(process.env["KILL_SEED"] ?? Math.floor(Math.random() * 1_000_000));
const cycles = Number(process.env["KILL_CYCLES"] ?? 50);

test(
  `[J3, D1] [I1] [I2] [I3] [I4] [I8] [I9] [I12] [I13] kill -9 in mid-sale ${cycles} times: KILL_SEED=${seed} KILL_CYCLES=${cycles} bun test tests/nemesis/kill.test.ts`,
  async () => {
    const { verdict, tally, counts, unreadable, restartMs } = await killRun({ seed, cycles });
    const slowest = Math.max(...restartMs).toFixed(0);
    process.stderr.write(
      `kill: seed ${seed}, ${restartMs.length} starts (slowest ${slowest} ms), ${JSON.stringify(counts)}, ${tally.orders.size} orders, verify ${verdict.verdict}\n`,
    );
    expect(tally.brokenPromises).toEqual([]);
    expect(unreadable).toEqual([]);
    expect(verdict.problems).toEqual([]);
    expect(verdict.checks.filter((check) => check.verdict === "invalid")).toEqual([]);
    expect(verdict.verdict).not.toBe("invalid");
    // Each publishing took units from the inventory, so there was something to check.
    expect(verdict.checks.find((check) => check.id === "I13")?.verdict).toBe("valid");
    expect(restartMs).toHaveLength(cycles + 1);
    // A run in which nothing was accepted or nothing was lost proves nothing.
    expect(tally.orders.size).toBeGreaterThan(cycles * 5);
    expect(counts.info).toBeGreaterThan(cycles);
  },
  { timeout: 300_000 },
);

test(
  "negative control: a server that answers before its store is durable is caught by the same run",
  async () => {
    // Whether a kill falls between an answer and its write-back is chance, so the bug has a few runs to show itself.
    let verdict = (await killRun({ seed: 1, cycles: 6, entry: ["tests/nemesis/planted-server.ts"] })).verdict;
    for (let seed = 2; seed <= 5 && verdict.verdict !== "invalid"; seed++)
      verdict = (await killRun({ seed, cycles: 6, entry: ["tests/nemesis/planted-server.ts"] })).verdict;
    expect(verdict.verdict).toBe("invalid");
    expect(verdict.checks.filter((check) => check.verdict === "invalid").map((check) => check.id)).toContain("C2");
  },
  { timeout: 120_000 },
);
