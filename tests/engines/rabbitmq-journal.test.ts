/** The contract of a broker that carries lines, on a real RabbitMQ. */
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
      const source = new RabbitSource({ url: forSource.through(url), name: "tests read" }, partitions);
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
      close: async () => {
        for (const link of links) link.close();
      },
    };
  }

  journalContract("carries", open);
});
