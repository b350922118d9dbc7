/** PostgreSQL of our own: durable unless a test says otherwise, passwords by SCRAM, an ordinary user and an empty database. */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Volume } from "../volumes.ts";
import { copyTemplate } from "./engine-folder.ts";
import { EngineProcess, openEngine, type Launch } from "./engine-process.ts";
import type { Ports } from "./ports.ts";
import { commandAs, programPath, runProgram, userNamed, type User } from "./programs.ts";
import { runSql, SqlDatabases, type Rows } from "./sql-databases.ts";

export type PostgresOptions = {
  /** Parameters of the server, such as { fsync: "off" }. They come last and win. */
  readonly settings?: Readonly<Record<string, string | number>> | undefined;
  /** A folder for its data, such as a volume that is frozen or filled; the temporary one otherwise. */
  readonly place?: string | undefined;
};

const fixed: Readonly<Record<string, string | number>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  shared_buffers: "32MB",
  // In the data folder, with which they go; by default they lie in /dev/shm, where a killed server leaves them.
  dynamic_shared_memory_type: "mmap",
};

const user = { name: "doorbuster", password: "doorbuster-of-tests" };
const admin = { name: "admin", password: "admin-of-tests" };
const database = "doorbuster";

const create = (name: string): readonly string[] => [`CREATE DATABASE ${name} OWNER ${user.name}`];

export class PostgresServer extends EngineProcess {
  readonly url: string;
  readonly #adminUrl: string;
  readonly #options: PostgresOptions;
  readonly #owner: User | undefined;
  readonly #databases: SqlDatabases;
  /** Fast shutdown; SIGTERM would wait for every client to leave. */
  protected override readonly stopSignal = "SIGINT";

  constructor(volume: Volume, ports: Ports, { options, owner }: { options: PostgresOptions; owner: User | undefined }) {
    super("PostgreSQL", volume, ports);
    this.#options = options;
    this.#owner = owner;
    this.url = `postgres://${user.name}:${user.password}@127.0.0.1:${this.port}/${database}`;
    this.#adminUrl = `postgres://${admin.name}:${admin.password}@127.0.0.1:${this.port}/${database}`;
    this.#databases = new SqlDatabases(this.url, { adminUrl: this.#adminUrl, create });
  }

  /** The url of a new, empty database on this server. */
  database(name: string): Promise<string> {
    return this.#databases.database(name);
  }

  /** One statement with all rights. */
  admin(statement: string): Promise<Rows> {
    return runSql(this.#adminUrl, statement);
  }

  override async start(): Promise<void> {
    await super.start();
    await this.#leaveNoSegment();
  }

  protected launch(): Launch {
    const settings = Object.entries({ ...fixed, ...this.#options.settings }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    return commandAs(this.#owner, programPath("postgres"), ["-D", this.#data, "-p", String(this.port), ...settings]);
  }

  protected async answer(): Promise<void> {
    await runSql(this.url, "SELECT 1", { withinMs: 2_000 });
  }

  get #data(): string {
    return join(this.folder, "data");
  }

  /**
   * A killed server leaves a segment of System V memory, of which the machine has a few thousand. Removed while it is in
   * use, a segment goes with the last process that has it; the server only asks for it again at its next start, and takes
   * its absence as the end of the one before.
   */
  async #leaveNoSegment(): Promise<void> {
    const [, segment] = (readFileSync(join(this.#data, "postmaster.pid"), "utf8").split("\n")[6] ?? "").trim().split(/\s+/);
    if (segment !== undefined) await runProgram({ program: programPath("ipcrm"), args: ["-m", segment] });
  }
}

export function openPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  // The server refuses to be root, whoever else it is.
  const owner = userNamed("postgres") ?? userNamed("nobody");
  return openEngine({ name: "postgres", user: owner, place: options.place }, async (volume, ports) => {
    await copyTemplate("postgres", { user: owner, make: (folder) => install(folder, owner), to: join(volume.path, "data") });
    return new PostgresServer(volume, ports, { options, owner });
  });
}

/**
 * Small segments of the log keep the copy small, and so does the database that is there anyway and gets another name: a
 * further one is three hundred files. Nothing is synced: the copy is not either, and a kill loses nothing of both.
 */
async function install(folder: string, owner: User | undefined): Promise<void> {
  const passwordFile = join(dirname(folder), "password");
  writeFileSync(passwordFile, admin.password, { mode: 0o644 });
  const auth = ["--auth=scram-sha-256", `--pwfile=${passwordFile}`];
  const args = ["-D", folder, "-U", admin.name, ...auth, "--encoding=UTF8", "--locale=C.UTF-8", "--wal-segsize=1", "--no-sync"];
  await runProgram(commandAs(owner, programPath("initdb"), args));
  const statements = [
    `CREATE ROLE ${user.name} LOGIN PASSWORD '${user.password}'`,
    `ALTER DATABASE postgres RENAME TO ${database}`,
    `ALTER DATABASE ${database} OWNER TO ${user.name}`,
  ];
  const alone = commandAs(owner, programPath("postgres"), ["--single", "-F", "-D", folder, "template1"]);
  await runProgram(alone, { input: `${statements.join("\n")}\n` });
}
