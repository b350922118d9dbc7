/**
 * Bugs to plant in the memory store, each of which the contract's cases of a rule must notice. They live here only: the
 * store has places to plant them, and no switch of its own.
 */
import { joined, type Changes, type Tables } from "../../src/adapters/memory/tables.ts";
import { applyWrites } from "../../src/adapters/memory/apply-writes.ts";
import { gatherFacts } from "../../src/adapters/memory/gather-facts.ts";
import type { SaleFacts, SaleWrites } from "../../src/domain/batch-state.ts";
import type { BuyerId } from "../../src/domain/ids.ts";
import type { Movement } from "../../src/domain/movement.ts";
import { decideBatch, type BatchDecision } from "../../src/domain/sale-batch.ts";
import { deadlineOf, extensionMs } from "../../src/domain/purchase.ts";
import { extendsForEver, extendsTwice, extendsWhatIsOver } from "../simulation/mutants-store.ts";
import type { StockLedger } from "../../src/ports/stock-ledger.ts";
import type { Plant } from "./memory-fixture.ts";

/** `hangs`: what shows the bug is that no answer comes. */
export type PlantedBug = { readonly name: string; readonly rule: string; readonly plant: Plant; readonly hangs?: boolean | undefined };

/** Deciding on wrong facts. */
const gathering = (spoil: (facts: SaleFacts, tables: Tables, movements: readonly Movement[]) => SaleFacts): Plant => ({
  steps: { gather: (tables, sale, movements) => spoil(gatherFacts(tables, sale, movements), tables, movements), apply: forgivingApply },
});

/** Deciding rightly, but on other movements or at another time. */
const deciding = (decide: typeof decideBatch): Plant => ({ steps: { decide } });

/** Keeping something else than what was decided. */
const keeping = (spoil: (writes: SaleWrites, nowMs: number) => void): Plant =>
  deciding((facts, movements, nowMs) => {
    const decision = decideBatch(facts, movements, nowMs);
    spoil(decision.writes, nowMs);
    return decision;
  });

/** A store without constraints: whatever was decided is kept. */
function forgivingApply(tables: Tables, _: SaleFacts, writes: SaleWrites, changes: Changes): void {
  changes.set(tables.sales, writes.sale.id, writes.sale);
  for (const entry of writes.ledger) {
    const number = tables.ledger.size + 1;
    changes.set(tables.ledger, number, entry);
    changes.set(tables.ledgerSources, joined(entry.sourceId, entry.kind), number);
  }
  const stocked = tables.products.get(writes.sale.productId);
  const last = writes.inventory.at(-1);
  if (stocked !== undefined && last !== undefined) changes.set(tables.products, stocked.id, { ...stocked, inventory: last.balance });
  for (const entry of writes.inventory) {
    const number = tables.inventory.size + 1;
    changes.set(tables.inventory, number, entry);
    changes.set(tables.inventorySources, joined(entry.sourceId, entry.kind), number);
  }
  for (const adjustment of writes.adjustments.values()) changes.set(tables.adjustments, adjustment.id, adjustment);
  const empty = {
    ...writes,
    ledger: [],
    inventory: [],
    adjustments: new Map(),
    newPurchases: new Map(),
    changedPurchases: new Map(),
    captures: new Map(),
    callbacks: new Set<string>(),
  };
  for (const purchase of writes.newPurchases.values()) {
    changes.set(tables.purchases, purchase.id, purchase);
    if (purchase.key !== undefined) changes.set(tables.purchaseKeys, joined(purchase.saleId, purchase.buyerId, purchase.key), purchase.id);
    const ids = tables.purchasesOfBuyer.get(purchase.buyerId) ?? [];
    if (!ids.includes(purchase.id)) changes.set(tables.purchasesOfBuyer, purchase.buyerId, [...ids, purchase.id]);
  }
  for (const { purchase } of writes.changedPurchases.values()) changes.set(tables.purchases, purchase.id, purchase);
  for (const capture of writes.captures.values()) changes.set(tables.captures, capture.id, capture);
  for (const id of writes.callbacks) changes.set(tables.callbacks, id, true);
  for (const [key, units] of tables.quotas)
    if (writes.copyQuotas && key.startsWith(joined(writes.sale.productId, ""))) {
      const buyer = key.slice(joined(writes.sale.productId, "").length);
      changes.set(tables.saleQuotas, joined(writes.sale.id, buyer), units);
    }
  applyWrites(tables, { sale: writes.sale } as SaleFacts, { ...empty, copyQuotas: false }, changes);
}

