import { resolve } from "node:path";
import type { Command } from "commander";
import type { ReadConfig } from "../config/load.ts";
import type { Config } from "../config/options.ts";
import { examine } from "../engine/doctor/examine.ts";
import { examinationsOf, type DoctorProbes, type DoctorSettings } from "../engine/doctor/modes.ts";
import type { Tasks } from "../ports/tasks.ts";
import { renderDiagnosis } from "./doctor-report.ts";
import { addCommand, CommandFailed, type CliDeps, type ConfigFlags } from "./program.ts";
import { ProgressLine } from "./progress.ts";
import { toEnvironment, withServerFlags } from "./serve.ts";

export type DoctorCommandDeps = CliDeps & {
  /** What can be read of the configuration, and all that is wrong with it. */
  readonly readConfig: (flags: ConfigFlags) => ReadConfig;
  readonly probes: DoctorProbes;
  /** A digest of the secrets that processes must have alike; undefined while one of them is still to be made. */
  readonly secretsDigest: (config: Config) => string | undefined;
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
Looks at memory, limits, clock, ports and secrets; in embedded mode at disk space, SQLite and the database, and measures how
long the disk takes to sync (with a small file in the data folder, removed again); in sql mode at the database server, in
queued mode also at Redis and RabbitMQ, and changes nothing there. Servers may run meanwhile. docs/doctor.md has every finding.
Exit code 1 if there is a problem; warnings alone are 0.

Examples:
  npx doorbuster doctor
  doorbuster doctor --data-dir /var/lib/doorbuster --json
  DOORBUSTER_API_KEY_FILE=/run/secrets/api-key doorbuster doctor --host 0.0.0.0
  DOORBUSTER_MODE=sql DOORBUSTER_DATABASE_URL_FILE=/run/secrets/database-url doorbuster doctor`;

async function run(deps: DoctorCommandDeps, flags: DoctorFlags): Promise<void> {
  const { console, probes, tasks, version, colour } = deps;
  const read = deps.readConfig(toEnvironment(flags));
  const progress = new ProgressLine(console);
  const onExamination = (name: string, done: number, total: number) => progress.show({ what: `Looking at ${name}`, done, total });
  const { dataDir, mode } = read.config;
  const list = examinationsOf(mode, probes, settingsOf(deps, read, flags));
  const diagnosis = await examine(list, { tasks, onExamination }).finally(() => progress.end());
  if (flags.json) console.out(`${JSON.stringify({ version, data_dir: dataDir, ...diagnosis })}\n`);
  else console.out(renderDiagnosis(diagnosis, { colour, title: `Doorbuster ${version}${modeIn(mode)}, data folder "${dataDir}"` }));
  if (diagnosis.verdict === "problem") throw new CommandFailed(`doctor found ${named(diagnosis.findings)}`);
}

const modeIn = (mode: string) => (mode === "embedded" ? "" : ` in ${mode} mode`);

function settingsOf(deps: DoctorCommandDeps, read: ReadConfig, { full = false }: DoctorFlags): DoctorSettings {
  const { config, problems } = read;
  const { dataDir, metricsHost, metricsPort } = config;
  const answers = config.roles.includes("api");
  return {
    configuration: {
      problems,
      isProduction: config.env === "production",
      httpHost: answers ? config.httpHost : undefined,
      metrics: metricsPort === undefined ? undefined : { host: metricsHost, port: metricsPort },
      trustedProxies: config.trustedProxies,
      hasServerKey: config.apiKey !== undefined,
      paymentProvider: providerOf(config),
    },
    dataDir,
    httpPort: answers ? config.httpPort : undefined,
    ownClock: config.mode === "embedded",
    secretFiles: read.secretFiles,
    tokenSecretSet: config.tokenSecret !== undefined,
    connectionsWanted: connectionsOf(config),
    bunPinned: deps.bunPinned,
    log: config.logFile === undefined ? undefined : { file: resolve(config.logFile), rollsOver: config.logRotateBytes > 0 },
    full,
    database: databaseOf(deps, config),
    sharedSecrets: sharedSecretsOf(config),
    cache: config.redisUrl === undefined ? undefined : { url: config.redisUrl },
    broker: config.brokerUrl === undefined ? undefined : { url: config.brokerUrl, partitions: config.brokerPartitions },
  };
}

/** To the cache and the broker, two each. */
const queuedConnections = 4;

function connectionsOf({ mode, roles, queueMax, streamsMax, databaseConnections }: Config): number {
  const toServers = (mode === "embedded" ? 0 : databaseConnections) + (mode === "queued" ? queuedConnections : 0);
  return (roles.includes("api") ? queueMax + streamsMax : 0) + toServers;
}

function databaseOf({ secretsDigest }: DoctorCommandDeps, config: Config): DoctorSettings["database"] {
  const { databaseUrl: url, databaseConnections: connections } = config;
  return url === undefined ? undefined : { url, connections, secrets: secretsDigest(config) };
}

function sharedSecretsOf(config: Config): DoctorSettings["sharedSecrets"] {
  const secrets = [
    { option: "DOORBUSTER_TOKEN_SECRET", isSet: config.tokenSecret !== undefined, file: "token.secret" },
    { option: "DOORBUSTER_ACCOUNT_SECRET", isSet: config.accountSecret !== undefined, file: "account.secret" },
  ];
  // The shop itself answers for callbacks of its own provider.
  if (providerOf(config) !== "simulated") return secrets;
  return [...secrets, { option: "DOORBUSTER_CALLBACK_SECRET", isSet: config.callbackSecret !== undefined, file: "callback.secret" }];
}

const providerOf = ({ env, paymentProvider }: Config) => paymentProvider ?? (env === "development" ? "simulated" : "external");

const named = (findings: readonly { readonly id: string; readonly level: string }[]) =>
  [...new Set(findings.filter(({ level }) => level === "problem").map(({ id }) => id))].join(", ");
