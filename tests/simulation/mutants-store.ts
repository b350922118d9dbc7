/** Broken steps of a commit: facts tampered with before the true decision, or writes after it. */
import type { CommitSteps } from "../../src/adapters/memory/memory-store.ts";
import { applyWrites } from "../../src/adapters/memory/apply-writes.ts";
import { joined } from "../../src/adapters/memory/tables.ts";
import type { SaleFacts, SaleWrites } from "../../src/domain/batch-state.ts";
import type { BuyerId } from "../../src/domain/ids.ts";
import type { Movement } from "../../src/domain/movement.ts";
import { deadlineOf, paymentGraceMs, type Purchase } from "../../src/domain/purchase.ts";
import { decideBatch } from "../../src/domain/sale-batch.ts";

type Steps = Partial<CommitSteps>;
type Decide = CommitSteps["decide"];

/** Runs one movement after another, so that the next one sees facts as a tamperer left them. */
function tampering(tamper: (facts: SaleFacts, movement: Movement, nowMs: number) => SaleFacts): Decide {
  return (facts, movements, nowMs) =>
    decideBatch(
      movements.reduce((now, movement) => tamper(now, movement, nowMs), facts),
      movements,
      nowMs,
    );
}

export const ignoresKeys: Steps = {
  decide: (facts, movements, nowMs) => {
    const keyless = movements.map((movement) => (movement.kind === "take" ? { ...movement, key: undefined } : movement));
    return decideBatch(facts, keyless, nowMs);
  },
};

/** Each line of a batch sees the units of before the batch. */
export const countsLimitPerLine: Steps = {
  decide: (facts, movements, nowMs) => {
    const perLine = new (class extends Map<BuyerId, number> {
      readonly #asked = new Map<BuyerId, number>();
      override get(buyer: BuyerId): number | undefined {
        const before = this.#asked.get(buyer) ?? 0;
        this.#asked.set(buyer, before + 1);
        const limit = facts.quotas.get(buyer) ?? (before > 0 ? facts.sale.perBuyerLimit : undefined);
        return limit === undefined ? undefined : limit + before;
      }
    })();
    return decideBatch({ ...facts, quotas: perLine }, movements, nowMs);
  },
};

/** Sells one unit more than there is: the check reads a stale balance. */
export const takesWhatIsNotThere: Steps = {
  decide: (facts, movements, nowMs) => {
    const { balances } = facts.sale;
    if (balances.available > 0 || !movements.some(({ kind }) => kind === "take")) return decideBatch(facts, movements, nowMs);
    const sale = { ...facts.sale, balances: { ...balances, available: 1, issued: balances.issued + 1 } };
    return decideBatch({ ...facts, sale }, movements, nowMs);
  },
};

function reopened(facts: SaleFacts, purchase: Purchase | undefined): SaleFacts {
  if (purchase === undefined || purchase.state === "reserved") return facts;
  const { balances } = facts.sale;
  const from = purchase.state === "paid" ? ("sold" as const) : ("available" as const);
  if (balances[from] < purchase.quantity) return facts;
  facts.purchases.set(purchase.id, { ...purchase, state: "reserved" });
  const moved = { ...balances, [from]: balances[from] - purchase.quantity, held: balances.held + purchase.quantity };
  return { ...facts, sale: { ...facts.sale, balances: moved } };
}

/** Keeps rows though an update finds another state than it was decided on, as an UPDATE without a condition does. */
const unconditional: CommitSteps["apply"] = (tables, facts, writes, changes) => {
  for (const [id, { purchase, from }] of writes.changedPurchases) {
    const kept = tables.purchases.get(id);
    if (kept !== undefined && kept.state !== from) changes.set(tables.purchases, id, { ...purchase, state: from });
  }
  // And a ledger without its constraint.
  for (const entry of writes.ledger) tables.ledgerSources.delete(joined(entry.sourceId, entry.kind));
  applyWrites(tables, facts, writes, changes);
};

/** A release repeated gives its units back again. */
export const releasesTwice: Steps = {
  decide: (facts, movements, nowMs) => {
    for (const movement of movements) {
      if (movement.kind !== "cancel" && movement.kind !== "expire") continue;
      const purchase = facts.purchases.get(movement.purchaseId);
      const over = purchase?.state === "cancelled" || purchase?.state === "expired";
      if (purchase !== undefined && over && facts.sale.balances.held >= purchase.quantity)
        facts.purchases.set(purchase.id, { ...purchase, state: "reserved" });
    }
    return decideBatch(facts, movements, nowMs);
  },
  apply: unconditional,
};

/** Expiring does not look at the state: a paid order loses its units, a cancelled one gives them twice. */
export const expiresAnything: Steps = {
  decide: tampering((facts, movement) => {
    if (movement.kind !== "expire") return facts;
    const purchase = facts.purchases.get(movement.purchaseId);
    return purchase?.state === "expired" ? facts : reopened(facts, purchase);
  }),
  apply: unconditional,
};

