/** What a PostgreSQL server says of itself and of our session on it. */
import pg from "pg";
import type { PostgresDurability, ServerRights } from "../../ports/server-facts.ts";
import type { FamilyFacts, TableSeen } from "./family-facts.ts";
import type { SqlReads } from "./sql-transaction.ts";

const settingNames = [
  "server_version",
  "server_encoding",
  "client_encoding",
  "fsync",
  "synchronous_commit",
  "full_page_writes",
  "wal_sync_method",
  "transaction_isolation",
  "transaction_read_only",
  "deadlock_timeout",
  "lock_timeout",
  "max_connections",
  "superuser_reserved_connections",
  "reserved_connections",
];
/** Times are in milliseconds, whatever their unit on paper. */
const settings = `SELECT name, setting FROM pg_settings WHERE name IN (${settingNames.map((name) => `'${name}'`).join(", ")})`;
const identity = `SELECT version() AS version, quote_ident(current_user) AS account, quote_ident(current_schema()) AS place,
  pg_is_in_recovery() AS in_recovery,
  current_schema() IS NOT NULL AND has_schema_privilege(current_schema(), 'CREATE') AS may_create,
  (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS role_max,
  (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS database_max,
  (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS in_use`;
const tables = `SELECT c.relname AS name, pg_has_role(c.relowner, 'USAGE') AS owned,
  has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE')
    AND has_table_privilege(c.oid, 'DELETE') AS open
  FROM pg_class AS c WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid) AND c.relnamespace <> 'pg_catalog'::regnamespace`;
const ownCipher = `SELECT cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl`;
const synchronousCommit = "SHOW synchronous_commit";
const plainMaxMs = 2_000;

type Identity = {
  readonly version: string;
  readonly account: string;
  readonly place: string | null;
  readonly in_recovery: boolean;
  readonly may_create: boolean;
  readonly role_max: number | null;
  readonly database_max: number | null;
  readonly in_use: number;
};
type PostgresTable = TableSeen & { readonly owned: boolean; readonly open: boolean };

export async function readPostgresFacts(db: SqlReads, { url, ours }: { url: URL; ours: ReadonlySet<string> }): Promise<FamilyFacts> {
  const rows = await db.query<{ name: string; setting: string }>(settings, []);
  const values = new Map(rows.map(({ name, setting }) => [name, setting]));
  const numberOf = (name: string) => Number(values.get(name) ?? 0);
  const [who] = await db.query<Identity>(identity, []);
  if (who === undefined) throw new Error("The server did not say who we are");
  const seen = (await db.query<PostgresTable>(tables, [])).filter(({ name }) => ours.has(name));
  const [transport] = await db.query<{ cipher: string | null }>(ownCipher, []);
  return {
    product: {
      name: who.version.startsWith("PostgreSQL") ? "PostgreSQL" : undefined,
      version: /^\d+(?:\.\d+)*/.exec(values.get("server_version") ?? "")?.[0] ?? "0",
      text: who.version,
    },
    tables: seen,
    rights: rightsOf(who, seen),
    // A standby says that its transactions are read only, too.
    readOnly: who.in_recovery ? ["recovery"] : values.get("transaction_read_only") === "on" ? ["default_transaction_read_only"] : [],
    durability: durabilityOf(values, { platform: platformOf(who.version), byDefault: await defaultOf(url) }),
    isolation: { level: (values.get("transaction_isolation") ?? "").toUpperCase(), snapshot: undefined },
    characters: {
      wanted: "UTF8",
      found: Object.fromEntries(["server_encoding", "client_encoding"].map((name) => [name, values.get(name) ?? "none"])),
      collation: undefined,
      otherTables: [],
    },
    connections: {
      max: numberOf("max_connections") - numberOf("superuser_reserved_connections") - numberOf("reserved_connections"),
      userMax: smallest([who.role_max, who.database_max]),
      inUse: who.in_use,
    },
    locks: { deadlocksFound: true, deadlockAfterMs: numberOf("deadlock_timeout"), waitMs: numberOf("lock_timeout") },
    packetBytesMax: undefined,
    cipher: transport?.cipher ?? undefined,
    isFrozen: false,
  };
}

function rightsOf({ account, place, may_create: mayCreate }: Identity, seen: readonly PostgresTable[]): ServerRights {
  return {
    account,
    place: place ?? undefined,
    lacking: mayCreate ? [] : ["CREATE"],
    closedTables: seen.filter(({ open }) => !open).map(({ name }) => name),
    foreignTables: seen.filter(({ owned }) => !owned).map(({ name }) => name),
  };
}

type Around = Pick<PostgresDurability, "platform"> & { readonly byDefault: string | undefined };

function durabilityOf(values: ReadonlyMap<string, string>, { platform, byDefault }: Around): PostgresDurability {
  return {
    kind: "postgres",
    fsync: values.get("fsync") === "on",
    synchronousCommit: { ours: values.get("synchronous_commit") ?? "", byDefault },
    fullPageWrites: values.get("full_page_writes") === "on",
    walSyncMethod: values.get("wal_sync_method") ?? "",
    platform,
  };
}

function platformOf(version: string): PostgresDurability["platform"] {
  if (/darwin|apple/i.test(version)) return "darwin";
  return /mingw|visual c\+\+|msvc|windows/i.test(version) ? "windows" : "other";
}

/** Less than none means as many as there are. */
function smallest(limits: readonly (number | null)[]): number | undefined {
  const set = limits.filter((limit): limit is number => limit !== null && limit >= 0);
  return set.length === 0 ? undefined : Math.min(...set);
}

/** What a session has that asks for nothing, as ours do; undefined if there is no such session to be had. */
async function defaultOf(url: URL): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: plainMaxMs, query_timeout: plainMaxMs });
  // Its end is what the answer, or none, has told.
  client.on("error", () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ synchronous_commit: string }>(synchronousCommit);
    return rows[0]?.synchronous_commit;
  } catch {
    return undefined;
  } finally {
    await client.end().catch(() => undefined);
  }
}
