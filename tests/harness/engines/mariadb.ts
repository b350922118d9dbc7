/** MariaDB of our own: durable unless a test says otherwise, with a binary log, an ordinary user and an empty database. */
import { dirname, join } from "node:path";
import { writeFileSync } from "node:fs";
import type { Volume } from "../volumes.ts";
import { copyTemplate } from "./engine-folder.ts";
import { EngineProcess, openEngine, type Launch } from "./engine-process.ts";
import type { Ports } from "./ports.ts";
import { commandAs, programPath, runProgram, userNamed, type User } from "./programs.ts";
import { runSql, SqlDatabases, type Rows } from "./sql-databases.ts";

export type MariadbOptions = {
  /** Variables of the server by their names on the command line, such as "sync-binlog": 0. They come last and win. */
  readonly settings?: Readonly<Record<string, string | number>> | undefined;
  /** A folder for its data, such as a volume that is frozen or filled; the temporary one otherwise. */
  readonly place?: string | undefined;
};

/** Small, since many run at once; the size of the log is the template's, another one would be written at the start. */
const logFileSize = "--innodb-log-file-size=16M";
const fixed: Readonly<Record<string, string | number>> = {
  "bind-address": "127.0.0.1",
  // Relative to the data folder: a long path of a temporary folder would not fit into a socket's address.
  socket: "mariadb.sock",
  "pid-file": "mariadb.pid",
  "server-id": 1,
  "log-bin": "binlog",
  "sync-binlog": 1,
  "innodb-flush-log-at-trx-commit": 1,
  "innodb-buffer-pool-size": "64M",
  "innodb-temp-data-file-path": "ibtmp1:1M:autoextend",
  "aria-pagecache-buffer-size": "8M",
  "key-buffer-size": "1M",
  "character-set-server": "utf8mb4",
};

const user = { name: "doorbuster", password: "doorbuster-of-tests" };
const admin = { name: "admin", password: "admin-of-tests" };
const database = "doorbuster";

/** In place of the users that the package's script makes: those differ by host name and have no password. */
const people = [
  "DELETE FROM mysql.global_priv WHERE User IN ('', 'root');",
  "DELETE FROM mysql.proxies_priv;",
  "FLUSH PRIVILEGES;",
  `CREATE USER ${admin.name}@'%' IDENTIFIED BY '${admin.password}';`,
  `GRANT ALL ON *.* TO ${admin.name}@'%' WITH GRANT OPTION;`,
  `CREATE USER ${user.name}@'%' IDENTIFIED BY '${user.password}';`,
  ...create(database).map((statement) => `${statement};`),
].join("\n");

function create(name: string): readonly string[] {
  return [`CREATE DATABASE ${name}`, `GRANT ALL ON ${name}.* TO ${user.name}@'%'`];
}

export class MariadbServer extends EngineProcess {
  readonly url: string;
  readonly #adminUrl: string;
  readonly #options: MariadbOptions;
  readonly #owner: User | undefined;
  readonly #databases: SqlDatabases;

  constructor(volume: Volume, ports: Ports, { options, owner }: { options: MariadbOptions; owner: User | undefined }) {
    super("MariaDB", volume, ports);
    this.#options = options;
    this.#owner = owner;
    this.url = `mysql://${user.name}:${user.password}@127.0.0.1:${this.port}/${database}`;
    this.#adminUrl = `mysql://${admin.name}:${admin.password}@127.0.0.1:${this.port}/mysql`;
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

  protected launch(): Launch {
    // Every server removes at its start what others have in a temporary folder that they share.
    const places = { datadir: join(this.folder, "data"), tmpdir: this.folder, port: this.port };
    const settings = { ...fixed, ...places, ...this.#options.settings };
    const args = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
    return commandAs(this.#owner, programPath("mariadbd"), [...common(this.#owner), logFileSize, ...args]);
  }

  protected async answer(): Promise<void> {
    await runSql(this.url, "SELECT 1", { withinMs: 2_000 });
  }
}

/** The server refuses to be root unless told. */
const common = (owner: User | undefined): readonly string[] => [
  "--no-defaults",
  "--skip-name-resolve",
  "--skip-log-error",
  ...(owner === undefined && process.getuid?.() === 0 ? ["--user=root"] : []),
];

export function openMariadb(options: MariadbOptions = {}): Promise<MariadbServer> {
  const owner = userNamed("mysql");
  return openEngine({ name: "mariadb", user: owner, place: options.place }, async (volume, ports) => {
    await copyTemplate("mariadb", { user: owner, make: (folder) => install(folder, owner), to: join(volume.path, "data") });
    return new MariadbServer(volume, ports, { options, owner });
  });
}

async function install(folder: string, owner: User | undefined): Promise<void> {
  const extra = `${folder}.sql`;
  writeFileSync(extra, people, { mode: 0o644 });
  const places = [`--datadir=${folder}`, `--tmpdir=${dirname(folder)}`, `--extra-file=${extra}`];
  const args = ["--no-defaults", ...places, "--skip-test-db", "--auth-root-authentication-method=normal", logFileSize];
  await runProgram(commandAs(owner, programPath("mariadb-install-db"), args), { cwd: "/usr" });
}
