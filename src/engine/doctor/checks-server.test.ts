/** Every finding about a database server: facts that are just good enough, and facts that are not, with what is said of them. */
import { expect, test } from "bun:test";
import { checkTables } from "../../../tests/kit/check-table.ts";
import type {
  InnodbDurability,
  PostgresDurability,
  ProcessSeen,
  RefusalReason,
  ServerAddress,
  ServerFacts,
  ServerSeen,
} from "../../ports/server-facts.ts";
import { durabilityChecks } from "./checks-durability.ts";
import { processesChecks, type ProcessesAt } from "./checks-processes.ts";
import { sharedSecretChecks, type SharedSecret } from "./checks-secrets.ts";
import { reachChecks } from "./checks-server-reach.ts";
import { serverChecks } from "./checks-server.ts";
import { sessionChecks } from "./checks-session.ts";
import { sharingChecks } from "./checks-sharing.ts";
import { judgeAll } from "./finding.ts";

const { table, allCovered } = checkTables();

const address: ServerAddress = {
  name: "mysql://db.example:3306/shop",
  family: "mysql",
  host: "db.example",
  port: 3_306,
  user: "seller",
  database: "shop",
};
const innodb: InnodbDurability = {
  kind: "innodb",
  flushAtCommit: "1",
  binaryLogSync: 1,
  doublewrite: "ON",
  flushMethod: "O_DIRECT",
  redoLog: true,
};
const seller: ProcessSeen = {
  number: 0,
  name: "one 17",
  roles: "api worker",
  version: "0.1.0",
  startedAtMs: 1_790_000_000_000,
  secrets: "a",
};
const mariadb: ServerSeen = {
  kind: "seen",
  address,
  product: { name: "MariaDB", version: "10.6.0", text: "10.6.0-MariaDB" },
  roundTrip: { asked: 20, medianMs: 5, maxMs: 40 },
  rights: { account: "'seller'@'%'", place: "`shop`.*", lacking: [], closedTables: [], foreignTables: [] },
  schema: { kind: "read", newest: 3, known: 3, needed: 0, missingTables: [] },
  cluster: undefined,
  readOnly: [],
  durability: innodb,
  isolation: { level: "READ COMMITTED", snapshot: false },
  characters: {
    wanted: "utf8mb4",
    found: { character_set_client: "utf8mb4" },
    collation: { wanted: "utf8mb4_nopad_bin", isThere: true },
    otherTables: [],
  },
  connections: { max: 151, userMax: undefined, inUse: 12 },
  locks: { deadlocksFound: true, deadlockAfterMs: 0, waitMs: 4_000 },
  packetBytesMax: 16_777_216,
  transport: { isLocal: false, cipher: "TLS_AES_256_GCM_SHA384", isVerified: true },
  clock: { offsetMs: 500, uncertaintyMs: 1, isFrozen: false },
  processes: [seller],
  queue: undefined,
};
const syncs: PostgresDurability = {
  kind: "postgres",
  fsync: true,
  synchronousCommit: { ours: "on", byDefault: "on" },
  fullPageWrites: true,
  walSyncMethod: "fdatasync",
  platform: "other",
};
const postgres: ServerSeen = {
  ...mariadb,
  address: { ...address, name: "postgres://db.example/shop", family: "postgres", port: 5_432 },
  product: { name: "PostgreSQL", version: "13.0", text: "PostgreSQL 13.0 on x86_64-pc-linux-gnu" },
  rights: { ...mariadb.rights, account: "seller", place: "public" },
  durability: syncs,
  isolation: { level: "READ COMMITTED", snapshot: undefined },
  characters: { wanted: "UTF8", found: { server_encoding: "UTF8" }, collation: undefined, otherTables: [] },
  locks: { deadlocksFound: true, deadlockAfterMs: 1_000, waitMs: 4_000 },
  packetBytesMax: undefined,
};

