import type { LoadClient } from "./load-client.ts";

/**
 * The place of a rehearsal against a deployment that runs already: a client of it, a file for the crowd's record, and
 * the checker where the deployment's store is at hand.
 */
export interface DeploymentSite {
  readonly load: LoadClient;
  /** Keeps a line of the record; in the operating system's hands when it returns. */
  record(line: string): void;
  hash(text: string): string;
  /** Checks the deployment's store against the record, while its server runs: the checker's own JSON; undefined where it is not at hand. */
  verify(): Promise<unknown> | undefined;
  /** Closes the record and removes it unless it shall be kept. Safe to repeat. */
  close(): Promise<void>;
}
