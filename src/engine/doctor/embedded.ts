/**
 * What doctor looks at in the embedded mode, in order: what was set, then the machine, then the store. Another mode is
 * another list that begins with the same ones and goes on with its own services.
 */
import type {
  ClockFacts,
  DiskFacts,
  FolderFacts,
  LogObstacle,
  MemoryFacts,
  PortFacts,
  ProcessFacts,
  SecretFileFacts,
} from "../../ports/machine-facts.ts";
import type { StoreFacts } from "../../ports/store-facts.ts";
import { configurationChecks, logChecks, secretFileChecks, type ConfigurationFacts } from "./checks-configuration.ts";
import { diskChecks, folderChecks } from "./checks-disk.ts";
import { clockChecks, memoryChecks, processChecks } from "./checks-machine.ts";
import { portChecks } from "./checks-network.ts";
import { storeChecks } from "./checks-store.ts";
import { examination, type Examination } from "./examine.ts";

/** Ways to get the facts; adapters have them. */
export interface EmbeddedProbes {
  folderFacts(path: string): Promise<FolderFacts>;
  logObstacle(file: string, options: { readonly rollsOver: boolean }): Promise<LogObstacle | undefined>;
  diskFacts(path: string): Promise<DiskFacts>;
  storeFacts(dataDir: string, options: { readonly full: boolean }): StoreFacts;
  secretFileFacts(path: string, source: string): Promise<SecretFileFacts>;
  /** Files in the data folder in which a server keeps secrets that it made. */
  generatedSecrets(dataDir: string): Promise<readonly string[]>;
  /** Begins to watch; the facts are about the time since. */
  watchClock(): () => Promise<ClockFacts>;
  processFacts(): ProcessFacts;
  memoryFacts(): MemoryFacts;
  portFacts(host: string, port: number): Promise<PortFacts>;
}

export type EmbeddedSettings = {
  readonly configuration: ConfigurationFacts;
  readonly dataDir: string;
  readonly httpPort: number;
  readonly secretFiles: readonly { readonly path: string; readonly source: string }[];
  readonly tokenSecretSet: boolean;
  readonly connectionsWanted: number;
  readonly bunPinned: string;
  /** Undefined: log lines go to the standard streams. */
  readonly log: { readonly file: string; readonly rollsOver: boolean } | undefined;
  /** Look through the whole database, however large. */
  readonly full: boolean;
};

export function embeddedExaminations(probes: EmbeddedProbes, settings: EmbeddedSettings): readonly Examination[] {
  const { configuration, dataDir, connectionsWanted, bunPinned } = settings;
  const { isProduction, httpHost, metrics } = configuration;
  const { log } = settings;
  const clockSinceStart = probes.watchClock();
  const port = (host: string, number: number, option: string) => async () => ({
    facts: await probes.portFacts(host, number),
    option: `DOORBUSTER_${option}_PORT`,
    hostOption: `DOORBUSTER_${option}_HOST`,
  });
  const files = async () => {
    const generated = (await probes.generatedSecrets(dataDir)).map((path) => ({ path, source: "data folder" }));
    const found = [...settings.secretFiles, ...generated].map(({ path, source }) => probes.secretFileFacts(path, source));
    return { files: await Promise.all(found), isProduction, tokenSecretSet: settings.tokenSecretSet };
  };
  const store = async () => {
    const found = probes.storeFacts(dataDir, { full: settings.full });
    return { store: found, wallMs: (await probes.watchClock()()).wallMs };
  };
  return [
    examination("the configuration", async () => configuration, configurationChecks),
    examination("the secrets' files", files, secretFileChecks),
    examination(
      "the runtime and its limits",
      async () => ({ process: probes.processFacts(), connectionsWanted, bunPinned }),
      processChecks,
    ),
    examination("the memory", async () => probes.memoryFacts(), memoryChecks),
    examination("the data folder", () => probes.folderFacts(dataDir), folderChecks),
    examination("the disk", () => probes.diskFacts(dataDir), diskChecks),
    examination("the store", store, storeChecks),
    examination("the port", port(httpHost, settings.httpPort, "HTTP"), portChecks),
    ...(metrics === undefined ? [] : [examination("the metrics port", port(metrics.host, metrics.port, "METRICS"), portChecks)]),
    examination("the log", async () => ({ file: log?.file, obstacle: log && (await probes.logObstacle(log.file, log)) }), logChecks),
    // Last: the longer it was watched, the more it shows.
    examination("the clock", clockSinceStart, clockChecks),
  ];
}
