import { resolve } from "node:path";
import type { Command } from "commander";
import type { ReadConfig } from "../config/load.ts";
import type { Config } from "../config/options.ts";
import { embeddedExaminations, type EmbeddedProbes, type EmbeddedSettings } from "../engine/doctor/embedded.ts";
import { examine } from "../engine/doctor/examine.ts";
import type { Tasks } from "../ports/tasks.ts";
import { renderDiagnosis } from "./doctor-report.ts";
import { addCommand, CommandFailed, type CliDeps, type ConfigFlags } from "./program.ts";
import { ProgressLine } from "./progress.ts";
import { toEnvironment, withServerFlags } from "./serve.ts";

export type DoctorCommandDeps = CliDeps & {
  /** What can be read of the configuration, and all that is wrong with it. */
  readonly readConfig: (flags: ConfigFlags) => ReadConfig;
  readonly probes: EmbeddedProbes;
  readonly tasks: Tasks;
  readonly bunPinned: string;
  readonly colour: boolean;
};

type DoctorFlags = { host?: string; port?: string; dataDir?: string; json?: boolean; full?: boolean };

/** `doorbuster doctor`: the machine and the configuration, each finding with its fix. */
export function registerDoctor(program: Command, deps: DoctorCommandDeps): void {
  withServerFlags(
    addCommand(program, "doctor", "Look over this machine and the configuration, and say how to mend what is wrong. Changes nothing."),
  )
    .option("--full", "look through the whole database, however large")
    .option("--json", "print one line of JSON")
    .addHelpText("after", helpAfter)
    .action((flags: DoctorFlags) => run(deps, flags));
}

const helpAfter = `
Measures how long the disk takes to sync (with a small file in the data folder, removed again), and looks at space, memory,
limits, clock, ports, secrets, SQLite and the database; a server may run meanwhile. docs/doctor.md has every finding.
Exit code 1 if there is a problem; warnings alone are 0.

Examples:
  npx doorbuster doctor
  doorbuster doctor --data-dir /var/lib/doorbuster --json
  DOORBUSTER_API_KEY_FILE=/run/secrets/api-key doorbuster doctor --host 0.0.0.0`;

async function run(deps: DoctorCommandDeps, flags: DoctorFlags): Promise<void> {
  const { console, probes, tasks, version, colour } = deps;
  const read = deps.readConfig(toEnvironment(flags));
  const progress = new ProgressLine(console);
  const onExamination = (name: string, done: number, total: number) => progress.show({ what: `Looking at ${name}`, done, total });
  const diagnosis = await examine(embeddedExaminations(probes, settingsOf(deps, read, flags)), { tasks, onExamination }).finally(() =>
    progress.end(),
  );
  const { dataDir } = read.config;
  if (flags.json) console.out(`${JSON.stringify({ version, data_dir: dataDir, ...diagnosis })}\n`);
  else console.out(renderDiagnosis(diagnosis, { colour, title: `Doorbuster ${version}, data folder "${dataDir}"` }));
  if (diagnosis.verdict === "problem") throw new CommandFailed(`doctor found ${named(diagnosis.findings)}`);
}

function settingsOf(deps: DoctorCommandDeps, read: ReadConfig, { full = false }: DoctorFlags): EmbeddedSettings {
  const { config, problems } = read;
  const { dataDir, httpHost, httpPort, metricsHost, metricsPort, queueMax, streamsMax } = config;
  return {
    configuration: {
      problems,
      isProduction: config.env === "production",
      httpHost,
      metrics: metricsPort === undefined ? undefined : { host: metricsHost, port: metricsPort },
      trustedProxies: config.trustedProxies,
      hasServerKey: config.apiKey !== undefined,
      paymentProvider: providerOf(config),
    },
    dataDir,
    httpPort,
    ownClock: true,
    secretFiles: read.secretFiles,
    tokenSecretSet: config.tokenSecret !== undefined,
    connectionsWanted: queueMax + streamsMax,
    bunPinned: deps.bunPinned,
    log: config.logFile === undefined ? undefined : { file: resolve(config.logFile), rollsOver: config.logRotateBytes > 0 },
    full,
  };
}

const providerOf = ({ env, paymentProvider }: Config) => paymentProvider ?? (env === "development" ? "simulated" : "external");

const named = (findings: readonly { readonly id: string; readonly level: string }[]) =>
  [...new Set(findings.filter(({ level }) => level === "problem").map(({ id }) => id))].join(", ");
