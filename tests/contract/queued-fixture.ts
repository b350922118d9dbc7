import { auditRowsOf, MemoryAuditSource } from "../../src/adapters/memory/audit-source.ts";
import { MemoryCache } from "../../src/adapters/memory/memory-cache.ts";
import { MemoryQueueLedger } from "../../src/adapters/memory/memory-queue-ledger.ts";
import { MemoryStore } from "../../src/adapters/memory/memory-store.ts";
import { openServerAuditSource } from "../../src/adapters/sql/server-audit-source.ts";
import { ServerQueueLedger } from "../../src/adapters/sql/server-queue-ledger.ts";
import type { LedgerEntry } from "../../src/domain/ledger.ts";
import type { Movement } from "../../src/domain/movement.ts";
import type { Acceptance } from "../../src/ports/acceptance.ts";
import type { QueueLedger } from "../../src/ports/queue-ledger.ts";
import { FaultyLedger } from "../kit/faulty-ledger.ts";
import { ManualTime } from "../kit/manual-time.ts";
import { queuedStack } from "../kit/queued-stack.ts";
import type { EmptyStores } from "../kit/server-database.ts";
import type { OpenStore } from "./direct-fixture.ts";
import type { Fixture } from "./fixture.ts";
import { startMs } from "./shop.ts";

const partitions = 3;
/** Rounds without a pause would take the server's time from what they wait for. */
const serverRoundPauseMs = 2;
type Presence = { readonly number: number; readonly life: string; readonly unbroken: number | undefined };
type QueuedStore = Omit<OpenStore, "kill"> & { readonly queue: QueueLedger; readonly presence: Presence };

/** Over the memory store. */
export function openQueuedFixture(): Promise<Fixture> {
  return fixtureOf(async (time) => {
    const presence = { number: 1, life: "one", unbroken: 1 };
    const store = new MemoryStore({ queue: { partitions, living: () => [presence] } });
    return {
      presence,
      ledger: store,
      catalogue: store,
      records: store,
      queue: new MemoryQueueLedger({ store, nowMs: () => time.nowMs() }),
      audit: async () => new MemoryAuditSource(auditRowsOf(store.tables)),
      end: async () => undefined,
    };
  });
}

/** Over a database server. */
export function openServerQueuedFixture(stores: EmptyStores): Promise<Fixture> {
  const betweenRounds = () => new Promise<void>((resolve) => setTimeout(resolve, serverRoundPauseMs));
  return fixtureOf(async () => {
    const store = await stores.take({ queue: { partitions } });
    const { ledger, catalogue, records, database, membership } = store;
    return {
      presence: { number: membership.number, life: membership.life, unbroken: 1 },
      ledger,
      catalogue,
      records,
      queue: new ServerQueueLedger(database, { time: "batch" }),
      audit: () => openServerAuditSource(database),
      end: () => stores.giveBack(store),
    };
  }, betweenRounds);
}

/**
 * Queued acceptance over models of cache and broker. What follows from a commit comes to the cache a moment later; the
 * contract speaks of what holds then, so an answer that changes what the cache must know is given when the cache knows it.
 */
async function fixtureOf(open: (time: ManualTime) => Promise<QueuedStore>, betweenRounds?: () => Promise<void>): Promise<Fixture> {
  const time = new ManualTime(startMs);
  const { ledger: stockLedger, queue: ledger, catalogue, records, presence, audit, end } = await open(time);
  const cache = new MemoryCache(() => time.nowMs());
  const faulty = new FaultyLedger(stockLedger);
  const stack = queuedStack({ stockLedger: faulty, ledger, cache, records, time, partitions, presence, betweenRounds });
  const acceptance: Acceptance = {
    isPending: (...ask) => stack.acceptance.isPending(...ask),
    async submit<M extends Movement>(...ask: Parameters<typeof stack.acceptance.submit<M>>) {
      const answers = await stack.acceptance.submit(...ask);
      await stack.rest();
      return answers;
    },
  };
  return {
    time,
    acceptance,
    catalogue,
    records,
    faults: {
      hold: (where) => faulty.hold(where),
      inFlight: () => faulty.batches.length - faulty.ended,
      commits: () => faulty.batches.length,
      loseAnswers: (count, when) => faulty.loseAnswers(count, when),
      failNext: (count, cause) => faulty.failNext(count, cause),
      poison: (poisoned) => faulty.poison(poisoned),
    },
    async ledger(saleId) {
      const source = await audit();
      const entries: LedgerEntry[] = [];
      for await (const page of source.ledger())
        for (const { number: _, ...entry } of page) if (entry.saleId === saleId) entries.push(entry);
      await source.close();
      return entries;
    },
    drain: () => stack.acceptance.drain(),
    restart: () => Promise.reject(new Error("the models end with the test")),
    crash: () => Promise.reject(new Error("the models end with the test")),
    close: async () => {
      await stack.close();
      await end();
    },
  };
}
