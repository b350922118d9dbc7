import { existsSync } from "node:fs";
import { join } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import type { Config } from "../config/options.ts";
import { parseHistoryEvent } from "../domain/history.ts";
import { findingsMaxDefault } from "../engine/verify/check.ts";
import { HistoryCheck, thresholdsDefault } from "../engine/verify/check-history.ts";
import { HistoryLog } from "../engine/verify/history-log.ts";
import { parseProviderLine, ProviderRecord } from "../engine/verify/provider-record.ts";
import { lateMaxDefaultMs, verify, type VerifyReport } from "../engine/verify/verify.ts";
import type { AuditSource } from "../ports/audit-source.ts";
import type { QueueAudit } from "../ports/queue-audit.ts";
import { addCommand, CommandFailed, exitCodes, type CliDeps } from "./program.ts";
import { ProgressLine } from "./progress.ts";
import { numbered, readLines, wrongLine } from "./read-lines.ts";
import { renderVerifyReport } from "./verify-report.ts";

export type VerifyCommandDeps = CliDeps & {
  /** A read-only snapshot of the configured store; throws an Error that says what is wrong with it. */
  readonly openAuditSource: (config: Config) => Promise<AuditSource>;
  /** Cache and broker, where a cache decides; undefined elsewhere. */
  readonly openQueueAudit: (config: Config) => Promise<QueueAudit | undefined>;
  readonly nowMs: () => number;
  /** How long memories may speak of a state that is over, where several processes share the store. */
  readonly reopenDelayMs: (config: Config) => number;
  /** Whether standard output is a terminal that wants colours (NO_COLOR is not set). */
  readonly colour: boolean;
  /** The simulated provider's journal, as named in the data folder. */
  readonly providerJournal: string;
  /** The same where several processes share it in the store; undefined elsewhere. */
  readonly sharedProviderLines: (config: Config) => Promise<readonly string[] | undefined>;
};

type VerifyFlags = {
  dataDir?: string;
  history?: string[];
  provider?: string;
  atRest?: boolean;
  json?: boolean;
  minAccepts: number;
  minUnknowns: number;
  rows: number;
};

const rowsMax = 1_000_000;
const thresholdMax = 1_000_000_000;

/** `doorbuster verify`: the store, and what clients were told, against the promises. */
export function registerVerify(program: Command, deps: VerifyCommandDeps): void {
  const { acceptsMin, unknownsMin } = thresholdsDefault;
  addCommand(program, "verify", "Check the store against every promise, row by row. Changes nothing; a server may run meanwhile.")
    .option("--data-dir <folder>", "folder of the database (DOORBUSTER_DATA_DIR)")
    .option("--history <files...>", "also check a client's record of its answers (docs/spec/history.md)")
    .option("--provider <file>", "also check the payment provider's own record of captures and refunds")
    .option("--at-rest", "no server runs and all holds have been swept: nothing may be left undone, and a cache must equal the ledger")
    .option("--json", "print one line of JSON")
    .option("--min-accepts <number>", "with fewer accepts, a record proves nothing", integer(thresholdMax), acceptsMin)
    .option("--min-unknowns <number>", "with fewer unknown outcomes, a record proves nothing", integer(thresholdMax), unknownsMin)
    .option("--rows <number>", "rows shown per check; all are counted", integer(rowsMax), findingsMaxDefault)
    .addHelpText("after", helpAfter)
    .action((flags: VerifyFlags) => run(deps, flags));
}

const helpAfter = `
Each check is valid, invalid, or unknown when there was nothing to look at. Exit code 1 if any check is invalid, 2 if the
store or a record cannot be read.

Examples:
  doorbuster verify --data-dir ./var
  doorbuster verify --data-dir ./var --at-rest --history client-1.jsonl client-2.jsonl --json`;

async function run(deps: VerifyCommandDeps, flags: VerifyFlags): Promise<void> {
  const config = deps.config({ DOORBUSTER_DATA_DIR: flags.dataDir });
  const thresholds = { acceptsMin: flags.minAccepts, unknownsMin: flags.minUnknowns };
  const history =
    flags.history && new HistoryCheck(await readHistory(flags.history), thresholds, { reopenDelayMs: deps.reopenDelayMs(config) });
  const source = await open(deps, config);
  let queue: QueueAudit | undefined;
  try {
    queue = await deps.openQueueAudit(config);
    // Read after the snapshot is taken: whatever the store holds, the provider has noted before.
    const provider = await readProvider(flags, {
      file: join(config.dataDir, deps.providerJournal),
      lines: await deps.sharedProviderLines(config),
    });
    const rest = { nowMs: deps.nowMs(), atRest: flags.atRest ?? false, lateMaxMs: lateMaxDefaultMs };
    const line = new ProgressLine(deps.console);
    const progress = (table: string, rows: number) => line.show({ what: `Reading ${table}`, done: rows, unit: "rows" });
    const report = await verify({ source, rest, history, queue, provider, findingsMax: flags.rows, progress })
      .catch(unreadable)
      .finally(() => line.end());
    print(deps, report, flags);
  } finally {
    await source.close();
    await queue?.close();
  }
}

async function open(deps: VerifyCommandDeps, config: Config): Promise<AuditSource> {
  try {
    return await deps.openAuditSource(config);
  } catch (error) {
    return unreadable(error);
  }
}

function unreadable(error: unknown): never {
  throw error instanceof Error && "code" in error && error.name === "StoreUnavailable"
    ? new CommandFailed(error.message, exitCodes.usage)
    : error;
}

function print({ console, colour }: VerifyCommandDeps, report: VerifyReport, { json }: VerifyFlags): void {
  console.out(json ? `${JSON.stringify(report)}\n` : renderVerifyReport(report, { colour }));
  const broken = report.checks.filter((check) => check.verdict === "invalid").map(({ id }) => id);
  if (broken.length > 0) throw new CommandFailed(`the store breaks ${broken.join(", ")}`);
}

async function readHistory(paths: readonly string[]): Promise<HistoryLog> {
  const log = new HistoryLog();
  for (const path of paths) {
    log.startFile();
    for await (const line of readLines(path)) {
      const event = parseHistoryEvent(line.text);
      const problem = "problem" in event ? event.problem : log.add(event);
      if (problem === undefined) continue;
      // A driver that was killed while it wrote leaves half a line, which no JSON parser takes.
      if (!line.last || line.text.endsWith("}")) throw wrongLine(path, line, problem);
      log.torn += 1;
    }
  }
  return log;
}

type Provider = { readonly record: ProviderRecord; readonly complete: boolean };

type OwnJournal = { readonly file: string; readonly lines: readonly string[] | undefined };

async function readProvider({ provider, atRest }: VerifyFlags, own: OwnJournal): Promise<Provider | undefined> {
  const isShared = provider === undefined && own.lines !== undefined;
  if (provider === undefined && !isShared && !existsSync(own.file)) return undefined;
  const path = provider ?? own.file;
  const record = new ProviderRecord();
  for await (const line of isShared ? numbered(own.lines ?? []) : readLines(path)) {
    const event = parseProviderLine(line.text);
    if (!("problem" in event)) record.add(event);
    else if (!line.last || line.text.endsWith("}")) throw wrongLine(path, line, event.problem);
  }
  return { record, complete: provider !== undefined && (atRest ?? false) };
}

function integer(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value > max) throw new InvalidArgumentError(`It must be an integer from 0 to ${max}.`);
    return value;
  };
}
