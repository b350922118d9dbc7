/**
 * One server per data folder. The lock is an exclusive SQLite transaction on a file of its own: the kernel lets go of it
 * with the process, however that ends, so it is never stale. A text file beside it says who holds it.
 */
import Database from "better-sqlite3";
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const lockName = "lock.db";
const holderName = "lock.pid";
/** Long enough for whoever only looks at the lock to be gone again. */
const lookMaxMs = 100;

export class DataFolderLock {
  readonly #database: Database.Database;

  private constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Makes the folder if need be. Throws DataFolderLocked when a server has it. */
  static take(dataDir: string): DataFolderLock {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const database = new Database(join(dataDir, lockName), { timeout: lookMaxMs });
    try {
      database.exec("BEGIN EXCLUSIVE");
    } catch (error) {
      database.close();
      throw isBusy(error) ? new DataFolderLocked(dataDir, holderOf(dataDir), error) : error;
    }
    noteHolder(dataDir);
    return new DataFolderLock(database);
  }

  release(): void {
    this.#database.close();
  }
}

export class DataFolderLocked extends Error {
  override readonly name = "DataFolderLocked";
  readonly code = "data_folder_locked";
  constructor(dataDir: string, holder: string, cause?: unknown) {
    super(`Open the data folder "${dataDir}": the server with process id ${holder} has it; stop that one or use another folder`, { cause });
  }
}

/** Whether a server has the folder. Holds a reader's lock for a moment, which a starting server waits for. */
export function lockState(dataDir: string): { readonly held: boolean; readonly holder: string | undefined } {
  const path = join(dataDir, lockName);
  if (!existsSync(path)) return { held: false, holder: undefined };
  const database = new Database(path, { readonly: true, timeout: 0 });
  try {
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
    return { held: false, holder: undefined };
  } catch (error) {
    if (!isBusy(error)) throw error;
    return { held: true, holder: holderOf(dataDir) };
  } finally {
    database.close();
  }
}

const isBusy = (error: unknown) => error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_BUSY");

/** For the message only, so a full disk does not keep a server from starting. */
function noteHolder(dataDir: string): void {
  try {
    writeFileSync(join(dataDir, holderName), `${process.pid}\n`);
    const folder = openSync(dataDir, "r");
    fsyncSync(folder);
    closeSync(folder);
  } catch {
    // The lock itself is held.
  }
}

function holderOf(dataDir: string): string {
  try {
    return readFileSync(join(dataDir, holderName), "utf8").trim() || "unknown";
  } catch {
    return "unknown";
  }
}
