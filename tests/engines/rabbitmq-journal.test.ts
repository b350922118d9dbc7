/** The contract of a broker that carries lines, on a real RabbitMQ. */
import { queueName } from "../../src/adapters/rabbitmq/partitions.ts";
import { RabbitJournal } from "../../src/adapters/rabbitmq/rabbit-journal.ts";
import { RabbitSource } from "../../src/adapters/rabbitmq/rabbit-source.ts";
import { journalContract, type Connected, type JournalFixture } from "../contract/journal.ts";
import { describeWithOwnEngine } from "../harness/engines/describe-with-engine.ts";
import { openRabbitmq, type RabbitmqServer } from "../harness/engines/rabbitmq.ts";
import { TcpProxy } from "../harness/tcp-proxy.ts";
import { afterAll, beforeAll } from "bun:test";

const partitions = 3;
const readyWithinMs = 60_000;
const plentiful = "1GB";
/** As if a client had acknowledged what it was not given: the broker ends each channel that has a consumer, and says so. */
const acknowledgeNonsense = `
  Reading = fun(Channel) -> (catch [{consumer_count, 0}] =/= rabbit_channel:info(Channel, [consumer_count])) end,
  Channels = lists:filter(Reading, rabbit_channel:list()),
  Watched = [monitor(process, Channel) || Channel <- Channels],
  [rabbit_channel:do(Channel, {'basic.ack', 1000000, false}) || Channel <- Channels],
  [receive {'DOWN', Watch, process, _, _} -> ended after 10000 -> exit(not_ended) end || Watch <- Watched].
`;

describeWithOwnEngine("rabbitmq", "RabbitMQ", () => {
  let broker: RabbitmqServer;
  beforeAll(async () => {
    broker = await openRabbitmq();
  }, 120_000);
  afterAll(() => broker.close(), 60_000);

  async function open(): Promise<JournalFixture> {
    const url = await broker.database("journal");
    const links: TcpProxy[] = [];
    const proxies = new Map<Connected, TcpProxy>();
    let faulty: TcpProxy | undefined;
    const connect = async (): Promise<Connected> => {
      const [forJournal, forSource] = [await TcpProxy.open(broker.url), await TcpProxy.open(broker.url)];
      links.push(forJournal, forSource);
      faulty ??= forJournal;
      const journal = new RabbitJournal({ url: forJournal.through(url), name: "tests publish", partitions, confirmTimeoutMs: 1_000 });
      const source = new RabbitSource({ url: forSource.through(url), name: "tests read" });
      await Promise.all([journal.ready(readyWithinMs), source.ready(readyWithinMs)]);
      const connected = { journal, source, close: async () => void (await Promise.all([journal.close(), source.close()])) };
      proxies.set(connected, forSource);
      return connected;
    };
    return {
      connect,
      cutOff: async (process) => {
        const proxy = proxies.get(process);
        proxy?.refuse();
        proxy?.reset();
      },
      restart: async () => {
        await broker.kill();
        await broker.start();
      },
      stop: async () => {
        await broker.freeze();
        return async () => broker.thaw();
      },
      loseConfirm: async () => {
        faulty?.cut("replies");
        return async () => faulty?.restore();
      },
      block: async () => {
        await broker.ctl("set_vm_memory_high_watermark", "0.0000001");
        return async () => void (await broker.ctl("set_vm_memory_high_watermark", "absolute", plentiful));
      },
      closeChannels: async () => void (await broker.ctl("eval", acknowledgeNonsense)),
      takeAway: async (partition) => {
        const { pathname } = new URL(url);
        await broker.ctl("delete_queue", "-p", decodeURIComponent(pathname.slice(1)), queueName(partition));
      },
      close: async () => {
        for (const link of links) link.close();
      },
    };
  }

  journalContract("carries", open);
});
