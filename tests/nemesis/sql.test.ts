/** sql mode while its processes, its database and the lines between them break. `npm run nemesis -- --mode sql` strikes with all there is. */
import { expect, test } from "bun:test";
import { describeWithOwnEngine } from "../harness/engines/describe-with-engine.ts";
import { battle } from "./cluster/battle.ts";
import { faultNamed } from "./cluster/faults.ts";

/** On a machine that runs all the tests at once. */
const patience = 6;
const seed = Number(process.env["NEMESIS_SEED"] ?? Math.floor(Math.random() * 100_000));
const tell = (line: string) => void process.stderr.write(`${line}\n`);

const struck = {
  mariadb: ["api-killed", "database-answers-lost", "all-at-once"],
  postgres: ["api-frozen", "database-killed"],
} as const;

for (const database of ["mariadb", "postgres"] as const)
  describeWithOwnEngine(database, `sql mode on ${database} under faults`, () => {
    test(
      `[G7] [I1] [I2] [I3] [I4] [I8] [I12] it sells again and settles by itself after ${struck[database].join(", ")}: NEMESIS_SEED=${seed}`,
      async () => {
        const outcome = await battle(struck[database].map(faultNamed), { mode: "sql", database, seed, patience, tell });
        expect(outcome.problems).toEqual([]);
        expect(outcome.rounds).toHaveLength(struck[database].length);
        expect(outcome.accepted).toBeGreaterThan(50);
      },
      { timeout: 400_000 },
    );
  });

describeWithOwnEngine("mariadb", "a planted bug in sql mode", () => {
  test(
    "negative control: a server that answers before its commit, which is then taken back, turns the same run red",
    async () => {
      const options = { mode: "sql", database: "mariadb", seed: 1, planted: "commit-taken-back", restMaxMs: 1_000 } as const;
      const { problems } = await battle([faultNamed("worker-killed")], { ...options, patience });
      expect(problems.join("\n")).toMatch(/C2|C6|I12|I4/);
    },
    { timeout: 300_000 },
  );
});
