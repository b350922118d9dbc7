/**
 * Journal on RabbitMQ: every message is persistent and mandatory, and counts as published when the broker has confirmed it
 * and has not sent it back.
 *
 * Must stay true: a message whose fate is open is written once to a connection, however often it is published meanwhile;
 * while the broker takes nothing, or one of the queues is not there, nothing is written.
 */
import type { ChannelModel, ConfirmChannel, Message } from "amqplib";
import type { Journal } from "../../ports/journal.ts";
import { assertPartitions, queueName } from "./partitions.ts";
import { RabbitLink, type LinkOptions } from "./rabbit-link.ts";

export type RabbitJournalOptions = LinkOptions & {
  readonly partitions: number;
  /** Unconfirmed for so long, nobody knows what has become of it. */
  readonly confirmTimeoutMs?: number | undefined;
};

const confirmTimeoutDefaultMs = 10_000;
/** So many times that, and the connection is given up: its messages are written anew on another one. */
const timeoutsMax = 3;
/** A confirm that came while nobody waited is told to who asks again by then. */
const unheardKeptMs = 3_000;
/** There is no queue of this name. */
const nowhere = "doorbuster.nowhere";

/** A message that was written, and whose fate is open. */
type Sent = {
  /** Who waits for its confirm. */
  readonly waiting: Set<(confirmed: boolean) => void>;
  readonly name: string;
  readonly sinceMs: number;
  returned: boolean;
};

export class RabbitJournal implements Journal {
  readonly #options: RabbitJournalOptions;
  readonly #link: RabbitLink;
  readonly #confirmTimeoutMs: number;
  #channel: ConfirmChannel | undefined;
  #isDeclaring = false;
  #number = 0;
  #unblockedMs = 0;
  readonly #sent = new Map<string, Sent>();
  /** The same by partition and text, and those that were confirmed and nobody heard of it. */
  readonly #byName = new Map<string, Sent | "confirmed">();

  /** Throws BrokerUrlWrong. */
  constructor(options: RabbitJournalOptions) {
    this.#options = options;
    this.#confirmTimeoutMs = options.confirmTimeoutMs ?? confirmTimeoutDefaultMs;
    this.#link = new RabbitLink(options, {
      setUp: (model) => this.#setUp(model),
      ended: () => this.#ended(),
      unblocked: () => void (this.#unblockedMs = performance.now()),
    });
  }

  get isOpen(): boolean {
    return this.#channel !== undefined && this.#link.isUp && !this.#link.isBlocked && !this.#isDeclaring;
  }

  ready(withinMs: number): Promise<boolean> {
    return this.#link.ready(withinMs);
  }

  publish(partition: number, text: string): Promise<boolean> {
    const name = `${partition} ${text}`;
    const known = this.#byName.get(name);
    if (known === "confirmed") {
      this.#byName.delete(name);
      return Promise.resolve(true);
    }
    if (known !== undefined) return this.#confirmOf(known);
    const channel = this.#channel;
    if (channel === undefined || !this.isOpen) return Promise.resolve(false);
    const sent: Sent = { waiting: new Set(), name, sinceMs: performance.now(), returned: false };
    const confirmed = this.#confirmOf(sent);
    this.#write(channel, { sent, partition, text });
    return confirmed;
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  #write(channel: ConfirmChannel, { sent, partition, text }: { sent: Sent; partition: number; text: string }): void {
    const id = String(this.#number++);
    this.#sent.set(id, sent);
    this.#byName.set(sent.name, sent);
    const options = { persistent: true, mandatory: true, messageId: id, contentType: "application/json" };
    try {
      channel.publish("", queueName(partition), Buffer.from(text), options, (error: unknown) => this.#settle(id, isNothing(error)));
    } catch {
      this.#settle(id, false);
    }
  }

  /** Until it has waited for too long: then nobody knows, and may ask again. */
  #confirmOf(sent: Sent): Promise<boolean> {
    return new Promise((resolve) => {
      const tell = (confirmed: boolean) => {
        clearTimeout(timer);
        sent.waiting.delete(tell);
        resolve(confirmed);
      };
      const timer = setTimeout(() => {
        tell(false);
        this.#giveUpIfStuck(sent);
      }, this.#confirmTimeoutMs);
      sent.waiting.add(tell);
    });
  }

  /** A broker that answers, takes messages and does not confirm one of them is no use: perhaps another connection is. */
  #giveUpIfStuck({ name, sinceMs }: Sent): void {
    if (this.#link.isBlocked || !this.#byName.has(name)) return;
    const stuckMs = performance.now() - Math.max(sinceMs, this.#unblockedMs);
    if (stuckMs < timeoutsMax * this.#confirmTimeoutMs) return;
    this.#options.onError?.("the broker does not confirm a message");
    void this.#link.reset();
  }

  #settle(id: string, isDone: boolean): void {
    const sent = this.#sent.get(id);
    if (sent === undefined) return;
    this.#sent.delete(id);
    this.#byName.delete(sent.name);
    const confirmed = isDone && !sent.returned;
    if (confirmed && sent.waiting.size === 0) this.#keepUnheard(sent.name);
    for (const tell of sent.waiting) tell(confirmed);
  }

  /** Who gave up waiting asks again soon, and would otherwise write it a second time. */
  #keepUnheard(name: string): void {
    this.#byName.set(name, "confirmed");
    const forget = () => {
      if (this.#byName.get(name) === "confirmed") this.#byName.delete(name);
    };
    setTimeout(forget, unheardKeptMs).unref();
  }

  async #setUp(model: ChannelModel): Promise<void> {
    const channel = await model.createConfirmChannel();
    // A channel that fails takes its connection with it: both are made anew.
    channel.on("error", (error: Error) => {
      this.#options.onError?.(error.message);
      void this.#link.reset();
    });
    // The broker sends it back, for there is no such queue, and confirms it afterwards.
    channel.on("return", (message: Message) => {
      const id: unknown = message.properties.messageId;
      const sent = typeof id === "string" ? this.#sent.get(id) : undefined;
      if (sent !== undefined) sent.returned = true;
      void this.#declareAnew(channel);
    });
    await assertPartitions(channel, this.#options.partitions);
    await tryOne(channel);
    this.#channel = channel;
  }

  async #declareAnew(channel: ConfirmChannel): Promise<void> {
    if (this.#isDeclaring || this.#channel !== channel) return;
    const { partitions, onError, onRecovered } = this.#options;
    this.#isDeclaring = true;
    onError?.("a queue is not there, and is made anew");
    try {
      await assertPartitions(channel, partitions);
      if (this.#channel !== channel) return;
      this.#isDeclaring = false;
      onRecovered?.("all queues are there");
    } catch {
      // It ended the channel, or came of its end; the next connection begins with them.
    }
  }

  #ended(): void {
    this.#channel = undefined;
    this.#isDeclaring = false;
    for (const id of this.#sent.keys()) this.#settle(id, false);
  }
}

/** A broker that is short of memory says so to who sends something, and then takes all that was sent: so one goes first, alone. */
const tryOne = (channel: ConfirmChannel): Promise<void> =>
  new Promise((resolve, reject) => {
    channel.publish("", nowhere, Buffer.from("open?"), {}, (error: unknown) => {
      if (isNothing(error)) resolve();
      else reject(new Error("the broker confirms nothing"));
    });
  });

const isNothing = (error: unknown): boolean => error === null || error === undefined;
