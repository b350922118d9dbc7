/** Every finding about the broker, its queues and the scopes that use them, with what is said of them. */
import { expect, test } from "bun:test";
import { checkTables } from "../../../tests/kit/check-table.ts";
import type { BrokerAddress, BrokerFacts, BrokerLink, BrokerSeen, QueueSeen } from "../../ports/broker-facts.ts";
import type { CacheSeen } from "../../ports/cache-facts.ts";
import type { ProcessSeen, QueueTables, RefusalReason, ServerSeen, StuckScope } from "../../ports/server-facts.ts";
import { brokerReachChecks } from "./checks-broker-reach.ts";
import { brokerChecks, type BrokerAt } from "./checks-broker.ts";
import { queuesChecks, type QueuesAt } from "./checks-queues.ts";
import { scopesChecks, type ScopesAt } from "./checks-scopes.ts";
import { judgeAll } from "./finding.ts";

const { table, allCovered } = checkTables();

const address: BrokerAddress = {
  name: "amqps://broker.example/shop",
  host: "broker.example",
  port: 5_671,
  user: "seller",
  place: "shop",
  isEncrypted: true,
};
const queue: QueueSeen = { partition: 0, name: "lines.0", messages: 0, readers: 1, differs: undefined };
const second: QueueSeen = { ...queue, partition: 1, name: "lines.1" };
const beyond: QueueSeen = { ...queue, partition: 2, name: "lines.2", readers: 0 };
const link: BrokerLink = { heartbeatSeconds: 30, frameBytesMax: 16_384, channelsMax: 2 };
const seen: BrokerSeen = {
  kind: "seen",
  address,
  product: { name: "RabbitMQ", version: "3.10.0" },
  roundTrip: { asked: 20, medianMs: 5, maxMs: 40 },
  rights: { lacking: [], wanted: { configure: "^ours", write: "^(theirs|ours)", read: "^ours" } },
  link,
  alarm: undefined,
  queues: [queue, second],
};

const reasons: Readonly<Record<RefusalReason, string>> = {
  "no-such-host": "nobody knows this host",
  unreachable: "nobody listens there",
  silent: "it does not answer",
  "not-ready": "starting or stopping",
  full: "no more connections",
  "not-let-in": "does not let this user in",
  "no-database": "no such virtual host",
  transport: "about encryption",
  other: "could not be spoken to",
};
const refused = (reason: RefusalReason, change: Partial<BrokerAddress> = {}): BrokerFacts => ({
  kind: "refused",
  address: { ...address, ...change },
  reason,
  said: "in its own words",
});
// Object.entries forgets that the keys are reasons.
const refusals = Object.entries(reasons) as [RefusalReason, string][];
table<BrokerFacts>("reaching the broker", brokerReachChecks, seen, [
  ["broker-server", {}, "ok", "amqps://broker.example/shop answers: 5.0 ms median"],
  ["broker-server", { roundTrip: { asked: 20, medianMs: 5.1, maxMs: 9 } }, "warning", "this is slow"],
  ["broker-server", { roundTrip: { asked: 20, medianMs: 101, maxMs: 300 } }, "problem", "time out"],
  ...refusals.map(([reason, part]) => ["broker-server", refused(reason), "problem", part] as const),
]);

test("what the broker says of its refusal is quoted, and names that a shell would read are between quotes", () => {
  const fixOf = (facts: BrokerFacts) => judgeAll(brokerReachChecks, facts)[0]?.fix;
  expect(judgeAll(brokerReachChecks, refused("other"))[0]?.found).toEndWith("(in its own words)");
  expect(fixOf(refused("no-database"))).toStartWith("rabbitmqctl set_permissions -p shop seller '.*' '.*' '.*'; ");
  expect(fixOf(refused("no-database", { place: "the shop's" }))).toContain(String.raw`-p 'the shop'\''s' seller`);
  expect(fixOf(refused("silent"))).toContain("speaks no TLS (amqp://)");
  expect(fixOf(refused("silent", { isEncrypted: false }))).toContain("takes only TLS (amqps://)");
});

