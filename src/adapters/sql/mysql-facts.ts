/** What a MariaDB or MySQL server says of itself and of our session on it. */
import type { InnodbDurability, ServerCharacters, ServerRights } from "../../ports/server-facts.ts";
import type { FamilyFacts, TableSeen } from "./family-facts.ts";
import { readVariables, readStatus, isOn, numberOf, type MysqlValues } from "./mysql-values.ts";
import { ServerError } from "./server-driver.ts";
import { mysqlCollation } from "./server-schema.ts";
import type { SqlReads } from "./sql-transaction.ts";

const variables = [
  "innodb_flush_log_at_trx_commit",
  "log_bin",
  "sync_binlog",
  "innodb_doublewrite",
  "innodb_flush_method",
  "read_only",
  "super_read_only",
  "innodb_read_only",
  "transaction_isolation",
  "tx_isolation",
  "innodb_snapshot_isolation",
  "innodb_deadlock_detect",
  "innodb_lock_wait_timeout",
  "character_set_client",
  "character_set_connection",
  "character_set_results",
  "max_connections",
  "max_user_connections",
  "max_allowed_packet",
];
const counters = ["Ssl_cipher", "Threads_connected", "Innodb_redo_log_enabled"];
const whoAndWhat = `SELECT version() AS version, current_user() AS account`;
const tables = `SELECT table_name AS name, table_collation AS collation FROM information_schema.tables WHERE table_schema = database()`;
const collations = `SELECT collation_name AS name FROM information_schema.collations WHERE collation_name = ?`;
/** While a statement sleeps, a clock that goes has moved. */
const twoTimes = `SELECT CAST(sysdate(6) AS CHAR) AS first, sleep(0.01) AS slept, CAST(sysdate(6) AS CHAR) AS last`;

/** Prepared and never run: the server looks at rights before it looks for the table, and locks nothing of ours. */
const neededRights: Readonly<Record<string, string>> = {
  CREATE: "CREATE TABLE doorbuster_doctor (id INTEGER)",
  SELECT: "SELECT id FROM doorbuster_doctor",
  INSERT: "INSERT INTO doorbuster_doctor (id) VALUES (1)",
  UPDATE: "UPDATE doorbuster_doctor SET id = 1",
  DELETE: "DELETE FROM doorbuster_doctor",
};
/** ER_DBACCESS_DENIED_ERROR, ER_TABLEACCESS_DENIED_ERROR, ER_SPECIFIC_ACCESS_DENIED_ERROR. */
const deniedNumbers = new Set([1044, 1142, 1227]);

type Identity = { readonly version: string; readonly account: string };

type Ours = { readonly database: string; readonly ours: ReadonlySet<string> };

export async function readMysqlFacts(db: SqlReads, { database, ours }: Ours): Promise<FamilyFacts> {
  const [identity] = await db.query<Identity>(whoAndWhat, []);
  const { version = "", account = "" } = identity ?? {};
  const values = await readVariables(db, variables);
  const status = await readStatus(db, counters);
  const seen = (await db.query<TableSeen & { readonly collation: string }>(tables, [])).filter(({ name }) => ours.has(name));
  const [times] = await db.query<{ first: string; last: string }>(twoTimes, []);
  return {
    product: {
      name: /mariadb/i.test(version) ? "MariaDB" : productOf(version),
      version: /^\d+(?:\.\d+)*/.exec(version)?.[0] ?? "0",
      text: version,
    },
    tables: seen,
    rights: await rightsOf(db, database, account),
    readOnly: ["read_only", "super_read_only", "innodb_read_only"].filter((name) => isOn(values, name) === true),
    durability: durabilityOf(values, status),
    isolation: {
      level: (values.get("transaction_isolation") ?? values.get("tx_isolation") ?? "").replaceAll("-", " "),
      snapshot: isOn(values, "innodb_snapshot_isolation"),
    },
    characters: await charactersOf(db, { values, version, seen }),
    connections: {
      max: numberOf(values, "max_connections") ?? 0,
      userMax: numberOf(values, "max_user_connections") || undefined,
      inUse: numberOf(status, "threads_connected") ?? 0,
    },
    locks: {
      deadlocksFound: isOn(values, "innodb_deadlock_detect") !== false,
      deadlockAfterMs: 0,
      waitMs: 1_000 * (numberOf(values, "innodb_lock_wait_timeout") ?? 0),
    },
    packetBytesMax: numberOf(values, "max_allowed_packet"),
    cipher: status.get("ssl_cipher") || undefined,
    isFrozen: times !== undefined && times.first === times.last,
  };
}

/** Others speak MySQL's language and say a version of it, with their own name behind. */
const productOf = (version: string) => (/tidb|vitess|oceanbase|starrocks|doris|singlestore/i.test(version) ? undefined : "MySQL");

function durabilityOf(values: MysqlValues, status: MysqlValues): InnodbDurability {
  return {
    kind: "innodb",
    flushAtCommit: values.get("innodb_flush_log_at_trx_commit") ?? "",
    binaryLogSync: isOn(values, "log_bin") === true ? numberOf(values, "sync_binlog") : undefined,
    doublewrite: values.get("innodb_doublewrite"),
    flushMethod: values.get("innodb_flush_method"),
    redoLog: isOn(status, "innodb_redo_log_enabled"),
  };
}

type CharactersAt = { values: MysqlValues; version: string; seen: readonly (TableSeen & { readonly collation: string })[] };

async function charactersOf(db: SqlReads, { values, version, seen }: CharactersAt): Promise<ServerCharacters> {
  const wanted = mysqlCollation(version);
  const names = ["character_set_client", "character_set_connection", "character_set_results"];
  return {
    wanted: "utf8mb4",
    found: Object.fromEntries(names.map((name) => [name, values.get(name) ?? "none"])),
    collation: { wanted, isThere: (await db.query(collations, [wanted])).length > 0 },
    // Names of migrations are found by no key.
    otherTables: seen.filter(({ name, collation }) => collation !== wanted && name !== "migration").map(({ name }) => name),
  };
}

async function rightsOf(db: SqlReads, database: string, account: string): Promise<ServerRights> {
  const lacking: string[] = [];
  for (const [right, statement] of Object.entries(neededRights)) if (await isDenied(db, statement)) lacking.push(right);
  const [user = "", host = "%"] = account.split(/@(?=[^@]*$)/);
  return { account: `'${user}'@'${host}'`, place: `\`${database}\`.*`, lacking, closedTables: [], foreignTables: [] };
}

async function isDenied(db: SqlReads, statement: string): Promise<boolean> {
  try {
    await db.query(`PREPARE doorbuster_doctor FROM '${statement}'`, []);
    await db.query("DEALLOCATE PREPARE doorbuster_doctor", []);
    return false;
  } catch (error) {
    if (!(error instanceof ServerError) || error.kind === "lost") throw error;
    const { cause } = error;
    // The table of that name is not there, which is said to whoever might read it.
    return cause instanceof Error && "errno" in cause && typeof cause.errno === "number" && deniedNumbers.has(cause.errno);
  }
}
