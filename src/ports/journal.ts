/**
 * The broker: messages in partitions, each of which keeps its order and has one reader at a time. A message is delivered
 * at least once; what was delivered and not acknowledged when a reader goes comes again, before what stands behind it.
 */
export interface Journal {
  /** Whether messages are taken just now. While not, nothing should be accepted that must be published. */
  readonly isOpen: boolean;
  /** Resolves when the broker has confirmed (true), or when nobody knows whether it has the message (false). Never rejects. */
  publish(partition: number, text: string): Promise<boolean>;
}

export interface JournalSource {
  /**
   * Reads a partition, or waits until it may. `handle` gets what came, in order, and acknowledges; one call at a time. Where it
   * rejects, what it has not acknowledged comes again.
   */
  read(partition: number, handle: (deliveries: readonly Delivery[]) => Promise<void>): JournalReader;
}

export type Delivery = {
  readonly text: string;
  /** Whether it may have been delivered before. */
  readonly redelivered: boolean;
  /** It is done with and may be forgotten. What is not acknowledged comes again. */
  readonly acknowledge: () => void;
};

export interface JournalReader {
  /** Takes no more; what is not acknowledged goes back. */
  stop(): Promise<void>;
}
