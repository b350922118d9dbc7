/** The simulation as a test: the right system survives, the same seed gives the same trace, every planted bug is caught. */
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import { parseArguments } from "./main.ts";
import { runSeed } from "./run.ts";
import { kinds } from "./worlds.ts";

const { mutants } = kinds.embedded;
const seedsFrom = 1;
const seedsCount = 1_000;
const chunk = 100;
const testTimeoutMs = 120_000;
/** Seeds that found a bug once. */
const regressions = [1, 15, 71, 88, 97, 200];

const replay = (seed: number) => `npm run sim -- --seed ${seed} --trace`;

async function violationsOf(seeds: Iterable<number>, probes = new Set<string>()): Promise<string[]> {
  const found: string[] = [];
  for (const seed of seeds) {
    const result = await runSeed(seed);
    for (const name of result.probes.keys()) probes.add(name);
    const [first] = result.violations;
    if (first !== undefined) found.push(`${first.rule}: ${first.text} (${replay(seed)})`);
  }
  return found;
}

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);
const reached = new Set<string>();

describe("[I1] [I2] [I3] [I4] [I5] [I6] [I7] [I8] [I9] [I10] [I11] [I12] [I13] the embedded world keeps every invariant", () => {
  for (let from = seedsFrom; from < seedsFrom + seedsCount; from += chunk)
    test(
      `in seeds ${from} to ${from + chunk - 1}`,
      async () => expect(await violationsOf(range(from, chunk), reached)).toEqual([]),
      testTimeoutMs,
    );

  test("in seeds that found a bug once", async () => expect(await violationsOf(regressions)).toEqual([]), testTimeoutMs);

  test("and the rare paths were taken", () => expect(expectedProbes.filter((name) => !reached.has(name))).toEqual([]));
});

test(
  "the same seed gives the same trace",
  async () => {
    for (const seed of range(2_000, 50))
      expect({ seed, hash: (await runSeed(seed)).hash }).toEqual({ seed, hash: (await runSeed(seed)).hash });
  },
  testTimeoutMs,
);

describe("a planted bug is caught:", () => {
  for (const [name, mutant] of Object.entries(mutants))
    test(
      name,
      async () => {
        for (const seed of range(1, mutant.seedsMax)) if ((await runSeed(seed, { mutant })).violations.length > 0) return;
        expect(`not caught in ${mutant.seedsMax} seeds`).toBe("caught");
      },
      testTimeoutMs,
    );
});

test("another process gives the same trace, and says its hash", async () => {
  const { hash } = await runSeed(7);
  const told = sim("--seed", "7");
  expect([told.exitCode, told.text.split("\n").filter((line) => line.startsWith("hash "))]).toEqual([0, [`hash ${hash}`]]);
});

test("a caught bug leaves with 1 and says how to see it again; bad usage leaves with 2", async () => {
  const mutant = mutants["refuses-known-buyers"];
  let seed = 1;
  // Which seed meets it first hangs on how the system is scheduled, hence on its code.
  while ((await runSeed(seed, { mutant })).violations.length === 0) seed += 1;
  const caught = sim("--seed", String(seed), "--mutant", "refuses-known-buyers");
  expect(caught.exitCode).toBe(1);
  expect(caught.text).toContain(`npm run sim -- --seed ${seed} --trace --mutant refuses-known-buyers`);
  expect(sim("--sede", "1")).toMatchObject({ exitCode: 2, text: expect.stringContaining('unknown argument "--sede"') });
});

function sim(...words: string[]): { exitCode: number; text: string } {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, join(import.meta.dir, "main.ts"), ...words]);
  return { exitCode, text: `${stdout.toString()}${stderr.toString()}` };
}

test("the command line refuses what it does not know", () => {
  expect(parseArguments(["--seeds", "5", "--from=7"])).toMatchObject({ kind: "arguments", value: { seeds: 5, from: 7 } });
  for (const wrong of [["--sede", "5"], ["5"], ["--seeds"], ["--seeds", "-1"], ["--seeds", "x"], ["--world", "mars"], ["--mutant", "none"]])
    expect(parseArguments(wrong).kind).toBe("wrong");
});

/** Paths that a thousand seeds must take, or the simulation has lost its teeth. */
const expectedProbes = [
  "adjust-beyond-inventory",
  "callback-absorbed",
  "cancel-lost-race",
  "capture-repeated",
  "clock-leapt",
  "commit-late",
  "commit-reply-lost",
  "crash-kept-unanswered",
  "crash-lost-unanswered",
  "disk-full",
  "expire-lost-race",
  "kill",
  "local all_taken",
  "local ended",
  "local paused",
  "local sale_cancelled",
  "local sold_out",
  "paid-in-grace",
  "pause",
  "provider-reply-lost",
  "purchase unknown",
  "read-error",
  "refund-order_closed",
  "refund-second_capture",
  "refund-wrong_amount",
  "released-closed",
  "repeat-of-cancelled",
  "repeat-of-expired",
  "repeat-of-paid",
  "reply-lost",
  "settled",
  "settled-again",
  "settled-into-inventory",
  "store-unavailable",
  "sync-error-kept",
  "sync-error-lost",
  "sync-stalled",
];
