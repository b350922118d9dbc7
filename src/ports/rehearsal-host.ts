import type { LoadClient } from "./load-client.ts";

/**
 * The place of a rehearsal: a server of its own on an empty store, over real sockets, a file for the crowd's record, and
 * the checker. Throws when one of them fails to do its work; what was started is then ended by `close`.
 */
export interface RehearsalHost {
  start(): Promise<{ readonly load: LoadClient; readonly apiKey: string; readonly url: string }>;
  /** Keeps a line of the record; in the operating system's hands when it returns. */
  record(line: string): void;
  hash(text: string): string;
  /** Stops the server as an operator would and gives its exit code. */
  stop(): Promise<number>;
  /** Checks the stopped store against the record: the checker's own JSON. */
  verify(): Promise<unknown>;
  /** Ends what still runs and, unless it shall be kept, removes store and record. Safe to repeat. */
  close(): Promise<void>;
  /** Where store, record and server log lie. */
  readonly folder: string;
}
