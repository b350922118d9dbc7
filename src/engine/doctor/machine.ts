/**
 * What doctor looks at whatever the mode: what was set and the machine before the store, ports and clock after it. A mode is
 * a list of examinations that has its own services in between.
 */
import type {
  ClockFacts,
  FolderFacts,
  LogObstacle,
  MemoryFacts,
  PortFacts,
  ProcessFacts,
  SecretFileFacts,
} from "../../ports/machine-facts.ts";
import { configurationChecks, logChecks, secretFileChecks, type ConfigurationFacts } from "./checks-configuration.ts";
import { folderChecks } from "./checks-disk.ts";
import { clockChecks, memoryChecks, processChecks } from "./checks-machine.ts";
import { portChecks } from "./checks-network.ts";
import { examination, type Examination } from "./examine.ts";

/** Ways to get the facts; adapters have them. */
export interface MachineProbes {
  folderFacts(path: string): Promise<FolderFacts>;
  logObstacle(file: string, options: { readonly rollsOver: boolean }): Promise<LogObstacle | undefined>;
  secretFileFacts(path: string, source: string): Promise<SecretFileFacts>;
  /** Files in the data folder in which a server keeps secrets that it made. */
  generatedSecrets(dataDir: string): Promise<readonly string[]>;
  /** Begins to watch; the facts are about the time since. */
  watchClock(): () => Promise<ClockFacts>;
  processFacts(): ProcessFacts;
  memoryFacts(): MemoryFacts;
  portFacts(host: string, port: number): Promise<PortFacts>;
}

export type MachineSettings = {
  readonly configuration: ConfigurationFacts;
  readonly dataDir: string;
  /** Undefined: this process answers no requests. */
  readonly httpPort: number | undefined;
  /** Whether servers keep their own time, or that of the store they share. */
  readonly ownClock: boolean;
  readonly secretFiles: readonly { readonly path: string; readonly source: string }[];
  readonly tokenSecretSet: boolean;
  readonly connectionsWanted: number;
  readonly bunPinned: string;
  /** Undefined: log lines go to the standard streams. */
  readonly log: { readonly file: string; readonly rollsOver: boolean } | undefined;
};

export type AroundTheStore = { readonly before: readonly Examination[]; readonly after: readonly Examination[] };

export function machineExaminations(probes: MachineProbes, settings: MachineSettings): AroundTheStore {
  const { configuration, dataDir, connectionsWanted, bunPinned } = settings;
  const { isProduction } = configuration;
  // Begun at once: the longer it is watched, the more it shows.
  const clockSinceStart = probes.watchClock();
  const files = async () => {
    const generated = (await probes.generatedSecrets(dataDir)).map((path) => ({ path, source: "data folder" }));
    const found = [...settings.secretFiles, ...generated].map(({ path, source }) => probes.secretFileFacts(path, source));
    return { files: await Promise.all(found), isProduction, tokenSecretSet: settings.tokenSecretSet };
  };
  return {
    before: [
      examination("the configuration", async () => configuration, configurationChecks),
      examination("the secrets' files", files, secretFileChecks),
      examination(
        "the runtime and its limits",
        async () => ({ process: probes.processFacts(), connectionsWanted, bunPinned }),
        processChecks,
      ),
      examination("the memory", async () => probes.memoryFacts(), memoryChecks),
      examination("the data folder", () => probes.folderFacts(dataDir), folderChecks),
    ],
    after: [
      ...portExaminations(probes, settings),
      logExamination(probes, settings),
      examination("the clock", clockSinceStart, clockChecks),
    ],
  };
}

function portExaminations(probes: MachineProbes, settings: MachineSettings): Examination[] {
  const { configuration, httpPort, ownClock } = settings;
  const { httpHost, metrics } = configuration;
  const port = (name: string, { host, number, option }: { host: string; number: number; option: string }) =>
    examination(
      name,
      async () => ({
        facts: await probes.portFacts(host, number),
        option: `DOORBUSTER_${option}_PORT`,
        hostOption: `DOORBUSTER_${option}_HOST`,
        ownClock,
      }),
      portChecks,
    );
  return [
    ...(httpHost === undefined || httpPort === undefined ? [] : [port("the port", { host: httpHost, number: httpPort, option: "HTTP" })]),
    ...(metrics === undefined ? [] : [port("the metrics port", { host: metrics.host, number: metrics.port, option: "METRICS" })]),
  ];
}

const logExamination = (probes: MachineProbes, { log }: MachineSettings): Examination =>
  examination("the log", async () => ({ file: log?.file, obstacle: log && (await probes.logObstacle(log.file, log)) }), logChecks);