const takers = (movements: readonly Movement[]): BuyerId[] =>
  movements.flatMap((movement) => (movement.kind === "take" ? [movement.buyerId] : []));

const commitBlindly = (ledger: StockLedger): StockLedger => ({
  batchesAcrossSales: ledger.batchesAcrossSales,
  async commit(batch) {
    const result = await ledger.commit(batch);
    return result.kind === "unknown" ? { kind: "failed", cause: "unavailable", message: "taken for a failure" } : result;
  },
});

const bindless = (facts: SaleFacts): SaleFacts => {
  const purchases = [...facts.purchases].map(([id, purchase]) => [id, { ...purchase, key: undefined }] as const);
  return { ...facts, purchases: new Map(purchases) };
};

const revived = (facts: SaleFacts): SaleFacts => {
  const purchases = [...facts.purchases].map(
    ([id, purchase]) => [id, purchase.state === "cancelled" ? { ...purchase, state: "reserved" as const } : purchase] as const,
  );
  return { ...facts, purchases: new Map(purchases) };
};

/** A key found whoever used it. */
const keysOfEverybody = (facts: SaleFacts, tables: Tables, movements: readonly Movement[]): SaleFacts => {
  const purchases = new Map(facts.purchases);
  for (const movement of movements)
    for (const other of tables.purchases.values())
      if (movement.kind === "take" && movement.key !== undefined && other.key === movement.key && other.saleId === facts.sale.id)
        purchases.set(other.id, { ...other, buyerId: movement.buyerId });
  return { ...facts, purchases };
};

const backwards = (facts: SaleFacts, movements: readonly Movement[], nowMs: number): BatchDecision => {
  const decision = decideBatch(facts, movements.toReversed(), nowMs);
  return { ...decision, outcomes: decision.outcomes.toReversed() };
};

const refunding = (returnStock: boolean): Plant =>
  deciding((facts, movements, nowMs) =>
    decideBatch(
      facts,
      movements.map((movement) => (movement.kind === "refund" ? { ...movement, returnStock } : movement)),
      nowMs,
    ),
  );

function refusingForEver(): typeof decideBatch {
  const refused = new Map<string, BatchDecision["outcomes"][number]>();
  return (facts, movements, nowMs) => {
    const decision = decideBatch(facts, movements, nowMs);
    const outcomes = decision.outcomes.map((outcome, i) => {
      const movement = movements[i];
      if (movement?.kind !== "take" || movement.key === undefined) return outcome;
      const name = joined(facts.sale.id, movement.buyerId, movement.key);
      if (outcome.kind === "refused") refused.set(name, outcome);
      return refused.get(name) ?? outcome;
    });
    return { ...decision, outcomes };
  };
}

const payableLonger = (facts: SaleFacts): SaleFacts => {
  const purchases = [...facts.purchases].map(([id, purchase]) => [id, { ...purchase, payByMs: purchase.payByMs + 3_600_000 }] as const);
  return { ...facts, purchases: new Map(purchases) };
};

