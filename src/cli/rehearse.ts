import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import type { RehearsalOptions } from "../engine/rehearsal/plan.ts";
import { renderProgress, renderReport } from "../engine/rehearsal/render.ts";
import type { RehearsalReport } from "../engine/rehearsal/report.ts";
import type { Progress } from "../engine/rehearsal/storm.ts";
import { renderReportPage } from "../engine/rehearsal/page/report-page.ts";
import { openReport } from "./open-report.ts";
import { addCommand, CommandFailed, type CliDeps } from "./program.ts";
import { ProgressLine } from "./progress.ts";
import { pageTools, registerRehearseCompare } from "./rehearse-compare.ts";
import {
  addRehearseFlags,
  deploymentOptions,
  isOwnMachine,
  ownOptions,
  usage,
  type DeploymentRun,
  type RehearseFlags,
} from "./rehearse-flags.ts";

export type RehearseRun = { readonly keep: boolean; readonly onProgress: (progress: Progress) => void };
export type Rehearsed = { readonly report: RehearsalReport; readonly folder: string };
export type RehearseCommandDeps = CliDeps & {
  /** Runs it against a server of its own on an empty store; says where that lay, for `--keep`. */
  readonly rehearse: (options: RehearsalOptions, run: RehearseRun) => Promise<Rehearsed>;
  /** Runs it in a deployment that runs already. A signal closes the shadow sale and ends the run. */
  readonly rehearseDeployment: (options: DeploymentRun, run: RehearseRun) => Promise<Rehearsed>;
  /** Asks whoever sits at the terminal; undefined when nobody does. */
  readonly askOperator: (question: string) => Promise<string | undefined>;
};

export function registerRehearse(program: Command, deps: RehearseCommandDeps): void {
  const about = "Storm a sale with many buyers, on a server of its own or in a running deployment, and prove that every promise was kept.";
  const rehearse = addRehearseFlags(addCommand(program, "rehearse", about))
    .addHelpText("after", helpAfter)
    .action((flags: RehearseFlags) => run(deps, flags));
  registerRehearseCompare(program, rehearse, deps);
}

const helpAfter = `
The crowd clicks twice, loses answers and repeats them, pays, fails, pays twice, pays late, pays the wrong amount, cancels
and walks away. Afterwards "doorbuster verify" judges the store and the crowd's own record of answers. With --url nothing
real is touched: the crowd has its own names, the sale is a shadow with its own stock, and it is cancelled at the end.
Exit code 1 if a promise was broken or the run was stopped. docs/rehearsal.md tells more.

Examples:
  npx doorbuster rehearse
  npx doorbuster rehearse --buyers 100000 --stock 5000 --json report.json --html report.html
  npx doorbuster rehearse --curve wave --rate 500 --duration 60 --stock 2000
  npx doorbuster rehearse --url https://shop.example --yes-load shop.example --api-key-file key --like 171000000000001`;

async function run(deps: RehearseCommandDeps, flags: RehearseFlags): Promise<void> {
  const { json, html, keep = false } = flags;
  const start = flags.url === undefined ? inOwnPlace(deps, flags) : await inDeployment(deps, { ...flags, url: flags.url });
  if (json !== undefined && json !== "-") openReport("--json", json);
  if (html !== undefined) openReport("--html", html);
  const progress = new ProgressLine(deps.console, { long: true });
  const onProgress = (now: Progress) => progress.show(renderProgress(now, { buyers: start.buyers }));
  const { report, folder } = await start({ keep, onProgress })
    .catch((error: unknown) => {
      throw new CommandFailed(`the rehearsal could not run: ${error instanceof Error ? error.message : String(error)}`);
    })
    .finally(() => progress.end());
  const text = `${JSON.stringify(report, undefined, 2)}\n`;
  deps.console.out(json === "-" ? text : renderReport(report));
  if (json !== undefined && json !== "-") writeFileSync(json, text);
  if (html !== undefined) writeFileSync(html, renderReportPage(report, pageTools(flags.lang)));
  if (keep) deps.console.err(`Kept in ${folder}\n`);
  if (report.verdict === "aborted") throw new CommandFailed(`the rehearsal was stopped by ${report.halted?.by}: ${report.halted?.text}`);
  if (report.verdict !== "valid")
    throw new CommandFailed("the rehearsal found broken promises; repeat it with --keep to look at the store");
}

type Start = ((run: RehearseRun) => Promise<Rehearsed>) & { readonly buyers: number };

function inOwnPlace(deps: RehearseCommandDeps, flags: RehearseFlags): Start {
  const options = ownOptions(flags);
  return Object.assign((run: RehearseRun) => deps.rehearse(options, run), { buyers: options.buyers });
}

async function inDeployment(deps: RehearseCommandDeps, flags: RehearseFlags & { url: string }): Promise<Start> {
  // The demo key of a first try is no secret here: whose deployment it is decides what it accepts.
  const config = deps.config({ DOORBUSTER_API_KEY_FILE: flags.apiKeyFile }, { DOORBUSTER_ENV: "development" });
  const { apiKey } = config;
  if (apiKey === undefined)
    throw usage("--url needs the deployment's server key: --api-key-file, DOORBUSTER_API_KEY or DOORBUSTER_API_KEY_FILE");
  const options = deploymentOptions(flags, { ...config, apiKey });
  await mayLoad(deps, options.url, flags.yesLoad);
  return Object.assign((run: RehearseRun) => deps.rehearseDeployment(options, run), { buyers: options.rehearsal.buyers });
}

/** Load on somebody's machine is put there on purpose or not at all. */
async function mayLoad({ askOperator }: RehearseCommandDeps, url: string, yes: string | undefined): Promise<void> {
  const { hostname, host } = new URL(url);
  const named = (text: string | undefined) => text === hostname || text === host;
  if (isOwnMachine(url) || named(yes)) return;
  if (yes !== undefined) throw usage(`--yes-load names "${yes}", but --url goes to "${hostname}"`);
  const answer = await askOperator(`This puts load on ${hostname}. Type its name to go on: `);
  if (!named(answer?.trim())) throw usage(`${hostname} is another machine: say --yes-load ${hostname} if you may put load on it`);
}
