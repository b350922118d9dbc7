/** How many messages wait in each partition, asked once over a connection of its own, which changes nothing. */
import type { ChannelModel } from "amqplib";
import { queueName } from "./partitions.ts";
import { connectOnce } from "./rabbit-link.ts";
import { inTime, onChannel } from "./rabbit-trials.ts";

export type QueueDepths =
  | { readonly kind: "ok"; readonly messages: readonly number[] }
  | { readonly kind: "unknown"; readonly why: string };

/** A queue that is not there has none. */
export async function queueDepths({ url, partitions }: { url: string; partitions: number }): Promise<QueueDepths> {
  let model: ChannelModel | undefined;
  try {
    model = await connectOnce({ url, name: "doorbuster verify" });
    model.on("error", () => undefined);
    const messages: number[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      const found = await onChannel(model, (channel) => channel.checkQueue(queueName(partition)));
      messages.push(found.kind === "ok" ? found.value.messageCount : 0);
    }
    return { kind: "ok", messages };
  } catch (error) {
    return { kind: "unknown", why: error instanceof Error ? error.message : String(error) };
  } finally {
    if (model !== undefined) await inTime(model.close()).catch(() => undefined);
  }
}
