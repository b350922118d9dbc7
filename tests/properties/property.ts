/**
 * A property and its negative control: it must hold on the true store, and be refuted on one with a planted bug.
 *
 * The seed is new each time and printed when it matters; `SEED=… PATH_OF_FAILURE=… bun test …` replays a failure.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { MemoryStore, type CommitSteps } from "../../src/adapters/memory/memory-store.ts";
import { must } from "../kit/samples.ts";
import { plantedBugs } from "../contract/planted-bugs.ts";

export type MakeStore = () => MemoryStore;
type Property = fc.IAsyncProperty<unknown> | fc.IProperty<unknown>;

const env = process.env;
const seed = env["SEED"] === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(env["SEED"]);
const path = env["PATH_OF_FAILURE"];
/** Small enough for every run of the tests; `RUNS=…` for a long one. */
const runs = Number(env["RUNS"] ?? 150);

export function property(title: string, { on, bug }: { on: (makeStore: MakeStore) => Property; bug: Partial<CommitSteps> | string }): void {
  const steps = typeof bug === "string" ? stepsOf(bug) : bug;
  test(title, () =>
    check(
      title,
      on(() => new MemoryStore()),
    ),
  );
  test(`${title} (control: a planted bug refutes it)`, async () => {
    const details = await fc.check(
      on(() => new MemoryStore({ steps })),
      { seed, numRuns: Math.max(runs, 500), endOnFailure: true },
    );
    if (!details.failed) console.error(`No run refuted the planted bug with SEED=${seed}`);
    expect(details.failed).toBe(true);
  });
}

/** The planted bug of that name. */
export const stepsOf = (bug: string): Partial<CommitSteps> => must(plantedBugs.find((each) => each.name === bug)?.plant.steps);

/** Throws what refuted the property, with the command that shows it again. */
export async function check(title: string, holds: Property, numRuns = runs): Promise<void> {
  const details = await fc.check(holds, { seed, numRuns, ...(path === undefined ? {} : { path }) });
  if (!details.failed) return;
  const replay = `SEED=${details.seed} PATH_OF_FAILURE=${details.counterexamplePath} bun test tests/properties -t ${JSON.stringify(title)}`;
  throw new Error(`${fc.defaultReportMessage(details) ?? "the property failed"}\nReplay: ${replay}`);
}
