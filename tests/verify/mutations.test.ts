import { expect, test } from "bun:test";
import { randomFrom } from "./good-run.ts";
import { memoryRun } from "./memory-run.ts";
import { HistoryMutations } from "./history-mutations.ts";
import { findingsOf, judge } from "./judge.ts";
import { StoreMutations, type Mutation } from "./store-mutations.ts";

const mutationsMin = 10_000;
const perRunMax = 500;

/** Another seed on another day: DOORBUSTER_TEST_SEED=… replays one. */
const firstSeed = Number(process.env["DOORBUSTER_TEST_SEED"] ?? 1);

test("every single mutation of good evidence is flagged: the checker's negative controls [I1] [I2] [I3] [I4] [I5] [I7] [I8] [I9] [I11] [I12] [I13]", async () => {
  const missed: string[] = [];
  let tried = 0;
  for (let seed = firstSeed; tried < mutationsMin; seed++) {
    const good = await memoryRun(seed, 30);
    expect(findingsOf(await judge(good))).toEqual([]);
    const all = [...new StoreMutations(good).list(), ...new HistoryMutations(good).list()];
    for (const { name, mutate } of sample(all, seed)) {
      tried += 1;
      const report = await judge(mutate());
      if (report.verdict !== "invalid") missed.push(`seed ${seed}: ${name}`);
    }
  }
  expect(missed).toEqual([]);
  expect(tried).toBeGreaterThanOrEqual(mutationsMin);
}, 120_000);

/** A run has more mutations than need be tried; each seed tries others. */
function sample(all: readonly Mutation[], seed: number): readonly Mutation[] {
  const random = randomFrom(seed);
  return all.filter(() => random() < perRunMax / all.length);
}