const reasons: Readonly<Record<RefusalReason, string>> = {
  "no-such-host": "nobody knows this host",
  unreachable: "nobody listens there",
  silent: "it does not answer",
  "not-ready": "starting or stopping",
  full: "no more connections",
  "not-let-in": "does not let this user in",
  "no-database": "no such database",
  transport: "about encryption",
  other: "could not be spoken to",
};
const refused = (reason: RefusalReason, { address: asked }: ServerSeen): ServerFacts => ({
  kind: "refused",
  address: asked,
  reason,
  said: "in its own words",
});
// Object.entries forgets that the keys are reasons.
const refusals = Object.entries(reasons) as [RefusalReason, string][];
table<ServerFacts>("reaching it", reachChecks, mariadb, [
  ["database-server", {}, "ok", "mysql://db.example:3306/shop answers: 5.0 ms median, 40.0 ms at most"],
  ["database-server", { roundTrip: { asked: 20, medianMs: 5.1, maxMs: 9 } }, "warning", "this is slow"],
  ["database-server", { roundTrip: { asked: 20, medianMs: 101, maxMs: 300 } }, "problem", "time out"],
  ...refusals.flatMap(([reason, part]) => [
    ["database-server", refused(reason, mariadb), "problem", part] as const,
    ["database-server", refused(reason, postgres), "problem", part] as const,
  ]),
]);

test("what a server says of its refusal is quoted, and no statement names another family's file", () => {
  for (const [reason] of refusals) {
    const [ofMariadb, ofPostgres] = [mariadb, postgres].map((seen) => judgeAll(reachChecks, refused(reason, seen))[0]);
    expect(ofMariadb?.found).toEndWith("(in its own words)");
    expect(ofMariadb?.fix).not.toMatch(/postgresql\.conf|pg_hba/);
    expect(ofPostgres?.fix).not.toMatch(/my\.cnf|SET GLOBAL/);
  }
});

const read = (newest: number, needed = 0, missingTables: readonly string[] = []) => ({
  schema: { kind: "read", newest, known: 3, needed, missingTables } as const,
});
const rights = (change: Partial<ServerSeen["rights"]>, { rights: good }: ServerSeen = mariadb) => ({ rights: { ...good, ...change } });
const product = (name: ServerSeen["product"]["name"], version: string, text = version) => ({ product: { name, version, text } });
table("what it is, and what we may", serverChecks, mariadb, [
  ["database-version", {}, "ok", "MariaDB 10.6.0"],
  ["database-version", product("MariaDB", "10.5.29"), "problem", "at least 10.6 is needed"],
  ["database-version", product("MariaDB", "11.8.2"), "ok", "MariaDB 11.8.2"],
  ["database-version", product("MySQL", "8.0.17"), "ok", "MySQL 8.0.17"],
  ["database-version", product("MySQL", "8.0.16"), "problem", "at least 8.0.17"],
  ["database-version", product("MySQL", "5.7.44"), "problem", "5.7.44"],
  ["database-version", product("PostgreSQL", "12.22"), "problem", "at least 13"],
  ["database-version", product(undefined, "8.0.11", "8.0.11-TiDB-v8.5.0"), "warning", "8.0.11-TiDB-v8.5.0, which was never tested"],
  ["database-rights", {}, "ok", "seller may make, read and write tables in `shop`.*"],
  ["database-rights", rights({ lacking: ["CREATE", "DELETE"] }), "problem", "'seller'@'%' lacks CREATE, DELETE on `shop`.*"],
  ["database-rights", rights({ place: undefined }), "problem", "search path leads nowhere"],
  ["database-rights", rights({ closedTables: ["sale", "ledger"] }), "problem", "may not read and write sale, ledger"],
  ["database-rights", rights({ foreignTables: ["sale"] }), "warning", "of another owner"],
  ["database-schema", {}, "ok", "schema 3"],
  ["database-schema", { schema: { kind: "absent" } }, "warning", "no tables of ours yet"],
  ["database-schema", { schema: { kind: "unreadable", problem: "permission denied" } }, "problem", "permission denied"],
  ["database-schema", read(2), "warning", "schema 2, this program's is 3"],
  ["database-schema", read(4), "warning", "it may go on beside it"],
  ["database-schema", read(4, 3), "warning", "it may go on beside it"],
  ["database-schema", read(5, 4), "problem", "only programs that know 4 may work; this one knows 3"],
  ["database-schema", read(3, 0, ["ledger"]), "problem", "schema 3 without ledger"],
]);

test("rights are given in the words of the server at hand", () => {
  const fixOf = (seen: ServerSeen) => judgeAll(serverChecks, seen).find(({ id }) => id === "database-rights")?.fix;
  expect(fixOf({ ...mariadb, ...rights({ lacking: ["CREATE"] }) })).toBe("GRANT ALL ON `shop`.* TO 'seller'@'%'");
  expect(fixOf({ ...postgres, ...rights({ lacking: ["CREATE"] }, postgres) })).toBe("GRANT ALL ON SCHEMA public TO seller");
});

