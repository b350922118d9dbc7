/**
 * A database server as `doorbuster doctor` sees it: over one connection like those of a process, which reads and changes
 * nothing, and within a bound, for it may be ill. A server that refuses us is a fact like others.
 */
import type { ServerAddress, ServerFacts, ServerSchema, ServerSeen } from "../../ports/server-facts.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import type { FamilyFacts } from "./family-facts.ts";
import { readMysqlFacts } from "./mysql-facts.ts";
import { readPostgresFacts } from "./postgres-facts.ts";
import { readQueueTables } from "./queue-facts.ts";
import { measureClock } from "./server-clock.ts";
import { readCluster } from "./server-cluster.ts";
import { ServerDatabase } from "./server-database.ts";
import { ServerError, within } from "./server-driver.ts";
import { programNeeded, readApplied, serverMigrations } from "./server-migrate.ts";
import { initialTables } from "./server-migrations/0001-initial.ts";
import { livingProcesses } from "./server-processes.ts";
import { refusalOf } from "./server-refusals.ts";
import { openServerDriver } from "./server-store.ts";
import type { SqlReads } from "./sql-transaction.ts";

/** Less than doctor's patience with one examination. */
const lookMaxMs = 20_000;
const closeMaxMs = 2_000;
const limits = { writesMax: 1, readsMax: 1, acquireTimeoutMs: 3_000 };
const roundTrips = 20;
const migrationTable = "migration";
const queueTables = ["scope", "scope_wait", "scope_mark", "at_cut", "failed_line", "dead_letter", "process", "purchase", "sale"];
const ourTables: ReadonlySet<string> = new Set([migrationTable, ...initialTables.map(({ name }) => name)]);

/** Throws what a statement says that the server does not understand. */
export async function serverFacts(url: string, options: LookOptions = {}): Promise<ServerFacts> {
  const parsed = new URL(url);
  const address = addressOf(parsed);
  let database: ServerDatabase | undefined;
  try {
    database = new ServerDatabase(openServerDriver(url, limits));
    return await within(look(database, { url: parsed, address, ...options }), lookMaxMs, { late });
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return { kind: "refused", address, ...refusal };
  } finally {
    // Whoever does not answer does not say farewell either.
    if (database !== undefined) await within(database.close(), closeMaxMs, { late }).catch(() => undefined);
  }
}

const late = () => new ServerError("lost", "The database did not answer in time");

function addressOf({ protocol, host, hostname, port, username, pathname }: URL): ServerAddress {
  const family = protocol.startsWith("m") ? "mysql" : "postgres";
  return {
    name: `${protocol}//${host}${pathname}`,
    family,
    host: decodeURIComponent(hostname).replace(/^\[|\]$/g, ""),
    port: port === "" ? (family === "mysql" ? 3306 : 5432) : Number(port),
    user: decodeURIComponent(username),
    database: decodeURIComponent(pathname.slice(1)),
  };
}

type LookOptions = {
  /** This machine's clock; tests turn it. */
  readonly wallMs?: (() => number) | undefined;
  /** How long scopes that are on their way are watched; tests have less patience. */
  readonly watchMs?: number | undefined;
};
type At = LookOptions & { readonly url: URL; readonly address: ServerAddress };

async function look(database: ServerDatabase, { url, address, wallMs, watchMs }: At): Promise<ServerSeen> {
  const { tables, cipher, isFrozen, ...own } = await database.read(async (db) => ({
    ...(await readFamily(db, { url, address })),
    roundTrip: await timesOf(db),
    cluster: await readCluster(db),
  }));
  const names = new Set(tables.map(({ name }) => name));
  const clock = await measureClock(database, { ownMs: wallMs });
  return {
    kind: "seen",
    address,
    ...own,
    schema: await database.read((db) => schemaOf(db, names)),
    transport: transportOf({ url, address }, cipher),
    // Both clocks tell whole milliseconds.
    clock: { offsetMs: clock.offsetMs, uncertaintyMs: clock.uncertaintyMs + 1, isFrozen },
    processes: names.has("process") ? await readable(livingProcesses(database)) : undefined,
    queue: queueTables.every((name) => names.has(name)) ? await readable(database.read((db) => readQueueTables(db, watchMs))) : undefined,
  };
}

const readFamily = (db: SqlReads, { url, address }: At): Promise<FamilyFacts> =>
  address.family === "mysql"
    ? readMysqlFacts(db, { database: address.database, ours: ourTables })
    : readPostgresFacts(db, { url, ours: ourTables });

async function timesOf(db: SqlReads): Promise<ServerSeen["roundTrip"]> {
  const times: number[] = [];
  for (let i = 0; i < roundTrips; i++) {
    const askedMs = performance.now();
    await db.query("SELECT 1 AS one", []);
    times.push(performance.now() - askedMs);
  }
  times.sort((a, b) => a - b);
  return { asked: roundTrips, medianMs: times[Math.floor(roundTrips / 2)] ?? 0, maxMs: times.at(-1) ?? 0 };
}

async function schemaOf(db: SqlReads, names: ReadonlySet<string>): Promise<ServerSchema> {
  if (!names.has(migrationTable)) return { kind: "absent" };
  const known = serverMigrations.at(-1)?.number ?? 0;
  try {
    const applied = await readApplied(db);
    const newest = applied.at(-1)?.number ?? 0;
    const missingTables = newest === 0 ? [] : [...ourTables].filter((name) => !names.has(name));
    return { kind: "read", newest, known, needed: programNeeded(applied, known), missingTables };
  } catch (error) {
    if (error instanceof ServerError && error.kind === "defect")
      return { kind: "unreadable", problem: error.message.replaceAll(/\s+/g, " ") };
    throw error;
  }
}

/** Who may not look at them hears so by another finding. */
async function readable<Value>(reading: Promise<Value>): Promise<Value | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof StoreUnavailable && error.cause instanceof ServerError && error.cause.kind === "defect") return undefined;
    throw error;
  }
}

function transportOf({ url, address: { host } }: At, cipher: string | undefined): ServerSeen["transport"] {
  const isLocal = host === "" || host === "localhost" || host === "::1" || host.startsWith("/") || /^127(?:\.\d+){3}$/.test(host);
  const mode = (url.searchParams.get("ssl-mode") ?? url.searchParams.get("sslmode") ?? "").toLowerCase();
  const asInLibpq = url.searchParams.get("uselibpqcompat") === "true";
  // pg takes all modes but "no-verify" for verify-full, unless it is told to do as libpq does.
  const isVerified = url.protocol.startsWith("m") || asInLibpq ? mode.startsWith("verify") : mode !== "no-verify";
  return { isLocal, cipher, isVerified };
}
