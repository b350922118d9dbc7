/**
 * What `doorbuster doctor` finds at a real RabbitMQ: queues, rights, alarms and readers as they should be, and as they should
 * not. What is planted wrong is found, and the command of the fix mends it.
 */
import { connect, type ChannelModel } from "amqplib";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { queueArguments, queueName } from "../../src/adapters/rabbitmq/partitions.ts";
import { RabbitJournal } from "../../src/adapters/rabbitmq/rabbit-journal.ts";
import { RabbitSource } from "../../src/adapters/rabbitmq/rabbit-source.ts";
import { describeWithOwnEngine } from "../harness/engines/describe-with-engine.ts";
import { openRabbitmq, type RabbitmqServer } from "../harness/engines/rabbitmq.ts";
import { waitFor } from "../harness/wait.ts";
import { askBroker, badIn, commandsIn, find, type Findings } from "./doctor-findings.ts";

const slow = { timeout: 60_000 };
const partitions = 4;
const readyWithinMs = 20_000;

describeWithOwnEngine("rabbitmq", "doctor at a RabbitMQ", () => {
  let broker: RabbitmqServer;
  beforeAll(async () => {
    broker = await openRabbitmq();
  }, 120_000);
  afterAll(() => broker.close(), 60_000);

  const queuesIn = async (url: string) =>
    (await broker.ctl("list_queues", "-p", placeOf(url), "--no-table-headers", "name")).split("\n").filter(Boolean);

  async function mend(findings: Findings, beginning: RegExp = /^rabbitmqctl/): Promise<number> {
    const commands = commandsIn(findings, beginning);
    for (const [, ...args] of commands) await broker.ctl(...args);
    return commands.length;
  }

  /** A journal and a reader, whose start makes the queues. */
  async function start(url: string, count = partitions) {
    const journal = new RabbitJournal({ url, name: "tests publish", partitions: count });
    const source = new RabbitSource({ url, name: "tests read" });
    expect(await Promise.all([journal.ready(readyWithinMs), source.ready(readyWithinMs)])).toEqual([true, true]);
    return { journal, source, close: () => Promise.all([journal.close(), source.close()]) };
  }

  test(
    "[H7] before the first start and after it all is well, and no queue is made",
    async () => {
      const url = await broker.database("doc_good");
      const before = await askBroker(url);
      expect(badIn(before)).toEqual({});
      expect(find(before, "broker-queues")?.found).toBe("there are none yet; a start makes them");
      expect(await queuesIn(url)).toEqual([]);
      const started = await start(url);
      const after = await askBroker(url);
      expect(badIn(after)).toEqual({});
      expect(find(after, "broker-queues")?.found).toBe("4 are there, as they should be");
      expect(find(await askBroker(url, { partitions: 6 }), "broker-queues")?.found).toBe("4 of 6 are there; a start makes the others");
      expect(await queuesIn(url)).toHaveLength(4);
      await started.close();
    },
    slow,
  );

  test(
    "[H7] queues of another kind are found, and left as they are; deleted by the fix, a start makes them as they should be",
    async () => {
      const url = await broker.database("doc_kinds");
      const others: readonly [arguments_: Record<string, unknown>, part: string][] = [
        [{}, "x-single-active-consumer: wanted 'true' of type 'bool' but current is none"],
        [{ ...queueArguments, "x-single-active-consumer": false }, "x-single-active-consumer"],
        [{ "x-queue-type": "quorum", "x-single-active-consumer": true }, "x-delivery-limit"],
        [{ ...queueArguments, "x-delivery-limit": 20 }, "x-delivery-limit: wanted '1000000000' but current is '20'"],
        [{ ...queueArguments, "x-message-ttl": 60_000 }, "x-message-ttl"],
      ];
      await withModel(url, async (model) => {
        const channel = await model.createChannel();
        for (const [partition, [args]] of others.entries())
          await channel.assertQueue(queueName(partition), { durable: true, arguments: args });
        channel.sendToQueue(queueName(3), Buffer.from("a message"), { persistent: true });
        await channel.close();
      });
      const look = () => askBroker(url, { partitions: others.length });
      await waitFor("the message", async () => find(await look(), "broker-depth")?.value === 1);
      const findings = await look();
      const told = findings.filter(({ id, level }) => id === "broker-queues" && level === "problem");
      expect(told).toHaveLength(others.length);
      for (const [partition, [, part]] of others.entries()) expect(told[partition]?.found).toContain(part);
      expect(told[3]?.found).toContain("and 1 message waits in it");
      expect(told[3]?.fix).toContain("rabbitmq_shovel");
      expect(await queuesIn(url)).toHaveLength(others.length);
      expect(await mend(told, /^rabbitmqctl delete_queue/)).toBe(others.length - 1);
      await broker.ctl("delete_queue", "-p", placeOf(url), queueName(3));
      const started = await start(url, others.length);
      expect(badIn(await look())).toEqual({});
      await started.close();
    },
    slow,
  );

  test(
    "[H7] a user who may do nothing is told what it lacks, and with what the fix grants it sends and reads",
    async () => {
      await broker.ctl("add_user", "seller", "seller-of-tests");
      const address = new URL(await broker.database("doc_rights"));
      [address.username, address.password] = ["seller", "seller-of-tests"];
      const url = address.href;
      const outside = await askBroker(url);
      expect(find(outside, "broker-server")).toMatchObject({ level: "problem", found: expect.stringContaining("may not enter it") });
      await broker.ctl("set_permissions", "-p", placeOf(url), "seller", "^$", "^$", "^$");
      const inside = await askBroker(url);
      expect(badIn(inside)).toEqual({ "broker-rights": "problem" });
      expect(find(inside, "broker-rights")?.found).toStartWith('"seller" lacks configure, read, write on our queues');
      expect(await mend(inside)).toBe(1);
      expect(badIn(await askBroker(url))).toEqual({});
      const { journal, source, close } = await start(url);
      const come: string[] = [];
      source.read(1, async (deliveries) => {
        for (const { text, acknowledge } of deliveries) {
          come.push(text);
          acknowledge();
        }
      });
      expect(await journal.publish(1, "a line")).toBe(true);
      await waitFor("the line", () => come.length === 1);
      expect(badIn(await askBroker(url))).toEqual({});
      await close();
    },
    slow,
  );

  test(
    "a virtual host that is not there is made and opened by the fix; other ways not to get in are one finding each",
    async () => {
      const nowhere = `${broker.url}/doc_nowhere`;
      const missing = await askBroker(nowhere);
      expect(badIn(missing)).toEqual({ "broker-server": "problem" });
      expect(find(missing, "broker-server")?.found).toContain("no such virtual host");
      for (const beginning of [/^rabbitmqctl add_vhost/, /^rabbitmqctl set_permissions/]) await mend(missing, beginning);
      expect(badIn(await askBroker(nowhere))).toEqual({});
      const cases: readonly [string, string][] = [
        [broker.url.replace("of-tests", "of-others"), "does not let this user in (Handshake terminated by server: 403"],
        ["amqp://seller@127.0.0.1:1", "nobody listens there"],
        ["amqp://seller@nowhere.invalid", "nobody knows this host"],
        [broker.url.replace("amqp://", "amqps://"), "do not agree about encryption"],
      ];
      for (const [url, part] of cases) {
        const findings = await askBroker(url);
        expect([url, findings.length, badIn(findings)]).toEqual([url, 1, { "broker-server": "problem" }]);
        expect(findings[0]?.found).toContain(part);
        expect(JSON.stringify(findings)).not.toContain("of-others");
      }
    },
    slow,
  );

  test(
    "[H7] a broker short of memory or disk is a problem for as long as it is",
    async () => {
      const url = await broker.database("doc_alarm");
      const alarms: readonly [command: readonly string[], found: string][] = [
        [["set_vm_memory_high_watermark", "0.0000001"], "it takes no messages: low on memory"],
        [["set_disk_free_limit", "900000GB"], "it takes no messages: low on disk"],
      ];
      for (const [command, found] of alarms) {
        await broker.ctl(...command);
        const short = await waitFor("the alarm", async () => {
          const findings = await askBroker(url);
          return find(findings, "broker-alarm")?.level === "problem" && findings;
        });
        expect(badIn(short)).toEqual({ "broker-alarm": "problem" });
        expect(find(short, "broker-alarm")?.found).toBe(found);
        expect(await mend(short)).toBe(1);
        await waitFor("its end", async () => find(await askBroker(url), "broker-alarm")?.level === "ok");
      }
    },
    slow,
  );

  test(
    "what is agreed about a connection: channels, pieces and heartbeats",
    async () => {
      const url = await broker.database("doc_link");
      const set = (name: string, value: number) => broker.ctl("eval", `application:set_env(rabbit, ${name}, ${value}).`);
      await set("channel_max", 3);
      await set("frame_max", 8_192);
      const tight = await askBroker(`${url}?heartbeat=0`);
      expect(badIn(tight)).toEqual({ "broker-connection": "warning" });
      const told = tight.filter(({ id }) => id === "broker-connection");
      expect(told.map(({ level }) => level)).toEqual(["problem", "warning", "warning"]);
      expect(told[0]?.found).toBe("it takes 3 channels on a connection, and reading 4 partitions takes one for each");
      expect(await mend(told)).toBe(2);
      expect(badIn(await askBroker(url))).toEqual({});
    },
    slow,
  );

  test(
    "[H7] messages beyond the partitions that are configured are a problem, and so is a queue without its reader",
    async () => {
      const url = await broker.database("doc_beyond");
      const { journal, close } = await start(url, 6);
      expect(await journal.publish(5, "a line")).toBe(true);
      const fewer = await waitFor("the message", async () => {
        const findings = await askBroker(url);
        return find(findings, "broker-depth")?.value === 1 && findings;
      });
      expect(badIn(fewer)).toEqual({ "broker-partitions": "problem" });
      expect(find(fewer, "broker-partitions")).toMatchObject({
        found: "doorbuster.lines.5: 1 message waits where nobody will read, for 4 partitions are configured",
        fix: "DOORBUSTER_BROKER_PARTITIONS=6 in all processes, until they are settled",
      });
      const enough = await askBroker(url, { partitions: 6 });
      expect(badIn(enough)).toEqual({ "broker-readers": "warning" });
      expect(find(enough, "broker-readers")?.found).toEndWith("nobody reads, and 1 message waits");
      await close();
    },
    slow,
  );

  test(
    "one that is frozen is a finding within a bound",
    async () => {
      await broker.freeze();
      const frozen = await askBroker(broker.url);
      broker.thaw();
      expect(frozen).toMatchObject([{ id: "broker-server", level: "problem", found: expect.stringContaining("it does not answer") }]);
    },
    slow,
  );
});

const placeOf = (url: string): string => new URL(url).pathname.slice(1);

async function withModel(url: string, use: (model: ChannelModel) => Promise<void>): Promise<void> {
  const model = await connect(url);
  await use(model);
  await model.close();
}
