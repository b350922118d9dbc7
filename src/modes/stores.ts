/** Opens what a command needs of the configured store, whatever the mode. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { openAuditSource as openSqliteAudit } from "../adapters/sql/audit-source.ts";
import { exportReaders } from "../adapters/sql/export-readers.ts";
import { openServerAuditSource } from "../adapters/sql/server-audit-source.ts";
import { ServerDatabase } from "../adapters/sql/server-database.ts";
import { ServerLines } from "../adapters/sql/server-lines.ts";
import { migrateServerStore, openServerDriver } from "../adapters/sql/server-store.ts";
import { readExtent } from "../adapters/sql/extent.ts";
import { openSnapshotExports } from "../adapters/sql/snapshot-exports.ts";
import { knownSecret, secretFromFile } from "../adapters/system/secret-file.ts";
import { SystemEntropy } from "../adapters/system/system-entropy.ts";
import type { Config } from "../config/options.ts";
import { assert } from "../lib/assert.ts";
import type { AuditSource } from "../ports/audit-source.ts";
import type { Exports } from "../ports/exports.ts";
import { openEmbedded } from "./embedded.ts";
import type { OpenedStore } from "./opened-store.ts";
import type { Log } from "../ports/log.ts";
import { openQueued } from "./queued.ts";
import { openSql } from "./sql.ts";

export function openStore(config: Config, version: string, log: Log): Promise<OpenedStore> {
  if (config.mode === "embedded") return openEmbedded(config);
  const facts = { version, secrets: secretsDigest(config) };
  return config.mode === "sql" ? openSql(config, facts) : openQueued(config, facts, log);
}

/** Tells whether two processes have the same secrets, and nothing of what they are. */
function secretsDigest({ dataDir, tokenSecret, accountSecret }: Config): string {
  const entropy = new SystemEntropy();
  const kept = (name: string) => secretFromFile(join(dataDir, name), () => entropy.secret(32));
  return digestOf([tokenSecret ?? kept("token.secret"), accountSecret ?? kept("account.secret")]);
}

/** The same for who only looks; undefined while one of them is still to be made. */
export function knownSecretsDigest({ dataDir, tokenSecret, accountSecret }: Config): string | undefined {
  const kept = (name: string) => knownSecret(join(dataDir, name));
  const [token, account] = [tokenSecret ?? kept("token.secret"), accountSecret ?? kept("account.secret")];
  return token === undefined || account === undefined ? undefined : digestOf([token, account]);
}

const digestOf = (secrets: readonly string[]): string =>
  createHash("sha256")
    .update(`doorbuster processes\n${secrets.join("\n")}`)
    .digest("hex")
    .slice(0, 32);

/** Brings the store to this version's schema; all the migrations it has had. */
export async function migrateStore(config: Config): Promise<readonly string[]> {
  if (config.mode === "embedded") {
    const store = await openEmbedded(config);
    await store.close();
    return store.migrations;
  }
  await migrateServerStore(urlOf(config));
  return withDatabase(config, async (database) => (await readExtent(database.reads)).migrations);
}

export async function openAuditSource(config: Config): Promise<AuditSource> {
  if (config.mode === "embedded") return openSqliteAudit(config.dataDir);
  const database = openDatabase(config);
  const source = await openServerAuditSource(database).catch(async (error: unknown) => {
    await database.close();
    throw error;
  });
  // The source's own connection ends with the pool it came from.
  const close = source.close.bind(source);
  return Object.assign(source, {
    close: async () => {
      await close();
      await database.close();
    },
  });
}

/** Pages of the embedded store are of one snapshot; those of a server each show what was committed when they were read. */
export async function openExports(config: Config): Promise<Exports & { close(): void }> {
  if (config.mode === "embedded") return openSnapshotExports(config.dataDir);
  const database = openDatabase(config);
  await readExtent(database.reads).catch(async (error: unknown) => {
    await database.close();
    throw error;
  });
  return { ...exportReaders(database.reads), close: () => void database.close() };
}

/** The simulated provider's record where processes share it; undefined where it is a file of the data folder. */
export async function sharedProviderLines(config: Config): Promise<readonly string[] | undefined> {
  if (config.mode === "embedded") return undefined;
  const lines = await withDatabase(config, (database) => new ServerLines(database).read());
  return lines.length === 0 ? undefined : lines;
}

/** Who reads a whole store waits longer than a buyer does for a server that is busy with a sale. */
export const patientReading = { writesMax: 1, readsMax: 2, acquireTimeoutMs: 15_000, statementTimeoutMs: 60_000 } as const;
const openDatabase = (config: Config) => new ServerDatabase(openServerDriver(urlOf(config), patientReading));

async function withDatabase<Value>(config: Config, use: (database: ServerDatabase) => Promise<Value>): Promise<Value> {
  const database = openDatabase(config);
  try {
    return await use(database);
  } finally {
    await database.close();
  }
}

function urlOf({ databaseUrl }: Config): string {
  assert(databaseUrl !== undefined, "a shared store has an address");
  return databaseUrl;
}
