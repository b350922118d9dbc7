/**
 * The RabbitMQ that carries as `doorbuster doctor` sees it: over one connection like those of a process, which changes
 * nothing, and within a bound, for it may be ill. A broker that refuses us is a fact like others.
 */
import type { ChannelModel } from "amqplib";
import type { BrokerAddress, BrokerFacts, BrokerLink, BrokerRights, BrokerSeen, QueueSeen } from "../../ports/broker-facts.ts";
import type { RoundTrip } from "../../ports/server-facts.ts";
import { declarePartition, queueName } from "./partitions.ts";
import { connectOnce, farewell } from "./rabbit-link.ts";
import { rabbitRefusalOf } from "./rabbit-refusals.ts";
import { differenceOf, inTime, onChannel, tryRights } from "./rabbit-trials.ts";

/** Less than doctor's patience with one examination. */
const lookMaxMs = 20_000;
const roundTrips = 20;

/** Patterns of what our user must be allowed to do: "amq.default" is where messages to a queue by its name go through. */
const wanted: BrokerRights["wanted"] = {
  configure: "^doorbuster\\.",
  write: "^(amq\\.default|doorbuster\\..*)$",
  read: "^doorbuster\\.",
};

export type BrokerLook = { readonly url: string; readonly partitions: number };

/** Throws what is no refusal. */
export async function brokerFacts({ url, partitions }: BrokerLook): Promise<BrokerFacts> {
  const address = addressOf(new URL(url));
  let model: ChannelModel | undefined;
  try {
    model = await connectOnce({ url, name: "doorbuster doctor" });
    // What becomes of the connection comes out of what is asked on it, too.
    model.on("error", () => undefined);
    return { kind: "seen", address, ...(await inTime(look(model, partitions), lookMaxMs)) };
  } catch (error) {
    const refusal = rabbitRefusalOf(error);
    if (refusal === undefined) throw error;
    return { kind: "refused", address, ...refusal };
  } finally {
    if (model !== undefined) await farewell(model);
  }
}

function addressOf({ protocol, host, hostname, port, username, pathname }: URL): BrokerAddress {
  const isEncrypted = protocol === "amqps:";
  return {
    name: `${protocol}//${host}${pathname}`,
    host: decodeURIComponent(hostname).replace(/^\[|\]$/g, ""),
    port: port === "" ? (isEncrypted ? 5671 : 5672) : Number(port),
    user: username === "" ? "guest" : decodeURIComponent(username),
    place: pathname.length > 1 ? decodeURIComponent(pathname.slice(1)) : "/",
    isEncrypted,
  };
}

async function look(model: ChannelModel, partitions: number): Promise<Omit<BrokerSeen, "kind" | "address">> {
  const { product, version } = model.connection.serverProperties;
  const roundTrip = await timesOf(model);
  const queues = await queuesOf(model, partitions);
  const { lacking, alarm } = await tryRights(model);
  return { product: { name: product, version }, roundTrip, rights: { lacking, wanted }, link: linkOf(model), alarm, queues };
}

async function timesOf(model: ChannelModel): Promise<RoundTrip> {
  const times: number[] = [];
  const channel = await inTime(model.createChannel());
  for (let i = 0; i < roundTrips; i++) {
    const sentMs = performance.now();
    // It changes what this channel would be sent, which reads nothing.
    await inTime(channel.prefetch(1));
    times.push(performance.now() - sentMs);
  }
  await inTime(channel.close());
  times.sort((a, b) => a - b);
  return { asked: roundTrips, medianMs: times[Math.floor(roundTrips / 2)] ?? 0, maxMs: times.at(-1) ?? 0 };
}

/** Those that are configured, and those behind them: queues were made without a gap. */
async function queuesOf(model: ChannelModel, partitions: number): Promise<readonly QueueSeen[]> {
  const queues: QueueSeen[] = [];
  for (let partition = 0; ; partition++) {
    const name = queueName(partition);
    const found = await onChannel(model, (channel) => channel.checkQueue(name));
    if (found.kind === "no") {
      if (partition >= partitions) return queues;
      continue;
    }
    const { messageCount: messages, consumerCount: readers } = found.value;
    // It is there: declaring it makes nothing, and says how it differs.
    const differs = await differenceOf(model, (channel) => declarePartition(channel, partition));
    queues.push({ partition, name, messages, readers, differs });
  }
}

/** As both sides agreed; the client keeps it where its types do not tell. */
function linkOf({ connection }: ChannelModel): BrokerLink {
  const number = (name: string) => Number(Reflect.get(connection, name) ?? 0);
  return { heartbeatSeconds: number("heartbeat"), frameBytesMax: number("frameMax"), channelsMax: number("channelMax") };
}
