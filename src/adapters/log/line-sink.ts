/**
 * Where lines go: a file that rolls over, or a descriptor that is open already. Writing never waits and never throws:
 * lines gather in memory while one write is under way, and beyond `bufferedMax`, or when a write fails, they are lost and
 * counted. A full disk or a reader that has stopped costs lines, never sales.
 *
 *   write ─► queue ─► one write at a time ─► file ─(rotateBytes reached)─► file.1 ─► file.2 … file.<keep>
 *
 * Invariant: lines arrive whole and in order; one that a failing write tore is closed by a line feed. A crash may write
 * the chunk that was under way twice, but leaves out nothing.
 */
import { close, fstatSync, open, openSync, write, writeSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import type { LogCounts } from "../../ports/log.ts";

/** Bytes that wait for the descriptor, at most. */
export const bufferedMax = 1024 * 1024;
const chunkMax = 64 * 1024;
/** Lines of so long go out in one write: a write of its own costs more than the line. */
const gatherMs = 10;
/** How long a descriptor that can take nothing just now is left alone, and how often the last flush tries it. */
const againMs = 20;
const lastTriesMax = 50;
const fileMode = 0o640;

export type Target =
  | { readonly kind: "descriptor"; readonly fd: number }
  /** Rolls over before it holds more than `rotateBytes` (0: never); `keep` older files stay. */
  | { readonly kind: "file"; readonly path: string; readonly rotateBytes: number; readonly keep: number };

export class LineSink {
  readonly counts: LogCounts = { dropped: 0, failed: 0, rotated: 0 };
  readonly #target: Target;
  readonly #writeTo: WriteTo;
  #fd: number;
  /** Of the file; a descriptor of somebody else's is never rolled over. */
  #size: number;
  readonly #queue: string[] = [];
  #queuedBytes = 0;
  /** What is being written. */
  #chunk: Buffer | undefined;
  /** Whether the last byte that was written ended a line. */
  #atLineStart = true;
  #mustReopen = false;
  #pumping: Promise<void> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;

  /** Throws if the file cannot be opened: better at the start than never. */
  constructor(target: Target, writeTo: WriteTo = writeOnce) {
    this.#target = target;
    this.#writeTo = writeTo;
    this.#fd = target.kind === "file" ? openSync(target.path, "a", fileMode) : target.fd;
    this.#size = target.kind === "file" ? fstatSync(this.#fd).size : 0;
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#queuedBytes + bytes > bufferedMax) {
      this.counts.dropped += 1;
      return;
    }
    this.#queue.push(line);
    this.#queuedBytes += bytes;
    if (this.#pumping === undefined) this.#soon ??= setTimeout(() => this.#start(), gatherMs).unref();
  }

  /** Opens the file anew by its name, after somebody else has moved it away. */
  reopen(): void {
    if (this.#target.kind !== "file") return;
    this.#mustReopen = true;
    this.#start();
  }

  /** Resolves when everything taken in has been written or counted as lost. */
  async flush(): Promise<void> {
    this.#start();
    while (this.#pumping !== undefined) await this.#pumping;
  }

  /** For the end of the process, when nothing can be waited for. */
  flushSync(): void {
    const rest = [this.#chunk, this.#takeLines(bufferedMax)].filter((part) => part !== undefined);
    this.#chunk = undefined;
    for (const bytes of rest) this.#writeAtLast(bytes);
  }

  #start(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#pumping ??= this.#pump();
  }

  async #pump(): Promise<void> {
    // Nothing of this may run before the promise of it is kept.
    await Promise.resolve();
    while (this.#queue.length > 0 || this.#mustReopen) {
      if (this.#mustReopen) await this.#open();
      const chunk = this.#takeLines(chunkMax);
      if (chunk === undefined) continue;
      await this.#rotateBefore(chunk.length);
      await this.#writeChunk(chunk);
    }
    this.#pumping = undefined;
  }

  /** One line at least. */
  #takeLines(bytesMax: number): Buffer | undefined {
    if (this.#queue.length === 0) return undefined;
    let [count, bytes] = [0, 0];
    while (count < this.#queue.length && (count === 0 || bytes < bytesMax)) bytes += Buffer.byteLength(this.#queue[count++] ?? "");
    const text = this.#queue.splice(0, count).join("");
    this.#queuedBytes -= bytes;
    return Buffer.from(this.#atLineStart ? text : `\n${text}`);
  }

  async #writeChunk(chunk: Buffer): Promise<void> {
    this.#chunk = chunk;
    while (this.#chunk !== undefined && this.#chunk.length > 0) {
      const rest: Buffer = this.#chunk;
      try {
        const written = await this.#writeTo(this.#fd, rest);
        this.#size += written;
        if (written > 0) this.#atLineStart = rest[written - 1] === lineFeed;
        // The last flush may have taken it meanwhile.
        this.#chunk = this.#chunk === undefined ? undefined : rest.subarray(written);
      } catch (error) {
        if (isBusy(error)) {
          await new Promise((resolve) => setTimeout(resolve, againMs).unref());
          continue;
        }
        this.counts.failed += linesIn(rest);
        break;
      }
    }
    this.#chunk = undefined;
  }

  async #rotateBefore(bytes: number): Promise<void> {
    const { kind } = this.#target;
    if (kind !== "file") return;
    const { path, rotateBytes, keep } = this.#target;
    if (rotateBytes === 0 || this.#size === 0 || this.#size + bytes <= rotateBytes) return;
    try {
      for (let n = keep - 1; n >= 1; n--) await rename(`${path}.${n}`, `${path}.${n + 1}`).catch(ignoreMissing);
      await (keep === 0 ? rm(path) : rename(path, `${path}.1`));
      this.counts.rotated += 1;
    } catch {
      // It grows on: a log that is too long is better than none.
    }
    await this.#open();
  }

  async #open(): Promise<void> {
    this.#mustReopen = false;
    if (this.#target.kind !== "file") return;
    const { path } = this.#target;
    const fd = await new Promise<number | undefined>((resolve) => {
      open(path, "a", fileMode, (error, opened) => resolve(error === null ? opened : undefined));
    });
    // The old file goes on taking lines as long as there is no new one.
    if (fd === undefined) return;
    close(this.#fd, () => undefined);
    this.#fd = fd;
    this.#size = fstatSync(fd).size;
    this.#atLineStart = true;
  }

  #writeAtLast(bytes: Buffer): void {
    let rest = bytes;
    for (let tries = 0; rest.length > 0 && tries < lastTriesMax;) {
      try {
        rest = rest.subarray(writeSync(this.#fd, rest));
      } catch (error) {
        if (!isBusy(error)) break;
        tries += 1;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, againMs);
      }
    }
    if (rest.length > 0) this.counts.failed += linesIn(rest);
  }
}

export type WriteTo = (fd: number, bytes: Buffer) => Promise<number>;

const writeOnce: WriteTo = (fd, bytes) =>
  new Promise((resolve, reject) => {
    write(fd, bytes, (error, written) => (error === null ? resolve(written) : reject(error)));
  });

const lineFeed = 10;
/** The feed that closes a torn line is nobody's line. */
const linesIn = (bytes: Uint8Array): number => bytes.reduce((lines, byte, at) => lines + Number(byte === lineFeed && at > 0), 0);
const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? error.code : undefined);
const isBusy = (error: unknown): boolean => codeOf(error) === "EAGAIN" || codeOf(error) === "EBUSY";

function ignoreMissing(error: unknown): void {
  if (codeOf(error) !== "ENOENT") throw error;
}
