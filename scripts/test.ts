/**
 * `npm test`: everything a change must pass, in the order that finds a mistake soonest; several lanes of suites beside one another. A
 * static check counts as one test. The last line, alone, is `N passed, N failed`; exit 1 if anything failed or nothing ran.
 */
import { runSuite, type SuiteResult } from "./bun-test.ts";
import { runStep, staticSteps } from "./steps.ts";
import { findSuites, lanesOf, type Lane } from "./suites.ts";

let passed = 0;
let skipped = 0;
const failures: string[] = [];
let failed = 0;

for (const step of staticSteps) {
  const { ok, name } = await runStep(step);
  if (ok) passed += 1;
  else {
    failed += 1;
    failures.push(`static check: ${name}`);
  }
}
const suites = findSuites();
await Promise.all(lanesOf(suites).map(inTurn));

async function inTurn(lane: Lane): Promise<void> {
  for (const suite of lane.suites) count(await runSuite(suite, lane));
}

function count(result: SuiteResult): void {
  passed += result.passed;
  skipped += result.skipped;
  failed += result.failed;
  failures.push(...result.failures);
}
if (suites.length === 0) {
  failed += 1;
  failures.push("no test file was found");
}

if (failures.length > 0) console.log(`Failed:\n${failures.map((name) => `  - ${name}`).join("\n")}`);
if (skipped > 0) console.log(`${skipped} skipped: this machine lacks something they need, see their titles`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
