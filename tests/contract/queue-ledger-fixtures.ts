/** The ledgers that pass the contract of the queue's ledger: over maps, and on a database server. */
import { MemoryQueueLedger } from "../../src/adapters/memory/memory-queue-ledger.ts";
import { MemoryStore } from "../../src/adapters/memory/memory-store.ts";
import { ServerLeases } from "../../src/adapters/sql/server-leases.ts";
import { registerProcess, type Membership } from "../../src/adapters/sql/server-processes.ts";
import { ServerQueueLedger } from "../../src/adapters/sql/server-queue-ledger.ts";
import type { QueueLedger } from "../../src/ports/queue-ledger.ts";
import { testProcess, type EmptyStores } from "../kit/server-database.ts";
import { must, sampleNowMs } from "../kit/samples.ts";
import type { MarkingProcess, QueueLedgerFixture } from "./queue-ledger-desk.ts";

const partitions = 3;
/** So small that every case meets several pages. */
const pageMax = 2;

/** `plant`: where a control puts a bug. */
export async function openMemoryQueueLedger(plant: (ledger: MemoryQueueLedger) => Partial<QueueLedger> = () => ({})) {
  const living: { number: number; life: string }[] = [];
  let joined = 0;
  let term = 1;
  const store = new MemoryStore({ queue: { partitions, living: () => living } });
  const ledger = new MemoryQueueLedger({ store, nowMs: () => sampleNowMs, isCurrent: (fence) => fence.term === term });
  const fixture: QueueLedgerFixture = {
    ledger: Object.assign(ledger, plant(ledger)),
    stock: store,
    catalogue: store,
    join: async (role) => {
      joined += 1;
      if (role === "api") living.push({ number: joined, life: `life ${joined}` });
      return { process: joined, life: `life ${joined}` };
    },
    die: async ({ life }) => {
      const at = living.findIndex((process) => process.life === life);
      if (at >= 0) living.splice(at, 1);
    },
    fence: async () => ({ lease: "opener", term }),
    overtake: async () => void (term += 1),
    close: async () => undefined,
  };
  return fixture;
}

/** A test may stand still for longer than a process that renews nothing counts as alive. */
const aliveForAnHour = `UPDATE process SET until_at = until_at + 3600000 WHERE number = ?`;

export async function openServerQueueLedger(stores: EmptyStores): Promise<QueueLedgerFixture> {
  const store = await stores.take({ queue: { partitions } });
  const { database, ledger: stock, catalogue } = store;
  await store.membership.leave();
  const joined = new Map<string, Membership>();
  const leasesOf = (holder: number) => new ServerLeases(database, holder, () => performance.now());
  const die = async ({ life }: MarkingProcess) => joined.get(life)?.leave();
  return {
    ledger: new ServerQueueLedger(database, { time: "batch", pageMax }),
    stock,
    catalogue,
    join: async (role) => {
      const membership = await registerProcess(database, { ...testProcess, roles: [role] });
      await database.write(async (tx) => void (await tx.execute(aliveForAnHour, [membership.number])));
      joined.set(membership.life, membership);
      return { process: membership.number, life: membership.life };
    },
    die,
    fence: async () => must(await leasesOf(1).hold("opener")),
    overtake: async (fence) => {
      await leasesOf(1).giveUp(fence);
      must(await leasesOf(2).hold(fence.lease));
    },
    close: async () => {
      for (const membership of joined.values()) await membership.leave();
      await stores.giveBack(store);
    },
  };
}
