/**
 * A broker in memory: partitions that keep their order, one reader of each at a time, what was not acknowledged comes again
 * ahead of the rest. `MemoryBroker` is the server, a `MemoryJournal` one process's connection to it.
 */
import type { Delivery, Journal, JournalReader, JournalSource } from "../../ports/journal.ts";
import { assert } from "../../lib/assert.ts";

type Message = { readonly number: number; readonly text: string; delivered: boolean };
type Reader = { readonly handle: (deliveries: readonly Delivery[]) => Promise<void>; stopped: boolean; isBusy: boolean };
type Partition = { messages: Message[]; readonly readers: Reader[] };

export class MemoryBroker {
  readonly #partitions = new Map<number, Partition>();
  readonly #deliverMax: number;
  #number = 0;
  isUp = true;

  constructor({ deliverMax = 100 }: { deliverMax?: number } = {}) {
    this.#deliverMax = deliverMax;
  }

  /** Messages that nobody has acknowledged. */
  get depth(): number {
    return [...this.#partitions.values()].reduce((sum, { messages }) => sum + messages.length, 0);
  }

  append(partition: number, text: string): void {
    const at = this.#at(partition);
    at.messages.push({ number: this.#number++, text, delivered: false });
    this.#pump(at);
  }

  join(partition: number, handle: Reader["handle"]): Reader {
    const at = this.#at(partition);
    const reader: Reader = { handle, stopped: false, isBusy: false };
    at.readers.push(reader);
    this.#pump(at);
    return reader;
  }

  leave(partition: number, reader: Reader): void {
    const at = this.#at(partition);
    reader.stopped = true;
    at.readers.splice(at.readers.indexOf(reader), 1);
    this.#pump(at);
  }

  #at(number: number): Partition {
    let partition = this.#partitions.get(number);
    if (partition === undefined) this.#partitions.set(number, (partition = { messages: [], readers: [] }));
    return partition;
  }

  /** Delivers to the first reader what is there; what it leaves comes to it again. */
  #pump(at: Partition): void {
    const [reader] = at.readers;
    if (reader === undefined || reader.isBusy || at.messages.length === 0) return;
    reader.isBusy = true;
    void this.#deliver(at, reader);
  }

  async #deliver(at: Partition, reader: Reader): Promise<void> {
    await Promise.resolve();
    if (reader.stopped) return;
    const batch = at.messages.slice(0, this.#deliverMax);
    const deliveries = batch.map((message): Delivery => {
      const { text, delivered: redelivered } = message;
      message.delivered = true;
      return { text, redelivered, acknowledge: () => this.#forget(at, reader, message) };
    });
    await reader.handle(deliveries);
    reader.isBusy = false;
    this.#pump(at);
  }

  #forget(at: Partition, reader: Reader, message: Message): void {
    // Of a reader that has gone an acknowledgement says nothing any more.
    if (!reader.stopped) at.messages = at.messages.filter((other) => other !== message);
  }
}

export class MemoryJournal implements Journal, JournalSource {
  readonly #broker: MemoryBroker;

  constructor(broker: MemoryBroker) {
    this.#broker = broker;
  }

  get isOpen(): boolean {
    return this.#broker.isUp;
  }

  async publish(partition: number, text: string): Promise<boolean> {
    if (!this.#broker.isUp) return false;
    this.#broker.append(partition, text);
    return true;
  }

  read(partition: number, handle: (deliveries: readonly Delivery[]) => Promise<void>): JournalReader {
    const reader = this.#broker.join(partition, handle);
    let stopped = false;
    return {
      stop: async () => {
        assert(!stopped, "a reader stops once");
        stopped = true;
        this.#broker.leave(partition, reader);
      },
    };
  }
}