/** No bug, only no constraints: all bugs stand on it, so it must pass the contract itself. */
export const noBug: Plant = gathering((facts) => facts);

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: "oversell: more units seem free than there are",
    rule: "ST1",
    plant: gathering((facts) => {
      const { balances } = facts.sale;
      return {
        ...facts,
        sale: { ...facts.sale, balances: { ...balances, issued: balances.issued + 99, available: balances.available + 99 } },
      };
    }),
  },
  { name: "an expiry leaves no ledger entry", rule: "ST5", plant: keeping((writes) => dropEntries(writes, "expire")) },
  { name: "a payment leaves no ledger entry", rule: "ST2", plant: keeping((writes) => dropEntries(writes, "pay")) },
  {
    name: "publishing sees a draft each time",
    rule: "ST4",
    plant: gathering((facts, _, movements) =>
      movements.some((movement) => movement.kind === "switch") ? { ...facts, sale: { ...facts.sale, phase: "draft" } } : facts,
    ),
  },
  {
    name: "payment takes from nothing: sold grows, held stays",
    rule: "ST6",
    plant: keeping((writes) => {
      const paid = writes.ledger.filter((entry) => entry.kind === "pay").reduce((sum, entry) => sum + entry.units, 0);
      const { balances } = writes.sale;
      writes.sale = { ...writes.sale, balances: { ...balances, held: balances.held + paid } };
    }),
  },
  { name: "every refund returns the stock", rule: "PA9", plant: refunding(true) },
  { name: "no refund returns the stock", rule: "ST7", plant: refunding(false) },
  {
    name: "refunds are forgotten, so that the shop refunds twice",
    rule: "PA9",
    plant: gathering((facts) => ({ ...facts, refunds: new Map() })),
  },
  { name: "adjustments are forgotten", rule: "ST8", plant: gathering((facts) => ({ ...facts, adjustments: new Map() })) },
  { name: "lines are decided backwards", rule: "ST11", plant: deciding(backwards) },
  {
    name: "an accepted purchase is not kept",
    rule: "PU1",
    plant: keeping((writes) => writes.newPurchases.clear()),
  },
  {
    name: "the limit is ignored",
    rule: "PU3",
    plant: gathering((facts, _, movements) => ({ ...facts, quotas: new Map(takers(movements).map((buyer) => [buyer, 999])) })),
  },
  { name: "quotas are ignored", rule: "PU4", plant: gathering((facts) => ({ ...facts, quotas: new Map() })) },
  { name: "other sales of the group are not counted", rule: "PU5", plant: gathering((facts) => ({ ...facts, unitsElsewhere: new Map() })) },
  { name: "keys are forgotten", rule: "PU6", plant: gathering(bindless) },
  { name: "keys are forgotten across commits", rule: "PU10", plant: gathering(bindless) },
  { name: "two buyers meet in one key", rule: "PU8", plant: gathering(keysOfEverybody) },
  { name: "a refused key stays refused", rule: "PU11", plant: deciding(refusingForEver()) },
  {
    name: "the window is ignored",
    rule: "PU12",
    plant: deciding((facts, movements, nowMs) => decideBatch({ ...facts, sale: { ...facts.sale, endsAtMs: nowMs + 1 } }, movements, nowMs)),
  },
  {
    name: "a pause is ignored",
    rule: "PU15",
    plant: gathering((facts, _, movements) =>
      takers(movements).length > 0 ? { ...facts, sale: { ...facts.sale, paused: false } } : facts,
    ),
  },
  { name: "the queue has no bound", rule: "PU17", plant: { options: { queueMax: 1_000_000 } } },
  { name: "who waits, waits without end", rule: "PU18", plant: { options: { answerTimeoutMs: 1_000_000_000 } }, hangs: true },
  { name: "an unknown commit is taken for a failed one", rule: "PU19", plant: { around: commitBlindly } },
  { name: "answers come before the sync", rule: "PU20", plant: { skipSync: true } },
  {
    name: "the deadline in the answer moves with the hold",
    rule: "PU24",
    plant: keeping((writes, nowMs) => {
      for (const change of writes.changedPurchases.values()) change.purchase = { ...change.purchase, payByMs: nowMs };
    }),
  },
  { name: "cancelled orders come alive", rule: "OR5", plant: gathering(revived) },
  {
    name: "holds expire an hour early",
    rule: "OR3",
    plant: deciding((facts, movements, nowMs) =>
      decideBatch(facts, movements, movements.every((movement) => movement.kind === "expire") ? nowMs + 3_600_000 : nowMs),
    ),
  },
  { name: "a repeated extension is another one", rule: "OR11", plant: { steps: extendsTwice } },
  { name: "what is overdue is extended", rule: "OR11", plant: { steps: extendsWhatIsOver } },
  { name: "extensions know no end", rule: "OR12", plant: { steps: extendsForEver } },
  {
    name: "an extension takes the grace away",
    rule: "OR13",
    plant: keeping((writes) => {
      for (const [id, { purchase, from }] of writes.changedPurchases)
        if (purchase.extensions > 0)
          writes.changedPurchases.set(id, { purchase: { ...purchase, holdUntilMs: deadlineOf(purchase) }, from });
    }),
  },
  {
    name: "an extension is counted and moves nothing",
    rule: "OR13",
    plant: keeping((writes) => {
      for (const [id, { purchase, from }] of writes.changedPurchases) {
        const holdUntilMs = purchase.holdUntilMs - purchase.extensions * extensionMs;
        writes.changedPurchases.set(id, { purchase: { ...purchase, holdUntilMs }, from });
      }
    }),
  },
  { name: "payments move the deadline again and again", rule: "PA2", plant: gathering(payableLonger) },
  {
    name: "any amount pays",
    rule: "PA4",
    plant: deciding((facts, movements, nowMs) => {
      const paid = (movement: Movement) => {
        const payment = movement.kind === "capture" ? facts.payments.get(movement.paymentId) : undefined;
        return movement.kind === "capture" && payment !== undefined ? { ...movement, money: payment.money } : movement;
      };
      return decideBatch(facts, movements.map(paid), nowMs);
    }),
  },
  { name: "money of a second capture is kept", rule: "PA5", plant: keeping((writes) => writes.refunds.clear()) },
  { name: "money of a closed order is kept", rule: "PA6", plant: keeping((writes) => writes.refunds.clear()) },
  {
    name: "captures and callbacks are forgotten",
    rule: "PA7",
    plant: gathering((facts) => ({ ...facts, captures: new Map(), callbacks: new Set() })),
  },
  {
    name: "a refund is due until it is asked for",
    rule: "PA10",
    plant: keeping((writes, nowMs) => {
      for (const refund of writes.refunds.values()) writes.refunds.set(refund.id, { ...refund, nextTryAtMs: nowMs });
    }),
  },
  { name: "refunds of wrong amounts are dropped", rule: "PA11", plant: keeping((writes) => writes.refunds.clear()) },
  { name: "publishing allots nothing", rule: "IN3", plant: keeping((writes) => dropInventory(writes, "allot")) },
  { name: "what comes back comes back twice", rule: "IN4", plant: keeping(returnTwice) },
  { name: "what is withdrawn never comes back", rule: "IN4", plant: keeping((writes) => dropInventory(writes, "return")) },
  { name: "a sale takes more than is free", rule: "IN3", plant: gathering(endless) },
  { name: "a sale is settled while its orders wait", rule: "ST13", plant: deciding(settlingHeld) },
  {
    name: "a settled sale is settled for good",
    rule: "ST13",
    plant: keeping((writes, nowMs) => (writes.sale = writes.sale.phase === "draft" ? writes.sale : { ...writes.sale, settledAtMs: nowMs })),
  },
  { name: "adjustments that find nothing leave nothing", rule: "ST14", plant: keeping(dropIdleAdjustments) },
  {
    name: "groups of all merchants are one",
    rule: "PU5",
    plant: gathering((facts, tables, movements) => {
      const together = new Map([...tables.sales].map(([id, sale]) => [id, { ...sale, seller: facts.sale.seller }]));
      return gatherFacts({ ...tables, sales: together }, facts.sale, movements);
    }),
  },
  {
    name: "an edit overwrites what it has not seen",
    rule: "PU26",
    plant: deciding((facts, movements, nowMs) =>
      decideBatch(
        facts,
        movements.map((movement) => (movement.kind === "edit" ? { ...movement, expectedFeed: undefined } : movement)),
        nowMs,
      ),
    ),
  },
];

