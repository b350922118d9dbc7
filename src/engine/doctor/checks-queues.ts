/** The broker's queues beside what is configured, who reads them, and what the database needs. */
import type { BrokerSeen, QueueSeen } from "../../ports/broker-facts.ts";
import type { ServerSeen } from "../../ports/server-facts.ts";
import { brokerCommand } from "./broker-fixes.ts";
import { countText, ok, problem, warning, type Check, type Judgement } from "./finding.ts";

export type QueuesAt = {
  readonly seen: BrokerSeen;
  readonly partitions: number;
  /** Undefined where the database could not be looked at. */
  readonly server: ServerSeen | undefined;
};

/** More messages than a database settles in a few seconds; each may hold many purchases. */
const messagesWanted = 10_000;

const configured = ({ seen, partitions }: QueuesAt): readonly QueueSeen[] => seen.queues.filter(({ partition }) => partition < partitions);
const behind = ({ seen, partitions }: QueuesAt): readonly QueueSeen[] => seen.queues.filter(({ partition }) => partition >= partitions);
const namesOf = (queues: readonly QueueSeen[]): string => queues.map(({ name }) => name).join(", ");
const messagesIn = (queues: readonly QueueSeen[]): number => queues.reduce((sum, { messages }) => sum + messages, 0);
const waitsText = (count: number): string => (count === 1 ? "1 message waits" : `${countText(count)} messages wait`);
const doLive = ({ server }: QueuesAt): boolean => (server?.processes ?? []).length > 0;
const doesWork = ({ server }: QueuesAt): boolean => (server?.processes ?? []).some(({ roles }) => roles.split(" ").includes("worker"));

export const queuesChecks: readonly Check<QueuesAt>[] = [
  {
    id: "broker-queues",
    why: "A queue of another kind loses lines or their order when a reader or the broker dies; no process of ours works with it",
    judge: queuesJudgement,
  },
  {
    id: "broker-partitions",
    why: "A sale stays in the partition in which it began; what is in one that nobody reads never becomes an order",
    judge: partitionsJudgement,
  },
  {
    id: "broker-readers",
    why: "Purchases that were answered 202 become orders when a worker has read them",
    judge(at): Judgement | undefined {
      const unread = configured(at).filter(({ readers }) => readers === 0);
      if (configured(at).length === 0) return undefined;
      if (unread.length === 0) return ok("each queue has its reader");
      const found = `${namesOf(unread)}: nobody reads`;
      const waiting = messagesIn(unread);
      if (doesWork(at))
        return warning(
          `${found}, though a worker lives`,
          `Restart the workers, and see in their log why the broker does not answer; ${brokerCommand("list_consumers", "-p", at.seen.address.place)}`,
        );
      return waiting === 0 ? ok(`${found}, and nothing waits`) : warning(`${found}, and ${waitsText(waiting)}`, "doorbuster worker");
    },
  },
  {
    id: "broker-depth",
    why: "What waits there is bought and no order yet; a sale that begins behind it is answered late",
    judge(at): Judgement | undefined {
      if (at.seen.queues.length === 0) return undefined;
      const waiting = messagesIn(at.seen.queues);
      const measured = { value: waiting, unit: "messages" };
      const found = waitsText(waiting);
      if (waiting <= messagesWanted) return ok(found, measured);
      return warning(
        found,
        `Wait until there are fewer before a sale begins: ${brokerCommand("list_queues", "-p", at.seen.address.place, "name", "messages", "consumers")}`,
        measured,
      );
    },
  },
];

function queuesJudgement(at: QueuesAt): Judgement | readonly Judgement[] {
  const { partitions, seen } = at;
  const there = configured(at);
  const found: Judgement[] = there.flatMap((queue) => (queue.differs === undefined ? [] : [otherQueue(queue, seen)]));
  if (there.length === 0) return ok("there are none yet; a start makes them");
  if (there.length < partitions) {
    const some = `${there.length} of ${partitions} are there; a start makes the others`;
    found.push(
      doLive(at)
        ? warning(`${some}, and processes live that know fewer`, `Restart all processes with DOORBUSTER_BROKER_PARTITIONS=${partitions}`)
        : ok(some),
    );
  }
  return found.length > 0 ? found : ok(`${partitions} are there, as they should be`);
}

function otherQueue({ name, differs, messages }: QueueSeen, { address }: BrokerSeen): Judgement {
  const place = ["-p", address.place];
  const found = `${name} is another kind of queue (${differs}); no process of ours sends to it or reads from it`;
  if (messages === 0) return problem(found, `${brokerCommand("delete_queue", ...place, name)}; a start makes it anew`);
  return problem(
    `${found}, and ${waitsText(messages)} in it`,
    `Move them to another queue (rabbitmq-plugins enable rabbitmq_shovel), then ${brokerCommand("delete_queue", ...place, name)}, start, and move them back`,
  );
}

function partitionsJudgement(at: QueuesAt): Judgement {
  const { partitions, server } = at;
  const option = "DOORBUSTER_BROKER_PARTITIONS";
  const max = server?.queue?.partitionMax;
  if (max !== undefined && max >= partitions)
    return problem(
      `sales of the database are in partition ${max}, and the last one that is configured is ${partitions - 1}; a server of ours does not start so`,
      `${option}=${max + 1} in all processes`,
    );
  const full = behind(at).filter(({ messages }) => messages > 0);
  const last = full.at(-1);
  if (last !== undefined)
    return problem(
      `${namesOf(full)}: ${waitsText(messagesIn(full))} where nobody will read, for ${partitions} partitions are configured`,
      `${option}=${last.partition + 1} in all processes, until they are settled`,
    );
  const read = behind(at).filter(({ readers }) => readers > 0);
  if (read.length > 0)
    return warning(
      `${namesOf(read)}: read by a process that has more partitions than the ${partitions} of this configuration`,
      `The same in all processes: ${option}=${(read.at(-1)?.partition ?? 0) + 1}`,
    );
  return ok(max === undefined ? `${partitions}, and no sale needs one yet` : `${partitions}, and sales need ${max + 1}`);
}
