/**
 * All open streams: how many each buyer and each client may have, who must go, and who has been quiet for so long that a
 * proxy might close the connection. One tick for all of them, and none while there are none.
 *
 * Must stay true: a place is taken before anything waits, and given back exactly once, however the stream ends.
 */
import type { BuyerId } from "../../domain/ids.ts";
import { assert } from "../../lib/assert.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Entropy } from "../../ports/entropy.ts";
import type { CancelTask, Tasks } from "../../ports/tasks.ts";
import { EventStream, type StreamEnd, type StreamSocket } from "./event-stream.ts";
import { authExpiredFrame, drainingFrame, heartbeatFrame, retryFrame } from "./frames.ts";

export const streamsPerBuyerMax = 3;
export const streamsPerClientMax = 50;
export const heartbeatMs = 15_000;
const tickMs = 1_000;
/** One less, for a stream may fall quiet between two ticks. */
const quietTicksMax = heartbeatMs / tickMs - 1;

export type StreamAsk = {
  /** Whom the stream is counted for; see client-address.ts. */
  readonly client: string;
  readonly buyerId?: BuyerId | undefined;
  readonly socket?: StreamSocket | undefined;
  /** Aborted when the client leaves. */
  readonly signal?: AbortSignal | undefined;
  /** Whether who asked may still hear, looked at before each private word and every second. */
  readonly mayStay?: ((nowMs: number) => boolean) | undefined;
  readonly onEnd: () => void;
};
export type StreamOpening =
  | { readonly kind: "open"; readonly stream: EventStream }
  | { readonly kind: "full"; readonly of: "buyer" | "client" | "server"; readonly max: number };

export type StreamsOptions = {
  readonly streamsMax: number;
  /** Passed on to each stream; see event-stream.ts. */
  readonly backlogMax?: number | undefined;
};

type Member = { readonly mayStay: StreamAsk["mayStay"]; quietTicks: number };

export class Streams {
  readonly #clock: Clock;
  readonly #tasks: Tasks;
  readonly #entropy: Pick<Entropy, "random">;
  readonly #options: StreamsOptions;
  readonly #members = new Map<EventStream, Member>();
  readonly #perBuyer = new Map<BuyerId, number>();
  readonly #perClient = new Map<string, number>();
  #cancelTick: CancelTask | undefined;
  /** Frames that clients were sent, streams cut because they lagged, and streams refused because there were too many. */
  readonly counts = { frames: 0, lagged: 0, refused: 0 };

  constructor(deps: { clock: Clock; tasks: Tasks; entropy: Pick<Entropy, "random"> }, options: StreamsOptions) {
    this.#clock = deps.clock;
    this.#tasks = deps.tasks;
    this.#entropy = deps.entropy;
    this.#options = options;
  }

  get size(): number {
    return this.#members.size;
  }

  /** How many buyers and clients have streams. */
  get holders(): number {
    return this.#perBuyer.size + this.#perClient.size;
  }

  open(ask: StreamAsk): StreamOpening {
    const full = this.#fullFor(ask);
    if (full !== undefined) {
      this.counts.refused += 1;
      return full;
    }
    const { client, buyerId, socket, signal, mayStay, onEnd } = ask;
    addOne(this.#perClient, client);
    if (buyerId !== undefined) addOne(this.#perBuyer, buyerId);
    const stream: EventStream = new EventStream({
      socket,
      backlogMax: this.#options.backlogMax,
      onEnd: (end) => {
        removeOne(this.#perClient, client);
        if (buyerId !== undefined) removeOne(this.#perBuyer, buyerId);
        this.#forget(stream, end);
        onEnd();
      },
    });
    this.#members.set(stream, { mayStay, quietTicks: 0 });
    stream.send(retryFrame(this.#entropy.random()));
    this.#cancelTick ??= this.#tasks.after(tickMs, () => this.#tick());
    if (signal?.aborted) stream.leave();
    else signal?.addEventListener("abort", () => stream.leave(), { once: true });
    return { kind: "open", stream };
  }

  /** One event to one client. */
  tell(stream: EventStream, frame: Uint8Array): void {
    const member = this.#members.get(stream);
    if (member === undefined) return;
    member.quietTicks = 0;
    this.counts.frames += 1;
    stream.send(frame);
  }

  /** Whether the stream's holder may still hear; if not, the stream has ended. */
  mayHear(stream: EventStream, nowMs = this.#clock.nowMs()): boolean {
    const member = this.#members.get(stream);
    if (member === undefined) return false;
    if (member.mayStay?.(nowMs) ?? true) return true;
    stream.end(authExpiredFrame);
    return false;
  }

  /** The server stops: everybody is told, and comes again in time of its own. */
  endAll(): void {
    for (const stream of this.#members.keys()) stream.end(drainingFrame);
    assert(this.#members.size === 0, "no stream outlives the last word");
  }

  #fullFor({ client, buyerId }: StreamAsk): StreamOpening | undefined {
    if (buyerId !== undefined && (this.#perBuyer.get(buyerId) ?? 0) >= streamsPerBuyerMax)
      return { kind: "full", of: "buyer", max: streamsPerBuyerMax };
    if ((this.#perClient.get(client) ?? 0) >= streamsPerClientMax) return { kind: "full", of: "client", max: streamsPerClientMax };
    const { streamsMax } = this.#options;
    return this.#members.size >= streamsMax ? { kind: "full", of: "server", max: streamsMax } : undefined;
  }

  #forget(stream: EventStream, end: StreamEnd): void {
    this.#members.delete(stream);
    if (end === "lagged") this.counts.lagged += 1;
    if (this.#members.size > 0) return;
    this.#cancelTick?.();
    this.#cancelTick = undefined;
  }

  #tick(): void {
    const nowMs = this.#clock.nowMs();
    const heartbeat = heartbeatFrame(nowMs);
    this.#cancelTick = this.#tasks.after(tickMs, () => this.#tick());
    for (const [stream, member] of this.#members) {
      if (!this.mayHear(stream, nowMs)) continue;
      member.quietTicks += 1;
      if (member.quietTicks < quietTicksMax) continue;
      member.quietTicks = 0;
      stream.send(heartbeat);
    }
  }
}

function addOne<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function removeOne<Key>(counts: Map<Key, number>, key: Key): void {
  const left = (counts.get(key) ?? 0) - 1;
  assert(left >= 0, "a place that is given back was taken");
  if (left === 0) counts.delete(key);
  else counts.set(key, left);
}
