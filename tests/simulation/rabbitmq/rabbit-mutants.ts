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
const eachSale = (change: (cut: CutSale) => CutSale) => (cut: CutResult): CutResult => ({ ...cut, sales: cut.sales.map(change) });

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

const renamed = (ask: ReserveAsk): ReserveAsk => ({
  ...ask,
  // As careless code would mint it: the next number.
  lines: ask.lines.map((line) => ({ ...line, purchaseId: (BigInt(line.purchaseId) + 1n).toString() as PurchaseId })),
});

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
  "acknowledges-first": { queue: { source: acknowledgesFirst }, seedsMax: 100 },
  "sends-blindly": { queue: { journal: sendsBlindly }, seedsMax: 100 },
  "silence-is-yes": { queue: { journal: silenceIsYes }, seedsMax: 100 },
  "settles-any-epoch": { steps: { decide: settlesAnyEpoch }, seedsMax: 100 },
  "admits-again": { steps: { decide: admitsAgain }, seedsMax: 100 },
  "forgets-parked": { steps: { decide: forgetsParked }, seedsMax: 100 },
  "feed-skips-returns": { decide: { noteCommit: skipsReturns }, seedsMax: 100 },
  "feed-tells-twice": { decide: { noteCommit: tellsTwice }, seedsMax: 100 },
  "waits-for-nobody": { queue: { waitsForNobody: true }, seedsMax: 100 },
  "leaves-the-outbox": {
    queue: withCache(() => ({ outbox: () => Promise.resolve({ kind: "ok", value: [] }) })),
    seedsMax: 100,
  },
  "trusts-old-data": { cache: { keepsScripts: true }, seedsMax: 100 },
  "silence-of-the-cache-is-no": {
    queue: withCache((cache) => ({
      reserve: async (ask) => {
        const answer = await cache.reserve(ask);
        return answer.kind === "unknown" ? { kind: "failed", message: answer.message } : answer;
      },
    })),
    seedsMax: 100,
  },
  "asks-again-under-a-new-id": {
    queue: withCache((cache) => ({
      reserve: async (ask) => {
        const answer = await cache.reserve(ask);
        if (answer.kind !== "unknown") return answer;
        await cache.reserve(renamed(ask));
        return answer;
      },
    })),
    seedsMax: 100,
  },
  "readmits-under-a-new-id": {
    queue: withCache((cache) => ({ reserve: (ask) => cache.reserve(ask.readmit === true ? renamed(ask) : ask) })),
    seedsMax: 100,
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
    seedsMax: 100,
  },
  "counts-paid-alone": { queue: loadsWith(countsPaidAlone), seedsMax: 100 },
  "forgets-limits": { queue: loadsWith((cut) => ({ ...cut, units: [] })), seedsMax: 100 },
  "forgets-keys": { queue: loadsWith(eachSale((cut) => ({ ...cut, keys: [] }))), seedsMax: 100 },
  "opener-skips-its-mark": {
    queue: withLedger((ledger) => ({
      cut: async (ask) => {
        const scope = await ledger.scope(ask.scopeId);
        if (scope?.state === "closing")
          await ledger.noteMark({ kind: "mark", scopeId: scope.id, epoch: scope.epoch, closing: scope.closing, ...ask.opener });
        return ledger.cut(ask);
      },
    })),
    seedsMax: 100,
  },
  "believes-it-is-there": {
    queue: { presence: ({ number, life }) => ({ number, life, unbroken: 1 }) },
    seedsMax: 100,
  },
  "reopens-at-once": { queue: { reopenDelayMs: 0 }, seedsMax: 100 },
  "mark-without-end": { queue: { leaseMs: 1e9 }, seedsMax: 100 },
  "gives-back-too-much": {
    queue: withCache((cache) => ({
      apply: (ask) => {
        const { patch } = ask.row;
        const available = patch.available > 0 ? patch.available + 1 : patch.available;
        return cache.apply({ ...ask, row: { ...ask.row, patch: { ...patch, available } } });
      },
    })),
    seedsMax: 100,
  },
};
