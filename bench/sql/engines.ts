/**
 * Database servers that the bench starts for itself: every commit synced to a folder on disk, on a free port of this
 * machine, ended by process id. Durable is what they are measured as, so the settings that make them so are spelled out.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { chownSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mysql from "mysql2/promise";
import pg from "pg";
import { onCleanup } from "../../tests/harness/cleanup.ts";
import { freePort, pinFamily } from "../processes.ts";

export type EngineName = "mariadb" | "postgres";
export const engineNames: readonly EngineName[] = ["mariadb", "postgres"];

export type Engine = {
  readonly name: EngineName;
  /** With its version. */
  readonly title: string;
  readonly pid: number;
  /** The url of a new, empty database. */
  readonly database: (name: string) => Promise<string>;
  /** Rows of what one of its databases answers. */
  readonly ask: (url: string, sql: string) => Promise<readonly (readonly unknown[])[]>;
  /** Transactions so far that locked or wrote, committed or taken back, over all databases; statements that only read are none. */
  readonly transactions: () => Promise<number>;
  /** From now on it runs on these cores only. */
  readonly pin: (cores: string) => void;
  readonly close: () => Promise<void>;
};

/** How one of them is made and run. */
type Kind = {
  readonly user: string;
  readonly settings: string;
  readonly install: (folder: string) => readonly string[];
  readonly run: (folder: string, port: number) => readonly string[];
  readonly stop: NodeJS.Signals;
  readonly urlOf: (port: number, database: string) => string;
  readonly first: string;
  readonly ask: (url: string, sql: string) => Promise<readonly (readonly unknown[])[]>;
  readonly version: string;
  readonly title: string;
  readonly transactions: string;
};

const postgresPrograms = () => execFileSync("pg_config", ["--bindir"], { encoding: "utf8" }).trim();

const kinds: Readonly<Record<EngineName, Kind>> = {
  mariadb: {
    title: "MariaDB",
    user: "mysql",
    settings: "innodb_flush_log_at_trx_commit=1, sync_binlog=1, binary log on",
    install: (folder) => [
      "mariadb-install-db",
      "--no-defaults",
      "--user=mysql",
      `--datadir=${folder}`,
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
    ],
    run: (folder, port) => [
      "mariadbd",
      "--no-defaults",
      "--user=mysql",
      `--datadir=${folder}`,
      `--port=${port}`,
      "--bind-address=127.0.0.1",
      `--socket=${folder}/server.sock`,
      "--skip-name-resolve",
      "--server-id=1",
      "--log-bin=binlog",
      "--sync-binlog=1",
      "--innodb-flush-log-at-trx-commit=1",
      "--innodb-buffer-pool-size=512M",
      "--innodb-log-file-size=512M",
    ],
    stop: "SIGTERM",
    urlOf: (port, database) => `mysql://root@127.0.0.1:${port}/${database}`,
    first: "mysql",
    ask: askMysql,
    version: "SELECT version()",
    transactions: "SELECT sum(variable_value) FROM information_schema.global_status WHERE variable_name IN ('COM_COMMIT', 'COM_ROLLBACK')",
  },
  postgres: {
    title: "PostgreSQL",
    user: "postgres",
    settings: "fsync=on, synchronous_commit=on, full_page_writes=on",
    install: (folder) => [
      ...asUser("postgres"),
      join(postgresPrograms(), "initdb"),
      "-D",
      folder,
      "-U",
      "postgres",
      "--auth=trust",
      "--no-sync",
    ],
    run: (folder, port) => [
      ...asUser("postgres"),
      join(postgresPrograms(), "postgres"),
      "-D",
      folder,
      "-p",
      String(port),
      ...[
        "listen_addresses=127.0.0.1",
        `unix_socket_directories=${folder}`,
        "fsync=on",
        "synchronous_commit=on",
        "full_page_writes=on",
        "shared_buffers=512MB",
        "max_wal_size=4GB",
        "max_connections=100",
      ].flatMap((setting) => ["-c", setting]),
    ],
    // Fast shutdown; SIGTERM would wait for every client to leave.
    stop: "SIGINT",
    urlOf: (port, database) => `postgres://postgres@127.0.0.1:${port}/${database}`,
    first: "postgres",
    ask: askPostgres,
    version: "SHOW server_version",
    // Asking takes a number, too.
    transactions: "SELECT pg_current_xact_id()",
  },
};

const startTimeoutMs = 60_000;

export async function openEngine(name: EngineName): Promise<Engine> {
  const kind = kinds[name];
  const folder = mkdtempSync(join(tmpdir(), `doorbuster-bench-${name}-`));
  const removed = onCleanup(`the data of ${name}`, () => rmSync(folder, { recursive: true, force: true }));
  giveTo(kind.user, folder);
  const [installer = "", ...installArgs] = kind.install(folder);
  execFileSync(installer, installArgs, { stdio: "ignore", cwd: "/" });
  const port = await freePort();
  const log = openSync(join(folder, "log"), "a");
  const [program = "", ...args] = kind.run(folder, port);
  const child = spawn(program, args, { cwd: "/", stdio: ["ignore", log, log], detached: true });
  const ended = onCleanup(`the process of ${name}`, () => void child.kill("SIGKILL"));
  const ask = (sql: string) => kind.ask(kind.urlOf(port, kind.first), sql);
  await answered(
    child,
    () => ask("SELECT 1"),
    () => readFileSync(join(folder, "log"), "utf8"),
  );
  const [[version] = []] = await ask(kind.version);
  const { pid } = child;
  if (pid === undefined) throw new Error("A server that answers has a process id");
  return {
    name,
    pid,
    title: `${kind.title} ${String(version).split(/[-\s]/)[0]} (${kind.settings})`,
    database: async (database) => {
      await ask(`CREATE DATABASE ${database}`);
      return kind.urlOf(port, database);
    },
    ask: kind.ask,
    transactions: async () => Number((await ask(kind.transactions))[0]?.[0]),
    pin: (cores) => pinFamily(pid, cores),
    close: async () => {
      child.kill(kind.stop);
      if (child.exitCode === null) await new Promise((resolve) => child.once("exit", resolve));
      ended();
      removed();
    },
  };
}

async function answered(child: ChildProcess, ask: () => Promise<unknown>, log: () => string): Promise<void> {
  const begun = performance.now();
  while (!(await ask().then(Boolean, () => false))) {
    if (child.exitCode !== null || performance.now() - begun > startTimeoutMs) throw new Error(`A database did not start:\n${log()}`);
    await Bun.sleep(50);
  }
}

const isRoot = process.getuid?.() === 0;
/** Neither server runs as root. */
const asUser = (user: string): string[] => (isRoot ? ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--init-groups"] : []);

function giveTo(user: string, folder: string): void {
  if (!isRoot) return;
  const number = (flag: string) => Number(execFileSync("id", [flag, user], { encoding: "utf8" }));
  chownSync(folder, number("-u"), number("-g"));
}

async function askMysql(url: string, sql: string): Promise<readonly (readonly unknown[])[]> {
  const connection = await mysql.createConnection({ uri: url, rowsAsArray: true });
  try {
    const [rows] = await connection.query(sql);
    // With rowsAsArray each row is an array.
    return Array.isArray(rows) ? (rows as unknown[][]) : [];
  } finally {
    await connection.end();
  }
}

async function askPostgres(url: string, sql: string): Promise<readonly (readonly unknown[])[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<unknown[]>({ text: sql, rowMode: "array" })).rows;
  } finally {
    await client.end();
  }
}
