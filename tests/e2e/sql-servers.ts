/**
 * Database servers for tests: one that the environment names, or short-lived ones of our own with settings of a test's
 * choice. Stopped by their process ids, at the latest when this process ends.
 */
import { SQL } from "bun";
import { afterAll, beforeAll, describe } from "bun:test";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { exitOf } from "../../src/adapters/load/child-process.ts";
import { cleanUp, onCleanup } from "../harness/cleanup.ts";
import { tempFolder } from "../harness/volumes.ts";
import { bounded, waitFor } from "../harness/wait.ts";

// Not after each test: templates and shared servers are for all.
afterAll(cleanUp);

export type EngineName = "mariadb" | "postgres";
export type Rows = readonly Readonly<Record<string, unknown>>[];
export type ServerOptions = { readonly settings?: Readonly<Record<string, string | number>> | undefined };
export type SharedEngine = { readonly url: string; readonly database: (name: string) => Promise<string> };

const variables = { mariadb: "DOORBUSTER_TEST_MARIADB_URL", postgres: "DOORBUSTER_TEST_POSTGRES_URL" };
const startMaxMs = 60_000;
const stopMaxMs = 30_000;
const user = { name: "doorbuster", password: "doorbuster-of-tests" };

/** One statement on a connection of its own. */
export async function runSql(url: string, statement: string): Promise<Rows> {
  const sql = new SQL(url, { max: 1, connectionTimeout: 5 });
  try {
    // The driver types rows as the caller says; a row is an object by column.
    return (await bounded("an answer to SQL", 10_000, sql.unsafe(statement))) as Rows;
  } finally {
    await sql.close({ timeout: 0 });
  }
}

function folders(): string[] {
  const versions = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql").toSorted((a, b) => Number(b) - Number(a)) : [];
  return [
    ...(process.env["PATH"] ?? "").split(":"),
    "/usr/sbin",
    "/usr/bin",
    ...versions.map((version) => `/usr/lib/postgresql/${version}/bin`),
  ];
}
const findProgram = (name: string) =>
  folders()
    .map((folder) => join(folder, name))
    .find(existsSync);

/** As whom the server runs, which refuses root. */
function ownerOf(name: string): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const row = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((line) => line.startsWith(`${name}:`));
  const [, , uid, gid] = row?.split(":") ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

type Kind = {
  readonly owner: ReturnType<typeof ownerOf>;
  readonly programs: readonly string[];
  readonly stopSignal: NodeJS.Signals;
  readonly scheme: string;
  readonly admin: { readonly name: string; readonly database: string };
  readonly install: (data: string) => readonly string[];
  readonly launch: (data: string, port: number, settings: ServerOptions["settings"]) => readonly string[];
  readonly people: readonly string[];
  readonly create: (name: string) => readonly string[];
};