const broker: BrokerAt = { seen, partitions: 2 };
const but = (change: Partial<BrokerSeen>): Partial<BrokerAt> => ({ seen: { ...seen, ...change } });
const called = (name: string, version: string) => but({ product: { name, version } });
const linked = (change: Partial<BrokerLink>) => but({ link: { ...link, ...change } });
const lacking = but({ rights: { ...seen.rights, lacking: ["configure", "write"] }, alarm: undefined });
const on = (change: Partial<BrokerAddress>) => but({ address: { ...address, ...change } });
table("the broker", brokerChecks, broker, [
  ["broker-version", {}, "ok", "RabbitMQ 3.10.0"],
  ["broker-version", called("RabbitMQ", "3.9.29"), "warning", "never tested"],
  ["broker-version", called("RabbitMQ", "3.7.28"), "problem", "at least 3.8 is needed"],
  ["broker-version", called("LavinMQ", "2.4.0"), "warning", "LavinMQ 2.4.0, which was never tested"],
  ["broker-rights", {}, "ok", '"seller" may make our queues'],
  ["broker-rights", lacking, "problem", 'lacks configure, write on our queues in the virtual host "shop"'],
  ["broker-alarm", {}, "ok", "it takes messages"],
  ["broker-alarm", but({ alarm: "low on memory" }), "problem", "no messages: low on memory"],
  ["broker-alarm", but({ alarm: "low on disk" }), "problem", "no messages: low on disk"],
  ["broker-alarm", lacking, "none", ""],
  ["broker-connection", {}, "ok", "a heartbeat every 30 s, pieces of 16.4 KB, 2 channels"],
  ["broker-connection", linked({ channelsMax: 1 }), "problem", "it takes 1 channels"],
  ["broker-connection", linked({ heartbeatSeconds: 0 }), "warning", "no heartbeats"],
  ["broker-connection", linked({ heartbeatSeconds: 31 }), "warning", "every 31 s"],
  ["broker-connection", linked({ frameBytesMax: 4_096 }), "warning", "pieces of 4.1 KB"],
  ["broker-transport", {}, "ok", "certificate is looked at"],
  ["broker-transport", on({ isEncrypted: false }), "warning", "not encrypted, to broker.example"],
  ["broker-transport", on({ isEncrypted: false, host: "localhost" }), "ok", "within this machine"],
]);

test("each lack has its command", () => {
  const fixOf = (id: string, change: Partial<BrokerAt>) =>
    judgeAll(brokerChecks, { ...broker, ...change }).find((finding) => finding.id === id)?.fix;
  expect(fixOf("broker-rights", lacking)).toBe("rabbitmqctl set_permissions -p shop seller '^ours' '^(theirs|ours)' '^ours'");
  expect(fixOf("broker-alarm", but({ alarm: "low on memory & disk" }))).toContain("set_disk_free_limit");
  expect(fixOf("broker-alarm", but({ alarm: "low on memory" }))).toContain("set_vm_memory_high_watermark 0.6");
  expect(fixOf("broker-connection", linked({ channelsMax: 1 }))).toContain("'application:set_env(rabbit, channel_max, 2047).'");
});

const noTables: QueueTables = {
  partitionMax: 1,
  stuck: [],
  deadLetters: { count: 0, oldestAtMs: undefined, problem: undefined },
  failedLines: { count: 0, oldestAtMs: undefined, problem: undefined },
};
const worker: ProcessSeen = { number: 3, name: "one 17", roles: "api worker", version: "0.1.0", startedAtMs: 0, secrets: "a" };
const api: ProcessSeen = { ...worker, roles: "api" };
// Of a server these checks look at nothing else.
const serverWith = (processes: readonly ProcessSeen[], tables: QueueTables | undefined = noTables) =>
  ({ processes, queue: tables, clock: { offsetMs: 100, uncertaintyMs: 1, isFrozen: false } }) as unknown as ServerSeen;
const queues: QueuesAt = { seen, partitions: 2, server: serverWith([worker]) };
const holding = (...held: readonly QueueSeen[]): Partial<QueuesAt> => ({ seen: { ...seen, queues: held } });
const other = { ...queue, differs: "x-queue-type: wanted 'quorum' but current is 'classic'" };
const needs = (partitionMax: number | undefined) => ({ server: serverWith([worker], { ...noTables, partitionMax }) });
const unread = { ...second, readers: 0 };
table("the queues", queuesChecks, queues, [
  ["broker-queues", {}, "ok", "2 are there, as they should be"],
  ["broker-queues", holding(), "ok", "none yet; a start makes them"],
  ["broker-queues", holding(other, second), "problem", "lines.0 is another kind of queue (x-queue-type: wanted 'quorum'"],
  ["broker-queues", holding({ ...other, messages: 1_200 }, second), "problem", "and 1,200 messages wait in it"],
  ["broker-queues", holding(queue), "warning", "1 of 2 are there; a start makes the others, and processes live"],
  ["broker-queues", { ...holding(queue), server: serverWith([]) }, "ok", "1 of 2 are there"],
  ["broker-queues", { ...holding(queue), server: undefined }, "ok", "1 of 2 are there"],
  ["broker-partitions", {}, "ok", "2, and sales need 2"],
  ["broker-partitions", needs(undefined), "ok", "2, and no sale needs one yet"],
  ["broker-partitions", needs(2), "problem", "in partition 2, and the last one that is configured is 1"],
  ["broker-partitions", holding(queue, second, { ...beyond, messages: 5 }), "problem", "lines.2: 5 messages wait where nobody will read"],
  ["broker-partitions", holding(queue, second, { ...beyond, readers: 1 }), "warning", "lines.2: read by a process that has more"],
  ["broker-partitions", holding(queue, second, beyond), "ok", "2, and sales need 2"],
  ["broker-readers", {}, "ok", "each queue has its reader"],
  ["broker-readers", holding(queue, unread), "warning", "lines.1: nobody reads, though a worker lives"],
  ["broker-readers", { ...holding(queue, unread), server: serverWith([api]) }, "ok", "nobody reads, and nothing waits"],
  ["broker-readers", { ...holding({ ...unread, messages: 7 }), server: serverWith([]) }, "warning", "and 7 messages wait"],
  ["broker-readers", holding(beyond), "none", ""],
  ["broker-depth", {}, "ok", "0 messages wait"],
  ["broker-depth", holding({ ...queue, messages: 10_000 }), "ok", "10,000 messages wait"],
  ["broker-depth", holding({ ...queue, messages: 10_000 }, { ...second, messages: 1 }), "warning", "10,001 messages wait"],
  ["broker-depth", holding(), "none", ""],
]);

