import { expect, test } from "bun:test";
import { ManualTime } from "../../../tests/kit/manual-time.ts";
import { options } from "../../config/options.ts";
import type { BrokerFacts } from "../../ports/broker-facts.ts";
import type { CacheFacts } from "../../ports/cache-facts.ts";
import type { ServerFacts } from "../../ports/server-facts.ts";
import { examine } from "./examine.ts";
import { examinationsOf, type DoctorProbes, type DoctorSettings } from "./modes.ts";

const nobody: ServerFacts = {
  kind: "refused",
  address: { name: "mysql://db/shop", family: "mysql", host: "db", port: 3_306, user: "seller", database: "shop" },
  reason: "unreachable",
  said: "connect ECONNREFUSED",
};
const noCache: CacheFacts = {
  kind: "refused",
  address: { name: "redis://cache", host: "cache", port: 6_379, user: "default", isEncrypted: false },
  reason: "silent",
  said: "no answer",
};
const noBroker: BrokerFacts = {
  kind: "refused",
  address: { name: "amqp://broker", host: "broker", port: 5_672, user: "seller", place: "/", isEncrypted: false },
  reason: "not-let-in",
  said: "ACCESS_REFUSED",
};
const probes: DoctorProbes = {
  folderFacts: async (path) => ({ path, state: "folder", mode: 0o700, writeProblem: undefined }),
  diskFacts: async (folder) => ({
    folder,
    fileSystem: "ext4",
    freeBytes: 5e9,
    totalBytes: 9e9,
    freeFiles: 1e6,
    sync: { writes: 9, medianMs: 1, p99Ms: 2, maxMs: 3 },
  }),
  storeFacts: () => ({
    sqliteVersion: "3.51.3",
    sqliteVersionMin: "3.51.3",
    lock: { held: false, holder: undefined },
    database: { kind: "absent" },
  }),
  logObstacle: async () => undefined,
  secretFileFacts: async (path, source) => ({ path, source, state: "readable", mode: 0o600, length: 64 }),
  generatedSecrets: async () => ["var/token.secret"],
  watchClock: () => async () => ({ wallMs: 1_790_000_000_000, wallText: "2026", driftMs: 0, overMs: 1, synchronised: true }),
  processFacts: () => ({ openFilesMax: 65_536, listenBacklogMax: 4_096, cores: 2, runtime: { name: "Bun", version: "1.4.5" } }),
  memoryFacts: () => ({ totalBytes: 4e9, availableBytes: 2e9, limitBytes: undefined, swapTotalBytes: 0, swapUsedBytes: 0 }),
  portFacts: async (host, port) => ({ host, port, state: { kind: "ours", version: "0.1.0", environment: undefined, skewMs: 9_000 } }),
  serverFacts: async () => nobody,
  cacheFacts: async () => noCache,
  brokerFacts: async () => noBroker,
};
const settings: DoctorSettings = {
  configuration: {
    problems: [],
    isProduction: true,
    httpHost: "127.0.0.1",
    metrics: undefined,
    trustedProxies: ["127.0.0.1"],
    hasServerKey: true,
    paymentProvider: "external",
  },
  dataDir: "var",
  httpPort: 8_083,
  ownClock: true,
  secretFiles: [],
  tokenSecretSet: false,
  connectionsWanted: 1_000,
  bunPinned: "1.4.5",
  log: undefined,
  full: false,
  database: { url: "mysql://seller@db/shop", connections: 10, secrets: undefined },
  sharedSecrets: [{ option: "DOORBUSTER_TOKEN_SECRET", isSet: false, file: "token.secret" }],
  cache: { url: "redis://cache" },
  broker: { url: "amqp://seller@broker", partitions: 4 },
};

async function idsOf(mode: string, change: Partial<DoctorSettings> = {}, others: Partial<DoctorProbes> = {}): Promise<readonly string[]> {
  const list = examinationsOf(mode, { ...probes, ...others }, { ...settings, ...change });
  const { findings } = await examine(list, { tasks: new ManualTime(0) });
  return findings.map(({ id }) => id);
}
const everywhere = [
  "configuration",
  "secret-file",
  "token-secret",
  "open-files",
  "memory",
  "data-folder",
  "port",
  "log-target",
  "clock-year",
];
const ofDisk = ["disk-space", "disk-sync", "file-system", "sqlite-version", "data-folder-lock", "database", "clock-skew"];
const ofServer = ["shared-secrets", "database-server"];

test("[H7] every mode that can be set has its examinations, and the machine's are among them", async () => {
  for (const mode of options.mode.type.of) expect(await idsOf(mode)).toEqual(expect.arrayContaining(everywhere));
  expect(() => examinationsOf("of-tomorrow", probes, settings)).toThrow("every mode has its examinations");
});

test("[H7] a disk is looked at where the database lies on it, a server where one is shared", async () => {
  const [embedded, sql] = [await idsOf("embedded"), await idsOf("sql", { ownClock: false })];
  for (const id of ofDisk) expect([id, embedded.includes(id), sql.includes(id)]).toEqual([id, true, false]);
  for (const id of ofServer) expect([id, embedded.includes(id), sql.includes(id)]).toEqual([id, false, true]);
});

test("of a server that does not let us in nothing more is said; without an address nothing at all", async () => {
  const ofDatabase = (ids: readonly string[]) => ids.filter((id) => /^(?:database|innodb|postgres|process)/.test(id));
  expect(ofDatabase(await idsOf("sql"))).toEqual(["database-server"]);
  expect(ofDatabase(await idsOf("sql", { database: undefined }))).toEqual([]);
});

test("[H7] in queued mode the cache and the broker are looked at beside the server, and each once", async () => {
  const asked: string[] = [];
  const counting =
    <Facts>(name: string, facts: Facts) =>
    async () => (asked.push(name), facts);
  const counted = {
    serverFacts: counting("server", nobody),
    cacheFacts: counting("cache", noCache),
    brokerFacts: counting("broker", noBroker),
  };
  const queued = await idsOf("queued", { ownClock: false }, counted);
  for (const id of [...everywhere, ...ofServer, "cache-server", "broker-server"]) expect(queued).toContain(id);
  for (const id of ofDisk) expect(queued).not.toContain(id);
  expect(asked).toEqual(["server", "cache", "broker"]);
  expect(queued.filter((id) => /^(?:cache|broker|queue)-/.test(id))).toEqual(["cache-server", "broker-server"]);
  const incomplete = await idsOf("queued", { cache: undefined, broker: undefined, database: undefined });
  expect(incomplete.filter((id) => /^(?:cache|broker|queue|database)-/.test(id))).toEqual([]);
});

test("what fails to be looked at is told once, and the others are looked at", async () => {
  const cacheFacts = () => Promise.reject(new Error("a reply that nobody understands"));
  const queued = await idsOf("queued", { ownClock: false }, { cacheFacts });
  expect(queued.filter((id) => id === "not-looked-at")).toHaveLength(1);
  expect(queued).toContain("broker-server");
});

test("a worker answers nobody: no port is looked at, nor who may reach it", async () => {
  const worker = await idsOf("sql", { httpPort: undefined, configuration: { ...settings.configuration, httpHost: undefined } });
  expect(worker).not.toContain("port");
  expect(worker).not.toContain("exposure");
});