const password = "admin-of-tests";
const createMariadb = (name: string) => [`CREATE DATABASE ${name}`, `GRANT ALL ON ${name}.* TO ${user.name}@'%'`];
const kinds: Readonly<Record<EngineName, Kind>> = {
  mariadb: {
    owner: ownerOf("mysql"),
    programs: ["mariadb-install-db", "mariadbd"],
    stopSignal: "SIGTERM",
    scheme: "mysql",
    admin: { name: "admin", database: "mysql" },
    install: (data) => [
      "--no-defaults",
      `--datadir=${data}`,
      "--skip-test-db",
      "--auth-root-authentication-method=normal",
      `--extra-file=${data}.sql`,
      "--innodb-log-file-size=16M",
    ],
    launch: (data, port, settings) =>
      Object.entries({
        datadir: data,
        port,
        "bind-address": "127.0.0.1",
        socket: "mariadb.sock",
        "pid-file": "mariadb.pid",
        "server-id": 1,
        "log-bin": "binlog",
        "sync-binlog": 1,
        "innodb-log-file-size": "16M",
        "innodb-buffer-pool-size": "64M",
        ...settings,
      }).reduce((args, [name, value]) => [...args, `--${name}=${value}`], ["--no-defaults", "--skip-name-resolve", "--skip-log-error"]),
    people: [
      "DELETE FROM mysql.global_priv WHERE User IN ('', 'root')",
      "FLUSH PRIVILEGES",
      `CREATE USER admin@'%' IDENTIFIED BY '${password}'`,
      "GRANT ALL ON *.* TO admin@'%' WITH GRANT OPTION",
      `CREATE USER ${user.name}@'%' IDENTIFIED BY '${user.password}'`,
      ...createMariadb("doorbuster"),
    ],
    create: createMariadb,
  },
  postgres: {
    owner: ownerOf("postgres"),
    programs: ["initdb", "postgres"],
    stopSignal: "SIGINT",
    scheme: "postgres",
    admin: { name: "admin", database: "postgres" },
    install: (data) => [
      "-D",
      data,
      "-U",
      "admin",
      `--pwfile=${data}.sql`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C.UTF-8",
      "--no-sync",
    ],
    launch: (data, port, settings) =>
      Object.entries({ listen_addresses: "127.0.0.1", unix_socket_directories: "", shared_buffers: "32MB", ...settings }).reduce<string[]>(
        (args, [name, value]) => [...args, "-c", `${name}=${value}`],
        ["-D", data, "-p", String(port)],
      ),
    people: [],
    create: (name) => [`CREATE DATABASE ${name} OWNER ${user.name}`],
  },
};

