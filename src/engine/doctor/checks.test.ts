/** Every finding: facts that are just good enough, and facts that are not, with what is said of them. */
import { checkTables } from "../../../tests/kit/check-table.ts";
import type {
  ClockFacts,
  DiskFacts,
  FolderFacts,
  LogFacts,
  MemoryFacts,
  PortFacts,
  ProcessFacts,
  SecretFileFacts,
} from "../../ports/machine-facts.ts";
import type { DatabaseFacts, StoreFacts } from "../../ports/store-facts.ts";
import { configurationChecks, logChecks, secretFileChecks, type ConfigurationFacts } from "./checks-configuration.ts";
import { diskChecks, folderChecks } from "./checks-disk.ts";
import { clockChecks, memoryChecks, processChecks } from "./checks-machine.ts";
import { portChecks } from "./checks-network.ts";
import { storeChecks } from "./checks-store.ts";

const { table, allCovered } = checkTables();

const folder: FolderFacts = { path: "./var", state: "folder", mode: 0o700, writeProblem: undefined };
table("the data folder", folderChecks, folder, [
  ["data-folder", { state: "absent", writeProblem: "ENOTDIR" }, "problem", "no folder is where"],
  ["data-folder", {}, "ok", "can be written to"],
  ["data-folder", { state: "absent", mode: undefined }, "ok", "will be made"],
  ["data-folder", { state: "absent", mode: undefined, writeProblem: "EACCES" }, "problem", "cannot be made (EACCES)"],
  ["data-folder", { writeProblem: "EROFS" }, "problem", "cannot be written to (EROFS)"],
  ["data-folder", { state: "not-a-folder" }, "problem", "is not a folder"],
  ["data-folder-mode", {}, "ok", "(700)"],
  ["data-folder-mode", { mode: 0o755 }, "warning", "(755)"],
  ["data-folder-mode", { mode: 0o710 }, "warning", "(710)"],
  ["data-folder-mode", { state: "absent", mode: undefined }, "none", ""],
]);

const sync = { writes: 500, medianMs: 0.8, p99Ms: 4, maxMs: 9 };
const disk: DiskFacts = { folder: "/data", fileSystem: "ext4", freeBytes: 50e9, totalBytes: 100e9, freeFiles: 1e6, sync };
table("the disk", diskChecks, disk, [
  ["disk-space", { freeBytes: 2_000_000_000 }, "ok", "2.0 GB of 100 GB are free"],
  ["disk-space", { freeBytes: 1_999_999_999 }, "warning", "are a good start"],
  ["disk-space", { freeBytes: 255_999_999 }, "problem", "at least 256 MB are needed"],
  ["disk-space", { freeBytes: 0 }, "problem", "0 bytes of 100 GB"],
  ["disk-files", { freeFiles: 1_000 }, "ok", "1,000 more files"],
  ["disk-files", { freeFiles: 999 }, "problem", "only 999"],
  ["disk-files", { freeFiles: undefined }, "none", ""],
  ["file-system", { fileSystem: "xfs" }, "ok", "xfs"],
  ["file-system", { fileSystem: "tmpfs" }, "warning", "lost with the power"],
  ["file-system", { fileSystem: "nfs4" }, "warning", "network file systems"],
  ["file-system", { fileSystem: "cifs" }, "warning", "network file systems"],
  ["file-system", { fileSystem: "overlay" }, "warning", "container's own layer"],
  ["file-system", { fileSystem: undefined }, "none", ""],
  ["disk-sync", {}, "ok", "0.800 ms median, 4.0 ms p99 (500 × 4 KiB written and synced), about 1,250 commits/s"],
  ["disk-sync", { sync: { ...sync, medianMs: 20, p99Ms: 250 } }, "ok", "20.0 ms median"],
  ["disk-sync", { sync: { ...sync, medianMs: 21 } }, "warning", "this is slow"],
  ["disk-sync", { sync: { ...sync, p99Ms: 251 } }, "warning", "this is slow"],
  ["disk-sync", { sync: { ...sync, p99Ms: 1_001 } }, "problem", "buyers will wait"],
  ["disk-sync", { sync: { ...sync, medianMs: 0.01 } }, "warning", "only says it has synced"],
  ["disk-sync", { sync: { ...sync, medianMs: 0.01 }, fileSystem: "tmpfs" }, "ok", "0.010 ms"],
  ["disk-sync", { sync: undefined }, "warning", "not measured"],
]);

