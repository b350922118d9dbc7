/**
 * Where the simulated provider keeps its record: lines, appended and never changed.
 *
 * Must stay true: a line is durable when `append` resolves, and lines are read back whole and in order. What was cut off
 * in the middle of a write was never acknowledged and is dropped.
 */
import { open, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";

export interface ProviderJournal {
  /** The lines so far, read once at the start. */
  read(): Promise<readonly string[]>;
  /** Those that other processes added since; absent where the journal is this one's alone. */
  readNew?(): Promise<readonly string[]>;
  /** Rejects when the line could not be kept; it may still be found later. */
  append(line: string): Promise<void>;
  close(): Promise<void>;
}

/** Lives as long as its object: for tests, and as the simulation's disk. */
export class MemoryJournal implements ProviderJournal {
  readonly lines: string[];

  constructor(lines: readonly string[] = []) {
    this.lines = [...lines];
  }

  read(): Promise<readonly string[]> {
    return Promise.resolve([...this.lines]);
  }

  append(line: string): Promise<void> {
    this.lines.push(line);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

type Waiting = { readonly line: string; readonly resolve: () => void; readonly reject: (error: unknown) => void };

/** A file of lines. What is appended while a write is under way goes into the next one, so a storm costs few syncs. */
export class FileJournal implements ProviderJournal {
  readonly #file: FileHandle;
  #lines: readonly string[];
  /** Bytes known to be whole lines; a write that failed is cut off before the next. */
  #size: number;
  #torn = false;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  private constructor(file: FileHandle, lines: readonly string[], size: number) {
    this.#file = file;
    this.#lines = lines;
    this.#size = size;
  }

  static async open(path: string): Promise<FileJournal> {
    const file = await open(path, "a+", 0o600);
    const { lines, size, torn } = await readWholeLines(file);
    if (torn) {
      await file.truncate(size);
      await file.datasync();
    }
    // A new file is durable once its folder is.
    const folder = await open(dirname(path), "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
    return new FileJournal(file, lines, size);
  }

  read(): Promise<readonly string[]> {
    const lines = this.#lines;
    this.#lines = [];
    return Promise.resolve(lines);
  }

  append(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      const bytes = Buffer.from(batch.map(({ line }) => `${line}\n`).join(""));
      try {
        if (this.#torn) await this.#file.truncate(this.#size);
        this.#torn = true;
        await this.#file.appendFile(bytes);
        await this.#file.datasync();
        this.#torn = false;
        this.#size += bytes.length;
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    // In the same turn in which nothing was left, so that whoever appends next begins a new round.
    this.#writing = undefined;
  }
}

async function readWholeLines(file: FileHandle): Promise<{ lines: string[]; size: number; torn: boolean }> {
  const bytes = await file.readFile();
  const size = bytes.lastIndexOf(10) + 1;
  const lines = size === 0 ? [] : bytes.toString("utf8", 0, size - 1).split("\n");
  return { lines, size, torn: size < bytes.length };
}
