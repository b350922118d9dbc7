/**
 * A broker in memory: partitions that keep their order, one reader of each at a time, what was not acknowledged comes again
 * ahead of the rest. `MemoryBroker` is the server, a `MemoryJournal` one process's connection to it.
 */
import type { Delivery, Journal, JournalReader, JournalSource } from "../../ports/journal.ts";

type Message = { readonly number: number; readonly text: string; delivered: boolean };
type Reader = {
  readonly handle: (deliveries: readonly Delivery[]) => Promise<void>;
  stopped: boolean;
  /** Counts its connections: what came by an earlier one it can no longer acknowledge. */
  connection: number;
  busy: Promise<void> | undefined;
};
type Partition = { messages: Message[]; readonly readers: Reader[]; isThere: boolean };

export class MemoryBroker {
  readonly #partitions = new Map<number, Partition>();
  readonly #deliverMax: number;
  #number = 0;
  #isUp = true;

  constructor({ deliverMax = 100 }: { deliverMax?: number } = {}) {
    this.#deliverMax = deliverMax;
  }

  /** Messages that nobody has acknowledged. */
  get depth(): number {
    return [...this.#partitions.values()].reduce((sum, { messages }) => sum + messages.length, 0);
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** It is gone, with every connection to it; what it had is there when it comes back. */
  stop(): void {
    this.#isUp = false;
    this.closeReaders();
  }

  /** It ends what every reader reads by, and nothing else: what they hold comes to them again. */
  closeReaders(): void {
    for (const at of this.#partitions.values()) for (const reader of at.readers) reader.connection += 1;
  }

  /** Somebody takes a partition away, with all that is in it. */
  takeAway(partition: number): void {
    const at = this.#at(partition);
    at.messages = [];
    at.isThere = false;
    for (const reader of at.readers) reader.connection += 1;
  }

  /** Makes it, where it was taken away; whether it was there. */
  declare(partition: number): boolean {
    const at = this.#at(partition);
    const { isThere } = at;
    at.isThere = true;
    return isThere;
  }

  start(): void {
    this.#isUp = true;
    for (const at of this.#partitions.values()) this.#pump(at);
  }

  append(partition: number, text: string): void {
    const at = this.#at(partition);
    at.messages.push({ number: this.#number++, text, delivered: false });
    this.#pump(at);
  }

  join(partition: number, handle: Reader["handle"]): Reader {
    const at = this.#at(partition);
    const reader: Reader = { handle, stopped: false, connection: 0, busy: undefined };
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
    if (partition === undefined) this.#partitions.set(number, (partition = { messages: [], readers: [], isThere: true }));
    return partition;
  }

  /** Delivers to the first reader what is there; what it leaves comes to it again. */
  #pump(at: Partition): void {
    const [reader] = at.readers;
    if (!this.isUp || reader === undefined || reader.busy !== undefined || at.messages.length === 0) return;
    reader.busy = this.#deliver(at, reader).finally(() => {
      reader.busy = undefined;
      if (!reader.stopped) this.#pump(at);
    });
  }

  async #deliver(at: Partition, reader: Reader): Promise<void> {
    await Promise.resolve();
    if (reader.stopped) return;
    const { connection } = reader;
    const batch = at.messages.slice(0, this.#deliverMax);
    const deliveries = batch.map((message): Delivery => {
      const { text, delivered: redelivered } = message;
      message.delivered = true;
      return { text, redelivered, acknowledge: () => reader.connection === connection && this.#forget(at, reader, message) };
    });
    // What it has not acknowledged is there still, and comes again when others have had their turn.
    await reader.handle(deliveries).catch(() => new Promise<void>((resolve) => setImmediate(resolve)));
  }

  #forget(at: Partition, reader: Reader, message: Message): void {
    // Of a reader that has gone an acknowledgement says nothing any more.
    if (!reader.stopped) at.messages = at.messages.filter((other) => other !== message);
  }
}

/** What becomes of a message on its way to the broker. */
export type PublishFate = "taken" | "confirm_lost" | "lost";

export class MemoryJournal implements Journal, JournalSource {
  readonly #broker: MemoryBroker;
  readonly #readers = new Map<Reader, number>();
  #isDead = false;
  /** A model of a bad network decides it anew each time. */
  fate: () => PublishFate = () => "taken";
  /** The broker is short of memory, and says so. */
  isBlocked = false;

  constructor(broker: MemoryBroker) {
    this.#broker = broker;
  }

  get isOpen(): boolean {
    return this.#broker.isUp && !this.isBlocked && !this.#isDead;
  }

  async publish(partition: number, text: string): Promise<boolean> {
    const fate = this.fate();
    if (!this.isOpen || fate === "lost") return false;
    // It comes back, and the partition is made for the next one.
    if (!this.#broker.declare(partition)) return false;
    this.#broker.append(partition, text);
    return fate === "taken";
  }

  read(partition: number, handle: (deliveries: readonly Delivery[]) => Promise<void>): JournalReader {
    const reader = this.#broker.join(partition, handle);
    this.#readers.set(reader, partition);
    return {
      stop: async () => {
        if (!this.#readers.delete(reader)) return;
        // What it is at is done with first.
        await reader.busy;
        this.#broker.leave(partition, reader);
      },
    };
  }

  /** The process dies: what it holds goes back, and nothing that it says is heard any more. */
  die(): void {
    this.#isDead = true;
    for (const [reader, partition] of this.#readers) this.#broker.leave(partition, reader);
    this.#readers.clear();
  }
}
