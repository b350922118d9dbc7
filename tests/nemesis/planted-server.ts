/**
 * A planted bug for the kill test: a server that says yes before it is durable. The real server works on a copy of its
 * store that a kill takes away; every so often the copy is written back. What was accepted in between is lost.
 */
import { Database } from "bun:sqlite";
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { databaseName } from "../../src/adapters/sql/sqlite-connection.ts";

const writeBackMs = 150;
const durable = process.env["DOORBUSTER_DATA_DIR"] ?? "";
// Beside the durable one, or where the test says, so that it goes with the test's folder when a kill leaves it behind.
const volatile = mkdtempSync(process.env["PLANTED_FOLDER"] ?? `${durable}-volatile-`);
if (existsSync(durable)) cpSync(durable, volatile, { recursive: true });
mkdirSync(durable, { recursive: true });

// Not by the harness: its cleanup answers signals itself, and this process must hand them on.
const child = spawn(process.execPath, ["--no-env-file", "--no-install", "src/main.ts", "serve"], {
  cwd: join(import.meta.dirname, "..", ".."),
  stdio: "inherit",
  env: { ...process.env, DOORBUSTER_DATA_DIR: volatile },
});
const timer = setInterval(tryWriteBack, writeBackMs);
child.on("exit", (code) => {
  clearInterval(timer);
  tryWriteBack();
  rmSync(volatile, { recursive: true, force: true });
  process.exit(code ?? 1);
});
process.on("SIGTERM", () => child.kill("SIGTERM"));

/** The bug goes on also where the store cannot be written any more: that is what makes it one. */
function tryWriteBack(): void {
  try {
    writeBack();
  } catch (error) {
    process.stderr.write(`planted: not written back: ${String(error)}\n`);
  }
}

/** Puts a consistent copy of the database in place of the durable one, and the other files of the store beside it. */
function writeBack(): void {
  for (const name of readdirSync(volatile)) {
    const from = join(volatile, name);
    const to = join(durable, name);
    if (name !== databaseName) {
      // Not the lock, which is held, nor what belongs to the open database.
      if (/\.(jsonl|secret)$/.test(name)) cpSync(from, to);
      continue;
    }
    const fresh = `${to}.fresh`;
    rmSync(fresh, { force: true });
    const database = new Database(from);
    try {
      database.run(`VACUUM INTO '${fresh}'`);
    } finally {
      database.close();
    }
    for (const suffix of ["-wal", "-shm"]) rmSync(to + suffix, { force: true });
    renameSync(fresh, to);
  }
}
