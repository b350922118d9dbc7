/** What is read of servers that differ from the one that the engine tests have: each answers as its manual says. */
import { expect, test } from "bun:test";
import { mysql } from "./dialect.ts";
import { readMysqlFacts } from "./mysql-facts.ts";
import { assertOneWriter, readCluster } from "./server-cluster.ts";
import { ServerError, type ServerConnection } from "./server-driver.ts";
import type { SqlReads } from "./sql-transaction.ts";

type Answers = {
  readonly version?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly status?: Readonly<Record<string, string>>;
  /** Rows, or the number of an error, for statements with this text in them. */
  readonly others?: Readonly<Record<string, readonly object[] | number>>;
};

const times = { first: "2030-01-01 00:00:00.000000", slept: 0, last: "2030-01-01 00:00:00.010100" };

function server({ version = "8.0.36", variables = {}, status = {}, others = {} }: Answers): SqlReads {
  const named = (values: Readonly<Record<string, string>>, sql: string) =>
    Object.entries(values)
      .filter(([name]) => sql.includes(`'${name}'`))
      .map(([name, value]) => ({ Variable_name: name, Value: value }));
  const answer = (sql: string): readonly object[] | number => {
    const other = Object.entries(others).find(([part]) => sql.includes(part));
    if (other !== undefined) return other[1];
    if (sql.startsWith("SHOW SESSION VARIABLES")) return named(variables, sql);
    if (sql.startsWith("SHOW SESSION STATUS")) return named(status, sql);
    if (sql.includes("version()")) return [{ version, account: "seller@10.0.0.%" }];
    if (sql.includes("sysdate")) return [times];
    return [];
  };
  return {
    dialect: mysql,
    query: async <Row>(sql: string) => {
      const found = answer(sql);
      if (typeof found !== "number") return found as readonly Row[];
      throw new ServerError("defect", `error ${found}`, Object.assign(new Error(`error ${found}`), { errno: found }));
    },
  };
}
const ours = new Set(["sale", "purchase"]);
const read = (answers: Answers) => readMysqlFacts(server(answers), { database: "shop", ours });

test.each([
  ["8.0.36", "MySQL", "8.0.36"],
  ["8.4.3-debug", "MySQL", "8.4.3"],
  ["10.11.19-MariaDB-0+deb12u1-log", "MariaDB", "10.11.19"],
  ["11.8.2-MariaDB", "MariaDB", "11.8.2"],
  ["8.0.11-TiDB-v8.5.0", undefined, "8.0.11"],
] as const)("%s is %p", async (text, name, version) => {
  expect((await read({ version: text })).product).toEqual({ name, version, text });
});

test("[H7] MySQL's own names: isolation, redo log, double write, super_read_only", async () => {
  const facts = await read({
    variables: {
      transaction_isolation: "READ-COMMITTED",
      innodb_doublewrite: "DETECT_ONLY",
      innodb_flush_log_at_trx_commit: "1",
      log_bin: "ON",
      sync_binlog: "0",
      read_only: "ON",
      super_read_only: "ON",
    },
    status: { Innodb_redo_log_enabled: "OFF", Ssl_cipher: "TLS_AES_256_GCM_SHA384" },
  });
  expect(facts.isolation).toEqual({ level: "READ COMMITTED", snapshot: undefined });
  expect(facts.durability).toMatchObject({ redoLog: false, doublewrite: "DETECT_ONLY", binaryLogSync: 0 });
  expect(facts.readOnly).toEqual(["read_only", "super_read_only"]);
  expect(facts.cipher).toBe("TLS_AES_256_GCM_SHA384");
});

test("MariaDB's: tx_isolation, innodb_snapshot_isolation, a read_only of more than two positions", async () => {
  const variables = { tx_isolation: "REPEATABLE-READ", innodb_snapshot_isolation: "ON", read_only: "NO_LOCK_NO_ADMIN", log_bin: "OFF" };
  const facts = await read({ version: "12.0.2-MariaDB", variables });
  expect(facts.isolation).toEqual({ level: "REPEATABLE READ", snapshot: true });
  expect(facts.readOnly).toEqual(["read_only"]);
  expect(facts.durability).toMatchObject({ binaryLogSync: undefined, redoLog: undefined });
});

test("a right that is denied is lacking; a table that is not there is none", async () => {
  const { rights } = await read({ others: { "FROM 'SELECT": 1146, "INSERT INTO": 1142, "CREATE TABLE": 1142 } });
  expect(rights).toMatchObject({ account: "'seller'@'10.0.0.%'", place: "`shop`.*", lacking: ["CREATE", "INSERT"] });
});

test("a clock that stands still is seen, and tables of another collation, of ours alone", async () => {
  const tables = [
    { name: "sale", collation: "utf8mb4_0900_bin" },
    { name: "purchase", collation: "latin1_swedish_ci" },
    { name: "theirs", collation: "latin1_swedish_ci" },
  ];
  const facts = await read({ others: { "sysdate(6)": [{ ...times, last: times.first }], "information_schema.tables": tables } });
  expect(facts.isFrozen).toBe(true);
  expect(facts.characters.otherTables).toEqual(["purchase"]);
  expect((await read({})).isFrozen).toBe(false);
});

const galera = (nodes: string): Answers => ({ variables: { wsrep_on: "ON" }, status: { wsrep_cluster_size: nodes } });
const group = (primary: string, members: readonly object[] | number): Answers => ({
  variables: { group_replication_single_primary_mode: primary },
  others: { replication_group_members: members },
});

test.each([
  ["a server by itself", {}, undefined],
  ["Galera that is switched off", { variables: { wsrep_on: "OFF" } }, undefined],
  ["Galera of three", galera("3"), { kind: "Galera", nodes: 3, severalWrite: true }],
  ["Galera of one", galera("1"), { kind: "Galera", nodes: 1, severalWrite: false }],
  ["group replication with one primary", group("ON", [{ nodes: 3 }]), undefined],
  ["group replication with three", group("OFF", [{ nodes: 3 }]), { kind: "group replication", nodes: 3, severalWrite: true }],
  ["group replication that is not started", group("OFF", [{ nodes: 0 }]), undefined],
  ["a group that we may not count", group("OFF", 1142), { kind: "group replication", nodes: undefined, severalWrite: true }],
] as const)("[H7] %s", async (_title, answers, cluster) => {
  expect(await readCluster(server(answers))).toEqual(cluster);
});

test("a store is not opened on a cluster whose nodes all take writes", async () => {
  const ends: string[] = [];
  const driver = (answers: Answers) => ({
    dialect: mysql,
    name: "mysql://db/shop",
    connect: async () => {
      const ended = { release: () => ends.push("released"), destroy: () => ends.push("destroyed") };
      // Of a connection nothing else is used here.
      return { ...server(answers), ...ended } as unknown as ServerConnection;
    },
    close: async () => undefined,
  });
  await assertOneWriter(driver(galera("1")));
  expect(assertOneWriter(driver(galera("2")))).rejects.toThrow(
    'Open the database "mysql://db/shop": it is a cluster (Galera) of 2 nodes that all take writes',
  );
  expect(ends).toEqual(["released", "destroyed"]);
});
