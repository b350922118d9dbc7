/** What every world of the simulation is tested for: it keeps the invariants, repeats itself, and catches planted bugs. */
import { describe, expect, test } from "bun:test";
import { runSeed } from "./run.ts";
import { kinds, type WorldName } from "./worlds.ts";

export type WorldSuite = {
  readonly world: WorldName;
  /** With the ids of what it holds the world to. */
  readonly title: string;
  readonly seeds: number;
  /** Seeds that each give the same trace twice, and no seed of those above. */
  readonly repeated: number;
  /** Seeds that found a bug once. */
  readonly regressions: readonly number[];
  /** Paths that these seeds must take, or the simulation has lost its teeth. */
  readonly probes: readonly string[];
};

const chunk = 25;
const repeatedFrom = 2_000;
const testTimeoutMs = 240_000;

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

export function testWorld({ world, title, seeds, repeated, regressions, probes }: WorldSuite): void {
  const reached = new Set<string>();
  const violationsOf = async (some: Iterable<number>): Promise<string[]> => {
    const found: string[] = [];
    for (const seed of some) {
      const result = await runSeed(seed, { world });
      for (const name of result.probes.keys()) reached.add(name);
      const [first] = result.violations;
      if (first !== undefined) found.push(`${first.rule}: ${first.text} (npm run sim -- --world ${world} --seed ${seed} --trace)`);
    }
    return found;
  };

  describe(title, () => {
    for (let from = 1; from <= seeds; from += chunk) {
      const count = Math.min(chunk, seeds + 1 - from);
      test(
        `in seeds ${from} to ${from + count - 1}`,
        async () => expect(await violationsOf(range(from, count))).toEqual([]),
        testTimeoutMs,
      );
    }

    test("in seeds that found a bug once", async () => expect(await violationsOf(regressions)).toEqual([]), testTimeoutMs);

    test("and the rare paths were taken", () => expect(probes.filter((name) => !reached.has(name))).toEqual([]));
  });

  test(
    `the same seed gives the same trace in the ${world} world`,
    async () => {
      for (const seed of range(repeatedFrom, repeated)) {
        const [once, again] = [await runSeed(seed, { world }), await runSeed(seed, { world })];
        expect({ seed, hash: again.hash }).toEqual({ seed, hash: once.hash });
      }
    },
    testTimeoutMs,
  );

  describe(`a planted bug is caught in the ${world} world:`, () => {
    for (const [name, mutant] of Object.entries(kinds[world].mutants)) {
      const { seedsMax, seedsFrom = 1 } = mutant;
      // The others are caught by scenarios of their own.
      if (seedsMax === undefined) continue;
      test(
        name,
        async () => {
          for (const seed of range(seedsFrom, seedsMax)) if ((await runSeed(seed, { world, mutant })).violations.length > 0) return;
          expect(`not caught in ${seedsMax} seeds`).toBe("caught");
        },
        testTimeoutMs,
      );
    }
  });
}
