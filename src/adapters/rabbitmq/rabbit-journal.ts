/**
 * Journal on RabbitMQ: every message is persistent and mandatory, and counts as published when the broker has confirmed it
 * and has not sent it back.
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

type Sent = { readonly resolve: (confirmed: boolean) => void; readonly timer: ReturnType<typeof setTimeout>; returned: boolean };

export class RabbitJournal implements Journal {
  readonly #link: RabbitLink;
  readonly #partitions: number;
  readonly #confirmTimeoutMs: number;
  #channel: ConfirmChannel | undefined;
  #number = 0;
  readonly #sent = new Map<string, Sent>();

  /** Throws BrokerUrlWrong. */
  constructor({ partitions, confirmTimeoutMs = confirmTimeoutDefaultMs, ...options }: RabbitJournalOptions) {
    this.#partitions = partitions;
    this.#confirmTimeoutMs = confirmTimeoutMs;
    this.#link = new RabbitLink(options, { setUp: (model) => this.#setUp(model), ended: () => this.#ended() });
  }

  get isOpen(): boolean {
    return this.#channel !== undefined && this.#link.isUp && !this.#link.isBlocked;
  }

  ready(withinMs: number): Promise<boolean> {
    return this.#link.ready(withinMs);
  }

  publish(partition: number, text: string): Promise<boolean> {
    const channel = this.#channel;
    if (channel === undefined || !this.#link.isUp) return Promise.resolve(false);
    return new Promise((resolve) => {
      const id = String(this.#number++);
      const timer = setTimeout(() => this.#settle(id, false), this.#confirmTimeoutMs);
      this.#sent.set(id, { resolve, timer, returned: false });
      const options = { persistent: true, mandatory: true, messageId: id, contentType: "application/json" };
      try {
        channel.publish("", queueName(partition), Buffer.from(text), options, (error: unknown) => this.#settle(id, isNothing(error)));
      } catch {
        this.#settle(id, false);
      }
    });
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  #settle(id: string, confirmed: boolean): void {
    const sent = this.#sent.get(id);
    if (sent === undefined) return;
    this.#sent.delete(id);
    clearTimeout(sent.timer);
    sent.resolve(confirmed && !sent.returned);
  }

  async #setUp(model: ChannelModel): Promise<void> {
    const channel = await model.createConfirmChannel();
    // A channel that fails takes its connection with it: both are made anew.
    channel.on("error", () => void this.#link.reset());
    // The broker sends it back, for there is no such queue, and confirms it afterwards.
    channel.on("return", (message: Message) => {
      const id: unknown = message.properties.messageId;
      const sent = typeof id === "string" ? this.#sent.get(id) : undefined;
      if (sent !== undefined) sent.returned = true;
    });
    await assertPartitions(channel, this.#partitions);
    this.#channel = channel;
  }

  #ended(): void {
    this.#channel = undefined;
    for (const id of this.#sent.keys()) this.#settle(id, false);
  }
}

const isNothing = (error: unknown): boolean => error === null || error === undefined;
