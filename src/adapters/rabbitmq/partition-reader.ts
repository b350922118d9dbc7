/**
 * Reads one partition for as long as it is not stopped, whatever the broker takes away meanwhile: the channel, the consumer,
 * the queue, the connection.
 *
 *   a connection ─► declare the queue, consume ─► deliveries … ─► the channel's end ─► the call in hand ends ─► a pause ─► again
 *
 * Must stay true: whatever ends the channel, another one is opened; one call of the handler at a time; what came on a
 * channel is acknowledged on that one or not at all; what a handler has thrown at comes again, with all behind it.
 */
import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";
import { backoffMs } from "../../lib/backoff.ts";
import type { Delivery } from "../../ports/journal.ts";
import { declarePartition, queueName } from "./partitions.ts";
import type { LinkOptions, RabbitLink } from "./rabbit-link.ts";

/** Messages that a reader may hold: its commits take what has come meanwhile. */
export const prefetched = 64;
/** A channel on which something was left is opened again after so long. */
const againAfterMs = 200;
const pause = { baseMs: 50, ceilingMs: 2_000 };
/** A queue that is being deleted tells its consumers before it is gone: one who comes at once may be let in, and never hears again. */
const afterDeletionMs = 1_000;
/**
 * A broker may forget to say that a queue was deleted and made anew, go on counting its consumer, and count as delivered what
 * nobody was given: nothing that can be asked of it tells. So a reader that was given nothing for so long, and has nothing in
 * hand, opens its channel anew, and whatever was counted as its own comes again.
 */
const idleMaxMs = 10_000;

export type Handle = (deliveries: readonly Delivery[]) => Promise<void>;
type ReaderOptions = Pick<LinkOptions, "onError" | "onRecovered"> & { readonly partition: number; readonly handle: Handle };
/** Something of it was left, and is to come again; or nothing came for long; or it was lost. */
type End = "left" | "idle" | Error;
const takenAway = new Error("the broker has taken the queue away, or gives it to another");

export class PartitionReader {
  readonly #link: RabbitLink;
  readonly #options: ReaderOptions;
  #channel: Channel | undefined;
  #end: (end: End) => void = () => undefined;
  #waiting: ConsumeMessage[] = [];
  #working: Promise<void> | undefined;
  /** Losses since something was last dealt with. */
  #losses = 0;
  #wasLost = false;
  /** Deliveries so far. */
  #given = 0;
  #isStopped = false;
  /** Ends what it waits for between two channels. */
  #wake: () => void = () => undefined;
  readonly #running: Promise<void>;

  constructor(link: RabbitLink, options: ReaderOptions) {
    this.#link = link;
    this.#options = options;
    this.#running = this.#run();
  }

