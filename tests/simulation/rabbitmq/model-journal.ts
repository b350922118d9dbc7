/**
 * One process's two connections to the model broker: one publishes, the other reads, as RabbitJournal and RabbitSource do.
 * A connection that ended is made anew; what was not confirmed by then nobody knows of.
 */
import type { Delivery, Journal, JournalReader, JournalSource } from "../../../src/ports/journal.ts";
import type { CancelTask } from "../../../src/ports/tasks.ts";
import type { SimNode } from "../kernel.ts";
import type { Rng } from "../rng.ts";
import type { BrokerServer, Channel, Connection, Message } from "./model-broker.ts";

const confirmTimeoutMs = 10_000;
const againMs = 200;

type Client = { readonly node: SimNode; readonly link: { readonly isCut: boolean } };
type Handle = (deliveries: readonly Delivery[]) => Promise<void>;

export class ModelJournal implements Journal, JournalSource {
  readonly #broker: BrokerServer;
  readonly #client: Client;
  readonly #incarnation: number;
  readonly #random: Rng;
  readonly #unconfirmed = new Set<(isKept: boolean) => void>();
  readonly #readers = new Set<PartitionReader>();
  #publishing: Connection | undefined;
  #reading: Connection | undefined;
  #isClosed = false;

  constructor(broker: BrokerServer, client: Client) {
    this.#broker = broker;
    this.#client = client;
    this.#incarnation = client.node.incarnation;
    this.#random = broker.sim.random(`broker of ${client.node.name}`);
    this.#connect("publish");
    this.#connect("read");
  }

  get isOpen(): boolean {
    return this.#publishing?.isOpen === true && !this.#broker.isBlocked;
  }

  publish(partition: number, text: string): Promise<boolean> {
    const random = this.#random;
    const { faults, sim } = this.#broker;
    const connection = this.#publishing;
    const told = connection?.isOpen === true ? this.#broker.onPublish(text, this.#client.node.name) : undefined;
    const drawn = { isLate: random.chance(faults.brokerLate), isUnheard: random.chance(faults.brokerUnheard) };
    const isReturned = random.chance(faults.brokerReturns) || told === "returned";
    const drawnLateMs = random.around(random.pick([300, 1_500]));
    const isUnheard = drawn.isUnheard || told === "unheard";
    const isLate = drawn.isLate || typeof told === "object";
    const lateMs = typeof told === "object" ? told.lateMs : drawnLateMs;
    const ms = 0.05 + random.around(faults.brokerMs) + (isLate ? lateMs : 0);
    const back = 0.05 + random.around(faults.brokerMs);
    // Of what is on its way when a connection breaks some may arrive yet, and nobody waits for it.
    const breaks = random.chance(faults.brokerBreaks) || told === "lost" || (typeof told === "object" && told.broken === true);
    if (connection === undefined || !connection.isOpen) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (isKept: boolean): void => {
        if (!this.#unconfirmed.delete(settle)) return;
        late();
        resolve(isKept);
      };
      const late = this.later(confirmTimeoutMs, () => settle(false));
      this.#unconfirmed.add(settle);
      if (isLate) sim.probe("published-late");
      if (!this.#client.link.isCut && told !== "lost")
        this.#broker.publish(connection, { partition, text, ms, isReturned }, (isKept) => {
          if (isUnheard) sim.probe("confirm-lost");
          if (isReturned) sim.probe("message-returned");
          if (connection.isOpen && !isUnheard && !this.#client.link.isCut) this.later(back, () => settle(isKept));
        });
      if (!breaks) return;
      sim.probe("connection-broke-publishing");
      this.later(random.around(2), () => this.#broker.end(connection));
    });
  }