test("what is configured too low is told with how much it must be", () => {
  const fixOf = (change: Partial<QueuesAt>) =>
    judgeAll(queuesChecks, { ...queues, ...change }).find(({ id }) => id === "broker-partitions")?.fix;
  expect(fixOf(needs(6))).toBe("DOORBUSTER_BROKER_PARTITIONS=7 in all processes");
  expect(fixOf(holding({ ...beyond, messages: 5 }))).toStartWith("DOORBUSTER_BROKER_PARTITIONS=3 ");
});

// Of a cache these checks look at nothing else.
const cacheAt = (offsetMs: number) => ({ clock: { offsetMs, uncertaintyMs: 1 } }) as unknown as CacheSeen;
const scopes: ScopesAt = { server: serverWith([worker]), cache: cacheAt(600) };
const kept = (change: Partial<QueueTables>, processes: readonly ProcessSeen[] = [worker]): Partial<ScopesAt> => ({
  server: serverWith(processes, { ...noTables, ...change }),
});
const stuck: StuckScope = { id: "77", state: "closing", watchedMs: 8_000, owing: [] };
const owing: StuckScope = { ...stuck, owing: [{ number: 3, name: "web-1 4711" }] };
const waiting = { count: 2, oldestAtMs: 1_790_000_000_000, problem: "the column is too short" };
// Never asked for what it lacks: a server that is not of queued mode.
const noQueue = { ...serverWith([worker]), queue: undefined };
table("scopes", scopesChecks, scopes, [
  ["queue-scopes", {}, "ok", "none waits"],
  ["queue-scopes", kept({ stuck: [owing] }), "problem", 'it waits for the end mark of number 3 ("web-1 4711")'],
  ["queue-scopes", kept({ stuck: [stuck] }), "problem", "what was bought before is not settled yet"],
  ["queue-scopes", kept({ stuck: [{ ...stuck, state: "opening" }] }), "problem", "scope 77 is being loaded, and was for 8000 ms"],
  ["queue-scopes", kept({ stuck: [owing] }, [api]), "problem", "no worker lives to do it"],
  ["queue-scopes", { server: noQueue }, "none", ""],
  ["queue-dead-letters", {}, "ok", "none"],
  ["queue-dead-letters", kept({ deadLetters: waiting }), "warning", "2 were put aside, the oldest 2026-09-21T14:13:20.000Z: the column"],
  ["queue-dead-letters", { server: noQueue }, "none", ""],
  ["queue-failed-lines", {}, "ok", "none"],
  ["queue-failed-lines", kept({ failedLines: { ...waiting, count: 1 } }), "warning", "1 purchase fails to settle, the oldest"],
  ["queue-failed-lines", { server: noQueue }, "none", ""],
  ["queue-clocks", {}, "ok", "500 ms ahead of the database's, give or take 2.0 ms"],
  ["queue-clocks", { cache: cacheAt(-401) }, "warning", "501 ms behind the database's"],
  ["queue-clocks", { cache: cacheAt(2_101) }, "problem", "2001 ms ahead of the database's"],
  ["queue-clocks", { cache: undefined }, "none", ""],
]);

test("of many scopes some are told, and how many more there are; whom a scope waits for is told how to end", () => {
  const many = Array.from({ length: 25 }, (_, index): StuckScope => ({ ...owing, id: String(index) }));
  const found = judgeAll(scopesChecks, { ...scopes, ...kept({ stuck: many }) }).filter(({ id }) => id === "queue-scopes");
  expect([found.length, found.at(-1)?.found]).toEqual([21, "and 5 more"]);
  expect(found[0]?.fix).toContain("kill 4711");
});

allCovered();
