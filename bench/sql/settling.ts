/** How many takes a second the ledger commits in batches, against a loop that only inserts their rows. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { migrateServerStore } from "../../src/adapters/sql/server-store.ts";
import { median } from "../machine.ts";
import type { Engine, EngineName } from "./engines.ts";

export type SettlingPlan = {
  readonly engine: EngineName;
  readonly enginePid: number;
  readonly ledgerUrl: string;
  /** A database with the same tables. */
  readonly bareUrl: string;
  /** Takes in a batch. */
  readonly sizes: readonly number[];
  /** Takes in a round, by each of both. */
  readonly takes: number;
  readonly rounds: number;
};
export type Spent = { readonly perSecond: number; readonly clientUs: number; readonly engineUs: number };
export type SettlingRound = { readonly size: number; readonly ledger: Spent; readonly bare: Spent };

export type Settling = {
  readonly size: number;
  readonly ledger: Spent;
  readonly bare: Spent;
  /** Takes a second as a share of the bare loop's in the same round: the median, and the worst and the best round. */
  readonly ofBare: number;
  readonly ofBareMin: number;
  readonly ofBareMax: number;
};

export type SettlingOptions = Pick<SettlingPlan, "sizes" | "takes" | "rounds"> & {
  readonly clientCore: string;
  readonly engineCore: string;
  readonly say: (text: string) => void;
};

export async function measureSettling(engine: Engine, options: SettlingOptions): Promise<readonly Settling[]> {
  const { sizes, takes, rounds, clientCore, engineCore, say } = options;
  const ledgerUrl = await engine.database("settling");
  const bareUrl = await engine.database("bare");
  await migrateServerStore(bareUrl);
  engine.pin(engineCore);
  const plan: SettlingPlan = { engine: engine.name, enginePid: engine.pid, ledgerUrl, bareUrl, sizes, takes, rounds };
  const done = await runClient(plan, clientCore, say);
  return sizes.map((size) =>
    settlingOf(
      size,
      done.filter((round) => round.size === size),
    ),
  );
}

async function runClient(plan: SettlingPlan, core: string, say: (text: string) => void): Promise<SettlingRound[]> {
  const script = join(import.meta.dirname, "settling-client.ts");
  const child = spawn("taskset", ["-c", core, process.execPath, script, JSON.stringify(plan)], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const done: SettlingRound[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    // What the client prints.
    const round = JSON.parse(line) as SettlingRound;
    say(`  ${summary(round)}`);
    done.push(round);
  }
  const [code] = await exited;
  if (code !== 0) throw new Error(`The client of settling exited with ${String(code)}`);
  return done;
}

function settlingOf(size: number, rounds: readonly SettlingRound[]): Settling {
  const spent = (pick: (round: SettlingRound) => Spent): Spent => ({
    perSecond: median(rounds.map((round) => pick(round).perSecond)),
    clientUs: median(rounds.map((round) => pick(round).clientUs)),
    engineUs: median(rounds.map((round) => pick(round).engineUs)),
  });
  const shares = rounds.map(({ ledger, bare }) => ledger.perSecond / bare.perSecond);
  return {
    size,
    ledger: spent(({ ledger }) => ledger),
    bare: spent(({ bare }) => bare),
    ofBare: median(shares),
    ofBareMin: Math.min(...shares),
    ofBareMax: Math.max(...shares),
  };
}

const summary = ({ size, ledger, bare }: SettlingRound): string =>
  `${size} a batch: ledger ${Math.round(ledger.perSecond)}/s (${ledger.clientUs.toFixed(1)} µs here, ${ledger.engineUs.toFixed(1)} there), ` +
  `bare ${Math.round(bare.perSecond)}/s (${bare.clientUs.toFixed(1)}, ${bare.engineUs.toFixed(1)}): ${(ledger.perSecond / bare.perSecond).toFixed(2)}`;
