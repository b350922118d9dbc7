/**
 * `doorbuster doctor` in sql mode on real database servers: good ones, deliberately weak ones, and ones that do not answer.
 * What is planted wrong is found, and where the fix is a statement, it mends it.
 */
import { describe, expect, test } from "bun:test";
import { createServer, connect, type AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { existsSync, writeFileSync } from "node:fs";
import { serverFacts } from "../../src/adapters/sql/server-facts.ts";
import type { Finding } from "../../src/engine/doctor/finding.ts";
import { certificates } from "../harness/certificates.ts";
import { onCleanup } from "../harness/cleanup.ts";
import { describeWithEngine, describeWithOwnEngine } from "../harness/engines/describe-with-engine.ts";
import { openMariadb } from "../harness/engines/mariadb.ts";
import { reservePorts } from "../harness/engines/ports.ts";
import { openPostgres } from "../harness/engines/postgres.ts";
import { runSql } from "../harness/engines/sql-databases.ts";
import { runCommand } from "../harness/run-command.ts";
import { apiKey, ServerProcess, type Runtime } from "../harness/server-process.ts";
import { tempFolder } from "../harness/volumes.ts";
import { waitFor } from "../harness/wait.ts";

const slow = { timeout: 120_000 };
const secrets = {
  DOORBUSTER_TOKEN_SECRET: "4f1c0a7be29d5368a1f3c2b4d5e6f708",
  DOORBUSTER_ACCOUNT_SECRET: "9b8a7c6d5e4f30211203f4e5d6c7b8a9",
};

type Examined = { readonly code: number; readonly out: string; readonly err: string; readonly findings: readonly Finding[] };
type Given = { readonly env?: Record<string, string>; readonly runtime?: Runtime; readonly dataDir?: string };

async function doctor(
  url: string,
  { env = {}, runtime = "bun", dataDir = join(tempFolder().path, "data") }: Given = {},
): Promise<Examined> {
  const given = { DOORBUSTER_MODE: "sql", DOORBUSTER_DATABASE_URL: url, DOORBUSTER_API_KEY: apiKey, ...secrets, ...env };
  const args = ["doctor", "--json", "--data-dir", dataDir, "--port", "0"];
  const { code, out, err } = await runCommand(args, { env: given, runtime, withinMs: 40_000 });
  // On a slow machine it tells how far it is.
  return { code, out, err: err.replaceAll(/^Looking at .*\n/gm, ""), ...JSON.parse(out) };
}

const find = ({ findings }: Examined, id: string) => findings.find((finding) => finding.id === id);
const levelsOf = ({ findings }: Examined) =>
  Object.fromEntries(findings.filter(({ level }) => level !== "ok").map(({ id, level }) => [id, level]));
/** Of this machine, which is no matter here. */
const machine = ["open-files", "listen-backlog", "cores", "runtime", "memory", "memory-limit", "swap", "clock-drift", "clock-synchronised"];
const ofServer = (examined: Examined) =>
  Object.fromEntries(Object.entries(levelsOf(examined)).filter(([id]) => ![...machine, "exposure"].includes(id)));

async function migrate(url: string): Promise<void> {
  const env = { DOORBUSTER_MODE: "sql", DOORBUSTER_DATABASE_URL: url };
  expect((await runCommand(["migrate"], { env })).code).toBe(0);
}

/** This machine's address for others. */
const elsewhere = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
const embeddedOnly = ["disk-space", "disk-files", "file-system", "disk-sync", "sqlite-version", "data-folder-lock", "database", "schema"];
/** Of the database that a url names. */
const nameIn = (url: string): string => new URL(url).pathname.slice(1);
const open = { mariadb: openMariadb, postgres: openPostgres };
const tablesOf = {
  mariadb: "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = database()",
  postgres: "SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()",
};

for (const name of ["mariadb", "postgres"] as const) {
  describeWithEngine(name, `on ${name}`, (engine) => {
    test.each<Runtime>(["bun", "node"])(
      "[H7] on %s a good server is well, before its tables are made and afterwards, and nothing is changed",
      async (runtime) => {
        const url = await engine().database("doc_good");
        const before = await doctor(url, { runtime });
        expect(ofServer(before)).toEqual({ "database-schema": "warning" });
        expect([before.code, before.err]).toEqual([0, ""]);
        expect(await runSql(url, tablesOf[name])).toEqual([]);
        await migrate(url);
        const after = await doctor(url, { runtime });
        expect(ofServer(after)).toEqual({});
        expect(find(after, "database-server")).toMatchObject({ unit: "ms", value: expect.any(Number) });
        expect(find(after, "database-isolation")?.found).toBe("READ COMMITTED");
        expect(find(after, "processes")?.found).toBe("none lives");
        for (const id of embeddedOnly) expect(find(after, id)).toBeUndefined();
        for (const id of ["configuration", "data-folder", "port", "token-secret", "log-target", "clock-year"])
          expect([id, find(after, id)?.level]).toEqual([id, "ok"]);
      },
      slow,
    );

    test(
      "a schema that is older, newer, of tomorrow, or lacks a table",
      async () => {
        const url = await engine().database("doc_schema");
        await migrate(url);
        const schema = async () => find(await doctor(url), "database-schema");
        await runSql(url, "INSERT INTO migration (number, name, oldest_program) VALUES (998, 'of-tomorrow', 1)");
        expect(await schema()).toMatchObject({ level: "warning", found: expect.stringContaining("it may go on beside it") });
        await runSql(url, "INSERT INTO migration (number, name, oldest_program) VALUES (999, 'of-the-day-after', 998)");
        expect(await schema()).toMatchObject({ level: "problem", found: expect.stringContaining("only programs that know 998") });
        await runSql(url, "DELETE FROM migration");
        expect(await schema()).toMatchObject({ level: "warning", fix: expect.stringContaining("npx doorbuster migrate") });
        await migrate(url);
        await runSql(url, "DROP TABLE lease");
        expect(await schema()).toMatchObject({ level: "problem", found: expect.stringMatching(/^schema \d+ without lease$/) });
      },
      slow,
    );

    test(
      "a table of migrations that is another program's is a problem",
      async () => {
        const url = await engine().database("doc_foreign");
        await runSql(url, "CREATE TABLE migration (id INTEGER PRIMARY KEY)");
        expect(find(await doctor(url), "database-schema")).toMatchObject({ level: "problem", fix: expect.stringContaining("of its own") });
      },
      slow,
    );

    test(
      "a database that is not there, a user that is not let in, a port where nobody listens: one finding each, and no stack",
      async () => {
        const { url } = engine();
        const at = (change: (address: URL) => void) => {
          const address = new URL(url);
          change(address);
          return address.href;
        };
        const cases: readonly [string, string][] = [
          [at((address) => (address.pathname = "/doc_nowhere")), "no such database"],
          [at((address) => ((address.username = "doc_nobody"), (address.password = "not-it"))), "does not let this user in"],
          [at((address) => (address.port = String(1))), "nobody listens there"],
          [at((address) => (address.hostname = "nowhere.invalid")), "nobody knows this host"],
        ];
        for (const [address, part] of cases) {
          const examined = await doctor(address);
          expect(ofServer(examined)).toEqual({ "database-server": "problem" });
          expect(find(examined, "database-server")?.found).toContain(part);
          expect(examined.findings.filter(({ id }) => id.startsWith("database-"))).toHaveLength(1);
          expect([examined.code, examined.err]).toEqual([1, "doorbuster: doctor found database-server\n"]);
          expect(examined.out).not.toContain("not-it");
        }
      },
      slow,
    );

    test(
      "living processes are told: no worker, other secrets, and all well",
      async () => {
        const url = await engine().database("doc_living");
        const env = { DOORBUSTER_MODE: "sql", DOORBUSTER_DATABASE_URL: url, ...secrets };
        const api = await ServerProcess.start({ dataDir: join(tempFolder().path, "a"), env: { ...env, DOORBUSTER_ROLES: "api" } });
        const alone = await doctor(url);
        expect(ofServer(alone)).toEqual({ processes: "warning" });
        expect(alone.findings.some(({ id, found }) => id === "processes" && found.includes(` ${api.child.pid}", api, version`))).toBe(true);
        // What this machine would start is told before it is started.
        const others = await doctor(url, { env: { DOORBUSTER_TOKEN_SECRET: "another-0123456789abcdef0123456789" } });
        expect(find(others, "process-secrets")).toMatchObject({ level: "warning", found: expect.stringContaining("this configuration") });
        const both = await ServerProcess.start({ dataDir: join(tempFolder().path, "b"), env });
        const well = await doctor(url);
        expect(ofServer(well)).toEqual({});
        expect(find(well, "processes")?.found).toBe("2 live");
        expect(find(well, "database-connections")?.found).toContain("2 processes may open 20");
        const other = await ServerProcess.start({
          dataDir: join(tempFolder().path, "c"),
          env: { ...env, DOORBUSTER_ACCOUNT_SECRET: "another-0123456789abcdef0123456789" },
        });
        await runSql(
          url,
          `INSERT INTO process (number, life, name, roles, version, secrets, started_at, until_at)
           SELECT 900, 'x', 'an older one', 'api', '0.0.1', secrets, started_at, until_at + 600000 FROM process WHERE number = 0`,
        );
        const mixed = await doctor(url);
        expect(find(mixed, "process-secrets")).toMatchObject({ level: "warning", found: expect.stringContaining(" against ") });
        expect(find(mixed, "process-versions")).toMatchObject({ level: "warning", found: expect.stringContaining("0.0.1 (1)") });
        for (const server of [api, both, other]) await server.stop();
      },
      slow,
    );

    test(
      "secrets that each process would make for itself are warned of in production",
      async () => {
        const url = await engine().database("doc_secrets");
        const unset = { DOORBUSTER_TOKEN_SECRET: "", DOORBUSTER_ACCOUNT_SECRET: "" };
        const dataDir = tempFolder().path;
        writeFileSync(join(dataDir, "token.secret"), `${"0123456789abcdef".repeat(4)}\n`, { mode: 0o600 });
        const said = (examined: Examined) => examined.findings.filter(({ id }) => id === "shared-secrets").map(({ found }) => found);
        const production = await doctor(url, { env: unset, dataDir });
        expect(said(production)).toEqual([
          `DOORBUSTER_TOKEN_SECRET is not set, and "${join(dataDir, "token.secret")}" was made for this process alone`,
          `DOORBUSTER_ACCOUNT_SECRET is not set, and a start makes "${dataDir}/account.secret"`,
        ]);
        expect(levelsOf(production)["shared-secrets"]).toBe("warning");
        expect(existsSync(join(dataDir, "account.secret"))).toBe(false);
        const development = await doctor(url, { env: { ...unset, DOORBUSTER_ENV: "development" }, dataDir });
        expect([levelsOf(development)["shared-secrets"], said(development).length]).toEqual([undefined, 3]);
      },
      slow,
    );

    test(
      "the clocks of two machines are compared, and how sure that is",
      async () => {
        const facts = await serverFacts(engine().url, { wallMs: () => Date.now() - 3_000 });
        if (facts.kind !== "seen") throw new Error(facts.said);
        expect(facts.clock.uncertaintyMs).toBeGreaterThan(0);
        expect(Math.abs(facts.clock.offsetMs - 3_000)).toBeLessThan(facts.clock.uncertaintyMs + 500);
        expect(facts.clock.isFrozen).toBe(false);
      },
      slow,
    );
  });

  describeWithOwnEngine(name, `on a ${name} of our own`, () => {
    test(
      "one that is frozen, before it answers or in the middle, is a finding within a bound",
      async () => {
        await using server = await open[name]();
        const half = await silentAfter(server.port, name === "mariadb" ? "information_schema.tables" : "pg_stat_ssl");
        const address = new URL(server.url);
        address.port = String(half);
        const inTheMiddle = await doctor(address.href);
        expect(find(inTheMiddle, "database-server")).toMatchObject({
          level: "problem",
          found: expect.stringContaining("it does not answer"),
        });
        await server.freeze();
        const frozen = await doctor(server.url);
        server.thaw();
        expect(find(frozen, "database-server")).toMatchObject({ level: "problem", found: expect.stringContaining("it does not answer") });
        expect(find(frozen, "clock-year")?.level).toBe("ok");
      },
      slow,
    );

    test.skipIf(elsewhere === undefined)(
      "a connection beyond this machine that is not encrypted is warned of",
      async () => {
        const settings = name === "mariadb" ? { "bind-address": "0.0.0.0" } : { listen_addresses: "*" };
        await using server = await open[name]({ settings });
        if (name === "postgres") {
          writeFileSync(join(server.folder, "data", "pg_hba.conf"), "host all all 0.0.0.0/0 scram-sha-256\n");
          await server.admin("SELECT pg_reload_conf()");
        }
        const address = new URL(server.url);
        address.hostname = elsewhere ?? "";
        const plain = await doctor(address.href);
        expect(find(plain, "database-transport")).toMatchObject({ level: "warning", found: `not encrypted, to ${elsewhere}` });
      },
      slow,
    );
  });
}

/** A way to a server on which nothing moves any more once a word was said; its port. */
async function silentAfter(to: number, word: string): Promise<number> {
  let isSilent = false;
  const way = createServer((client) => {
    const server = connect(to, "127.0.0.1");
    for (const [from, into] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on("error", () => into.destroy());
      from.on("close", () => into.destroy());
      from.on("data", (bytes) => {
        if (bytes.includes(word)) isSilent = true;
        if (!isSilent) into.write(bytes);
      });
    }
  });
  await new Promise<void>((resolve) => way.listen(0, "127.0.0.1", resolve));
  onCleanup("the way to the server", () => void way.close());
  // A server that listens on a port has an address of this kind.
  return (way.address() as AddressInfo).port;
}

describeWithOwnEngine("mariadb", "a weak MariaDB", () => {
  test(
    "[H7] settings that lose purchases or slow them down are found, and the statement of each fix mends it",
    async () => {
      const settings = {
        "innodb-flush-log-at-trx-commit": 2,
        "sync-binlog": 0,
        "innodb-doublewrite": 0,
        "innodb-deadlock-detect": "OFF",
        "innodb-snapshot-isolation": "ON",
        "max-allowed-packet": 1_048_576,
        "max-connections": 15,
        "innodb-flush-method": "nosync",
      };
      await using server = await openMariadb({ settings });
      await migrate(server.url);
      const weak = await doctor(server.url);
      expect(ofServer(weak)).toEqual({
        "innodb-flush": "problem",
        "binary-log-sync": "problem",
        "innodb-flush-method": "problem",
        "innodb-doublewrite": "warning",
        "database-deadlocks": "warning",
        "database-isolation": "warning",
        "database-packets": "warning",
        "database-connections": "warning",
      });
      expect(weak.code).toBe(1);
      const statements = weak.findings.flatMap(({ fix = "" }) => /^SET GLOBAL [^;]+/.exec(fix)?.[0] ?? []);
      expect(statements).toHaveLength(6);
      for (const statement of statements) await server.admin(statement);
      // What only a restart changes is left.
      expect(ofServer(await doctor(server.url))).toEqual({ "innodb-flush-method": "problem", "innodb-doublewrite": "warning" });
    },
    slow,
  );

  test(
    "[H7] a standby, a clock that stands still and letters that get lost are problems",
    async () => {
      const settings = {
        "read-only": "ON",
        "sysdate-is-now": "ON",
        "character-set-client-handshake": "OFF",
        "character-set-server": "latin1",
      };
      await using server = await openMariadb({ settings });
      const examined = await doctor(server.url);
      expect(ofServer(examined)).toMatchObject({
        "database-read-only": "problem",
        "database-sysdate": "problem",
        "database-characters": "problem",
      });
      expect(find(examined, "database-characters")?.found).toContain("character_set_client is latin1");
    },
    slow,
  );

  test(
    "tables of another collation are a problem that the fix mends",
    async () => {
      await using server = await openMariadb();
      await migrate(server.url);
      await runSql(server.url, "ALTER TABLE provider_line CONVERT TO CHARACTER SET latin1");
      const found = find(await doctor(server.url), "database-characters");
      expect(found).toMatchObject({ level: "problem", found: expect.stringContaining("provider_line") });
      await runSql(server.url, found?.fix ?? "");
      expect(find(await doctor(server.url), "database-characters")?.level).toBe("ok");
    },
    slow,
  );

  test(
    "a user who may not do its work is told what it lacks, and the fix gives it",
    async () => {
      await using server = await openMariadb();
      const url = await server.database("doc_rights");
      const name = nameIn(url);
      await server.admin(`REVOKE ALL ON ${name}.* FROM doorbuster@'%'`);
      expect(find(await doctor(url), "database-server")?.found).toContain("this user may not enter it");
      await server.admin(`GRANT SELECT, INSERT ON ${name}.* TO doorbuster@'%'`);
      const lacking = find(await doctor(url), "database-rights");
      expect(lacking).toMatchObject({
        level: "problem",
        found: `'doorbuster'@'%' lacks CREATE, UPDATE, DELETE on \`${name}\`.*`,
      });
      await server.admin(lacking?.fix ?? "");
      expect(find(await doctor(url), "database-rights")?.level).toBe("ok");
      await server.admin("ALTER USER doorbuster@'%' WITH MAX_USER_CONNECTIONS 8");
      expect(find(await doctor(url), "database-connections")).toMatchObject({
        level: "problem",
        found: expect.stringContaining("this user"),
      });
    },
    slow,
  );

  test(
    "[H7] encryption: a certificate of another name is refused, one that nobody looks at is warned of",
    async () => {
      const { ca, signed } = certificates();
      const settingsFor = (name: string) => ({ "ssl-cert": signed(name).pem, "ssl-key": signed(name).key, "ssl-ca": ca });
      for (const [settings, name] of [
        [settingsFor("localhost"), "good"],
        [settingsFor("elsewhere.example"), "bad"],
      ] as const) {
        await using server = await openMariadb({ settings: { ...settings, "bind-address": "0.0.0.0" } });
        const env = { NODE_EXTRA_CA_CERTS: ca };
        const at = (mode: string) => `${server.url.replace("127.0.0.1", "localhost")}?ssl-mode=${mode}`;
        for (const runtime of ["bun", "node"] as const) {
          const identity = await doctor(at("VERIFY_IDENTITY"), { env, runtime });
          if (name === "good") expect(find(identity, "database-transport")?.found).toContain("encrypted (TLS_");
          else expect(find(identity, "database-server")?.found).toContain("do not agree about encryption (Hostname/IP does not match");
          expect(find(await doctor(at("VERIFY_CA"), { env, runtime }), "database-transport")?.found).toContain("encrypted (TLS_");
          expect(find(await doctor(at("VERIFY_CA"), { runtime }), "database-server")?.level).toBe("problem");
        }
        if (elsewhere === undefined) continue;
        const beyond = await doctor(at("REQUIRED").replace("localhost", elsewhere));
        expect(find(beyond, "database-transport")).toMatchObject({ level: "warning", found: expect.stringContaining("nobody looks at") });
      }
    },
    slow,
  );
});

describeWithOwnEngine("postgres", "a weak PostgreSQL", () => {
  test(
    "[H7] settings that lose purchases or slow them down are found, each with its fix",
    async () => {
      const settings = {
        fsync: "off",
        synchronous_commit: "off",
        full_page_writes: "off",
        deadlock_timeout: "10s",
        max_connections: 18,
        superuser_reserved_connections: 3,
      };
      await using server = await openPostgres({ settings });
      await migrate(server.url);
      const weak = await doctor(server.url);
      expect(ofServer(weak)).toEqual({
        "postgres-fsync": "problem",
        "postgres-synchronous-commit": "warning",
        "postgres-full-page-writes": "warning",
        "database-deadlocks": "warning",
        "database-connections": "warning",
      });
      expect(find(weak, "postgres-fsync")?.fix).toContain("ALTER SYSTEM SET fsync = 'on'");
      expect(find(weak, "postgres-synchronous-commit")?.found).toContain("is on in our sessions, but off by default");
    },
    slow,
  );

  test(
    "[H7] what our sessions ask for and do not get is found",
    async () => {
      await using server = await openPostgres();
      await migrate(server.url);
      const options = "?options=-c%20synchronous_commit%3Doff%20-c%20default_transaction_isolation%3Dserializable&lock_timeout=0";
      const examined = await doctor(server.url + options);
      expect(ofServer(examined)).toEqual({
        "postgres-synchronous-commit": "problem",
        "database-isolation": "warning",
        "database-lock-wait": "warning",
      });
      await server.admin("ALTER DATABASE doorbuster SET default_transaction_read_only = on");
      const readOnly = find(await doctor(server.url), "database-read-only");
      expect(readOnly).toMatchObject({ level: "problem", found: "default_transaction_read_only: on" });
      // In another database, for in this one an administrator, too, begins by reading only.
      const elsewhereUrl = server.url.replace(/\/\/[^@]*@/, "//admin:admin-of-tests@").replace(/[^/]*$/, "template1");
      await runSql(elsewhereUrl, /ALTER DATABASE.*/.exec(readOnly?.fix ?? "")?.[0] ?? "");
      expect(find(await doctor(server.url), "database-read-only")?.level).toBe("ok");
    },
    slow,
  );

  test(
    "[H7] a standby is a problem, and its tables are read all the same",
    async () => {
      await using server = await openPostgres();
      await migrate(server.url);
      await server.stop();
      writeFileSync(join(server.folder, "data", "standby.signal"), "");
      await server.start();
      const examined = await doctor(server.url);
      expect(ofServer(examined)).toEqual({ "database-read-only": "problem" });
      expect(find(examined, "database-read-only")?.found).toContain("it is a standby");
      expect(find(examined, "database-schema")?.level).toBe("ok");
    },
    slow,
  );

  test(
    "a database that does not keep every letter is a problem",
    async () => {
      await using server = await openPostgres();
      await server.admin("CREATE DATABASE doc_ascii OWNER doorbuster ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
      const examined = await doctor(server.url.replace(/[^/]*$/, "doc_ascii"));
      expect(find(examined, "database-characters")).toMatchObject({
        level: "problem",
        found: "server_encoding is SQL_ASCII; UTF8 is needed",
      });
    },
    slow,
  );

  test(
    "a user who may not do its work is told what it lacks, and the fix gives it",
    async () => {
      await using server = await openPostgres();
      const url = await server.database("doc_rights");
      const adminUrl = url.replace(/\/\/[^@]*@/, "//admin:admin-of-tests@");
      await runSql(adminUrl, `ALTER DATABASE ${nameIn(url)} OWNER TO admin`);
      await runSql(adminUrl, "REVOKE CREATE ON SCHEMA public FROM PUBLIC, pg_database_owner");
      const lacking = find(await doctor(url), "database-rights");
      expect(lacking).toMatchObject({ level: "problem", found: "doorbuster lacks CREATE on public" });
      await runSql(adminUrl, lacking?.fix ?? "");
      expect(find(await doctor(url), "database-rights")?.level).toBe("ok");
      await migrate(url);
      await runSql(adminUrl, "ALTER TABLE sale OWNER TO admin");
      const closed = await doctor(url);
      expect(find(closed, "database-rights")).toMatchObject({ level: "problem", found: "doorbuster may not read and write sale" });
      await runSql(adminUrl, find(closed, "database-rights")?.fix ?? "");
      const foreign = find(await doctor(url), "database-rights");
      expect(foreign).toMatchObject({ level: "warning", fix: "ALTER TABLE sale OWNER TO doorbuster" });
      await runSql(adminUrl, foreign?.fix ?? "");
      expect(find(await doctor(url), "database-rights")?.level).toBe("ok");
      await server.admin("ALTER ROLE doorbuster CONNECTION LIMIT 8");
      expect(find(await doctor(url), "database-connections")).toMatchObject({
        level: "problem",
        found: expect.stringContaining("this user"),
      });
      await runSql(adminUrl, `REVOKE CONNECT ON DATABASE ${nameIn(url)} FROM PUBLIC, doorbuster`);
      expect(find(await doctor(url), "database-server")?.found).toContain("this user may not enter it");
    },
    slow,
  );
});

const galeraLibrary = ["/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so"].find(existsSync);
describe.skipIf(galeraLibrary === undefined)("a Galera cluster (skipped without galera-4)", () => {
  describeWithOwnEngine("mariadb", "of two nodes", () => {
    test(
      "[H7] is a problem, and a server does not start on it: one line, and nothing is made there",
      async () => {
        const [one, two] = [await galeraPorts(), await galeraPorts()];
        await using first = await openMariadb({ settings: galera(one, "gcomm://") });
        expect(find(await doctor(first.url), "database-writers")).toMatchObject({
          level: "warning",
          found: expect.stringContaining("of one node"),
        });
        await using second = await openMariadb({ settings: galera(two, `gcomm://127.0.0.1:${one.group}`) });
        const isReady = (server: typeof first) => async () => {
          const ask = "SHOW STATUS WHERE Variable_name IN ('wsrep_ready', 'wsrep_cluster_size') AND Value IN ('ON', '2')";
          return (await server.admin(ask)).length === 2;
        };
        for (const server of [first, second]) await waitFor("both nodes", isReady(server), { withinMs: 60_000 });
        for (const { url } of [first, second]) {
          const examined = await doctor(url);
          expect(ofServer(examined)).toMatchObject({ "database-writers": "problem" });
          expect(find(examined, "database-writers")?.found).toContain("(Galera) of 2 nodes that all take writes");
          const env = { DOORBUSTER_MODE: "sql", DOORBUSTER_DATABASE_URL: url, DOORBUSTER_API_KEY: apiKey };
          for (const command of ["serve", "worker"]) {
            const started = await runCommand([command, "--data-dir", join(tempFolder().path, "data")], { env, withinMs: 20_000 });
            expect([started.code, started.out]).toEqual([1, ""]);
            expect(started.err).toMatch(
              /^doorbuster: Open the database "mysql:\/\/127[^"]+": it is a cluster \(Galera\) of 2 nodes [^\n]+\n$/,
            );
          }
          expect(await runSql(url, tablesOf.mariadb)).toEqual([]);
        }
      },
      slow,
    );
  });
});

async function galeraPorts() {
  const [group = 0, increments = 0, state = 0] = (await reservePorts(3)).numbers;
  return { group, increments, state };
}

const galera = ({ group, increments, state }: Awaited<ReturnType<typeof galeraPorts>>, cluster: string) => ({
  "wsrep-on": "ON",
  "wsrep-provider": galeraLibrary ?? "",
  "wsrep-cluster-address": cluster,
  "wsrep-node-address": `127.0.0.1:${group}`,
  "wsrep-provider-options": `gmcast.listen_addr=tcp://127.0.0.1:${group};ist.recv_addr=127.0.0.1:${increments};gcache.size=8M`,
  "wsrep-sst-method": "rsync",
  "wsrep-sst-receive-address": `127.0.0.1:${state}`,
  "binlog-format": "ROW",
});
