import { createHash } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";

/**
 * A history on disk. Each line reaches the operating system before `append` returns, so the record outlives its driver;
 * it is not synced, for a driver does not survive a power cut either.
 */
export class HistoryFile {
  readonly path: string;
  readonly #descriptor: number;

  constructor(path: string) {
    this.path = path;
    this.#descriptor = openSync(path, "a", 0o600);
  }

  append(line: string): void {
    writeSync(this.#descriptor, line);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** 16 hexadecimal digits of SHA-256. */
export const shortHash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);
