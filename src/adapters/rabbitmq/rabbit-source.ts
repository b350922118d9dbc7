/**
 * JournalSource on RabbitMQ: a channel for each partition that is read. Of several processes the broker lets one read; what
 * it had not acknowledged when its connection ends comes to the next one first.
 */
import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";
import type { Delivery, JournalReader, JournalSource } from "../../ports/journal.ts";
import { assertPartitions, queueName } from "./partitions.ts";
import { RabbitLink, type LinkOptions } from "./rabbit-link.ts";

/** Messages that a reader may hold: its commits take what has come meanwhile. */
export const prefetched = 64;
/** A channel on which something was left is opened again after so long. */
const againAfterMs = 200;

type Handle = (deliveries: readonly Delivery[]) => Promise<void>;

export class RabbitSource implements JournalSource {
  readonly #link: RabbitLink;
  readonly #readers = new Set<PartitionReader>();
  readonly #partitions: number;
  #model: ChannelModel | undefined;

  /** Throws BrokerUrlWrong. */
  constructor(options: LinkOptions, partitions: number) {
    this.#partitions = partitions;
    this.#link = new RabbitLink(options, { setUp: (model) => this.#setUp(model), ended: () => this.#ended() });
  }

  ready(withinMs: number): Promise<boolean> {
    return this.#link.ready(withinMs);
  }

  read(partition: number, handle: Handle): JournalReader {
    const reader = new PartitionReader(partition, handle);
    this.#readers.add(reader);
    if (this.#model !== undefined) void reader.open(this.#model);
    return {
      stop: async () => {
        this.#readers.delete(reader);
        await reader.stop();
      },
    };
  }

  async close(): Promise<void> {
    for (const reader of this.#readers) await reader.stop();
    await this.#link.close();
  }

  async #setUp(model: ChannelModel): Promise<void> {
    const channel = await model.createChannel();
    await assertPartitions(channel, this.#partitions);
    await channel.close();
    this.#model = model;
    for (const reader of this.#readers) await reader.open(model);
  }

  #ended(): void {
    this.#model = undefined;
    for (const reader of this.#readers) reader.lost();
  }
}

class PartitionReader {
  readonly #partition: number;
  readonly #handle: Handle;
  #channel: Channel | undefined;
  #waiting: ConsumeMessage[] = [];
  #working: Promise<void> | undefined;
  #isStopped = false;

  constructor(partition: number, handle: Handle) {
    this.#partition = partition;
    this.#handle = handle;
  }

  async open(model: ChannelModel): Promise<void> {
    if (this.#isStopped) return;
    const channel = await model.createChannel();
    channel.on("error", () => this.#forget(channel));
    channel.on("close", () => this.#forget(channel));
    await channel.prefetch(prefetched);
    this.#channel = channel;
    this.#waiting = [];
    await channel.consume(queueName(this.#partition), (message) => this.#take(model, channel, message), { noAck: false });
  }

  /** The connection is gone, and with it what was delivered: it comes again. */
  lost(): void {
    this.#channel = undefined;
    this.#waiting = [];
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#working;
    const channel = this.#channel;
    this.lost();
    await channel?.close().catch(() => undefined);
  }

  #forget(channel: Channel): void {
    if (this.#channel === channel) this.lost();
  }

  #take(model: ChannelModel, channel: Channel, message: ConsumeMessage | null): void {
    if (channel !== this.#channel) return;
    // The broker has taken the queue away, or gives it to another.
    if (message === null) return void this.#reopen(model, channel);
    this.#waiting.push(message);
    this.#kick(model);
  }

  /** One call at a time: the next begins when this one ends, on whatever channel its messages came. */
  #kick(model: ChannelModel): void {
    this.#working ??= this.#work(model).finally(() => {
      this.#working = undefined;
      if (this.#waiting.length > 0 && !this.#isStopped) this.#kick(model);
    });
  }

  async #work(model: ChannelModel): Promise<void> {
    // What arrives in the same turn is dealt with together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    for (;;) {
      const channel = this.#channel;
      const messages = this.#waiting;
      this.#waiting = [];
      if (this.#isStopped || channel === undefined || messages.length === 0) return;
      const left = await this.#deal(channel, messages);
      if (left && !this.#isStopped) return this.#reopen(model, channel);
    }
  }

  /** Whether something was left. */
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
    await this.#handle(
      messages.map((message) => ({
        text: message.content.toString("utf8"),
        redelivered: message.fields.redelivered,
        acknowledge: () => acknowledge(message),
      })),
    );
    flush();
    return acknowledged < messages.length;
  }

  /** Gives back what was left, and reads it again. */
  async #reopen(model: ChannelModel, channel: Channel): Promise<void> {
    this.#forget(channel);
    await channel.close().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, againAfterMs));
    // A connection that has ended meanwhile opens its readers itself.
    if (!this.#isStopped && this.#channel === undefined) await this.open(model).catch(() => undefined);
  }
}
