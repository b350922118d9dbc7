/**
 * JournalSource on RabbitMQ: a channel for each partition that is read. Of several processes the broker lets one read; what
 * it had not acknowledged when its connection ends comes to the next one first.
 */
import type { JournalReader, JournalSource } from "../../ports/journal.ts";
import { PartitionReader, type Handle } from "./partition-reader.ts";
import { RabbitLink, type LinkOptions } from "./rabbit-link.ts";

export class RabbitSource implements JournalSource {
  readonly #options: LinkOptions;
  readonly #link: RabbitLink;
  readonly #readers = new Set<PartitionReader>();

  /** Throws BrokerUrlWrong. */
  constructor(options: LinkOptions) {
    this.#options = options;
    this.#link = new RabbitLink(options);
  }

  ready(withinMs: number): Promise<boolean> {
    return this.#link.ready(withinMs);
  }

  read(partition: number, handle: Handle): JournalReader {
    const reader = new PartitionReader(this.#link, { ...this.#options, partition, handle });
    this.#readers.add(reader);
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
}
