/**
 * npm run nemesis -- --mode sql|queued [--database mariadb|postgres] [--minutes N] [--seed S] [--fault NAME] [--fsync always|everysec]
 *
 * Faults on real processes and engines in an order by the seed, until the minutes are over; without minutes, each once.
 * Exit 0: every promise held. Exit 1: one did not, with what it was. Exit 2: bad usage.
 */
import { parseArgs } from "node:util";
import { SeededRandom } from "../../src/lib/seeded-random.ts";
import { battle } from "./cluster/battle.ts";
import { faultNamed, faults, type Fault } from "./cluster/faults.ts";

const usage =
  "usage: npm run nemesis -- --mode sql|queued [--database mariadb|postgres] [--minutes N] [--seed S] [--fault NAME] [--fsync always|everysec] [--patience N]";
/** On one installation; then another is made, so that a failure has not too long a story. */
const faultsPerBattle = 12;

type Wanted = {
  readonly mode: "sql" | "queued";
  readonly database: "mariadb" | "postgres";
  readonly appendfsync: "always" | "everysec";
  readonly minutes: number;
  readonly seed: number;
  readonly patience: number;
  readonly only: Fault | undefined;
};

function wantedOf(words: readonly string[]): Wanted | string {
  const text = { type: "string" } as const;
  const options = { mode: text, database: text, minutes: text, seed: text, fault: text, fsync: text, patience: text };
  try {
    const { values } = parseArgs({ args: [...words], options, strict: true });
    const { mode = "queued", database = "mariadb", fsync = "always", fault } = values;
    const number = (value: string | undefined, otherwise: number) => (value === undefined ? otherwise : Number(value));
    const [minutes, seed, patience] = [number(values.minutes, 0), number(values.seed, Date.now() % 100_000), number(values.patience, 1)];
    if (mode !== "sql" && mode !== "queued") return `--mode is sql or queued, got "${mode}"`;
    if (database !== "mariadb" && database !== "postgres") return `--database is mariadb or postgres, got "${database}"`;
    if (fsync !== "always" && fsync !== "everysec") return `--fsync is always or everysec, got "${fsync}"`;
    if (![minutes, seed, patience].every((value) => value >= 0)) return "--minutes, --seed and --patience are numbers";
    return { mode, database, appendfsync: fsync, minutes, seed, patience, only: fault === undefined ? undefined : faultNamed(fault) };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function shuffled(all: readonly Fault[], random: SeededRandom): Fault[] {
  return all
    .map((fault) => ({ fault, place: random.next() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ fault }) => fault);
}

async function main(): Promise<number> {
  const wanted = wantedOf(process.argv.slice(2));
  if (typeof wanted === "string") {
    console.error(`${wanted}\n${usage}`);
    return 2;
  }
  const { mode, minutes, seed, only } = wanted;
  const untilMs = performance.now() + minutes * 60_000;
  const random = new SeededRandom(seed);
  const possible = only === undefined ? faults.filter(({ modes }) => modes.includes(mode)) : [only];
  let struck = 0;
  do {
    const order = shuffled(possible, random);
    for (let at = 0; at < order.length; at += faultsPerBattle) {
      const options = { ...wanted, seed: seed + struck, tell: (line: string) => console.log(line) };
      const outcome = await battle(order.slice(at, at + faultsPerBattle), options);
      struck += outcome.rounds.length;
      if (outcome.problems.length > 0) {
        console.error(`broken with --mode ${mode} --database ${wanted.database} --seed ${seed}:\n${outcome.problems.join("\n")}`);
        return 1;
      }
      console.log(`${outcome.rounds.length} faults, ${outcome.accepted} accepted, ${outcome.unknowns} unknown answers: every promise held`);
    }
  } while (performance.now() < untilMs);
  return 0;
}

process.exitCode = await main();
process.exit();
