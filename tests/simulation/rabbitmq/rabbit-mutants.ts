/**
 * Planted bugs of the rabbitmq world, each one that somebody could write: around the production code, never in it. Those
 * that need one certain course of things have a scenario of their own (scenarios.test.ts); the others meet theirs by chance.
 */
import { noteCommit } from "../../../src/adapters/memory/memory-queue.ts";
import type { PurchaseId } from "../../../src/domain/ids.ts";
import { decideBatch } from "../../../src/domain/sale-batch.ts";
import type { Journal, JournalSource } from "../../../src/ports/journal.ts";
import type { CutResult, CutSale, QueueLedger } from "../../../src/ports/queue-ledger.ts";
import type { ReserveAsk, StockCache } from "../../../src/ports/stock-cache.ts";
import type { CountedMutant, QueueBugs } from "../mutants.ts";

/** The same port with some of its methods replaced. */
function but<Port extends object>(port: Port, changed: Partial<Port>): Port {
  return new Proxy(port, {
    get: (target, name) => {
      // Only names of the port's methods are asked for.
      const own = changed[name as keyof Port];
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

const withCache = (change: (cache: StockCache) => Partial<StockCache>): QueueBugs => ({ cache: (cache) => but(cache, change(cache)) });
const withLedger = (change: (ledger: QueueLedger) => Partial<QueueLedger>): QueueBugs => ({
  ledger: (ledger) => but(ledger, change(ledger)),
});
/** The cache is loaded with something else than the cut read. */
const loadsWith = (change: (cut: CutResult) => CutResult): QueueBugs =>
  withCache((cache) => ({ load: (state) => cache.load(change(state)) }));
const eachSale =
  (change: (cut: CutSale) => CutSale) =>
  (cut: CutResult): CutResult => ({ ...cut, sales: cut.sales.map(change) });

/** What is delivered is forgotten by the broker at once, and a worker that dies takes it along. */
const acknowledgesFirst = (source: JournalSource): JournalSource => ({
  read: (partition, handle) =>
    source.read(partition, (deliveries) => {
      for (const { acknowledge } of deliveries) acknowledge();
      return handle(deliveries);
    }),
});

/** Whatever was sent counts as there. */
const sendsBlindly = (journal: Journal): Journal =>
  but(journal, {
    publish: (partition, text) => {
      void journal.publish(partition, text);
      return Promise.resolve(true);
    },
  });

/** No word of the broker is taken for a good word. */
const silenceIsYes = (journal: Journal): Journal =>
  but(journal, {
    publish: async (partition, text) => {
      await journal.publish(partition, text);
      return true;
    },
  });

/** As careless code would mint them: the next numbers, others each time. */
function renaming(): (ask: ReserveAsk) => ReserveAsk {
  let minted = 0n;
  return (ask) => ({
    ...ask,
    lines: ask.lines.map((line) => ({ ...line, purchaseId: (BigInt(line.purchaseId) + ++minted).toString() as PurchaseId })),
  });
}

/** Sold is what is paid: what is reserved and not paid yet is sold once more. */
const countsPaidAlone = eachSale(({ sale, ...cut }) => {
  const { issued, sold, withdrawn } = sale.balances;
  return { ...cut, sale: { ...sale, balances: { ...sale.balances, available: issued - sold - withdrawn, held: 0 } } };
});

const settlesAnyEpoch: typeof decideBatch = (facts, movements, nowMs) =>
  decideBatch(
    facts,
    movements.map((move) => (move.kind === "admit" ? { ...move, epoch: Infinity } : move)),
    nowMs,
  );

const admitsAgain: typeof decideBatch = (facts, movements, nowMs) => {
  if (!movements.some(({ kind }) => kind === "admit")) return decideBatch(facts, movements, nowMs);
  return decideBatch({ ...facts, purchases: new Map() }, movements, nowMs);
};

const forgetsParked: typeof decideBatch = (facts, movements, nowMs) =>
  movements.some(({ kind }) => kind === "unpark")
    ? { ...decideBatch(facts, [], nowMs), outcomes: movements.map(() => ({ kind: "purchase_unknown" })) }
    : decideBatch(facts, movements, nowMs);

const ignoresDrift: typeof decideBatch = (facts, movements, nowMs) => {
  const decided = decideBatch(facts, movements, nowMs);
  decided.writes.drifted = false;
  return decided;
};

/** Gives the cache that stands what another one counted. */
const discardsHere: typeof decideBatch = (facts, movements, nowMs) => {
  const epoch = facts.scope?.epoch ?? 0;
  return decideBatch(
    facts,
    movements.map((move) => (move.kind === "decline" ? { ...move, epoch } : move)),
    nowMs,
  );
};

const skipsReturns: typeof noteCommit = (tables, decided, setup, changes) => {
  const { changedPurchases, sale } = decided.writes;
  if (changedPurchases.size === 0 || sale.phase !== "published") noteCommit(tables, decided, setup, changes);
};

const tellsTwice: typeof noteCommit = (tables, decided, setup, changes) => {
  noteCommit(tables, decided, setup, changes);
  if (decided.writes.changedPurchases.size > 0) noteCommit(tables, decided, setup, changes);
};

/** By name, with how many seeds may pass before it is caught. */
export const rabbitMutants: Readonly<Record<string, CountedMutant>> = {
  "acknowledges-first": { queue: { source: acknowledgesFirst }, scenario: "worker dies with a line in hand" },
  "sends-blindly": { queue: { journal: sendsBlindly }, scenario: "a message that the broker sends back" },
  "silence-is-yes": { queue: { journal: silenceIsYes }, scenario: "a message that the broker sends back" },
  "settles-any-epoch": { steps: { decide: settlesAnyEpoch }, scenario: "late publish across an epoch" },
  "admits-again": { steps: { decide: admitsAgain }, scenario: "worker dies between commit and acknowledgement" },
  "forgets-parked": { steps: { decide: forgetsParked }, scenario: "line that waits while the scope closes: the cut decides it" },
  "ignores-drift": { steps: { decide: ignoresDrift }, scenario: "phantom unit: the cache holds one more than the ledger" },
  "discards-here": { steps: { decide: discardsHere }, scenario: "same key under two ids across a cut" },
  "feed-skips-returns": { decide: { noteCommit: skipsReturns }, scenario: "return after sell-out is sold to who asks again" },
  "feed-tells-twice": { decide: { noteCommit: tellsTwice }, scenario: "return during rebuild: an expiry commits while the opener loads" },
  "waits-for-nobody": { queue: { waitsForNobody: true }, scenario: "line that its process publishes behind the opener's mark" },
  "leaves-the-outbox": {
    queue: withCache(() => ({ outbox: () => Promise.resolve({ kind: "ok", value: [] }) })),
    scenario: "API dead between script and publish: others publish what it accepted",
  },
  "trusts-old-data": { cache: { keepsScripts: true }, scenario: "stale promotion behind the client" },
  "silence-of-the-cache-is-no": {
    queue: withCache((cache) => ({
      reserve: async (ask) => {
        const answer = await cache.reserve(ask);
        return answer.kind === "unknown" ? { kind: "failed", message: answer.message } : answer;
      },
    })),
    scenario: "script executed although its reply was lost",
  },
  "asks-again-under-a-new-id": {
    queue: withCache((cache) => {
      const renamed = renaming();
      return {
        reserve: async (ask) => {
          const answer = await cache.reserve(ask);
          if (answer.kind === "unknown") await cache.reserve(renamed(ask));
          return answer;
        },
      };
    }),
    scenario: "script call executed after its retry",
  },
  "readmits-under-a-new-id": {
    queue: withCache((cache) => {
      const renamed = renaming();
      return { reserve: (ask) => cache.reserve(ask.readmit === true ? renamed(ask) : ask) };
    }),
    scenario: "line that comes twice in a later epoch",
  },
  "drops-older-lines": {
    queue: withCache((cache) => ({
      reserve: async (ask) => {
        if (ask.readmit !== true) return cache.reserve(ask);
        const answer = await cache.reserve({ ...ask, lines: [] });
        if (answer.kind !== "ok") return answer;
        return { kind: "ok", value: { ...answer.value, outcomes: ask.lines.map(() => ({ kind: "accepted" })) } };
      },
    })),
    scenario: "late publish across an epoch",
  },
  "counts-paid-alone": { queue: loadsWith(countsPaidAlone), scenario: "repeat after sell-out, and after the cache was counted anew" },
  "forgets-limits": {
    queue: loadsWith((cut) => ({ ...cut, units: [] })),
    scenario: "repeat after sell-out, and after the cache was counted anew",
  },
  "forgets-keys": {
    queue: loadsWith(eachSale((cut) => ({ ...cut, keys: [] }))),
    scenario: "repeat after sell-out, and after the cache was counted anew",
  },
  "opener-skips-its-mark": {
    queue: withLedger((ledger) => ({
      cut: async (ask) => {
        const scope = await ledger.scope(ask.scopeId);
        if (scope?.state === "closing")
          await ledger.noteMark({ kind: "mark", scopeId: scope.id, epoch: scope.epoch, closing: scope.closing, ...ask.opener });
        return ledger.cut(ask);
      },
    })),
    scenario: "told line of processes that died, with a stopped worker",
  },
  "believes-it-is-there": {
    queue: { presence: ({ number, life }) => ({ number, life, unbroken: 1 }) },
    scenario: "zombie API: stopped between script and publish, it wakes after reopening",
  },
  "reopens-at-once": { queue: { reopenDelayMs: 0 }, scenario: "memory of one process while another sells what came back" },
  "mark-without-end": { queue: { leaseMs: 1e9 }, scenario: "return after sell-out is sold to who asks again" },
  "gives-back-too-much": {
    queue: withCache((cache) => ({
      apply: (ask) => {
        const { patch } = ask.row;
        const available = patch.available > 0 ? patch.available + 1 : patch.available;
        return cache.apply({ ...ask, row: { ...ask.row, patch: { ...patch, available } } });
      },
    })),
    scenario: "return after sell-out is sold to who asks again",
  },
};
