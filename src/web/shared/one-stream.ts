/**
 * One stream for all tabs of a browser. The tab that holds the lock listens and passes on what it hears; when it is
 * closed, or hidden for a minute, the next one that is seen takes over. Browsers open six connections to a server at
 * most: a stream for each tab would stop the seventh from loading at all.
 *
 *   tab with the lock ── server's stream ──► BroadcastChannel ──► the other tabs
 *
 * Without Web Locks (pages that came insecurely) each tab listens by itself, as far as the server lets it.
 */
import type { StreamEvent } from "./event-reader.ts";
import type { Hearing } from "./live.ts";

export type Listening = { readonly start: () => void; readonly stop: () => void; readonly wake: () => void };
export type StreamMaker = (hears: { onEvent: (event: StreamEvent) => void; onHearing: (hearing: Hearing) => void }) => Listening;

export type Locks = Pick<LockManager, "request">;
export type Channel = Pick<BroadcastChannel, "postMessage" | "close"> & { onmessage: ((message: MessageEvent) => void) | null };

export type SharedStreamOptions = {
  /** The same in all tabs that want to hear the same. */
  readonly name: string;
  readonly make: StreamMaker;
  readonly onEvent: (event: StreamEvent) => void;
  readonly onHearing: (hearing: Hearing) => void;
  /** Of events with the same word only the last one is told to a tab that comes later. */
  readonly wordOf: (event: StreamEvent) => string;
  readonly locks?: Locks | undefined;
  readonly channel?: Channel | undefined;
};

type Word = { readonly event?: StreamEvent; readonly hearing?: Hearing; readonly hello?: true };

export class SharedStream {
  readonly #options: SharedStreamOptions;
  readonly #stream: Listening;
  readonly #channel: Channel | undefined;
  readonly #latest = new Map<string, StreamEvent>();
  #hearing: Hearing = "connecting";
  /** Gives up the lock, or the wish for it. */
  #leave: AbortController | undefined;
  #leads = false;

  constructor(options: SharedStreamOptions) {
    this.#options = options;
    this.#channel = options.channel;
    if (this.#channel !== undefined) this.#channel.onmessage = ({ data }) => this.#hear(data);
    this.#stream = options.make({
      onEvent: (event) => this.#tell({ event }),
      onHearing: (hearing) => this.#tell({ hearing }),
    });
  }

  get leads(): boolean {
    return this.#leads;
  }

  /** Somebody looks at this tab: it wants to hear. */
  join(): void {
    if (this.#leave !== undefined) return this.#stream.wake();
    const leave = new AbortController();
    this.#leave = leave;
    const { locks, name } = this.#options;
    if (locks === undefined) return this.#lead();
    this.#channel?.postMessage({ hello: true } satisfies Word);
    const over = new Promise<void>((resolve) => leave.signal.addEventListener("abort", () => resolve()));
    const lead = async () => {
      if (!leave.signal.aborted) this.#lead();
      await over;
    };
    // Refused only because this tab has stopped wishing for it.
    locks.request(`doorbuster.${name}`, { signal: leave.signal }, lead).catch(() => {});
  }

  /** Nobody looks at it any more. */
  part(): void {
    this.#leave?.abort();
    this.#leave = undefined;
    this.#leads = false;
    this.#stream.stop();
  }

  close(): void {
    this.part();
    this.#channel?.close();
  }

  wake(): void {
    if (this.#leads) this.#stream.wake();
  }

  #lead(): void {
    this.#leads = true;
    this.#stream.start();
  }

  /** Of the tab that listens: to itself and to the others. */
  #tell(word: Word): void {
    this.#channel?.postMessage(word);
    this.#take(word);
  }

  #hear(data: unknown): void {
    // Only our own tabs speak on this channel.
    const word = data as Word;
    if (word.hello === undefined) return this.#leave === undefined ? undefined : this.#take(word);
    if (!this.#leads) return;
    this.#channel?.postMessage({ hearing: this.#hearing } satisfies Word);
    for (const event of this.#latest.values()) this.#channel?.postMessage({ event } satisfies Word);
  }

  #take({ event, hearing }: Word): void {
    if (hearing !== undefined) {
      this.#hearing = hearing;
      this.#options.onHearing(hearing);
    }
    if (event === undefined) return;
    this.#latest.set(this.#options.wordOf(event), event);
    this.#options.onEvent(event);
  }
}
