/**
 * The broker that all processes share, as a RabbitMQ with quorum queues is met: what it has confirmed it keeps; of what it
 * has not, nobody knows; each queue has one consumer at a time, and what that held when it went comes again, first.
 *
 *   connection ─► (in its order, perhaps late) ─► queue ─► confirm ─► (perhaps lost)
 *                                                  └─► the active consumer, a few at a time ─► acknowledged: gone
 *                                                                                         └─► its connection ends: back to the front
 *
 * Invariant: messages of one connection keep their order; a message is in a queue, or held by one channel, or gone.
 */
import type { Faults } from "../faults.ts";
import { SimNode, type Sim } from "../kernel.ts";
import type { Rng } from "../rng.ts";

export type Message = { readonly text: string; delivered: boolean };
/** A consumer's channel, as the broker sees it. */
export type Channel = {
  readonly connection: Connection;
  readonly partition: number;
  unacknowledged: Message[];
  isOpen: boolean;
  /** Brings a message to the other end. */
  readonly deliver: (message: Message, redelivered: boolean) => void;
  readonly ended: () => void;
};
/** One process's connection, in one life of it. */
export type Connection = {
  readonly node: SimNode;
  readonly incarnation: number;
  readonly link: { readonly isCut: boolean };
  isOpen: boolean;
  /** When the last of what it sent arrives: nothing overtakes. */
  arrivesMs: number;
  silentSinceMs: number | undefined;
  /** The other end hears that it is over. */
  readonly ended: () => void;
};
type Queue = { messages: Message[]; readonly channels: Channel[] };

export type BrokerTerms = {
  readonly partitions: number;
  readonly prefetch: number;
  /** So long a silent connection is believed in. */
  readonly heartbeatMs: number;
};

const lookEveryMs = 250;

export class BrokerServer {
  readonly node = new SimNode("broker");
  readonly sim: Sim;
  readonly terms: BrokerTerms;
  readonly random: Rng;
  readonly #faults: () => Faults;
  readonly #queues = new Map<number, Queue>();
  readonly #connections = new Set<Connection>();
  /** Messages that came while it took none. */
  #held: (() => void)[] = [];
  isBlocked = false;
  /** Whoever wants to hear of every message that becomes durable. */
  onKept: (partition: number, text: string) => void = () => undefined;

  constructor(sim: Sim, terms: BrokerTerms, faults: () => Faults) {
    this.sim = sim;
    this.terms = terms;
    this.#faults = faults;
    this.random = sim.random("broker");
    this.node.up = false;
  }

  get faults(): Faults {
    return this.#faults();
  }

  /** Messages that nobody has acknowledged. */
  get depth(): number {
    let depth = 0;
    for (const { messages, channels } of this.#queues.values())
      depth += messages.length + channels.reduce((sum, { unacknowledged }) => sum + unacknowledged.length, 0);
    return depth;
  }

  start(): void {
    this.node.up = true;
    this.sim.log("start broker");
    const look = (): void => {
      for (const connection of this.#connections) this.#watch(connection);
      this.sim.at(lookEveryMs, look, this.node);
    };
    look();
  }

  kill(): void {
    this.sim.kill(this.node);
    for (const connection of this.#connections) this.end(connection);
    this.#held = [];
    this.isBlocked = false;
  }

  block(): void {
    this.isBlocked = true;
    this.sim.log("block broker");
  }

  unblock(): void {
    this.isBlocked = false;
    this.sim.log("unblock broker");
    for (const take of this.#held.splice(0)) take();
  }

  connect(connection: Connection): void {
    this.#connections.add(connection);
  }

  /** Ends a connection: what its channels held goes back. */
  end(connection: Connection): void {
    if (!this.#connections.delete(connection)) return;
    connection.isOpen = false;
    for (const { channels } of this.#queues.values())
      for (const channel of channels.filter((one) => one.connection === connection)) this.close(channel);
    connection.ended();
  }

  /** A stopped process says nothing, and a dead one nothing ever; sooner or later that is noticed. */
  #watch(connection: Connection): void {
    const { node, incarnation, link } = connection;
    if (node.incarnation === incarnation && node.up && !node.paused && !link.isCut) {
      connection.silentSinceMs = undefined;
      return;
    }
    connection.silentSinceMs ??= this.sim.now;
    if (this.sim.now - connection.silentSinceMs >= this.terms.heartbeatMs) this.end(connection);
  }

  /** What a connection sends arrives in its order, also when its process has died meanwhile. `told`: its confirm. */
  publish(
    connection: Connection,
    { partition, text, ms }: { partition: number; text: string; ms: number },
    told: (isKept: boolean) => void,
  ): void {
    connection.arrivesMs = Math.max(connection.arrivesMs, this.sim.now + ms);
    const take = (): void => {
      if (this.isBlocked) {
        this.#held.push(take);
        return;
      }
      if (this.random.chance(this.faults.brokerReturns)) {
        this.sim.probe("message-returned");
        return told(false);
      }
      this.#queue(partition).messages.push({ text, delivered: false });
      this.onKept(partition, text);
      told(true);
      this.#pump(partition);
    };
    this.sim.at(connection.arrivesMs - this.sim.now, take, this.node);
  }

  consume(channel: Channel): void {
    this.#queue(channel.partition).channels.push(channel);
    this.#pump(channel.partition);
  }

  close(channel: Channel): void {
    if (!channel.isOpen) return;
    channel.isOpen = false;
    const queue = this.#queue(channel.partition);
    queue.channels.splice(queue.channels.indexOf(channel), 1);
    if (channel.unacknowledged.length > 0) this.sim.probe("messages-came-back");
    queue.messages = [...channel.unacknowledged, ...queue.messages];
    channel.unacknowledged = [];
    channel.ended();
    this.#pump(channel.partition);
  }

  /** This one and all that were delivered on the channel before it. */
  acknowledge(channel: Channel, message: Message): void {
    const at = channel.unacknowledged.indexOf(message);
    if (!channel.isOpen || at < 0) return;
    channel.unacknowledged.splice(0, at + 1);
    this.#pump(channel.partition);
  }

  #queue(partition: number): Queue {
    let queue = this.#queues.get(partition);
    if (queue === undefined) this.#queues.set(partition, (queue = { messages: [], channels: [] }));
    return queue;
  }

  #pump(partition: number): void {
    const queue = this.#queue(partition);
    const [active] = queue.channels;
    if (active === undefined || !this.node.up) return;
    while (active.unacknowledged.length < this.terms.prefetch) {
      const message = queue.messages.shift();
      if (message === undefined) return;
      active.unacknowledged.push(message);
      const redelivered = message.delivered;
      message.delivered = true;
      active.deliver(message, redelivered);
    }
  }
}
