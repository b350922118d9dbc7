/** Negative controls: each planted bug turns at least one case of its rule red, so the contract does test it. */
import { expect, test } from "bun:test";
import { contractCases, runCase } from "./acceptance.ts";
import { openMemoryFixture } from "./memory-fixture.ts";
import { noBug, plantedBugs } from "./planted-bugs.ts";

const patienceMs = 200;

const impatience = () =>
  new Promise<never>((_, reject) => setTimeout(() => reject(new Error(`no answer within ${patienceMs} ms`)), patienceMs));

for (const { name, rule, plant, hangs } of plantedBugs)
  test(`[${rule}] the contract notices: ${name}`, async () => {
    const cases = contractCases.filter((each) => each.rule === rule);
    const failures: string[] = [];
    for (const each of cases) {
      const run = runCase(each, () => openMemoryFixture(plant));
      await (hangs ? Promise.race([run, impatience()]) : run).catch((error: unknown) => failures.push(`${each.title}: ${String(error)}`));
    }
    expect(failures.length).toBeGreaterThan(0);
  });

test("[ST3] what the bugs are planted in passes without a bug", async () => {
  for (const each of contractCases) await runCase(each, () => openMemoryFixture(noBug));
});