const keeps = (change: Partial<InnodbDurability>) => ({ durability: { ...innodb, ...change } });
table("what InnoDB keeps", durabilityChecks, mariadb, [
  ["innodb-flush", {}, "ok", "is 1"],
  ["innodb-flush", keeps({ flushAtCommit: "3" }), "ok", "is 3"],
  ["innodb-flush", keeps({ flushAtCommit: "2" }), "problem", "a power cut loses"],
  ["innodb-flush", keeps({ flushAtCommit: "0" }), "problem", "a crash of the server loses"],
  ["innodb-flush", { durability: syncs }, "none", ""],
  ["binary-log-sync", {}, "ok", "sync_binlog is 1"],
  ["binary-log-sync", keeps({ binaryLogSync: undefined }), "ok", "no binary log"],
  ["binary-log-sync", keeps({ binaryLogSync: 0 }), "problem", "sync_binlog is 0"],
  ["binary-log-sync", keeps({ binaryLogSync: 1_000 }), "problem", "sync_binlog is 1000"],
  ["binary-log-sync", { durability: syncs }, "none", ""],
  ["innodb-doublewrite", {}, "ok", "ON"],
  ["innodb-doublewrite", keeps({ doublewrite: "DETECT_AND_RECOVER" }), "ok", "DETECT_AND_RECOVER"],
  ["innodb-doublewrite", keeps({ doublewrite: "OFF" }), "warning", "may damage the database, unless"],
  ["innodb-doublewrite", keeps({ doublewrite: "DETECT_ONLY" }), "warning", "DETECT_ONLY"],
  ["innodb-doublewrite", keeps({ doublewrite: undefined }), "none", ""],
  ["innodb-redo-log", {}, "ok", "it is written"],
  ["innodb-redo-log", keeps({ redoLog: false }), "problem", "switched off"],
  ["innodb-redo-log", keeps({ redoLog: undefined }), "none", ""],
  ["innodb-flush-method", {}, "ok", "O_DIRECT"],
  ["innodb-flush-method", keeps({ flushMethod: "nosync" }), "problem", "for trials only"],
  ["innodb-flush-method", keeps({ flushMethod: undefined }), "none", ""],
]);

const writes = (change: Partial<PostgresDurability>) => ({ durability: { ...syncs, ...change } });
table("what PostgreSQL keeps", durabilityChecks, postgres, [
  ["postgres-fsync", {}, "ok", "fsync is on"],
  ["postgres-fsync", writes({ fsync: false }), "problem", "a power cut loses the database"],
  ["postgres-fsync", { durability: innodb }, "none", ""],
  ["postgres-synchronous-commit", {}, "ok", "on in our sessions"],
  ["postgres-synchronous-commit", writes({ synchronousCommit: { ours: "on", byDefault: undefined } }), "ok", "on in our sessions"],
  ["postgres-synchronous-commit", writes({ synchronousCommit: { ours: "remote_apply", byDefault: "local" } }), "ok", "remote_apply"],
  ["postgres-synchronous-commit", writes({ synchronousCommit: { ours: "on", byDefault: "off" } }), "warning", "but off by default"],
  ["postgres-synchronous-commit", writes({ synchronousCommit: { ours: "off", byDefault: "off" } }), "problem", "off in our sessions"],
  ["postgres-full-page-writes", {}, "ok", "is on"],
  ["postgres-full-page-writes", writes({ fullPageWrites: false }), "warning", "may damage the database, unless"],
  ["postgres-wal-sync", {}, "ok", "fdatasync"],
  ["postgres-wal-sync", writes({ walSyncMethod: "open_datasync" }), "ok", "open_datasync"],
  ["postgres-wal-sync", writes({ walSyncMethod: "open_datasync", platform: "darwin" }), "warning", "on macOS"],
  ["postgres-wal-sync", writes({ walSyncMethod: "open_datasync", platform: "windows" }), "warning", "on Windows"],
  ["postgres-wal-sync", writes({ walSyncMethod: "fsync_writethrough", platform: "darwin" }), "ok", "fsync_writethrough"],
]);