function dropInventory(writes: SaleWrites, kind: string): void {
  const kept = writes.inventory.filter((entry) => entry.kind !== kind);
  writes.inventory.splice(0, writes.inventory.length, ...kept);
}

function returnTwice(writes: SaleWrites): void {
  const last = writes.inventory.at(-1);
  if (last === undefined || last.kind !== "return" || last.balance === null) return;
  writes.inventory.splice(-1, 1, { ...last, balance: last.balance + (last.units ?? 0) });
}

function endless(facts: SaleFacts): SaleFacts {
  const free = facts.product?.inventory;
  return typeof free === "number" ? { ...facts, product: { inventory: free + 1_000 } } : facts;
}

function settlingHeld(facts: SaleFacts, movements: readonly Movement[], nowMs: number): BatchDecision {
  if (!movements.some((movement) => movement.kind === "settle")) return decideBatch(facts, movements, nowMs);
  const { balances } = facts.sale;
  const blind = { ...balances, issued: balances.issued - balances.held, held: 0 };
  return decideBatch({ ...facts, sale: { ...facts.sale, balances: blind } }, movements, nowMs);
}

function dropIdleAdjustments(writes: SaleWrites): void {
  for (const [id, { applied }] of writes.adjustments) if (applied === 0) writes.adjustments.delete(id);
}

function dropEntries(writes: SaleWrites, kind: string): void {
  const kept = writes.ledger.filter((entry) => entry.kind !== kind);
  writes.ledger.splice(0, writes.ledger.length, ...kept);
}
