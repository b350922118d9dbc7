/**
 * Brings a server's database to the newest schema: numbered steps, forward only, under a lock that the server holds for
 * this connection, so that of many processes that start at once each step is applied by one. PostgreSQL takes a step whole
 * or not at all; MySQL commits every statement of one, so each is safe to repeat and a kill in the middle is made up for.
 *
 * Processes of the version before go on while the steps are applied and afterwards: a step only adds. One that meets their
 * transactions lets them go first, and is run again as a whole. One that no longer leaves room for programs older than some
 * number says so, and such a program does not start on it.
 */
import { randomBytes } from "node:crypto";
import { assert } from "../../lib/assert.ts";
import { backoffMs } from "../../lib/backoff.ts";
import { SchemaTooNew } from "./migrate.ts";
import { ServerError, type ServerConnection, type ServerDriver } from "./server-driver.ts";
import { createTable, mysqlCollation, type ServerFlavour } from "./server-schema.ts";
import { initialTables } from "./server-migrations/0001-initial.ts";
import { extensions } from "./server-migrations/0002-extensions.ts";
import type { SqlReads } from "./sql-transaction.ts";

export type ServerMigration = {
  readonly number: number;
  readonly name: string;
  /** The oldest program, by the newest number it knows, that can go on beside it. */
  readonly oldestProgram: number;
  readonly statements: (flavour: ServerFlavour) => readonly string[];
};

export const serverMigrations: readonly ServerMigration[] = [
  {
    number: 1,
    name: "initial",
    oldestProgram: 1,
    statements: (flavour) => initialTables.flatMap((table) => createTable(table, flavour)),
  },
  { number: 2, name: "extensions", oldestProgram: 1, statements: extensions },
];

/** Of this database alone: the name counts for all of the server's. MySQL takes no more than 64 characters. */
const lockName = "CONCAT('doorbuster.migrate.', MD5(DATABASE()))";
/** PostgreSQL wants a number, which counts for its database. */
const lockNumber = 7_353_215_004_401;
const lockWaitMs = 120_000;
const lockPauseMs = 100;
/** Runs of one step before it is given up: about a minute. Between two of them those that use its tables have their turn. */
const stepTriesMax = 20;
const stepAgain = { baseMs: 500, ceilingMs: 4_000 };

const bookkeeping = `CREATE TABLE IF NOT EXISTS migration (number INTEGER NOT NULL PRIMARY KEY, name VARCHAR(64) NOT NULL,
  oldest_program INTEGER NOT NULL)`;
const appliedSteps = `SELECT number, oldest_program FROM migration ORDER BY number`;
const note = `INSERT INTO migration (number, name, oldest_program) VALUES (?, ?, ?)`;
/** Its random name is chosen once. */
const nameStore = `INSERT INTO store (one, last_at, installation) SELECT 1, 0, ? FROM (SELECT count(*) AS stores FROM store) AS counted WHERE counted.stores = 0`;

type Applied = { readonly number: number; readonly oldest_program: number };

/** Applies what is missing and returns its names. Throws SchemaTooNew for a database that has left this program behind. */
export async function migrateServer(
  driver: ServerDriver,
  steps: readonly ServerMigration[] = serverMigrations,
): Promise<readonly string[]> {
  const connection = await driver.connect("write");
  try {
    await lock(connection);
    const names = await applyMissing(connection, steps);
    await unlock(connection);
    connection.release();
    return names;
  } catch (error) {
    // The lock goes with the connection.
    connection.destroy();
    throw error;
  }
}

async function applyMissing(connection: ServerConnection, steps: readonly ServerMigration[]): Promise<readonly string[]> {
  const flavour = await flavourOf(connection);
  await connection.execute(bookkeeping, []);
  const applied = await connection.query<Applied>(appliedSteps, []);
  const known = steps.at(-1)?.number ?? 0;
  assertOpens(applied, known);
  const newest = applied.at(-1)?.number ?? 0;
  const missing = steps.filter(({ number }) => number > newest);
  for (const step of missing) await applyBesideOthers(connection, step, flavour);
  await connection.execute(nameStore, [randomBytes(16).toString("hex")]);
  return missing.map(({ name }) => name);
}

/** A transaction that has one of the step's tables and wants another meets it: one of them ends, and it may be the step. */
async function applyBesideOthers(connection: ServerConnection, step: ServerMigration, flavour: ServerFlavour): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await apply(connection, step, flavour);
    } catch (error) {
      if (!(error instanceof ServerError) || error.kind !== "conflict") throw error;
      if (tries >= stepTriesMax) throw new ServerError("conflict", inUse(step, error), error);
      await connection.rollback();
      await new Promise((resolve) => setTimeout(resolve, backoffMs(tries - 1, stepAgain)));
    }
  }
}

const inUse = ({ name }: ServerMigration, { message }: Error) =>
  `others used the tables of the step "${name}" all the time (${message}); let exports and verify end, then start again`;

async function apply(connection: ServerConnection, { number, name, oldestProgram, statements }: ServerMigration, flavour: ServerFlavour) {
  await connection.begin();
  for (const statement of statements(flavour)) await connection.execute(statement, []);
  await connection.execute(note, [number, name, oldestProgram]);
  await connection.commit();
}

/** Whether a program that knows steps up to `known` may work on a database that has had these. */
export function assertOpens(applied: readonly Applied[], known: number): void {
  const newest = applied.at(-1)?.number ?? 0;
  if (programNeeded(applied, known) > known) throw new SchemaTooNew(newest, known);
}

/** What a program that knows steps up to `known` would have to know, for the steps behind those. */
export const programNeeded = (applied: readonly Applied[], known: number): number =>
  Math.max(0, ...applied.filter(({ number }) => number > known).map((step) => step.oldest_program));

export const readApplied = (connection: Pick<SqlReads, "query">) => connection.query<Applied>(appliedSteps, []);

async function flavourOf(connection: ServerConnection): Promise<ServerFlavour> {
  if (connection.dialect.name === "postgres") return { dialect: "postgres" };
  const [row] = await connection.query<{ version: string }>("SELECT version() AS version", []);
  assert(row !== undefined, "a server says its version");
  return { dialect: "mysql", collation: mysqlCollation(row.version) };
}

async function lock(connection: ServerConnection): Promise<void> {
  const sql =
    connection.dialect.name === "postgres"
      ? `SELECT CASE WHEN pg_try_advisory_lock(${lockNumber}) THEN 1 ELSE 0 END AS held`
      : `SELECT GET_LOCK(${lockName}, 0) AS held`;
  for (let waitedMs = 0; waitedMs < lockWaitMs; waitedMs += lockPauseMs) {
    const [row] = await connection.query<{ held: number }>(sql, []);
    if (row?.held === 1) return;
    await new Promise((resolve) => setTimeout(resolve, lockPauseMs));
  }
  throw new Error(`Migrate the database: another process has been at it for ${lockWaitMs / 1000} s`);
}

async function unlock(connection: ServerConnection): Promise<void> {
  const sql =
    connection.dialect.name === "postgres"
      ? `SELECT CASE WHEN pg_advisory_unlock(${lockNumber}) THEN 1 ELSE 0 END AS held`
      : `SELECT RELEASE_LOCK(${lockName}) AS held`;
  await connection.query(sql, []);
}
