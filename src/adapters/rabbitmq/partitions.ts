/**
 * Partitions as queues: replicated and written to disk before they confirm, one consumer at a time, and what a consumer
 * leaves goes back to where it was. Without a delivery limit the broker would put that behind all else, and with a low one
 * throw it away: so there is one that nothing reaches. Who counts tries is the ledger.
 */
import type { Channel } from "amqplib";

export const queueName = (partition: number): string => `doorbuster.lines.${partition}`;

export const queueArguments = {
  "x-queue-type": "quorum",
  "x-single-active-consumer": true,
  "x-delivery-limit": 1_000_000_000,
} as const;

/** Makes those that are missing. Fails where one is there with other arguments. */
export async function assertPartitions(channel: Pick<Channel, "assertQueue">, partitions: number): Promise<void> {
  for (let partition = 0; partition < partitions; partition++) await declarePartition(channel, partition);
}

/** Makes it, unless it is there. Fails where it is there with other arguments. */
export const declarePartition = (channel: Pick<Channel, "assertQueue">, partition: number) =>
  channel.assertQueue(queueName(partition), { durable: true, arguments: { ...queueArguments } });