/** The sweep is trusted about time: its clock goes ahead, and holds go early. */
export const expiresEarly: Steps = {
  decide: (facts, movements, nowMs) =>
    decideBatch(facts, movements, movements.every(({ kind }) => kind === "expire") ? nowMs + 60_000 : nowMs),
};

/** Money for an expired order takes it up again. */
export const resurrectsExpired: Steps = {
  decide: tampering((facts, movement) => {
    if (movement.kind !== "capture") return facts;
    const payment = facts.payments.get(movement.paymentId);
    const purchase = payment && facts.purchases.get(payment.purchaseId);
    return purchase?.state === "expired" ? reopened(facts, purchase) : facts;
  }),
  apply: unconditional,
};

/** The second capture of an order is kept like the first. */
export const keepsSecondCapture: Steps = {
  decide: (facts, movements, nowMs) => {
    const decided = decideBatch(facts, movements, nowMs);
    for (const [id, refund] of decided.writes.refunds)
      if (refund.reason === "second_capture" && refund.state === "requested") decided.writes.refunds.delete(id);
    return decided;
  },
};

/** A capture reported again is another capture. */
export const capturesTwice: Steps = {
  decide: (facts, movements, nowMs) => {
    const renamed = movements.map((movement) =>
      movement.kind === "capture" && facts.captures.has(movement.captureId)
        ? { ...movement, captureId: `${movement.captureId}-${movement.refundId}` }
        : movement,
    );
    return decideBatch(facts, renamed, nowMs);
  },
};

/** What the product has free is changed without regard to what a sale gave or took. */
const supplying = (spoil: (writes: SaleWrites) => SaleWrites["inventory"]): Steps => ({
  apply: (tables, facts, writes, changes) => applyWrites(tables, facts, { ...writes, inventory: spoil(writes) }, changes),
});

/** A publish sells units that another sale may be published with, too. */
export const allotsNothing: Steps = supplying(({ inventory }) => inventory.filter(({ kind }) => kind !== "allot"));

/** Settling adds its units to what is free, and so does the one who counts what settling withdrew. */
export const returnsTwice: Steps = supplying(({ inventory, adjustments }) =>
  inventory.map((entry) => {
    const settles = [...adjustments.values()].some(({ id, kind }) => id === entry.sourceId && kind === "settle");
    return settles && entry.balance !== null ? { ...entry, balance: entry.balance + (entry.units ?? 0) } : entry;
  }),
);

/** Settling withdraws and leaves the inventory as it is. */
export const returnsNothing: Steps = supplying(({ inventory }) => inventory.filter(({ kind }) => kind !== "return"));

export const losesLedgerRow: Steps = {
  apply: (tables, facts, writes, changes) => {
    const ledger = writes.ledger.filter(({ kind }) => kind !== "cancel");
    applyWrites(tables, facts, { ...writes, ledger }, changes);
  },
};

/** Every payment started moves the deadline by the whole grace again. */
export const movesGraceForEver: Steps = {
  decide: (facts, movements, nowMs) => {
    const decided = decideBatch(facts, movements, nowMs);
    for (const [i, movement] of movements.entries()) {
      const outcome = decided.outcomes[i];
      if (movement.kind !== "start_payment" || outcome?.kind !== "started" || outcome.purchase.state !== "reserved") continue;
      const purchase = { ...outcome.purchase, holdUntilMs: Math.max(outcome.purchase.holdUntilMs, nowMs + paymentGraceMs) };
      decided.writes.changedPurchases.set(purchase.id, { purchase, from: "reserved" });
    }
    return { ...decided, changed: true };
  },
};

/** As often as they like. */
export const extendsForEver: Steps = {
  decide: (facts, movements, nowMs) => {
    const { payExtensionsMax } = facts.sale;
    const decided = decideBatch({ ...facts, sale: { ...facts.sale, payExtensionsMax: Infinity } }, movements, nowMs);
    decided.writes.sale = { ...decided.writes.sale, payExtensionsMax };
    return decided;
  },
};

/** Nobody looks which deadline was named, so a repeat gets a stretch of its own. */
export const extendsTwice: Steps = {
  decide: (facts, movements, nowMs) => {
    const blind = movements.map((movement) => {
      const purchase = movement.kind === "extend_hold" ? facts.purchases.get(movement.purchaseId) : undefined;
      return movement.kind === "extend_hold" && purchase !== undefined ? { ...movement, payByMs: deadlineOf(purchase) } : movement;
    });
    return decideBatch(facts, blind, nowMs);
  },
};

/** Who comes too late is given more time all the same, while the sweep has not come by. */
export const extendsWhatIsOver: Steps = {
  decide: (facts, movements, nowMs) =>
    decideBatch(facts, movements, movements.every(({ kind }) => kind === "extend_hold") ? nowMs - 60_000 : nowMs),
};
