import Database from "better-sqlite3";
import { afterEach, expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cleanUp } from "../../../tests/harness/cleanup.ts";
import { tempFolder } from "../../../tests/harness/volumes.ts";
import { DataFolderLock, DataFolderLocked, lockState } from "./data-folder-lock.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { storeFacts } from "./store-facts.ts";

afterEach(cleanUp);

test("[H7] a folder without a database is looked at without making one", () => {
  const { path } = tempFolder();
  expect(storeFacts(join(path, "absent"), { full: false })).toMatchObject({ lock: { held: false }, database: { kind: "absent" } });
  expect(storeFacts(path, { full: false })).toMatchObject({ database: { kind: "absent" } });
  expect(readdirSync(path)).toEqual([]);
});

test("[H7] a store is read while a server has it, and its lock is seen without being taken", async () => {
  const { path } = tempFolder();
  const store = await openSqliteStore({ dataDir: path });
  const facts = storeFacts(path, { full: true });
  expect(facts.lock).toEqual({ held: true, holder: String(process.pid) });
  expect(facts.database).toMatchObject({ kind: "read", damage: [], lastAtMs: 0 });
  expect(facts.database.kind === "read" && facts.database.schema === facts.database.schemaKnown).toBe(true);
  expect(() => DataFolderLock.take(path)).toThrow(DataFolderLocked);
  await store.close();
  expect(storeFacts(path, { full: false }).lock.held).toBe(false);
});

test("looking at a lock leaves none behind", () => {
  const { path } = tempFolder();
  DataFolderLock.take(path).release();
  expect(lockState(path)).toEqual({ held: false, holder: undefined });
  const lock = DataFolderLock.take(path);
  expect(lockState(path).held).toBe(true);
  lock.release();
});

test("what is no database, or not ours, is said and left as it is", () => {
  const { path } = tempFolder();
  writeFileSync(join(path, "doorbuster.db"), "no database at all, but long enough to be looked at ".repeat(40));
  expect(storeFacts(path, { full: false }).database).toMatchObject({
    kind: "unreadable",
    problem: expect.stringContaining("not a database"),
  });
  const other = join(path, "other");
  mkdirSync(other);
  const database = new Database(join(other, "doorbuster.db"));
  database.exec("CREATE TABLE somebody_elses (a)");
  database.close();
  expect(storeFacts(other, { full: false }).database).toMatchObject({ kind: "read", schema: 0, lastAtMs: undefined, damage: [] });
});