const cluster = (kind: "Galera" | "group replication", nodes: number | undefined, severalWrite = true) => ({
  cluster: { kind, nodes, severalWrite },
});
const clock = (offsetMs: number, uncertaintyMs = 1) => ({ clock: { offsetMs, uncertaintyMs, isFrozen: false } });
const locks = (change: Partial<ServerSeen["locks"]>) => ({ locks: { ...mariadb.locks, ...change } });
table("who writes, and by which clock", sharingChecks, mariadb, [
  ["database-writers", {}, "ok", "one server"],
  ["database-writers", cluster("Galera", 3), "problem", "(Galera) of 3 nodes that all take writes"],
  ["database-writers", cluster("Galera", 1, false), "warning", "of one node"],
  ["database-writers", cluster("group replication", undefined), "problem", "of several nodes"],
  ["database-writers", cluster("group replication", 1, false), "warning", "of one node"],
  ["database-writers", { address: postgres.address }, "none", ""],
  ["database-read-only", {}, "ok", "it takes writes"],
  ["database-read-only", { readOnly: ["read_only", "super_read_only"] }, "problem", "read_only, super_read_only: on"],
  ["database-read-only", { readOnly: ["innodb_read_only"] }, "problem", "innodb_read_only"],
  ["database-read-only", { address: postgres.address, readOnly: ["recovery"] }, "problem", "it is a standby"],
  [
    "database-read-only",
    { address: postgres.address, readOnly: ["default_transaction_read_only"] },
    "problem",
    "default_transaction_read_only: on",
  ],
  ["database-sysdate", {}, "ok", "goes on"],
  ["database-sysdate", { clock: { ...mariadb.clock, isFrozen: true } }, "problem", "stands still"],
  ["database-sysdate", { address: postgres.address }, "none", ""],
  ["database-deadlocks", {}, "ok", "at once"],
  ["database-deadlocks", locks({ deadlocksFound: false }), "warning", "innodb_deadlock_detect is off"],
  ["database-deadlocks", { address: postgres.address, ...locks({ deadlockAfterMs: 1_000 }) }, "ok", "after 1000 ms"],
  ["database-deadlocks", { address: postgres.address, ...locks({ deadlockAfterMs: 4_000 }) }, "warning", "have given up (4000 ms)"],
  ["database-clock", {}, "ok", "500 ms ahead of this machine's, give or take 1.0 ms"],
  ["database-clock", clock(-500), "ok", "500 ms behind this machine's"],
  ["database-clock", clock(501), "warning", "501 ms ahead"],
  ["database-clock", clock(-2_000), "warning", "2000 ms behind"],
  ["database-clock", clock(-2_001), "problem", "2001 ms behind"],
  ["database-clock", clock(10, 501), "warning", "give or take 501 ms, which is too slow to tell"],
]);

const transport = (change: Partial<ServerSeen["transport"]>) => ({ transport: { ...mariadb.transport, ...change } });
const characters = (change: Partial<ServerSeen["characters"]>, { characters: good }: ServerSeen = mariadb) => ({
  characters: { ...good, ...change },
});
table("what our sessions get", sessionChecks, mariadb, [
  ["database-isolation", {}, "ok", "READ COMMITTED"],
  ["database-isolation", { isolation: { level: "REPEATABLE READ", snapshot: false } }, "warning", "get REPEATABLE READ"],
  ["database-isolation", { isolation: { level: "READ COMMITTED", snapshot: true } }, "warning", "innodb_snapshot_isolation"],
  ["database-lock-wait", locks({ waitMs: 5_000 }), "ok", "5000 ms"],
  ["database-lock-wait", locks({ waitMs: 50_000 }), "warning", "50000 ms"],
  ["database-lock-wait", locks({ waitMs: 0 }), "warning", "for ever"],
  ["database-characters", {}, "ok", "utf8mb4, utf8mb4_nopad_bin"],
  ["database-characters", characters({ found: { character_set_client: "latin1" } }), "problem", "character_set_client is latin1"],
  [
    "database-characters",
    characters({ collation: { wanted: "utf8mb4_0900_bin", isThere: false } }),
    "problem",
    "no collation utf8mb4_0900_bin",
  ],
  ["database-characters", characters({ otherTables: ["sale", "claim"] }), "problem", "2 of our tables have another collation"],
  ["database-packets", {}, "ok", "16.8 MB"],
  ["database-packets", { packetBytesMax: 16_777_215 }, "warning", "are wanted"],
  ["database-packets", { packetBytesMax: undefined }, "none", ""],
  ["database-transport", {}, "ok", "certificate is looked at"],
  ["database-transport", transport({ isLocal: true, cipher: undefined, isVerified: false }), "ok", "within this machine"],
  ["database-transport", transport({ isLocal: true }), "ok", "within this machine, encrypted"],
  ["database-transport", transport({ cipher: undefined }), "warning", "not encrypted, to db.example"],
  ["database-transport", transport({ isVerified: false }), "warning", "nobody looks at the server's certificate"],
]);
table("what our sessions get of PostgreSQL", sessionChecks, postgres, [
  ["database-isolation", { isolation: { level: "SERIALIZABLE", snapshot: undefined } }, "warning", "get SERIALIZABLE"],
  ["database-lock-wait", locks({ waitMs: 0 }), "warning", "for ever"],
  ["database-characters", {}, "ok", "UTF8"],
  [
    "database-characters",
    characters({ found: { server_encoding: "SQL_ASCII" } }, postgres),
    "problem",
    "server_encoding is SQL_ASCII; UTF8 is needed",
  ],
  ["database-transport", transport({ cipher: undefined }), "warning", "not encrypted"],
]);

