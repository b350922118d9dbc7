/**
 * What breaks, and how it is healed. After a strike every process and engine is up again and every line is whole; what
 * the shop makes of it then is its own work, for nobody does anything by hand.
 */
import { pause } from "../../harness/wait.ts";
import type { Cluster } from "./cluster.ts";
import type { Member } from "./member.ts";

export type Fault = {
  readonly name: string;
  readonly modes: readonly ("sql" | "queued")[];
  /** Resolves when it is healed. */
  readonly strike: (cluster: Cluster) => Promise<void>;
};

const both = ["sql", "queued"] as const;
const queued = ["queued"] as const;
/** Long enough that leases run out and processes count as dead. */
const frozenMs = 5_000;
const databaseDownMs = 8_000;
const downMs = 1_500;
/** Time for something to be half-way. */
const halfWayMs = 300;

function firstOf(members: readonly Member[]): Member {
  const [first] = members;
  if (first === undefined) throw new Error("a cluster has members of each role");
  return first;
}

async function killAndStart(member: Member): Promise<void> {
  await member.kill();
  await pause(downMs);
  await member.start();
}

async function freeze(member: Member): Promise<void> {
  member.freeze();
  await pause(frozenMs);
  member.thaw();
}

/** Does something while a line carries nothing, or nothing one way. */
async function whileCut(
  member: Member,
  line: "database" | "redis" | "broker",
  how: "all" | "requests" | "replies",
  act: () => Promise<void>,
) {
  const proxy = member.line(line);
  if (how === "all") proxy.blackHole();
  else proxy.cut(how);
  try {
    await pause(halfWayMs);
    await act();
  } finally {
    await proxy.restore();
  }
}

async function killAll(cluster: Cluster): Promise<void> {
  await Promise.all([...cluster.engines.map((engine) => engine.kill()), ...cluster.members.map((member) => member.kill())]);
}

/** In the order in which they need one another. */
async function startAll(cluster: Cluster): Promise<void> {
  await Promise.all(cluster.engines.map((engine) => engine.start()));
  for (const member of cluster.members) await member.start();
}

const alarm = (cluster: Cluster, limit: string) => cluster.rabbit.ctl("set_vm_memory_high_watermark", "absolute", limit);

export const faults: readonly Fault[] = [
  { name: "api-killed", modes: both, strike: ({ apis }) => killAndStart(firstOf(apis)) },
  { name: "api-frozen", modes: both, strike: ({ apis }) => freeze(firstOf(apis)) },
  { name: "worker-killed", modes: both, strike: ({ workers }) => killAndStart(firstOf(workers)) },
  { name: "workers-frozen", modes: both, strike: async ({ workers }) => void (await Promise.all(workers.map(freeze))) },
  {
    name: "database-killed",
    modes: both,
    strike: async ({ database }) => {
      await database.kill();
      await pause(databaseDownMs);
      await database.start();
    },
  },
  {
    name: "database-frozen",
    modes: both,
    strike: async ({ database }) => {
      await database.freeze();
      await pause(frozenMs);
      database.thaw();
    },
  },
  {
    name: "database-answers-lost",
    modes: both,
    strike: ({ members }) =>
      Promise.all(members.map((member) => whileCut(member, "database", "replies", () => pause(downMs)))).then(() => undefined),
  },
  {
    name: "api-cut-from-database",
    modes: both,
    strike: ({ apis }) => whileCut(firstOf(apis), "database", "all", () => pause(frozenMs)),
  },
  {
    name: "api-killed-between-script-and-publish",
    modes: queued,
    strike: async ({ apis }) => {
      const api = firstOf(apis);
      await whileCut(api, "broker", "all", () => api.kill());
      await api.start();
    },
  },
  {
    name: "api-frozen-between-script-and-publish",
    modes: queued,
    strike: async ({ apis }) => {
      const api = firstOf(apis);
      await whileCut(api, "broker", "all", async () => {
        api.freeze();
        await pause(frozenMs);
      });
      api.thaw();
    },
  },
  {
    name: "worker-killed-between-commit-and-ack",
    modes: queued,
    strike: async ({ workers }) => {
      for (const worker of workers) await whileCut(worker, "broker", "requests", () => worker.kill());
      for (const worker of workers) await worker.start();
    },
  },
  {
    name: "duplicate-delivery",
    modes: queued,
    strike: async ({ workers }) => {
      for (let round = 0; round < 3; round++)
        for (const worker of workers) await whileCut(worker, "broker", "requests", () => pause(halfWayMs));
    },
  },
  {
    name: "slow-consumer",
    modes: queued,
    strike: async ({ workers }) => {
      for (const worker of workers) worker.line("database").latency(300);
      await pause(frozenMs);
      for (const worker of workers) await worker.line("database").restore();
    },
  },
  {
    name: "redis-killed",
    modes: queued,
    strike: async ({ redis }) => {
      await redis.kill();
      await pause(downMs);
      await redis.start();
    },
  },
  {
    name: "redis-lost-its-tail",
    modes: queued,
    strike: async ({ redis }) => {
      await redis.kill();
      redis.cutAof(Math.min(20_000, redis.aofBytes()));
      await redis.start();
    },
  },
  {
    name: "redis-frozen",
    modes: queued,
    strike: async ({ redis }) => {
      await redis.freeze();
      await pause(frozenMs);
      redis.thaw();
    },
  },
  { name: "redis-flushed", modes: queued, strike: async ({ redis }) => void (await redis.cli("FLUSHALL")) },
  {
    name: "redis-answers-lost",
    modes: queued,
    strike: ({ apis }) => Promise.all(apis.map((api) => whileCut(api, "redis", "replies", () => pause(downMs)))).then(() => undefined),
  },
  {
    name: "rabbit-killed",
    modes: queued,
    strike: async ({ rabbit }) => {
      await rabbit.kill();
      await pause(downMs);
      await rabbit.start();
    },
  },
  {
    name: "rabbit-frozen",
    modes: queued,
    strike: async ({ rabbit }) => {
      await rabbit.freeze();
      await pause(frozenMs);
      rabbit.thaw();
    },
  },
  {
    name: "memory-alarm",
    modes: queued,
    strike: async (cluster) => {
      await alarm(cluster, "1MB");
      await pause(frozenMs);
      await alarm(cluster, "1GB");
    },
  },
  {
    name: "all-at-once",
    modes: both,
    strike: async (cluster) => {
      await killAll(cluster);
      await startAll(cluster);
    },
  },
];

export function faultNamed(name: string): Fault {
  const fault = faults.find((each) => each.name === name);
  if (fault === undefined) throw new Error(`no fault is called "${name}": ${faults.map((each) => each.name).join(", ")}`);
  return fault;
}
