/**
 * npm run sim -- [--seeds N] [--from S] [--seed N] [--trace] [--mutant NAME] [--world embedded|sql|rabbitmq]
 *
 * Exit 0: no violation (with a mutant: it was caught). Exit 1: a violation, with what replays it. Exit 2: bad usage.
 */
import { minimize, runSeed, type RunOptions, type RunResult } from "./run.ts";
import { kinds, type WorldName } from "./worlds.ts";

type Arguments = {
  readonly seeds: number;
  readonly from: number;
  readonly seed: number | undefined;
  readonly trace: boolean;
  readonly world: WorldName;
  readonly mutant: string | undefined;
};
type Parsed = { readonly kind: "arguments"; readonly value: Arguments } | { readonly kind: "wrong"; readonly problem: string };

const seedMax = 2 ** 32 - 1;
const usage = "usage: npm run sim -- [--seeds N] [--from S] [--seed N] [--trace] [--mutant NAME] [--world embedded|sql|rabbitmq]";

export function parseArguments(words: readonly string[]): Parsed {
  const given = new Map<string, string>();
  const flags = new Set(["seeds", "from", "seed", "mutant", "world"]);
  for (let i = 0; i < words.length; i++) {
    const [name = "", inline] = (words[i] ?? "").replace(/^--/, "").split("=", 2);
    if (words[i] === "--trace") given.set("trace", "");
    else if (!words[i]?.startsWith("--") || !flags.has(name)) return { kind: "wrong", problem: `unknown argument "${words[i]}"; ${usage}` };
    else {
      const value = inline ?? words[++i];
      if (value === undefined) return { kind: "wrong", problem: `--${name} needs a value; ${usage}` };
      given.set(name, value);
    }
  }
  for (const name of ["seeds", "from", "seed"]) {
    const value = given.get(name);
    if (value !== undefined && !(/^\d+$/.test(value) && Number(value) <= seedMax))
      return { kind: "wrong", problem: `--${name} is an integer from 0 to ${seedMax}, got "${value}"` };
  }
  const world = given.get("world") ?? "embedded";
  if (!isWorld(world)) return { kind: "wrong", problem: `--world is one of ${Object.keys(kinds).join(", ")}; got "${world}"` };
  const mutant = given.get("mutant");
  if (mutant !== undefined && mutantOf(world, mutant) === undefined)
    return { kind: "wrong", problem: `--mutant is in this world one of ${Object.keys(kinds[world].mutants).join(", ")}; got "${mutant}"` };
  const seed = given.has("seed") ? Number(given.get("seed")) : undefined;
  const seeds = Number(given.get("seeds") ?? 200);
  return { kind: "arguments", value: { seeds, from: Number(given.get("from") ?? 1), seed, trace: given.has("trace"), world, mutant } };
}

const isWorld = (name: string): name is WorldName => Object.hasOwn(kinds, name);

function mutantOf(world: WorldName, name: string | undefined): RunOptions["mutant"] {
  return name === undefined ? undefined : kinds[world].mutants[name];
}

async function main(): Promise<number> {
  const parsed = parseArguments(process.argv.slice(2));
  if (parsed.kind === "wrong") {
    console.error(parsed.problem);
    return 2;
  }
  process.on("unhandledRejection", (error) => {
    console.error("A promise was rejected and nobody looked:", error);
    process.exitCode = 1;
  });
  const { seed } = parsed.value;
  return seed === undefined ? runMany(parsed.value) : replay(seed, parsed.value);
}

async function replay(seed: number, asked: Arguments): Promise<number> {
  const { trace, world } = asked;
  const result = await runSeed(seed, { world, mutant: mutantOf(world, asked.mutant), keepTrace: trace });
  if (trace) for (const line of result.trace) console.log(line);
  console.log(`seed ${seed}: ${result.events} events, ${result.violations.length} violations`);
  console.log(`hash ${result.hash}`);
  if (result.violations.length === 0) return 0;
  await report(result, asked);
  return 1;
}

async function runMany(asked: Arguments): Promise<number> {
  const { seeds, from, world, mutant } = asked;
  const planted = mutantOf(world, mutant);
  const probes = new Map<string, number>();
  let events = 0;
  const startedUs = cpuUs();
  for (let seed = from; seed < from + seeds; seed++) {
    const result = await runSeed(seed, { world, mutant: planted });
    events += result.events;
    for (const name of result.probes.keys()) probes.set(name, (probes.get(name) ?? 0) + 1);
    if (result.violations.length === 0) continue;
    await report(result, asked);
    if (mutant === undefined) return 1;
    console.log(`mutant "${mutant}" caught at seed ${seed}, after ${seed - from + 1} seeds`);
    return 0;
  }
  const cpuMs = (cpuUs() - startedUs) / 1000 / Math.max(1, seeds);
  for (const [name, count] of [...probes].sort(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`${String(count).padStart(8)} seeds reached "${name}"`);
  console.log(`${seeds} seeds from ${from}: ${events} events, ${probes.size} probes reached, ${cpuMs.toFixed(1)} ms CPU per seed`);
  if (mutant === undefined) {
    console.log("0 violations");
    return 0;
  }
  console.error(`mutant "${mutant}" was not caught`);
  return 1;
}

async function report({ seed, violations, trace, shape, faults }: RunResult, { world, mutant }: Arguments): Promise<void> {
  const without = await minimize(seed, { world, mutant: mutantOf(world, mutant) });
  const needed = kinds[world].faults.classes.filter((name) => faults.on.has(name) && !without.has(name));
  console.error(trace.slice(-60).join("\n"));
  for (const { rule, text, atMs } of violations) console.error(`${rule} at ${atMs.toFixed(2)} ms: ${text}`);
  console.error(`seed ${seed}; shape ${JSON.stringify(shape)}`);
  console.error(`faults ${[...faults.on].join(", ") || "none"}; needed: ${needed.join(", ") || "none"}`);
  const where = world === "embedded" ? "" : ` --world ${world}`;
  console.error(`replay: npm run sim --${where} --seed ${seed} --trace${mutant === undefined ? "" : ` --mutant ${mutant}`}`);
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

if (import.meta.main) process.exitCode = await main();
