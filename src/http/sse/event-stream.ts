/**
 * One client's stream: bytes go in, and wait in a bounded queue until the socket takes them. Who lags behind the bound is
 * cut off, for the queue is memory of ours and its end would be old news.
 *
 *   send ─► queue (≤ backlogBytesMax) ─► the listener reads as fast as the client does
 *             full: cut
 *
 * Must stay true: it ends once, however it ends, and tells so once; nothing goes in behind the end.
 */
export const backlogBytesMax = 64 * 1024;

/** The client left, or lagged; or we said the last word. */
export type StreamEnd = "left" | "lagged" | "ended";

/** What the socket's owner can do for a stream; listeners that have nothing to do leave it out. */
export type StreamSocket = {
  /** Lets the connection stand quiet for longer than an ordinary request may. */
  holdOpen(): void;
  /** Closes the connection, whatever is still on its way. */
  cutOff(): void;
};

export class EventStream {
  readonly body: ReadableStream<Uint8Array>;
  readonly #socket: StreamSocket | undefined;
  readonly #onEnd: (end: StreamEnd) => void;
  readonly #backlogMax: number;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  /** `backlogMax`: more than `backlogBytesMax` only where a test plants the bug. */
  constructor(ask: { socket: StreamSocket | undefined; onEnd: (end: StreamEnd) => void; backlogMax?: number | undefined }) {
    this.#socket = ask.socket;
    this.#onEnd = ask.onEnd;
    this.#backlogMax = ask.backlogMax ?? backlogBytesMax;
    // No byte stream: that would take the bytes away from the other clients they go to.
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller: ReadableStreamDefaultController<Uint8Array>) => void (this.#controller = controller),
        cancel: () => void this.#finish("left"),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: backlogBytesMax }),
    );
    ask.socket?.holdOpen();
  }

  get isOpen(): boolean {
    return this.#controller !== undefined;
  }

  /** Bytes that the client has not taken yet, of ours; the sockets on both sides hold more. */
  get backlogBytes(): number {
    return backlogBytesMax - (this.#controller?.desiredSize ?? backlogBytesMax);
  }

  send(bytes: Uint8Array): void {
    const controller = this.#controller;
    if (controller === undefined) return;
    if (this.backlogBytes + bytes.length > this.#backlogMax) this.cut();
    else controller.enqueue(bytes);
  }

  /** The client lags, and shall come again. */
  cut(): void {
    const controller = this.#controller;
    if (!this.#finish("lagged")) return;
    // An error would be printed by the listener and, on Node, written to the client.
    controller?.close();
    this.#socket?.cutOff();
  }

  /** The client is not there any more, though nobody reads the body that could have noticed. */
  leave(): void {
    this.#finish("left");
  }

  end(lastWords: Uint8Array): void {
    const controller = this.#controller;
    this.send(lastWords);
    if (!this.#finish("ended")) return;
    controller?.close();
  }

  #finish(end: StreamEnd): boolean {
    if (this.#controller === undefined) return false;
    this.#controller = undefined;
    this.#onEnd(end);
    return true;
  }
}
