/** The API of sql mode, as a stranger meets it: one process that answers and one that works, on each database, and once on Node. */
import { describeWithEngine } from "../harness/engines/describe-with-engine.ts";
import { allCases, coreCases } from "./all-cases.ts";
import { useInstallation } from "./server-under-test.ts";

for (const [name, runtime, cases] of [
  ["mariadb", "bun", allCases],
  ["postgres", "node", coreCases],
] as const)
  describeWithEngine(name, `sql mode on ${name}, on ${runtime}`, (engine) => {
    cases(useInstallation(runtime, "sql", async () => ({ databaseUrl: await engine().database("e2e_sql") })));
  });
