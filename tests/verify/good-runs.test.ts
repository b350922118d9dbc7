import { expect, test } from "bun:test";
import fc from "fast-check";
import { memoryRun } from "./memory-run.ts";
import { findingsOf, judge } from "./judge.ts";

test("[I1] [I2] [I3] [I5] [I8] [I9] [I11] [I13] evidence of a good run is valid", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
      const report = await judge(await memoryRun(seed, 60));
      expect(findingsOf(report)).toEqual([]);
      expect(report.verdict).toBe("valid");
    }),
    { numRuns: 150 },
  );
}, 30_000);

test("good runs have something of everything to check", async () => {
  const seen = new Map<string, number>();
  for (let seed = 0; seed < 30; seed++) {
    const report = await judge(await memoryRun(seed, 60));
    for (const { id, checked } of report.checks) seen.set(id, (seen.get(id) ?? 0) + checked);
  }
  const unseen = [...seen].filter(([id, checked]) => checked < 30 && id !== "I10").map(([id]) => id);
  expect(unseen).toEqual([]);
}, 30_000);