  /** What it is at is done with first. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#working;
    this.#wake();
    this.#end("left");
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const model = await this.#untilUp();
      if (model === undefined) return;
      const end = await this.#hold(model);
      if (end instanceof Error) this.#lost(model, end);
      // Else what comes next would be held, and its time run out, behind a call that takes long; another process can deal with it.
      await this.#working;
      if (!this.#isStopped) await this.#sleep(this.#pauseAfter(end));
    }
  }

  #pauseAfter(end: End): number {
    if (end === "idle") return 0;
    if (end === "left") return againAfterMs;
    const ms = backoffMs(this.#losses++, pause);
    return end === takenAway ? Math.max(ms, afterDeletionMs) : ms;
  }

  #untilUp(): Promise<ChannelModel | undefined> {
    return new Promise((resolve) => {
      this.#wake = () => resolve(undefined);
      void this.#link.whenUp().then(resolve);
    });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #lost(model: ChannelModel, { message }: Error): void {
    this.#wasLost = true;
    // Of its connection the link tells.
    if (this.#link.model === model) this.#options.onError?.(`partition ${this.#options.partition} is not read: ${message}`);
  }

  /** Opens the channel, and answers with its end. */
  async #hold(model: ChannelModel): Promise<End> {
    let channel: Channel | undefined;
    try {
      channel = await model.createChannel();
      return await this.#consume(channel);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      this.#forget(channel);
      if (channel !== undefined) await closed(channel);
    }
  }

  async #consume(channel: Channel): Promise<End> {
    const { partition, onRecovered } = this.#options;
    const { promise: ended, resolve } = Promise.withResolvers<End>();
    const end = (why: End): void => {
      this.#forget(channel);
      resolve(why);
    };
    channel.on("error", end);
    channel.on("close", () => end(new Error("the channel was closed")));
    // Whoever has taken it away may do so again.
    await declarePartition(channel, partition);
    await channel.prefetch(prefetched);
    this.#channel = channel;
    this.#end = end;
    await channel.consume(queueName(partition), (message) => {
      if (message === null) end(takenAway);
      else this.#take(channel, message);
    });
    let before = -1;
    const idle = setInterval(() => {
      if (before === this.#given && this.#working === undefined) end("idle");
      before = this.#given;
    }, idleMaxMs / 2);
    void ended.then(() => clearInterval(idle));
    if (this.#wasLost) onRecovered?.(`partition ${partition} is read again`);
    this.#wasLost = false;
    // It was told while this one was being opened.
    if (this.#isStopped) end("left");
    return ended;
  }

  /** What was delivered on it comes again. */
  #forget(channel: Channel | undefined): void {
    if (channel === undefined || this.#channel !== channel) return;
    this.#channel = undefined;
    this.#waiting = [];
  }

  #take(channel: Channel, message: ConsumeMessage): void {
    if (channel !== this.#channel) return;
    this.#given += 1;
    this.#waiting.push(message);
    this.#kick();
  }

  #kick(): void {
    if (this.#isStopped) return;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
      if (this.#waiting.length > 0) this.#kick();
    });
  }

  async #work(): Promise<void> {
    // What arrives in the same turn is dealt with together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    for (;;) {
      const channel = this.#channel;
      const messages = this.#waiting;
      this.#waiting = [];
      if (this.#isStopped || channel === undefined || messages.length === 0) return;
      let isDone = false;
      try {
        isDone = await this.#deal(channel, messages);
      } catch (error) {
        // Else the next acknowledgement, which counts for all before it, would count for these, too.
        if (this.#channel === channel) this.#end(new Error("its handler failed", { cause: error }));
        return;
      }
      if (isDone) this.#losses = 0;
      else if (this.#channel === channel) return this.#end("left");
    }
  }

  /** Whether all of it was dealt with. */
  async #deal(channel: Channel, messages: readonly ConsumeMessage[]): Promise<boolean> {
    const done = new Set<ConsumeMessage>();
    let acknowledged = 0;
    let isScheduled = false;
    const flush = () => {
      isScheduled = false;
      const first = acknowledged;
      for (let next = messages[acknowledged]; next !== undefined && done.has(next); next = messages[acknowledged]) acknowledged += 1;
      const last = messages[acknowledged - 1];
      // On a channel that is gone it would say nothing.
      if (last !== undefined && acknowledged > first && this.#channel === channel) channel.ack(last, true);
    };
    const acknowledge = (message: ConsumeMessage) => {
      done.add(message);
      // Those of one turn go in one frame.
      if (!isScheduled) queueMicrotask(flush);
      isScheduled = true;
    };
    await this.#options.handle(
      messages.map((message) => ({
        text: message.content.toString("utf8"),
        redelivered: message.fields.redelivered,
        acknowledge: () => acknowledge(message),
      })),
    );
    flush();
    return acknowledged === messages.length;
  }
}

async function closed(channel: Channel): Promise<void> {
  // Where the connection ends meanwhile the client says so, and never answers.
  const gone = new Promise((resolve) => channel.once("close", resolve));
  // One that the broker closed, or its connection's end, is closed already.
  await Promise.race([gone, channel.close().catch(() => undefined)]);
}
