import { auditRowsOf, MemoryAuditSource } from "../../src/adapters/memory/audit-source.ts";
import { MemoryCache } from "../../src/adapters/memory/memory-cache.ts";
import { MemoryQueueLedger } from "../../src/adapters/memory/memory-queue-ledger.ts";
import { MemoryStore } from "../../src/adapters/memory/memory-store.ts";
import type { LedgerEntry } from "../../src/domain/ledger.ts";
import type { Movement } from "../../src/domain/movement.ts";
import type { Acceptance } from "../../src/ports/acceptance.ts";
import { ManualTime } from "../kit/manual-time.ts";
import { queuedStack } from "../kit/queued-stack.ts";
import { FaultyLedger } from "../kit/faulty-ledger.ts";
import type { Fixture } from "./fixture.ts";
import { startMs } from "./shop.ts";

/**
 * Queued acceptance over models. What follows from a commit comes to the cache a moment later; the contract speaks of what
 * holds then, so an answer that changes what the cache must know is given when the cache knows it.
 */
export async function openQueuedFixture(): Promise<Fixture> {
  const time = new ManualTime(startMs);
  const partitions = 3;
  const presence = { number: 1, life: "one", unbroken: 1 };
  const store = new MemoryStore({ queue: { partitions, living: () => [presence] } });
  const ledger = new MemoryQueueLedger({ store, nowMs: () => time.nowMs() });
  const cache = new MemoryCache(() => time.nowMs());
  const faulty = new FaultyLedger(store);
  const stack = queuedStack({ stockLedger: faulty, ledger, cache, records: store, time, partitions, presence });
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
    catalogue: store,
    records: store,
    faults: {
      hold: (where) => faulty.hold(where),
      inFlight: () => faulty.batches.length - faulty.ended,
      commits: () => faulty.batches.length,
      loseAnswers: (count, when) => faulty.loseAnswers(count, when),
      failNext: (count, cause) => faulty.failNext(count, cause),
      poison: (poisoned) => faulty.poison(poisoned),
    },
    async ledger(saleId) {
      const entries: LedgerEntry[] = [];
      for await (const page of new MemoryAuditSource(auditRowsOf(store.tables)).ledger())
        for (const { number: _, ...entry } of page) if (entry.saleId === saleId) entries.push(entry);
      return entries;
    },
    drain: () => stack.acceptance.drain(),
    restart: () => Promise.reject(new Error("the models end with the test")),
    crash: () => Promise.reject(new Error("the models end with the test")),
    close: () => stack.close(),
  };
}
