/**
 * The embedded store as `doorbuster doctor` sees it: opened for reading only and for a moment, beside a running server or
 * without one. Nothing is locked that a server would wait for.
 */
import Database from "better-sqlite3";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseFacts, StoreFacts } from "../../ports/store-facts.ts";
import { lockState } from "./data-folder-lock.ts";
import { migrations } from "./migrate.ts";
import { databaseName, openReadOnly, sqliteVersionMin } from "./sqlite-connection.ts";

/** Checking takes about a second for each. */
const checkedBytesMax = 1_000_000_000;
const remarksMax = 20;

/** `full`: check the pages however large the file is. */
export function storeFacts(dataDir: string, { full }: { readonly full: boolean }): StoreFacts {
  const path = join(dataDir, databaseName);
  return { sqliteVersion: sqliteVersion(), sqliteVersionMin, lock: lockState(dataDir), database: databaseAt(path, dataDir, full) };
}

function databaseAt(path: string, dataDir: string, full: boolean): StoreFacts["database"] {
  if (!existsSync(path)) return { kind: "absent" };
  let database: Database.Database | undefined;
  try {
    database = openReadOnly(dataDir);
    return read(database, path, full);
  } catch (error) {
    return { kind: "unreadable", problem: error instanceof Error ? error.message : String(error) };
  } finally {
    database?.close();
  }
}

function read(database: Database.Database, path: string, full: boolean): DatabaseFacts {
  const bytes = statSync(path).size;
  const schema = hasTable(database, "migration") ? numberFrom(database, "SELECT coalesce(max(number), 0) FROM migration") : 0;
  return {
    kind: "read",
    path,
    bytes,
    logBytes: statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
    schema: schema ?? 0,
    schemaKnown: migrations.at(-1)?.number ?? 0,
    lastAtMs: hasTable(database, "store") ? numberFrom(database, "SELECT last_at FROM store WHERE one = 1") : undefined,
    damage: full || bytes <= checkedBytesMax ? damageOf(database) : "skipped",
  };
}

function damageOf(database: Database.Database): readonly string[] {
  const remarks = database.prepare<[], string>(`PRAGMA quick_check(${remarksMax})`).pluck().all();
  return remarks.length === 1 && remarks[0] === "ok" ? [] : remarks;
}

function hasTable(database: Database.Database, name: string): boolean {
  return database.prepare<[string], string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== undefined;
}

function numberFrom(database: Database.Database, sql: string): number | undefined {
  return database.prepare<[], number>(sql).pluck().get();
}

function sqliteVersion(): string {
  const database = new Database(":memory:");
  try {
    return database.prepare<[], string>("SELECT sqlite_version()").pluck().get() ?? "0";
  } finally {
    database.close();
  }
}
