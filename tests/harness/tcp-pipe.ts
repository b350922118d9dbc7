/**
 * One direction of a connection through the fault proxy. Bytes wait here while the line is slow or held, so many and no
 * more: beyond that the sender is not read, and waits in turn as it would for a slow network.
 */
import type { Socket } from "node:net";

export type Direction = "requests" | "replies";

/** What the proxy does to every connection at this time. */
export type Line = {
  latencyMs: number;
  bytesPerSecond: number;
  /** Nothing passes, and nothing is lost. */
  isHeld: boolean;
  /** What goes this way is read and thrown away. */
  readonly swallows: Record<Direction, boolean>;
  /** So many more bytes may pass a connection this way before it is cut. */
  readonly passes: Record<Direction, number>;
};

/** Beyond it nothing is read; what one read brings may come on top. */
const queuedMax = 256 * 1_024;
/** A slow line is written in pieces of so much of a second. */
const pieceSeconds = 0.05;

type Ends = { readonly source: Socket; readonly sink: Socket };

export class TcpPipe {
  readonly #direction: Direction;
  readonly #line: Line;
  readonly #ends: Ends;
  readonly #queue: { bytes: Buffer; readonly takenMs: number }[] = [];
  #queuedBytes = 0;
  #freeAtMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isFull = false;
  #hasEnded = false;
  #passes: number;
  /** Whether bytes or the end were thrown away: what comes after them makes no sense. */
  hasLost = false;

  constructor(direction: Direction, line: Line, ends: Ends) {
    this.#direction = direction;
    this.#line = line;
    this.#ends = ends;
    this.#passes = line.passes[direction];
    ends.source.on("data", (bytes: Buffer) => this.#take(bytes));
    ends.source.on("end", () => this.#end());
    ends.sink.on("drain", () => {
      this.#isFull = false;
      this.poke();
    });
  }

  /** What waits here, and what the receiver has not taken. */
  get queuedBytes(): number {
    return this.#queuedBytes + this.#ends.sink.writableLength;
  }

  /** Bytes are counted from now on. */
  limit(): void {
    this.#passes = this.#line.passes[this.#direction];
  }

  /** Looks again at what waits, since the line may have changed. */
  poke(): void {
    clearTimeout(this.#timer);
    for (let head = this.#queue[0]; head !== undefined && !this.#isFull && !this.#line.isHeld; head = this.#queue[0]) {
      const waitMs = Math.max(head.takenMs + this.#line.latencyMs, this.#freeAtMs) - performance.now();
      if (waitMs > 0 && this.#isSlow) {
        this.#timer = setTimeout(() => this.poke(), waitMs);
        return;
      }
      this.#write(head);
    }
    if (this.#queue.length === 0 && this.#hasEnded && !this.#line.isHeld) this.#ends.sink.end();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
    this.#queuedBytes = 0;
  }

  get #isSlow(): boolean {
    return this.#line.latencyMs > 0 || this.#line.bytesPerSecond < Number.POSITIVE_INFINITY;
  }

  #take(bytes: Buffer): void {
    if (this.#line.swallows[this.#direction]) {
      this.hasLost = true;
      return;
    }
    this.#queue.push({ bytes, takenMs: performance.now() });
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes > queuedMax) this.#ends.source.pause();
    this.poke();
  }

  #end(): void {
    if (this.#line.swallows[this.#direction]) this.hasLost = true;
    else {
      this.#hasEnded = true;
      this.poke();
    }
  }

  #write(head: { bytes: Buffer }): void {
    const { bytesPerSecond } = this.#line;
    const pieceMax = Math.max(1, Math.floor(bytesPerSecond * pieceSeconds));
    const piece = head.bytes.subarray(0, Math.min(pieceMax, this.#passes));
    if (piece.length === head.bytes.length) this.#queue.shift();
    else head.bytes = head.bytes.subarray(piece.length);
    this.#queuedBytes -= piece.length;
    this.#passes -= piece.length;
    this.#freeAtMs = Math.max(performance.now(), this.#freeAtMs) + (piece.length * 1_000) / bytesPerSecond;
    this.#isFull = !this.#ends.sink.write(piece);
    if (this.#passes === 0) return this.#cut();
    if (this.#queuedBytes <= queuedMax) this.#ends.source.resume();
  }

  /** The receiver gets what has passed and an end, which a reset could overtake; the sender is reset. */
  #cut(): void {
    const { source, sink } = this.#ends;
    this.stop();
    sink.end(() => sink.destroy());
    source.resetAndDestroy();
  }
}
