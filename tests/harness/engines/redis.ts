/** Redis of our own, with an append-only file, whose tail a test may cut off as a crash would. */
import { mkdirSync, readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { Volume } from "../volumes.ts";
import { waitFor } from "../wait.ts";
import { EngineProcess, openEngine, type Launch } from "./engine-process.ts";
import type { Ports } from "./ports.ts";
import { programPath, runProgram } from "./programs.ts";
import { urlOf } from "./database-names.ts";

export type RedisOptions = {
  readonly appendfsync?: "always" | "everysec" | "no" | undefined;
  readonly maxmemoryPolicy?: string | undefined;
  /** Further lines of the configuration, such as { maxmemory: "8mb" }. They come last and win. */
  readonly config?: Readonly<Record<string, string | number>> | undefined;
  readonly replicaOf?: RedisServer | undefined;
  /** A folder for its data, such as a volume that is frozen or filled; the temporary one otherwise. */
  readonly place?: string | undefined;
};

const databasesMax = 1_024;
const password = "doorbuster-of-tests";

export class RedisServer extends EngineProcess {
  readonly url: string;
  readonly #options: RedisOptions;
  #databases = 0;

  constructor(volume: Volume, ports: Ports, options: RedisOptions) {
    super("Redis", volume, ports);
    this.#options = options;
    this.url = `redis://:${password}@127.0.0.1:${this.port}/0`;
  }

  /** The url of a numbered database that nobody had before. The name is for the reader: Redis has numbers only. */
  database(name: string): Promise<string> {
    this.#databases += 1;
    if (this.#databases >= databasesMax) throw new Error(`no database is left for "${name}": there are ${databasesMax}`);
    return Promise.resolve(urlOf(this.url, String(this.#databases)));
  }

  /** What redis-cli prints; an error reply is an error. */
  async cli(...args: readonly string[]): Promise<string> {
    const command = { program: programPath("redis-cli"), args: ["-p", String(this.port), "-e", ...args] };
    return (await runProgram(command, { env: { REDISCLI_AUTH: password } })).trimEnd();
  }

  /** How long the append-only file is: its last part, which takes the writes. */
  aofBytes(): number {
    return statSync(this.#lastPart()).size;
  }

  /** Takes the last bytes off the append-only file, as a machine's crash does that came before they were on disk. */
  cutAof(bytes: number): void {
    if (this.isUp) throw new Error("cannot cut the append-only file of a Redis that is up");
    const left = this.aofBytes() - bytes;
    if (left < 0) throw new Error(`cannot cut ${bytes} bytes off an append-only file of ${this.aofBytes()}`);
    truncateSync(this.#lastPart(), left);
  }

  protected launch(): Launch {
    const { appendfsync = "always", maxmemoryPolicy = "noeviction", config = {}, replicaOf } = this.#options;
    const settings = {
      port: this.port,
      bind: "127.0.0.1",
      dir: this.#data,
      save: "",
      appendonly: "yes",
      appendfsync,
      "maxmemory-policy": maxmemoryPolicy,
      databases: databasesMax,
      requirepass: password,
      masterauth: password,
      // By default it waits five seconds for further replicas before it serves the first.
      "repl-diskless-sync-delay": 0,
      ...(replicaOf === undefined ? {} : { replicaof: `127.0.0.1 ${replicaOf.port}` }),
      ...config,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, ...words(String(value))]);
    mkdirSync(this.#data, { recursive: true });
    return { program: programPath("redis-server"), args };
  }

  /** While it loads its data it answers everything with an error. */
  protected async answer(): Promise<void> {
    await this.cli("PING");
  }

  get #data(): string {
    return join(this.folder, "data");
  }

  /** The manifest names the parts: a base, and increments of which the last one grows. */
  #lastPart(): string {
    const folder = join(this.#data, "appendonlydir");
    const manifest = readFileSync(join(folder, "appendonly.aof.manifest"), "utf8");
    const last = [...manifest.matchAll(/^file (\S+) seq \d+ type i/gm)].at(-1)?.[1];
    if (last === undefined) throw new Error(`the append-only file's manifest names no increment: ${manifest}`);
    return join(folder, last);
  }
}

/** redis-server takes a setting's words one by one, and none as an empty one. */
const words = (value: string): string[] => (value === "" ? [""] : value.split(" "));

const linkMaxMs = 30_000;

/** A replica is open when it has what the other one has, and the other one counts it: it does so at the replica's first word. */
export async function openRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const redis = await openEngine({ name: "redis", place: options.place }, (volume, ports) => new RedisServer(volume, ports, options));
  const { replicaOf: primary } = options;
  if (primary === undefined) return redis;
  const tells = async (server: RedisServer, words: string) => (await server.cli("INFO", "replication")).includes(words);
  const isLinked = async () => (await tells(redis, "master_link_status:up")) && (await tells(primary, `port=${redis.port},state=online`));
  await waitFor("the link to the other Redis", isLinked, { withinMs: linkMaxMs });
  return redis;
}
