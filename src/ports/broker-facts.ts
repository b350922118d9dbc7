/**
 * What `doorbuster doctor` learns of the broker that carries in queued mode, by what any client may ask. It changes nothing:
 * no queue is made, no message is taken, and the one that is sent goes nowhere. What it means is judged in engine/doctor.
 */
import type { RefusalReason, RoundTrip } from "./server-facts.ts";

export type BrokerFacts = BrokerRefusal | BrokerSeen;

/** Who was asked, as commands and people name it; without the password. */
export type BrokerAddress = {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The virtual host: a place of its own with queues and rights. */
  readonly place: string;
  readonly isEncrypted: boolean;
};

/** It was asked, and nobody looked further. */
export type BrokerRefusal = {
  readonly kind: "refused";
  readonly address: BrokerAddress;
  readonly reason: RefusalReason;
  readonly said: string;
};

export type BrokerSeen = {
  readonly kind: "seen";
  readonly address: BrokerAddress;
  readonly product: { readonly name: string; readonly version: string };
  readonly roundTrip: RoundTrip;
  readonly rights: BrokerRights;
  readonly link: BrokerLink;
  /** Why it takes no messages just now, in its own words. */
  readonly alarm: string | undefined;
  /** Of the partitions that are configured and those behind them, the ones that have a queue. */
  readonly queues: readonly QueueSeen[];
};

/** What our user may do with our queues: make them, send to them, read from them. */
export type BrokerRights = {
  readonly lacking: readonly BrokerRight[];
  /** As the broker wants it to be granted: a pattern of names for each. */
  readonly wanted: Readonly<Record<BrokerRight, string>>;
};
export type BrokerRight = "configure" | "write" | "read";

/** What was agreed about the connection; 0 where there is no limit. */
export type BrokerLink = {
  readonly heartbeatSeconds: number;
  readonly frameBytesMax: number;
  readonly channelsMax: number;
};

export type QueueSeen = {
  readonly partition: number;
  readonly name: string;
  /** Waiting; those that a reader holds are not among them. */
  readonly messages: number;
  readonly readers: number;
  /** How it differs from what a start would make, in the broker's words; it was not compared where we may not make queues. */
  readonly differs: string | undefined;
};
