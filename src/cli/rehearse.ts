import { openSync, writeFileSync } from "node:fs";
import { InvalidArgumentError, type Command } from "commander";
import { rehearsalBuyersMax, rehearsalConnectionsMax, rehearsalDefaults, type RehearsalOptions } from "../engine/rehearsal/plan.ts";
import { renderProgress, renderReport } from "../engine/rehearsal/render.ts";
import type { RehearsalReport } from "../engine/rehearsal/report.ts";
import type { Progress } from "../engine/rehearsal/storm.ts";
import { addCommand, CommandFailed, exitCodes, type CliDeps } from "./program.ts";

export type RehearseCommandDeps = CliDeps & {
  /** Runs it against a server of its own on an empty store; says where that lay, for `--keep`. */
  readonly rehearse: (
    options: RehearsalOptions,
    run: { readonly keep: boolean; readonly onProgress: (progress: Progress) => void },
  ) => Promise<{ readonly report: RehearsalReport; readonly folder: string }>;
};

type RehearseFlags = { buyers: number; stock: number; connections: number; payWindow: number; seed: number; json?: string; keep?: boolean };

const plainProgressMs = 2_000;
const stockMax = 100_000;
const seedMax = 2_147_483_647;

export function registerRehearse(program: Command, deps: RehearseCommandDeps): void {
  addCommand(program, "rehearse", "Storm a sale with many buyers on a server of its own, then prove that every promise was kept.")
    .option("--buyers <number>", "buyers in the crowd", integer(1, rehearsalBuyersMax), rehearsalDefaults.buyers)
    .option("--stock <number>", "units on sale", integer(1, stockMax), rehearsalDefaults.stock)
    .option("--connections <number>", "requests in flight at once", integer(1, rehearsalConnectionsMax), rehearsalDefaults.connections)
    .option("--pay-window <seconds>", "time an accepted buyer has to pay", integer(1, 60), rehearsalDefaults.payWindowMs / 1000)
    .option("--seed <number>", "the crowd's seed: the same one behaves the same way", integer(0, seedMax), 1)
    .option("--json <file>", "also write the report as JSON, - for standard output in place of the page")
    .option("--keep", "leave the store, the crowd's record and the server's log in place")
    .addHelpText("after", helpAfter)
    .action((flags: RehearseFlags) => run(deps, flags));
}

const helpAfter = `
The crowd clicks twice, loses answers and repeats them, pays, fails, pays twice, pays late, pays the wrong amount, cancels
and walks away. Afterwards "doorbuster verify" judges the store and the crowd's own record of answers.
Exit code 1 if a promise was broken.

Examples:
  npx doorbuster rehearse
  npx doorbuster rehearse --buyers 100000 --stock 5000 --json report.json
  npx doorbuster rehearse --buyers 2000 --stock 100 --keep`;

async function run(deps: RehearseCommandDeps, flags: RehearseFlags): Promise<void> {
  const { buyers, stock, connections, seed, payWindow, json } = flags;
  const options = { buyers, stock, connections, seed, payWindowMs: payWindow * 1000 };
  const keep = flags.keep ?? false;
  const file = json === undefined || json === "-" ? undefined : openReport(json);
  const { report, folder } = await deps.rehearse(options, { keep, onProgress: progressOf(deps, options) }).catch((error: unknown) => {
    throw new CommandFailed(`the rehearsal could not run: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (deps.console.isTerminal) deps.console.err("\r\u001B[2K");
  const text = `${JSON.stringify(report, undefined, 2)}\n`;
  deps.console.out(json === "-" ? text : renderReport(report));
  if (file !== undefined) writeFileSync(file, text);
  if (keep) deps.console.err(`Kept in ${folder}\n`);
  if (report.verdict !== "valid")
    throw new CommandFailed("the rehearsal found broken promises; repeat it with --keep to look at the store");
}

/** Before the storm: a report that finds no place afterwards is lost. */
function openReport(path: string): number {
  try {
    return openSync(path, "w");
  } catch (error) {
    throw new CommandFailed(`--json: cannot write "${path}": ${error instanceof Error ? error.message : String(error)}`, exitCodes.usage);
  }
}

/** One line that rewrites itself on a terminal; elsewhere a plain line now and then. */
function progressOf({ console: { err, isTerminal } }: CliDeps, { buyers }: RehearsalOptions): (progress: Progress) => void {
  let saidMs = -plainProgressMs;
  return (progress) => {
    const line = renderProgress(progress, { buyers });
    if (isTerminal) return err(`\r\u001B[2K${line}`);
    if (progress.elapsedMs - saidMs < plainProgressMs) return;
    saidMs = progress.elapsedMs;
    err(`${line}\n`);
  };
}

function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) throw new InvalidArgumentError(`It must be an integer from ${min} to ${max}.`);
    return value;
  };
}
