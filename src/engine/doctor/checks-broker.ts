/** The broker that carries: what it is, what our user may do there, and whether it takes anything just now. */
import type { BrokerSeen } from "../../ports/broker-facts.ts";
import { brokerCommand, brokerSetting, setPermissions } from "./broker-fixes.ts";
import { bytesText, ok, problem, warning, type Check, type Judgement } from "./finding.ts";
import { isOlder } from "./older-version.ts";
import { isLoopback } from "./transport.ts";

/** What was seen, beside what this process would ask for. */
export type BrokerAt = { readonly seen: BrokerSeen; readonly partitions: number };

/** The first with queues that are replicated, keep their order, and have a delivery limit. */
const versionMin = "3.8";
/** The first that is tested. */
const versionTested = "3.10";
/** A connection that ended without a word is noticed after twice as long. */
const heartbeatWantedSeconds = 30;
/** A message of many lines is cut into such pieces. */
const frameBytesWanted = 16_384;
const channelsWanted = 2_047;

export const brokerChecks: readonly Check<BrokerAt>[] = [
  {
    id: "broker-version",
    why: "Lines must outlive a broker's death and keep their order, which only its newer kind of queues does (quorum)",
    judge({ seen: { product } }): Judgement {
      const found = `${product.name} ${product.version}`;
      const tested = `RabbitMQ from ${versionTested}`;
      if (product.name !== "RabbitMQ") return warning(`${found}, which was never tested`, `Use ${tested}`);
      if (isOlder(product.version, versionMin))
        return problem(`${found}, at least ${versionMin} is needed`, `Update the broker: ${tested}`);
      return isOlder(product.version, versionTested)
        ? warning(`${found}, which was never tested`, `Update the broker: ${tested}`)
        : ok(found);
    },
  },
  {
    id: "broker-rights",
    why: "Each start makes the queues that are missing; processes send to them and read from them",
    judge({ seen: { rights, address } }): Judgement {
      const { user, place } = address;
      if (rights.lacking.length === 0) return ok(`"${user}" may make our queues, send to them and read from them`);
      return problem(
        `"${user}" lacks ${rights.lacking.join(", ")} on our queues in the virtual host "${place}"`,
        setPermissions(address, rights.wanted),
      );
    },
  },
  {
    id: "broker-alarm",
    why: "A broker short of memory or disk takes no message, and without one no purchase is answered",
    judge({ seen: { alarm, rights } }): Judgement | undefined {
      if (rights.lacking.includes("write")) return undefined;
      if (alarm === undefined) return ok("it takes messages");
      const fix = /disk/i.test(alarm)
        ? `${brokerCommand("set_disk_free_limit", "50MB")}; make room where its data are (df -h); in rabbitmq.conf: disk_free_limit.absolute = 50MB`
        : `${brokerCommand("set_vm_memory_high_watermark", "0.6")}; give it more memory; in rabbitmq.conf: vm_memory_high_watermark.relative = 0.6`;
      return problem(`it takes no messages: ${alarm}`, fix);
    },
  },
  {
    id: "broker-connection",
    why: "One connection reads all partitions, a channel for each; one that ended without a word has to be noticed",
    judge: linkJudgements,
  },
  {
    id: "broker-transport",
    why: "Its password, and who bought what, travel on it; whoever is on the way reads them, or plays the broker",
    judge({ seen: { address } }): Judgement {
      const { host, isEncrypted } = address;
      if (isLoopback(host)) return ok(isEncrypted ? "within this machine, encrypted" : "within this machine");
      if (isEncrypted) return ok("encrypted, and the broker's certificate is looked at");
      return warning(
        `not encrypted, to ${host}`,
        "Begin DOORBUSTER_BROKER_URL with amqps://; the broker needs listeners.ssl.default and ssl_options.certfile, .keyfile in rabbitmq.conf, this process its CA (NODE_EXTRA_CA_CERTS)",
      );
    },
  },
];

function linkJudgements({ seen: { link }, partitions }: BrokerAt): Judgement | readonly Judgement[] {
  const { heartbeatSeconds, frameBytesMax, channelsMax } = link;
  const found: Judgement[] = [];
  if (channelsMax < partitions)
    found.push(
      problem(
        `it takes ${channelsMax} channels on a connection, and reading ${partitions} partitions takes one for each`,
        brokerSetting("channel_max", channelsWanted),
      ),
    );
  if (heartbeatSeconds === 0 || heartbeatSeconds > heartbeatWantedSeconds)
    found.push(
      warning(
        heartbeatSeconds === 0
          ? "there are no heartbeats: a broker that has vanished is noticed after minutes"
          : `a heartbeat every ${heartbeatSeconds} s: a broker that has vanished is noticed after twice as long`,
        "Take heartbeat= out of DOORBUSTER_BROKER_URL, for 5 s are asked for by themselves",
      ),
    );
  if (frameBytesMax < frameBytesWanted)
    found.push(warning(`messages are cut into pieces of ${bytesText(frameBytesMax)}`, brokerSetting("frame_max", 131_072)));
  if (found.length > 0) return found;
  return ok(`a heartbeat every ${heartbeatSeconds} s, pieces of ${bytesText(frameBytesMax)}, ${channelsMax} channels`);
}