const database: DatabaseFacts = {
  kind: "read",
  path: "./var/doorbuster.db",
  bytes: 12_300_000,
  logBytes: 4_000_000,
  schema: 3,
  schemaKnown: 3,
  lastAtMs: 1_000_000,
  damage: [],
};
const store: StoreFacts = { sqliteVersion: "3.54.1", sqliteVersionMin: "3.51.3", lock: { held: false, holder: undefined }, database };
const withDatabase = (change: Partial<DatabaseFacts>) => ({ store: { ...store, database: { ...database, ...change } } });
table("the store", storeChecks, { store, wallMs: 1_000_000 }, [
  ["sqlite-version", { store: { ...store, sqliteVersion: "3.51.3" } }, "ok", "3.51.3"],
  ["sqlite-version", { store: { ...store, sqliteVersion: "3.51.2" } }, "problem", "at least 3.51.3"],
  ["sqlite-version", { store: { ...store, sqliteVersion: "3.6.99" } }, "problem", "3.6.99"],
  ["sqlite-version", { store: { ...store, sqliteVersion: "4.0" } }, "ok", "4.0"],
  ["data-folder-lock", {}, "ok", "no server"],
  ["data-folder-lock", { store: { ...store, lock: { held: true, holder: "42" } } }, "ok", "process 42"],
  ["database", {}, "ok", "12.3 MB"],
  ["database", { store: { ...store, database: { kind: "absent" } } }, "ok", "no database yet"],
  ["database", { store: { ...store, database: { kind: "unreadable", problem: "not a database" } } }, "problem", "not a database"],
  ["schema", {}, "ok", "schema 3"],
  ["schema", withDatabase({ schema: 2 }), "warning", "schema 2, this program's is 3"],
  ["schema", withDatabase({ schema: 4 }), "problem", "knows up to 3"],
  ["schema", { store: { ...store, database: { kind: "absent" } } }, "none", ""],
  ["integrity", {}, "ok", "found nothing"],
  ["integrity", withDatabase({ damage: ["page 7 is never used", "row 3 missing"] }), "problem", "2 remarks"],
  ["integrity", withDatabase({ damage: "skipped" }), "ok", "--full"],
  ["integrity", { store: { ...store, database: { kind: "absent" } } }, "none", ""],
  ["write-ahead-log", { ...withDatabase({ logBytes: 256_000_000 }) }, "ok", "256 MB"],
  ["write-ahead-log", { ...withDatabase({ logBytes: 256_000_001 }) }, "warning", "256 MB"],
  ["write-ahead-log", { store: { ...store, database: { kind: "absent" } } }, "none", ""],
  ["clock-behind-store", { wallMs: 998_000 }, "ok", "not behind"],
  ["clock-behind-store", { wallMs: 990_000 }, "problem", "10 s behind"],
  ["clock-behind-store", withDatabase({ lastAtMs: undefined }), "none", ""],
]);

const clock: ClockFacts = { wallMs: Date.UTC(2026, 0, 1), wallText: "2026-01-01", driftMs: 0.4, overMs: 800, synchronised: true };
table("the clock", clockChecks, clock, [
  ["clock-year", {}, "ok", "2026-01-01"],
  ["clock-year", { wallMs: Date.UTC(2026, 0, 1) - 1, wallText: "2025-12-31" }, "problem", "2025-12-31"],
  ["clock-year", { wallMs: Date.UTC(2101, 0, 1), wallText: "2101-01-01" }, "problem", "2101"],
  ["clock-drift", { driftMs: 25 }, "ok", "25.0 ms"],
  ["clock-drift", { driftMs: 26 }, "warning", "26.0 ms"],
  ["clock-drift", { driftMs: -3_600_000 }, "warning", "3600000 ms"],
  ["clock-synchronised", {}, "ok", "keeps the clock"],
  ["clock-synchronised", { synchronised: undefined }, "ok", "does not tell"],
  ["clock-synchronised", { synchronised: false }, "warning", "no time service"],
]);

