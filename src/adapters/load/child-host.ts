/**
 * A rehearsal's place on this machine: a server as a child process on a free port, its store, log and the crowd's record
 * in one folder. Whatever happens, `close` leaves no process behind, and no folder unless it shall be kept.
 */
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LoadClient } from "../../ports/load-client.ts";
import type { RehearsalHost } from "../../ports/rehearsal-host.ts";
import { eachLine, exitOf, startProgram, within } from "./child-process.ts";
import { HistoryFile, shortHash } from "./history-file.ts";
import { HttpLoadClient } from "./http-load-client.ts";
import { runVerify } from "./run-verify.ts";

export type ChildHostOptions = {
  /** The command line's entry, src/main.ts, as an absolute path. */
  readonly entry: string;
  /** Leave the folder in place at the end. */
  readonly keep: boolean;
};

const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const startMaxMs = 15_000;
const stopMaxMs = 20_000;
const requestTimeoutMs = 15_000;

export class ChildHost implements RehearsalHost {
  readonly folder: string;
  readonly #options: ChildHostOptions;
  readonly #history: HistoryFile;
  readonly #endWithUs = () => void this.#server?.kill("SIGKILL");
  /** Whoever ends us by a signal leaves nothing behind either; then the signal takes its course. */
  readonly #endBySignal = (signal: NodeJS.Signals) => {
    void this.close().finally(() => process.kill(process.pid, signal));
  };
  #server: ChildProcess | undefined;
  #closed = false;

  constructor(options: ChildHostOptions) {
    this.#options = options;
    this.folder = mkdtempSync(join(tmpdir(), "doorbuster-rehearsal-"));
    this.#history = new HistoryFile(join(this.folder, "history.jsonl"));
    process.once("exit", this.#endWithUs);
    for (const signal of endingSignals) process.once(signal, this.#endBySignal);
  }

  async start(): Promise<{ load: LoadClient; apiKey: string; url: string }> {
    const apiKey = randomBytes(32).toString("hex");
    const options = {
      DOORBUSTER_HTTP_HOST: "127.0.0.1",
      DOORBUSTER_HTTP_PORT: "0",
      DOORBUSTER_DATA_DIR: this.#dataDir(),
      DOORBUSTER_API_KEY: apiKey,
      DOORBUSTER_PAYMENT_PROVIDER: "simulated",
      DOORBUSTER_LOG_FORMAT: "json",
    };
    const server = startProgram({ entry: this.#options.entry, args: ["serve"], options, folder: this.folder });
    this.#server = server;
    const url = await within(this.#listening(server), startMaxMs, "starting the server");
    return { load: new HttpLoadClient({ origin: url, timeoutMs: requestTimeoutMs }), apiKey, url };
  }

  record(line: string): void {
    this.#history.append(line);
  }

  hash(text: string): string {
    return shortHash(text);
  }

  async stop(): Promise<number> {
    const server = this.#server;
    if (server === undefined) return 0;
    server.kill("SIGTERM");
    return within(exitOf(server), stopMaxMs, "stopping the server");
  }

  verify(): Promise<unknown> {
    const args = ["--data-dir", this.#dataDir(), "--history", this.#history.path, "--at-rest"];
    return runVerify({ entry: this.#options.entry, folder: this.folder, args });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    process.removeListener("exit", this.#endWithUs);
    for (const signal of endingSignals) process.removeListener(signal, this.#endBySignal);
    const server = this.#server;
    if (server !== undefined && server.kill("SIGKILL")) await within(exitOf(server), stopMaxMs, "ending the server");
    this.#history.close();
    if (!this.#options.keep) rmSync(this.folder, { recursive: true, force: true });
  }

  #dataDir(): string {
    return join(this.folder, "data");
  }

  /** Resolves with the URL that the server's log names when it listens. */
  #listening(server: ChildProcess): Promise<string> {
    return new Promise((resolve, reject) => {
      let last = "";
      eachLine(server.stdout, () => {});
      eachLine(server.stderr, (line) => {
        last = line;
        appendFileSync(join(this.folder, "server.log"), `${line}\n`);
        const url = urlOf(line);
        if (url !== undefined) resolve(url);
      });
      server.once("error", reject);
      server.once("exit", (code) => reject(new Error(`the server ended with ${code} before it listened: ${last.slice(0, 500)}`)));
    });
  }
}

function urlOf(line: string): string | undefined {
  if (!line.includes('"listening"')) return undefined;
  try {
    const entry: unknown = JSON.parse(line);
    const found =
      typeof entry === "object" && entry !== null ? new Map<string, unknown>(Object.entries(entry)) : new Map<string, unknown>();
    const url = found.get("url");
    return found.get("msg") === "listening" && typeof url === "string" ? url : undefined;
  } catch {
    return undefined;
  }
}
