/**
 * An engine of our own: started on ports and a folder of its own, killed, stopped, frozen and started again on the same
 * data and port. What it prints goes to a file, so that it never waits for us to read; the tail is for messages.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { exitOf } from "../../../src/adapters/load/child-process.ts";
import { bounded, waitFor } from "../wait.ts";
import type { Volume } from "../volumes.ts";
import { engineFolder } from "./engine-folder.ts";
import { reservePorts, type Ports } from "./ports.ts";
import { freezeIn, killIn, thawIn } from "./processes.ts";
import { bareEnvironment, type Command, type User } from "./programs.ts";

export type Launch = Command & { readonly env?: Readonly<Record<string, string>> | undefined };

const startMaxMs = 60_000;
const stopMaxMs = 30_000;

export abstract class EngineProcess implements AsyncDisposable {
  readonly folder: string;
  /** How clients with an ordinary user's rights reach it; the same after every start. */
  abstract readonly url: string;
  readonly #name: string;
  readonly #volume: Volume;
  readonly #ports: Ports;
  #child: ChildProcess | undefined;
  #isClosed = false;

  protected constructor(name: string, volume: Volume, ports: Ports) {
    this.#name = name;
    this.#volume = volume;
    this.#ports = ports;
    this.folder = volume.path;
  }

  /** The server's command; the process that it starts becomes the server. */
  protected abstract launch(): Launch | Promise<Launch>;
  /** Asks it for something as a client; throws until it answers. */
  protected abstract answer(): Promise<void>;
  protected readonly stopSignal: NodeJS.Signals = "SIGTERM";

  get port(): number {
    return this.#ports.numbers[0] ?? 0;
  }

  protected portAt(index: number): number {
    return this.#ports.numbers[index] ?? 0;
  }

  /** The server's process; 0 while it is down. */
  get pid(): number {
    return this.isUp ? (this.#child?.pid ?? 0) : 0;
  }

  get isUp(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  tail(lines = 40): string {
    try {
      return readFileSync(join(this.folder, "log"), "utf8").split("\n").slice(-lines).join("\n");
    } catch {
      return "(no log)";
    }
  }

  /** Resolves when it answers a client. */
  async start(): Promise<void> {
    if (this.#isClosed || this.isUp) throw new Error(`cannot start ${this.#name}: it is ${this.isUp ? "up" : "closed"}`);
    try {
      const { program, args, env = {} } = await this.launch();
      this.#child = await this.run({ program, args, env });
      await waitFor(`an answer of ${this.#name}`, () => this.#answers(), { withinMs: startMaxMs, everyMs: 10 });
    } catch (error) {
      const tail = this.tail();
      killIn(this.folder);
      throw new Error(`${this.#name} did not start: ${String(error)}\n${tail}`, { cause: error });
    }
  }

  /** kill -9 of all its processes at one instant. */
  async kill(): Promise<void> {
    killIn(this.folder);
    await this.#ended(`the end of a killed ${this.#name}`);
  }

  /** As an operator stops it. */
  async stop(): Promise<void> {
    this.#child?.kill(this.stopSignal);
    await this.#ended(`a graceful stop of ${this.#name}`);
    // Helpers that serve no purpose without it.
    killIn(this.folder);
  }

  /** Its processes stand still: connections are accepted by the kernel, and nobody answers. */
  freeze(): Promise<void> {
    return freezeIn(this.folder);
  }

  thaw(): void {
    thawIn(this.folder);
  }

  /** Ends it, and removes its data. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#volume.release();
    await this.#ended(`the end of ${this.#name}`);
    this.#ports.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Starts a process in its folder, where kill, freeze and the watchdog find it. */
  protected run({ program, args, env = {} }: Launch): Promise<ChildProcess> {
    const log = openSync(join(this.folder, "log"), "a");
    const child = spawn(program, [...args], {
      cwd: this.folder,
      env: { ...bareEnvironment(), ...env },
      // What interrupts the tests must not interrupt it: cleanup ends it.
      detached: true,
      stdio: ["ignore", log, log],
    });
    child.unref();
    closeSync(log);
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("spawn", () => resolve(child));
    });
  }

  async #answers(): Promise<boolean> {
    try {
      await this.answer();
      return true;
    } catch (error) {
      if (!this.isUp) throw new Error(`it ended with ${this.#child?.exitCode ?? this.#child?.signalCode}`, { cause: error });
      return false;
    }
  }

  async #ended(what: string): Promise<void> {
    if (this.#child !== undefined) await bounded(what, stopMaxMs, exitOf(this.#child));
    this.#child = undefined;
  }
}

export type Opening = {
  readonly name: string;
  readonly user?: User | undefined;
  readonly place?: string | undefined;
  readonly ports?: number | undefined;
};

/** Makes an engine in a folder and on ports of its own, and starts it; what failed leaves nothing. */
export async function openEngine<Engine extends EngineProcess>(
  { name, user, place, ports: count = 1 }: Opening,
  make: (volume: Volume, ports: Ports) => Engine | Promise<Engine>,
): Promise<Engine> {
  const ports = await reservePorts(count);
  const volume = engineFolder(name, user, place);
  try {
    const engine = await make(volume, ports);
    await engine.start();
    return engine;
  } catch (error) {
    volume.release();
    ports.release();
    throw error;
  }
}