const machine: ProcessFacts = { openFilesMax: 65_536, listenBacklogMax: 4_096, cores: 4, runtime: { name: "Bun", version: "1.4.5" } };
const processAt = { process: machine, connectionsWanted: 10_000, bunPinned: "1.4.5" };
const withProcess = (change: Partial<ProcessFacts>) => ({ process: { ...machine, ...change } });
table("the process", processChecks, processAt, [
  ["open-files", withProcess({ openFilesMax: 10_256 }), "ok", "10,256"],
  ["open-files", withProcess({ openFilesMax: 10_255 }), "warning", "10,256 are wanted"],
  ["open-files", withProcess({ openFilesMax: 1_023 }), "problem", "1,023"],
  ["open-files", withProcess({ openFilesMax: undefined }), "none", ""],
  ["listen-backlog", withProcess({ listenBacklogMax: 511 }), "ok", "511"],
  ["listen-backlog", withProcess({ listenBacklogMax: 128 }), "warning", "128"],
  ["listen-backlog", withProcess({ listenBacklogMax: undefined }), "none", ""],
  ["cores", withProcess({ cores: 2 }), "ok", "2 cores"],
  ["cores", withProcess({ cores: 1 }), "warning", "1 core, 2 are wanted"],
  ["cores", withProcess({ cores: 0.5 }), "warning", "0.5 cores"],
  ["runtime", {}, "ok", "Bun 1.4.5"],
  ["runtime", withProcess({ runtime: { name: "Bun", version: "1.3.0" } }), "warning", "1.4.5 is the one"],
  ["runtime", withProcess({ runtime: { name: "Node", version: "24.21.0" } }), "ok", "Node 24.21.0"],
  ["runtime", withProcess({ runtime: { name: "Node", version: "22.18.0" } }), "problem", "at least 24"],
]);

const memory: MemoryFacts = { totalBytes: 4e9, availableBytes: 2e9, limitBytes: 1e9, swapTotalBytes: 1e9, swapUsedBytes: 0 };
table("the memory", memoryChecks, memory, [
  ["memory", { availableBytes: 512_000_000 }, "ok", "512 MB of 4.0 GB"],
  ["memory", { availableBytes: 511_999_999 }, "warning", "are a good start"],
  ["memory", { availableBytes: 199_999_999 }, "problem", "at least 200 MB"],
  ["memory-limit", { limitBytes: undefined }, "ok", "no limit"],
  ["memory-limit", { limitBytes: 512_000_000 }, "ok", "512 MB"],
  ["memory-limit", { limitBytes: 256_000_000 }, "warning", "256 MB"],
  ["swap", { swapTotalBytes: 0 }, "ok", "there is none"],
  ["swap", { swapUsedBytes: 250_000_000 }, "ok", "250 MB of 1.0 GB"],
  ["swap", { swapUsedBytes: 251_000_000 }, "warning", "251 MB"],
]);

const port = (state: PortFacts["state"], number = 8083) => ({ facts: { host: "127.0.0.1", port: number, state } });
const ours = { kind: "ours", version: "0.1.0", environment: "production", skewMs: 2 } as const;
const portAt = { ...port({ kind: "free" }), option: "DOORBUSTER_HTTP_PORT", hostOption: "DOORBUSTER_HTTP_HOST", ownClock: true };
table("the port", portChecks, portAt, [
  ["port", {}, "ok", "127.0.0.1 port 8083 is free"],
  ["port", port({ kind: "free" }, 0), "ok", "any free port"],
  ["port", port(ours), "ok", "Doorbuster 0.1.0 (production)"],
  ["port", port({ kind: "taken" }), "problem", "another program"],
  ["port", port({ kind: "refused", code: "EACCES" }, 80), "problem", "EACCES"],
  ["port", port({ kind: "refused", code: "EADDRNOTAVAIL" }), "problem", "EADDRNOTAVAIL"],
  ["clock-skew", {}, "none", ""],
  ["clock-skew", port({ ...ours, skewMs: undefined }), "none", ""],
  ["clock-skew", { ...port({ ...ours, skewMs: 3_000 }), ownClock: false }, "none", ""],
  ["clock-skew", port({ ...ours, skewMs: -500 }), "ok", "500 ms"],
  ["clock-skew", port({ ...ours, skewMs: 1_900 }), "warning", "1900 ms"],
  ["clock-skew", port({ ...ours, skewMs: -2_001 }), "problem", "2001 ms"],
]);