  read(partition: number, handle: Handle): JournalReader {
    const reader = new PartitionReader({
      broker: this.#broker,
      partition,
      handle,
      later: (ms, run) => this.later(ms, run),
      random: this.#random,
    });
    this.#readers.add(reader);
    if (this.#reading !== undefined) reader.open(this.#reading);
    return {
      stop: async () => {
        this.#readers.delete(reader);
        await reader.stop();
      },
    };
  }

  /** The process leaves. */
  close(): void {
    this.#isClosed = true;
    for (const connection of [this.#publishing, this.#reading]) if (connection !== undefined) this.#broker.end(connection);
  }

  /** The process died. Mostly that is noticed at once; else by silence. */
  die(): void {
    const ms = this.#random.around(this.#random.chance(0.8) ? 2 : 400);
    this.#broker.sim.at(ms, () => this.close(), this.#broker.node);
  }

  later(ms: number, run: () => void): CancelTask {
    return this.#broker.sim.at(ms, run, this.#client.node, this.#incarnation);
  }

  #connect(which: "publish" | "read"): void {
    const { node, link } = this.#client;
    const isThere = this.#broker.node.up && !link.isCut && !this.#isClosed;
    if (!isThere) {
      if (!this.#isClosed) this.later(againMs, () => this.#connect(which));
      return;
    }
    const incarnation = this.#incarnation;
    const ended = (): void => void this.later(this.#random.around(5), () => this.#ended(which));
    const connection: Connection = { node, incarnation, link, isOpen: true, arrivesMs: 0, silentSinceMs: undefined, ended };
    this.#broker.connect(connection);
    if (which === "publish") this.#publishing = connection;
    else {
      this.#reading = connection;
      for (const reader of this.#readers) reader.open(connection);
    }
  }

  #ended(which: "publish" | "read"): void {
    if (which === "publish") {
      this.#publishing = undefined;
      for (const settle of this.#unconfirmed) settle(false);
    } else {
      this.#reading = undefined;
      for (const reader of this.#readers) reader.lost();
    }
    this.later(this.#random.around(againMs), () => this.#connect(which));
  }
}

type ReaderDeps = {
  readonly broker: BrokerServer;
  readonly partition: number;
  readonly handle: Handle;
  readonly later: (ms: number, run: () => void) => CancelTask;
  readonly random: Rng;
};

/** As RabbitSource's reader of a partition: one call at a time, acknowledged up to the first that was left. */
class PartitionReader {
  readonly #deps: ReaderDeps;
  #channel: Channel | undefined;
  #connection: Connection | undefined;
  #waiting: { readonly message: Message; readonly redelivered: boolean }[] = [];
  #working: Promise<void> | undefined;
  #isStopped = false;

  constructor(deps: ReaderDeps) {
    this.#deps = deps;
  }

  open(connection: Connection): void {
    if (this.#isStopped) return;
    const { broker, partition, later, random } = this.#deps;
    this.#connection = connection;
    this.#waiting = [];
    let lastMs = 0;
    const channel: Channel = {
      connection,
      partition,
      unacknowledged: [],
      isOpen: true,
      deliver: (message, redelivered) => {
        // In order, whatever each takes.
        lastMs = Math.max(lastMs, broker.sim.now + 0.05 + random.around(broker.faults.brokerMs));
        later(lastMs - broker.sim.now, () => this.#take(channel, message, redelivered));
      },
      ended: () => void later(random.around(5), () => this.#forget(channel)),
    };
    this.#channel = channel;
    broker.consume(channel);
  }

  lost(): void {
    this.#channel = undefined;
    this.#connection = undefined;
    this.#waiting = [];
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#working;
    const channel = this.#channel;
    this.lost();
    if (channel !== undefined) this.#deps.broker.close(channel);
  }

  #forget(channel: Channel): void {
    if (this.#channel !== channel) return;
    this.#channel = undefined;
    this.#waiting = [];
  }

  #take(channel: Channel, message: Message, redelivered: boolean): void {
    if (channel !== this.#channel) return;
    this.#waiting.push({ message, redelivered });
    this.#kick();
  }

  #kick(): void {
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
      if (this.#waiting.length > 0 && !this.#isStopped) this.#kick();
    });
  }

  async #work(): Promise<void> {
    // What arrives in the same turn is dealt with together.
    await new Promise<void>((resolve) => this.#deps.later(0, resolve));
    for (;;) {
      const channel = this.#channel;
      const messages = this.#waiting;
      this.#waiting = [];
      if (this.#isStopped || channel === undefined || messages.length === 0) return;
      const left = await this.#deal(channel, messages);
      if (left && !this.#isStopped) return this.#reopen(channel);
    }
  }

  /** Whether something was left. */
  async #deal(channel: Channel, messages: readonly { readonly message: Message; readonly redelivered: boolean }[]): Promise<boolean> {
    const { broker, handle, random } = this.#deps;
    const done = new Set<Message>();
    let acknowledged = 0;
    const acknowledge = (message: Message): void => {
      done.add(message);
      let last: Message | undefined;
      for (let next = messages[acknowledged]; next !== undefined && done.has(next.message); next = messages[acknowledged]) {
        last = next.message;
        acknowledged += 1;
      }
      // On a channel that is gone it would say nothing. On its way it outlives its process.
      if (last === undefined || this.#channel !== channel) return;
      const acked = last;
      broker.sim.at(0.05 + random.around(broker.faults.brokerMs), () => broker.acknowledge(channel, acked), broker.node);
    };
    await handle(
      messages.map(({ message, redelivered }) => ({ text: message.text, redelivered, acknowledge: () => acknowledge(message) })),
    );
    return acknowledged < messages.length;
  }

  /** Gives back what was left, and reads it again. */
  #reopen(channel: Channel): void {
    const { broker, later } = this.#deps;
    const connection = this.#connection;
    this.#forget(channel);
    broker.close(channel);
    later(againMs, () => {
      if (!this.#isStopped && this.#channel === undefined && connection?.isOpen === true && this.#connection === connection)
        this.open(connection);
    });
  }
}
