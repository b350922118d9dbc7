/** `npm run check`: what every commit must pass, under a minute. Format, types, lint, unused code, then the quick tests. */
import { runSuite } from "./bun-test.ts";
import { runStep, staticSteps } from "./steps.ts";
import { findSuites } from "./suites.ts";

const startMs = performance.now();
const failed: string[] = [];
for (const step of staticSteps) {
  const result = await runStep(step);
  if (!result.ok) failed.push(result.name);
}
const quick = findSuites().find((suite) => suite.name === "quick");
const tests = await runSuite(quick ?? { name: "quick", files: [] });
failed.push(...tests.failures);

const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
if (failed.length > 0) {
  console.log(`check failed after ${seconds} s:\n${failed.map((name) => `  - ${name}`).join("\n")}`);
  console.log('"npm run fix" mends format and much of lint.');
} else console.log(`check passed in ${seconds} s, ${tests.passed} tests`);
process.exit(failed.length > 0 ? 1 : 0);
