/**
 * A real server as a process group of its own: started on a free port of the loopback address, watched, stopped by its
 * process id. Its log is kept in memory (bounded), for the message of a test that fails.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { eachLine, exitOf } from "../../src/adapters/load/child-process.ts";
import { onCleanup } from "./cleanup.ts";
import { bounded } from "./wait.ts";

export const rootDir = join(import.meta.dirname, "..", "..");
export const apiKey = "test-key-0123456789abcdef0123456789abcdef";
export const callbackSecret = `whsec_${Buffer.from("0123456789abcdef0123456789abcdef").toString("base64")}`;
export type Runtime = "bun" | "node";

export type ServerOptions = {
  readonly dataDir: string;
  readonly runtime?: Runtime | undefined;
  /** Further DOORBUSTER_… options. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Instead of `src/main.ts serve`: a test's own entry, relative to the root. */
  readonly entry?: readonly string[] | undefined;
};

/** On a machine on which much else is started. */
const readyMaxMs = 60_000;
const logLinesMax = 2_000;

export class ServerProcess {
  readonly child: ChildProcess;
  readonly log: string[] = [];
  readonly exited: Promise<number>;
  readonly #release: () => void;
  url = "";

  private constructor(child: ChildProcess) {
    this.child = child;
    this.exited = exitOf(child);
    this.#release = onCleanup(`server ${child.pid}`, () => signalGroup(child, "SIGKILL"));
    const keep = (line: string) => {
      this.log.push(line);
      if (this.log.length > logLinesMax) this.log.shift();
    };
    eachLine(child.stdout, keep);
    eachLine(child.stderr, keep);
    void this.exited.then(() => this.#release());
  }

  /** Starts a server and resolves when it says it listens and is ready. */
  static async start(options: ServerOptions): Promise<ServerProcess> {
    const server = ServerProcess.spawn(options);
    try {
      await bounded("the server's start", readyMaxMs, server.#ready());
      return server;
    } catch (error) {
      await server.kill();
      throw new Error(`${String(error)}\n${server.tail()}`, { cause: error });
    }
  }

  /** Starts a server without waiting, for one that is expected to refuse. */
  static spawn(options: ServerOptions): ServerProcess {
    const { dataDir, runtime = "bun", env = {}, entry = ["src/main.ts", "serve"] } = options;
    const [command, ...flags] = commandOf(runtime);
    const child = spawn(command, [...flags, ...entry], {
      cwd: rootDir,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...foreignEnvironment(), ...serverEnvironment(dataDir), ...env },
    });
    return new ServerProcess(child);
  }

  /** kill -9 of the whole group: no handler runs, nothing is flushed. */
  async kill(): Promise<void> {
    signalGroup(this.child, "SIGKILL");
    await bounded("the end of a killed server", 10_000, this.exited);
  }

  /** It stands still: its connections stay open, and nobody answers. */
  freeze(): void {
    signalGroup(this.child, "SIGSTOP");
  }

  thaw(): void {
    signalGroup(this.child, "SIGCONT");
  }

  /** As an operator stops it; gives its exit code. */
  async stop(withinMs = 15_000): Promise<number> {
    this.child.kill("SIGTERM");
    return bounded("a graceful stop", withinMs, this.exited);
  }

  tail(lines = 30): string {
    return this.log.slice(-lines).join("\n");
  }

  async #ready(): Promise<void> {
    this.url = await this.#listening();
    for (;;) {
      const response = await fetch(`${this.url}/readyz`).catch(() => undefined);
      await response?.text();
      if (response?.status === 200) return;
      if (this.child.exitCode !== null) throw new Error(`the server ended with ${this.child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  #listening(): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (line: string) => {
        // One that answers nobody but its operators says where they may ask it.
        const url = line.includes('"listening"') ? /"url":"([^"]+)"/ : line.includes('"working"') ? /"metrics":"([^"]+)"/ : undefined;
        const found = url?.exec(line)?.[1];
        if (found !== undefined) resolve(found);
      };
      this.log.forEach(look);
      eachLine(this.child.stdout, look);
      eachLine(this.child.stderr, look);
      void this.exited.then((code) => reject(new Error(`the server ended with ${code} before it listened`)));
    });
  }
}

export function commandOf(runtime: Runtime): [string, ...string[]] {
  if (runtime === "bun") return [process.execPath, "--no-env-file", "--no-install"];
  const pinned = join(rootDir, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
  if (!existsSync(pinned)) throw new Error("the pinned Node is not installed; run npm ci");
  return [pinned];
}

/** This process's environment without options of the program. */
export function foreignEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).flatMap(([name, value]) =>
    name.startsWith("DOORBUSTER_") || value === undefined ? [] : [[name, value]],
  );
  // Every entry above is a pair of name and value.
  return Object.fromEntries(entries) as Record<string, string>;
}

export function serverEnvironment(dataDir: string): Record<string, string> {
  return {
    DOORBUSTER_HTTP_HOST: "127.0.0.1",
    DOORBUSTER_HTTP_PORT: "0",
    DOORBUSTER_DATA_DIR: dataDir,
    DOORBUSTER_API_KEY: apiKey,
    DOORBUSTER_CALLBACK_SECRET: callbackSecret,
    DOORBUSTER_PAYMENT_PROVIDER: "simulated",
    DOORBUSTER_LOG_FORMAT: "json",
  };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // The group ended between the look and the signal.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
