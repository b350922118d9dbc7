/** One process of an installation, with a line of its own to each engine, so that a fault of the network can be its alone. */
import { join } from "node:path";
import { apiEnvironment, installationEnvironment, workerEnvironment, type Engines } from "../../harness/installation.ts";
import { ServerProcess, type ServerOptions } from "../../harness/server-process.ts";
import { TcpProxy } from "../../harness/tcp-proxy.ts";

export type Role = "api" | "worker";
type LineName = "database" | "redis" | "broker";

export class Member {
  readonly name: string;
  readonly role: Role;
  readonly #engines: Engines;
  readonly #folder: string;
  readonly #entry: ServerOptions["entry"];
  readonly #env: Readonly<Record<string, string>>;
  readonly #lines = new Map<LineName, TcpProxy>();
  #server: ServerProcess | undefined;
  readonly logs: string[] = [];

  constructor(of: {
    name: string;
    role: Role;
    engines: Engines;
    folder: string;
    entry?: ServerOptions["entry"];
    env?: Readonly<Record<string, string>> | undefined;
  }) {
    this.name = of.name;
    this.role = of.role;
    this.#engines = of.engines;
    this.#folder = join(of.folder, of.name);
    this.#entry = of.entry;
    this.#env = of.env ?? {};
  }

  /** Where it answers; undefined while it is down. */
  get url(): string | undefined {
    return this.#server?.url;
  }

  line(name: LineName): TcpProxy {
    const line = this.#lines.get(name);
    if (line === undefined) throw new Error(`${this.name} has no line to a ${name}`);
    return line;
  }

  async start(): Promise<void> {
    const { databaseUrl, queue } = this.#engines;
    const through = async (name: LineName, url: string) => {
      const line = this.#lines.get(name) ?? (await TcpProxy.open(url));
      this.#lines.set(name, line);
      return line.through(url);
    };
    const engines: Engines = {
      databaseUrl: await through("database", databaseUrl),
      queue: queue && { redisUrl: await through("redis", queue.redisUrl), brokerUrl: await through("broker", queue.brokerUrl) },
    };
    const env = { ...installationEnvironment(engines), ...(this.role === "api" ? apiEnvironment : workerEnvironment), ...this.#env };
    this.#server = await ServerProcess.start({ dataDir: this.#folder, env, entry: this.#entry });
  }

  async kill(): Promise<void> {
    const server = this.#take();
    await server?.kill();
  }

  freeze(): void {
    this.#server?.freeze();
  }

  thaw(): void {
    this.#server?.thaw();
  }

  /** Its exit code. */
  async stop(): Promise<number> {
    const server = this.#take();
    return (await server?.stop(30_000)) ?? -1;
  }

  async close(): Promise<void> {
    this.thaw();
    await this.kill();
    for (const line of this.#lines.values()) line.close();
  }

  /** Why it ended, if it did so by itself: nobody should have to start it again. */
  get ended(): string | undefined {
    const { exitCode } = this.#server?.child ?? { exitCode: null };
    return exitCode === null ? undefined : `${this.name} ended with ${exitCode}:\n${this.#server?.tail(10)}`;
  }

  /** Lines of its logs at level error or above. */
  get errors(): readonly string[] {
    return [...this.logs, ...(this.#server?.log ?? [])].filter((line) => /"level":(?:50|60)/.test(line));
  }

  #take(): ServerProcess | undefined {
    const server = this.#server;
    this.#server = undefined;
    if (server !== undefined) this.logs.push(...server.log);
    return server;
  }
}
