/** A deployment that runs already, as a rehearsal reaches it: over its address, with the crowd's record in a folder here. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DeploymentSite } from "../../ports/deployment-site.ts";
import type { LoadClient } from "../../ports/load-client.ts";
import { HistoryFile, shortHash } from "./history-file.ts";
import { HttpLoadClient } from "./http-load-client.ts";
import { runVerify } from "./run-verify.ts";

export type RemoteSiteOptions = {
  /** The command line's entry, src/main.ts, as an absolute path. */
  readonly entry: string;
  readonly url: string;
  /** Options that lead to the deployment's store, if it is at hand. */
  readonly store: Readonly<Record<string, string>> | undefined;
  readonly keep: boolean;
};

const requestTimeoutMs = 15_000;

export class RemoteSite implements DeploymentSite {
  readonly folder: string;
  readonly load: LoadClient;
  readonly #options: RemoteSiteOptions;
  readonly #history: HistoryFile;
  #closed = false;

  constructor(options: RemoteSiteOptions) {
    this.#options = options;
    this.folder = mkdtempSync(join(tmpdir(), "doorbuster-rehearsal-"));
    this.#history = new HistoryFile(join(this.folder, "history.jsonl"));
    this.load = new HttpLoadClient({ origin: options.url, timeoutMs: requestTimeoutMs });
  }

  record(line: string): void {
    this.#history.append(line);
  }

  hash(text: string): string {
    return shortHash(text);
  }

  verify(): Promise<unknown> | undefined {
    const { entry, store } = this.#options;
    if (store === undefined) return undefined;
    return runVerify({ entry, folder: this.folder, args: ["--history", this.#history.path], options: store });
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#history.close();
      if (!this.#options.keep) rmSync(this.folder, { recursive: true, force: true });
    }
    return Promise.resolve();
  }
}
