/** The contract of a broker that carries lines, on a real RabbitMQ. */
import { connect, type Channel } from "amqplib";
import { queueName } from "../../src/adapters/rabbitmq/partitions.ts";
import { RabbitJournal } from "../../src/adapters/rabbitmq/rabbit-journal.ts";
import { RabbitSource } from "../../src/adapters/rabbitmq/rabbit-source.ts";
import { journalContract, type Connected, type JournalFixture } from "../contract/journal.ts";
import { describeWithOwnEngine } from "../harness/engines/describe-with-engine.ts";
import { openRabbitmq, type RabbitmqServer } from "../harness/engines/rabbitmq.ts";
import { TcpProxy } from "../harness/tcp-proxy.ts";
import { waitFor } from "../harness/wait.ts";
import { afterAll, beforeAll, expect, test } from "bun:test";

const partitions = 3;
const readyWithinMs = 60_000;
const patienceMs = 60_000;
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

  /** What a process of its own was told. */
  function listening(url: string) {
    const told: string[] = [];
    const tell = (message: string) => void told.push(message);
    return { told, options: { url, name: "tests", onError: tell, onRecovered: tell } };
  }

  test("[QM5] tells that a partition is not read, why, and that it is again", async () => {
    const { told, options } = listening(await broker.database("journal"));
    const source = new RabbitSource(options);
    const reader = source.read(1, async () => undefined);
    const consumers =
      "length([1 || Channel <- rabbit_channel:list(), {consumer_count, 1} <- rabbit_channel:info(Channel, [consumer_count])]).";
    await waitFor("its consumer", async () => (await broker.ctl("eval", consumers)) === "1", { withinMs: patienceMs });
    await broker.ctl("eval", acknowledgeNonsense);
    await waitFor("both lines", () => told.length >= 2, { withinMs: patienceMs });
    expect(told).toEqual([
      expect.stringMatching(/^partition 1 is not read: Channel closed by server: 406 .*unknown delivery tag/),
      "partition 1 is read again",
    ]);
    await reader.stop();
    await source.close();
  }, 90_000);

  test("[QM5] a reader whom nobody tells that its queue was taken away is given what comes into the next one", async () => {
    const url = await broker.database("journal");
    const options = { url, name: "tests" };
    const journal = new RabbitJournal({ ...options, partitions, confirmTimeoutMs: 1_000 });
    const source = new RabbitSource(options);
    const got: string[] = [];
    // Now and then the broker forgets it by itself.
    await using _ = await deafToCancels(url);
    try {
      await journal.ready(patienceMs);
      const reader = source.read(1, async (deliveries) => {
        for (const { text, acknowledge } of deliveries) {
          got.push(text);
          acknowledge();
        }
      });
      expect(await journal.publish(1, "before")).toBe(true);
      await waitFor("the first one", () => got.includes("before"), { withinMs: patienceMs });
      const vhost = decodeURIComponent(new URL(url).pathname.slice(1));
      await broker.ctl("delete_queue", "-p", vhost, queueName(1));
      await waitFor("the new queue to take it", () => journal.publish(1, "behind"), { withinMs: patienceMs });
      await waitFor("what is in the new one", () => got.includes("behind"), { withinMs: patienceMs });
      await reader.stop();
    } finally {
      await journal.close();
      await source.close();
    }
  }, 90_000);

  test("[QM6] a connection begun while the broker takes nothing is open once it does, and writes nothing before", async () => {
    const { told, options } = listening(await broker.database("journal"));
    await broker.ctl("set_vm_memory_high_watermark", "0.0000001");
    const journal = new RabbitJournal({ ...options, partitions });
    await waitFor("the word of it", () => told.some((line) => line.startsWith("the broker takes nothing")), { withinMs: patienceMs });
    expect(journal.isOpen).toBe(false);
    expect(await Promise.all(["a", "b"].map((text) => journal.publish(1, text)))).toEqual([false, false]);
    await broker.ctl("set_vm_memory_high_watermark", "absolute", plentiful);
    expect(await journal.ready(patienceMs)).toBe(true);
    expect(told.at(-1)).toBe("the broker takes messages again");
    expect(await journal.publish(1, "c")).toBe(true);
    const source = new RabbitSource(options);
    const got: string[] = [];
    const reader = source.read(1, async (deliveries) => {
      got.push(...deliveries.map(({ text }) => text));
      for (const { acknowledge } of deliveries) acknowledge();
    });
    await waitFor("its message", () => got.length > 0, { withinMs: patienceMs });
    expect(got).toEqual(["c"]);
    await reader.stop();
    await Promise.all([source.close(), journal.close()]);
  }, 90_000);
});

/** As a broker that forgets its word: no consumer of this process hears that it is one no more. */
async function deafToCancels(url: string): Promise<AsyncDisposable> {
  const model = await connect(url);
  const prototype: Channel = Object.getPrototypeOf(await model.createChannel());
  const consume: Channel["consume"] = Reflect.get(prototype, "consume");
  prototype.consume = function deaf(this: Channel, queue, take, options) {
    const hear: typeof take = (message) => {
      if (message !== null) take(message);
    };
    return consume.call(this, queue, hear, options);
  };
  return {
    [Symbol.asyncDispose]: async () => {
      prototype.consume = consume;
      await model.close();
    },
  };
}
