/**
 * Hears of changes: by the server's stream; after two failures by asking now and then, with the stream tried again in
 * between; and says at all times how well it hears.
 *
 *   stream ─ ends, fails ─► wait ─► stream ─ fails ─► wait ─► ask ─ wait ─ ask ─ wait ─ ask ─ wait ─► stream …
 *
 * Must stay true: nobody comes again before the server's Retry-After, and the waits are drawn apart in proportion, or a
 * crowd that was thrown out together would come back together.
 */
import { retryAfterOf, type Fetch, type Told } from "./api.ts";
import { EventReader, type StreamEvent } from "./event-reader.ts";

export type Hearing = "connecting" | "live" | "polling" | "reconnecting" | "offline";

export type LiveOptions = {
  readonly url: string;
  /** Headers of whoever listens, anew for each connection; undefined if it may not listen now. */
  readonly headers: () => Promise<Readonly<Record<string, string>> | undefined>;
  readonly onEvent: (event: StreamEvent) => void;
  readonly onHearing: (hearing: Hearing) => void;
  /** Asks for what the stream would tell, and passes it on itself. */
  readonly poll: () => Promise<Told<unknown>>;
  readonly deps?: Partial<LiveDeps>;
};

export type LiveDeps = {
  readonly fetch: Fetch;
  readonly random: () => number;
  /** Resolves after that time, or when the signal says so. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
};

const failuresBeforePolling = 2;
/** While polling, each so many rounds the stream is tried again. */
const streamEvery = 4;
const pollMs = 5_000;
const reconnectMs = 2_000;
/** The server sends something every 15 s: a connection that is silent for longer is dead, whatever the socket says. */
const silenceMaxMs = 40_000;

type Heard = { readonly heard: boolean; readonly retryAfterMs: number | undefined };

export class LiveStream {
  readonly #options: LiveOptions;
  readonly #deps: LiveDeps;
  readonly #reader = new EventReader();
  #run: AbortController | undefined;
  #waiting: AbortController | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#deps = { fetch: (input, init) => fetch(input, init), random: Math.random, wait: waitFor, ...options.deps };
  }

  start(): void {
    if (this.#run !== undefined) return;
    this.#run = new AbortController();
    void this.#keepOn(this.#run.signal);
  }

  stop(): void {
    this.#run?.abort();
    this.#run = undefined;
    this.#waiting?.abort();
  }

  /** Something says that it may work now: the next try is made at once. Not before a Retry-After. */
  wake(): void {
    this.#waiting?.abort();
  }

  async #keepOn(signal: AbortSignal): Promise<void> {
    const { onHearing } = this.#options;
    for (let failures = 0; !signal.aborted;) {
      const asksStream = failures < failuresBeforePolling || failures % streamEvery === 0;
      if (asksStream) {
        if (failures <= failuresBeforePolling) onHearing(failures === 0 ? "connecting" : "reconnecting");
        const { heard, retryAfterMs } = await this.#listen(signal);
        failures = heard ? 1 : failures + 1;
        if (!signal.aborted && heard) onHearing("reconnecting");
        await this.#pause(heard ? (this.#reader.retryMs ?? reconnectMs) : reconnectMs, retryAfterMs, signal);
      } else {
        const told = await this.#options.poll();
        if (signal.aborted) return;
        onHearing(told.kind === "done" ? "polling" : told.kind === "no" ? "reconnecting" : "offline");
        failures += 1;
        await this.#pause(pollMs, told.kind === "no" ? told.retryAfterMs : undefined, signal);
      }
    }
  }

  /** From half as long to half as long again; then on until the server's floor, which nothing cuts short. */
  async #pause(meanMs: number, floorMs = 0, signal: AbortSignal): Promise<void> {
    const { wait, random } = this.#deps;
    if (floorMs > 0) await wait(floorMs, signal);
    if (signal.aborted) return;
    this.#waiting = new AbortController();
    await wait(meanMs * (0.5 + random()), AbortSignal.any([signal, this.#waiting.signal]));
  }

  /** Until the stream ends; whether it was one. */
  async #listen(signal: AbortSignal): Promise<Heard> {
    const headers = await this.#options.headers();
    if (headers === undefined || signal.aborted) return { heard: false, retryAfterMs: undefined };
    const broken = new AbortController();
    const known = this.#reader.lastId === undefined ? {} : { "Last-Event-ID": this.#reader.lastId };
    let heard = false;
    try {
      const response = await this.#deps.fetch(this.#options.url, {
        cache: "no-store",
        headers: { Accept: "text/event-stream", ...headers, ...known },
        signal: AbortSignal.any([signal, broken.signal]),
      });
      if (!response.ok || response.body === null) return { heard, retryAfterMs: retryAfterOf(response.headers) };
      this.#reader.reset();
      heard = true;
      this.#options.onHearing("live");
      await this.#readAll(response.body, broken);
    } catch {
      // A connection that broke; what it had told counts.
    }
    return { heard, retryAfterMs: undefined };
  }

  async #readAll(body: ReadableStream<Uint8Array>, broken: AbortController): Promise<void> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const silence = setTimeout(() => broken.abort(), silenceMaxMs);
      const { done, value } = await reader.read().finally(() => clearTimeout(silence));
      if (done) return;
      for (const event of this.#reader.push(decoder.decode(value, { stream: true }))) this.#options.onEvent(event);
    }
  }
}

function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
