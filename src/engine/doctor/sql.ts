/** What doctor looks at in sql mode: a database server that other processes share, and what they must have alike. */
import type { ServerFacts } from "../../ports/server-facts.ts";
import { durabilityChecks } from "./checks-durability.ts";
import { processesChecks } from "./checks-processes.ts";
import { sharedSecretChecks } from "./checks-secrets.ts";
import { reachChecks } from "./checks-server-reach.ts";
import { serverChecks } from "./checks-server.ts";
import { sessionChecks } from "./checks-session.ts";
import { sharingChecks } from "./checks-sharing.ts";
import { examination, type Examination } from "./examine.ts";
import { judgeAll } from "./finding.ts";
import { machineExaminations, type MachineProbes, type MachineSettings } from "./machine.ts";

export interface SqlProbes extends MachineProbes {
  /** Reads over one connection, and changes nothing. */
  serverFacts(url: string): Promise<ServerFacts>;
}

export type SqlSettings = MachineSettings & {
  /** Undefined where the configuration has none, which is a finding of its own. */
  readonly database: DatabaseSettings | undefined;
  /** Options of secrets that all processes must have alike, and the names of their files in the data folder. */
  readonly sharedSecrets: readonly { readonly option: string; readonly isSet: boolean; readonly file: string }[];
};

type DatabaseSettings = {
  readonly url: string;
  /** That one process may open. */
  readonly connections: number;
  /** A digest of this process's secrets, as others tell theirs; undefined while they are still to be made. */
  readonly secrets: string | undefined;
};

export function sqlExaminations(probes: SqlProbes, settings: SqlSettings): readonly Examination[] {
  const { before, after } = machineExaminations(probes, settings);
  return [...before, ...serverExaminations(probes, settings), ...after];
}

type ServerProbes = Pick<SqlProbes, "generatedSecrets" | "serverFacts">;

/** The part of every mode whose ledger is a database server's. */
export function serverExaminations(probes: ServerProbes, { database, ...settings }: SqlSettings): readonly Examination[] {
  return [
    examination("the secrets that processes share", () => sharedSecretsAt(probes, settings), sharedSecretChecks),
    ...(database === undefined ? [] : [{ name: "the database server", run: () => lookAtServer(probes, database) }]),
  ];
}

/** Of a server that does not let us in there is nothing more to judge. */
async function lookAtServer(probes: ServerProbes, { url, ...own }: DatabaseSettings) {
  const facts = await probes.serverFacts(url);
  const reached = judgeAll(reachChecks, facts);
  if (facts.kind === "refused") return reached;
  return [
    ...reached,
    ...judgeAll([...serverChecks, ...durabilityChecks, ...sharingChecks, ...sessionChecks], facts),
    ...judgeAll(processesChecks, { seen: facts, ...own }),
  ];
}

async function sharedSecretsAt(probes: ServerProbes, settings: Pick<SqlSettings, "configuration" | "dataDir" | "sharedSecrets">) {
  const { configuration, dataDir, sharedSecrets } = settings;
  const made = await probes.generatedSecrets(dataDir);
  const secrets = sharedSecrets.map(({ option, isSet, file }) => {
    const path = made.find((each) => each.endsWith(file));
    return { option, isSet, file: path ?? `${dataDir}/${file}`, isThere: path !== undefined };
  });
  return { secrets, isProduction: configuration.isProduction };
}