const configuration: ConfigurationFacts = {
  problems: [],
  isProduction: true,
  httpHost: "127.0.0.1",
  metrics: { host: "127.0.0.1", port: 9_090 },
  trustedProxies: ["127.0.0.1"],
  hasServerKey: true,
  paymentProvider: "external",
};
table("the configuration", configurationChecks, configuration, [
  ["configuration", {}, "ok", "every option"],
  ["configuration", { problems: [{ kind: "wrong", text: "DOORBUSTER_MODE: expected one of embedded" }] }, "problem", "DOORBUSTER_MODE"],
  ["unknown-option", {}, "ok", "every name"],
  ["unknown-option", { problems: [{ kind: "unknown", text: 'did you mean "x"?' }] }, "problem", "did you mean"],
  ["weak-secret", {}, "ok", "no secret"],
  ["weak-secret", { problems: [{ kind: "unsafe", text: "DOORBUSTER_API_KEY: a default" }] }, "problem", "a default"],
  ["server-key", {}, "ok", "is set"],
  ["server-key", { hasServerKey: false }, "warning", "none is set"],
  ["server-key", { hasServerKey: false, isProduction: false }, "ok", "demo key"],
  ["payment-provider", {}, "ok", "external"],
  ["payment-provider", { paymentProvider: "simulated" }, "warning", "without money"],
  ["payment-provider", { paymentProvider: "simulated", isProduction: false }, "ok", "simulated"],
  ["exposure", { httpHost: "::1", isProduction: false }, "ok", "this machine"],
  ["exposure", { httpHost: "127.0.0.1", trustedProxies: [] }, "warning", "no proxy is trusted"],
  ["exposure", {}, "ok", "behind 127.0.0.1"],
  ["exposure", { httpHost: "0.0.0.0", trustedProxies: [] }, "warning", "no proxy is trusted"],
  ["exposure", { httpHost: "0.0.0.0", trustedProxies: ["10.0.0.0/8"] }, "ok", "behind 10.0.0.0/8"],
  ["exposure", { httpHost: "0.0.0.0", isProduction: false }, "warning", "development rules"],
  ["exposure", { httpHost: undefined }, "none", ""],
  ["metrics-exposure", { metrics: undefined }, "none", ""],
  ["metrics-exposure", {}, "ok", "port 9090, for this machine only"],
  ["metrics-exposure", { metrics: { host: "0.0.0.0", port: 9_090 } }, "warning", "whoever reaches it"],
]);

const secret: SecretFileFacts = { path: "/run/key", source: "DOORBUSTER_API_KEY_FILE", state: "readable", mode: 0o600, length: 64 };
const withSecret = (change: Partial<SecretFileFacts>) => ({ files: [{ ...secret, ...change }] });
table("secrets' files", secretFileChecks, { files: [secret], isProduction: true, tokenSecretSet: true }, [
  ["secret-file", {}, "ok", "only its owner"],
  ["secret-file", withSecret({ mode: 0o640 }), "warning", "its group"],
  ["secret-file", withSecret({ mode: 0o644 }), "problem", "every user"],
  ["secret-file", { ...withSecret({ mode: 0o644 }), isProduction: false }, "warning", "every user"],
  ["secret-file", withSecret({ state: "unreadable" }), "problem", "cannot be read"],
  ["secret-file", withSecret({ state: "absent" }), "none", ""],
  ["secret-file", withSecret({ source: "data folder", length: 31 }), "problem", "31 characters"],
  ["secret-file", withSecret({ mode: undefined }), "none", ""],
  ["token-secret", {}, "ok", "set in the configuration"],
  ["token-secret", { tokenSecretSet: false }, "ok", "none yet"],
  ["token-secret", { ...withSecret({ path: "var/token.secret", source: "data folder" }), tokenSecretSet: false }, "ok", "kept in"],
]);

const log: LogFacts = { file: undefined, obstacle: undefined };
const file = "/var/log/doorbuster/log";
table("the log", logChecks, log, [
  ["log-target", {}, "ok", "standard streams"],
  ["log-target", { file }, "ok", file],
  ["log-target", { file, obstacle: { at: "file", path: file, problem: "EACCES" } }, "problem", "EACCES"],
  ["log-target", { file, obstacle: { at: "no-file", path: file, problem: "a folder" } }, "problem", "a folder"],
  ["log-target", { file, obstacle: { at: "folder", path: "/var/log/doorbuster", problem: "ENOENT" } }, "problem", "ENOENT"],
]);

allCovered(["data-folder-lock", "token-secret"]);