const at: ProcessesAt = { seen: mariadb, connections: 10, secrets: "a" };
const living = (...changes: readonly Partial<ProcessSeen>[]) => ({
  seen: { ...mariadb, processes: changes.map((change, number) => ({ ...seller, number, ...change })) },
});
const room = (max: number, { userMax, of = mariadb }: { userMax?: number; of?: ServerSeen } = {}) => ({
  seen: { ...of, connections: { max, userMax, inUse: 3 }, processes: [seller, { ...seller, number: 1 }] },
});
table("the processes", processesChecks, at, [
  ["processes", {}, "ok", "1 lives"],
  ["processes", living(), "ok", "none lives"],
  ["processes", living({ roles: "api" }, { roles: "worker" }), "ok", "2 live"],
  ["processes", living({ roles: "api" }, { roles: "api" }), "warning", "2 live, and none is a worker"],
  ["processes", { seen: { ...mariadb, processes: undefined } }, "none", ""],
  ["process-versions", {}, "ok", "0.1.0 (1)"],
  ["process-versions", living({}, {}, { version: "0.2.0" }), "warning", "they differ: 0.1.0 (2), 0.2.0 (1)"],
  ["process-versions", living(), "none", ""],
  ["process-secrets", {}, "ok", "all processes have the same"],
  ["process-secrets", { secrets: undefined }, "ok", "all processes have the same"],
  ["process-secrets", { secrets: "b" }, "warning", "this configuration has others"],
  ["process-secrets", living({}, { name: "two 9", secrets: "b" }), "warning", 'they differ: "one 17" against "two 9"'],
  ["process-secrets", living(), "none", ""],
  ["database-connections", {}, "ok", "the server takes 151 (12 in use on the server), one process may open 10"],
  ["database-connections", room(30), "ok", "2 processes may open 20"],
  ["database-connections", room(29), "warning", "no room for one more"],
  ["database-connections", room(19), "problem", "the server takes 19"],
  ["database-connections", room(151, { userMax: 19 }), "problem", "this user may have 19"],
  ["database-connections", room(151, { userMax: 19, of: postgres }), "problem", "this user may have 19"],
  ["database-connections", room(19, { of: postgres }), "problem", "the server takes 19"],
]);

test("each living process is told, up to a bound", () => {
  const told = (count: number) =>
    judgeAll(processesChecks, { ...at, ...living(...Array.from({ length: count }, () => ({}))) })
      .filter(({ id }) => id === "processes")
      .map(({ found }) => found);
  expect(told(1)).toEqual(["1 lives", 'number 0: "one 17", api and worker, version 0.1.0, since 2026-09-21T14:13:20.000Z']);
  expect(told(20)).toHaveLength(21);
  expect(told(25).slice(20)).toEqual([expect.stringMatching(/^number 19: /), "and 5 more"]);
});

const shared: SharedSecret = { option: "DOORBUSTER_TOKEN_SECRET", isSet: true, file: "./var/token.secret", isThere: false };
const secret = (change: Partial<SharedSecret>) => ({ secrets: [{ ...shared, ...change }] });
table("secrets that processes share", sharedSecretChecks, { secrets: [shared], isProduction: true }, [
  ["shared-secrets", {}, "ok", "DOORBUSTER_TOKEN_SECRET is set"],
  ["shared-secrets", { ...secret({ isSet: false }), isProduction: false }, "ok", "is not set"],
  ["shared-secrets", secret({ isSet: false }), "warning", 'is not set, and a start makes "./var/token.secret"'],
  ["shared-secrets", secret({ isSet: false, isThere: true }), "warning", '"./var/token.secret" was made for this process alone'],
  ["shared-secrets", secret({ option: "DOORBUSTER_CALLBACK_SECRET", isSet: false }), "warning", "DOORBUSTER_CALLBACK_SECRET is not set"],
]);

allCovered();
