/** Directed scenarios of the rabbitmq world, and planted bugs that each of them must see. */
import { describe, expect, test } from "bun:test";
import { rabbitMutants } from "./rabbit-mutants.ts";
import { scenarios } from "./scenarios.ts";
import { Stage } from "./stage.ts";

const testTimeoutMs = 60_000;

describe("what has undone shops like this one does not undo it:", () => {
  for (const { name, rule, stage, run } of scenarios) test(`[${rule}] ${name}`, async () => run(await Stage.open(stage)), testTimeoutMs);
});

describe("a planted bug is seen by its scenario:", () => {
  for (const [name, mutant] of Object.entries(rabbitMutants)) {
    const scenario = scenarios.find((one) => one.name === mutant.scenario);
    if (mutant.scenario === undefined) continue;
    test(
      name,
      async () => {
        const { stage, run } = scenario ?? { stage: {}, run: () => Promise.resolve() };
        const seen = (async () => run(await Stage.open(stage, mutant)))();
        expect(seen).rejects.toThrow();
        await seen.catch(() => undefined);
      },
      testTimeoutMs,
    );
  }
});