export class EngineServer implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly url: string;
  readonly #kind: Kind;
  readonly #settings: ServerOptions["settings"];
  readonly #release: () => void;
  #child: ChildProcess | undefined;

  constructor(kind: Kind, at: { folder: string; port: number; release: () => void }, settings: ServerOptions["settings"]) {
    this.#kind = kind;
    this.folder = at.folder;
    this.port = at.port;
    this.#release = at.release;
    this.#settings = settings;
    this.url = `${kind.scheme}://${user.name}:${user.password}@127.0.0.1:${at.port}/doorbuster`;
  }

  get #adminUrl(): string {
    const { scheme, admin } = this.#kind;
    return `${scheme}://${admin.name}:${password}@127.0.0.1:${this.port}/${admin.database}`;
  }

  /** One statement with all rights. */
  admin = (statement: string): Promise<Rows> => runSql(this.#adminUrl, statement);

  /** The url of a new, empty database on this server. */
  async database(name: string): Promise<string> {
    for (const statement of this.#kind.create(name)) await this.admin(statement);
    return this.url.replace(/[^/]*$/, name);
  }

  async start(): Promise<void> {
    const log = openSync(join(this.folder, "log"), "a");
    const program = findProgram(this.#kind.programs[1] ?? "") ?? "";
    const args = this.#kind.launch(join(this.folder, "data"), this.port, this.#settings);
    const child = spawn(program, [...args], { cwd: this.folder, stdio: ["ignore", log, log], ...this.#kind.owner });
    this.#child = child;
    onCleanup(`server ${child.pid}`, () => void child.kill("SIGKILL"));
    await waitFor(`an answer of ${program}`, () => this.#answers(), { withinMs: startMaxMs, everyMs: 50 });
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    child.kill("SIGCONT");
    child.kill(this.#kind.stopSignal);
    await bounded("the end of a database server", stopMaxMs, exitOf(child));
  }

  /** Connections are accepted by the kernel, and nobody answers. */
  freeze = async (): Promise<void> => void this.#child?.kill("SIGSTOP");
  thaw = (): void => void this.#child?.kill("SIGCONT");

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.#release();
  }

  async #answers(): Promise<boolean> {
    if (this.#child?.exitCode !== null) throw new Error(readFileSync(join(this.folder, "log"), "utf8").slice(-2_000));
    return this.admin("SELECT 1").then(
      () => true,
      () => false,
    );
  }
}

const templates = new Map<EngineName, string>();

/** A data folder that is copied, which is quicker than making one. */
function templateOf(name: EngineName): string {
  const known = templates.get(name);
  if (known !== undefined) return known;
  const { owner, programs, install, people } = kinds[name];
  const data = join(ownFolder(owner).path, "data");
  writeFileSync(`${data}.sql`, people.length === 0 ? password : people.map((statement) => `${statement};\n`).join(""), { mode: 0o644 });
  const { status, stdout, stderr } = spawnSync(findProgram(programs[0] ?? "") ?? "", [...install(data)], {
    cwd: dirname(data),
    encoding: "utf8",
    timeout: startMaxMs,
    ...owner,
  });
  if (status !== 0) throw new Error(`${programs[0]} ended with ${status}: ${stdout}${stderr}`);
  templates.set(name, data);
  return data;
}

function ownFolder(owner: Kind["owner"]) {
  const folder = tempFolder("doorbuster-engine-");
  chmodSync(folder.path, 0o755);
  if (owner !== undefined) chownSync(folder.path, owner.uid, owner.gid);
  return folder;
}

async function open(name: EngineName, { settings }: ServerOptions): Promise<EngineServer> {
  const kind = kinds[name];
  const template = templateOf(name);
  const { path, release } = ownFolder(kind.owner);
  mkdirSync(path, { recursive: true });
  const copied = spawnSync("cp", ["-a", template, join(path, "data")]);
  if (copied.status !== 0) cpSync(template, join(path, "data"), { recursive: true });
  const server = new EngineServer(kind, { folder: path, port: await freePort(), release }, settings);
  await server.start();
  if (name === "postgres") {
    await server.admin(`CREATE ROLE ${user.name} LOGIN PASSWORD '${user.password}'`);
    await server.database("doorbuster");
  }
  return server;
}

export const openMariadb = (options: ServerOptions = {}): Promise<EngineServer> => open("mariadb", options);
export const openPostgres = (options: ServerOptions = {}): Promise<EngineServer> => open("postgres", options);

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      // A server that listens on a port has an address of this kind.
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

const isInstalled = (name: EngineName) =>
  process.platform === "linux" && kinds[name].programs.every((each) => findProgram(each) !== undefined);

/** For tests that open servers of their own. */
export function describeWithOwnEngine(name: EngineName, title: string, body: () => void): void {
  if (isInstalled(name)) describe(title, body);
  else describe.skipIf(true)(`${title} (skipped: ${name} is not installed)`, body);
}

/** For tests that only speak to a server: the one that the environment names, or one of our own. */
export function describeWithEngine(name: EngineName, title: string, body: (engine: () => SharedEngine) => void): void {
  const named = process.env[variables[name]];
  if ((named === undefined || named === "") && !isInstalled(name)) {
    describe.skipIf(true)(`${title} (skipped: ${name} is not installed; set ${variables[name]})`, () =>
      body(() => {
        throw new Error("skipped");
      }),
    );
    return;
  }
  describe(title, () => {
    let engine: SharedEngine | undefined;
    let end = async () => {};
    beforeAll(async () => {
      if (named !== undefined && named !== "") ({ engine, end } = foreign(named));
      else {
        const server = await open(name, {});
        engine = { url: server.url, database: (wanted) => server.database(freshName(wanted)) };
        end = () => server[Symbol.asyncDispose]();
      }
    }, startMaxMs);
    body(() => {
      if (engine === undefined) throw new Error("the server is there within tests only");
      return engine;
    });
    afterAll(() => end(), stopMaxMs);
  });
}

const freshName = (name: string) => `${name}_${randomBytes(4).toString("hex")}`;

function foreign(url: string) {
  const made: string[] = [];
  const database = async (wanted: string) => {
    const name = freshName(wanted);
    await runSql(url, `CREATE DATABASE ${name}`);
    made.push(name);
    return url.replace(/\/[^/]*$/, `/${name}`);
  };
  const end = async () => {
    for (const name of made) await runSql(url, `DROP DATABASE ${name}`);
  };
  return { engine: { url, database }, end };
}
