/** What must be true when everything has come to rest: the store, the auditor's books and the provider's book agree. */
import type { EntryKind } from "../../src/domain/ledger.ts";
import { auditRowsOf, MemoryAuditSource } from "../../src/adapters/memory/audit-source.ts";
import { HistoryCheck } from "../../src/engine/verify/check-history.ts";
import { ProviderRecord } from "../../src/engine/verify/provider-record.ts";
import { lateMaxDefaultMs, verify } from "../../src/engine/verify/verify.ts";
import type { World } from "./world.ts";

export async function checkAtRest(world: World): Promise<void> {
  checkRows(world);
  checkLedger(world);
  checkInventory(world);
  checkMoney(world);
  world.checkAtRest();
  if (world.sim.violations.length === 0) await checkAsOperators(world);
}

/** The product's own `verify`, with the clients' record and the provider's: it must find what we find, and no more. */
async function checkAsOperators(world: World): Promise<void> {
  const { sim, store, provider, recorder } = world;
  const record = new ProviderRecord();
  for (const { captureId, paymentId, money, refunds } of provider.book.values()) {
    record.add({ kind: "capture", id: captureId, paymentId, money });
    for (const { refundId } of refunds) record.add({ kind: "refund", id: refundId, captureId, money });
  }
  const { checks } = await verify({
    source: new MemoryAuditSource(auditRowsOf(store.tables)),
    rest: { nowMs: world.nowMs(), atRest: true, lateMaxMs: lateMaxDefaultMs },
    history: new HistoryCheck(recorder.log, { acceptsMin: 0, unknownsMin: 0 }, { reopenDelayMs: world.shape.cluster?.reopenDelayMs ?? 0 }),
    provider: { record, complete: true },
  });
  for (const { id, off } of checks) for (const { row, problem } of off) sim.violate(id, `verify: ${row} ${problem}`);
}

function checkRows({ sim, store, auditor }: World): void {
  const { tables } = store;
  const { books } = auditor;
  sim.check(
    tables.purchases.size === books.purchases.size,
    "I4",
    () => `the store has ${tables.purchases.size} purchases, the books ${books.purchases.size}`,
  );
  for (const kept of tables.purchases.values()) {
    const purchase = books.purchases.get(kept.id);
    const mine =
      purchase &&
      `${purchase.state} ${purchase.quantity} ${purchase.limit} ${purchase.extensions} ${purchase.holdUntilMs} ${purchase.refunded}`;
    const theirs = `${kept.state} ${kept.quantity} ${kept.limit} ${kept.extensions} ${kept.holdUntilMs} ${kept.refunded}`;
    sim.check(mine === theirs, "prediction", () => `purchase ${kept.id} is ${theirs}, by the books ${mine ?? "not there"}`);
    sim.check(kept.state !== "reserved", "I5", () => `purchase ${kept.id} is still reserved`);
  }
  for (const refund of tables.refunds.values()) {
    const mine = books.refunds.get(refund.id);
    sim.check(
      mine?.reason === refund.reason && mine.state === refund.state,
      "prediction",
      () => `refund ${refund.id} is ${refund.state}, by the books ${mine?.state ?? "not there"}`,
    );
  }
}

/** Replays the ledger in commit order: available, held, sold, withdrawn after every entry. */
function checkLedger({ sim, store }: World): void {
  const { tables } = store;
  const effects: Readonly<Record<EntryKind, readonly [number, number, number, number]>> = {
    issue: [1, 0, 0, 0],
    take: [-1, 1, 0, 0],
    pay: [0, -1, 1, 0],
    cancel: [1, -1, 0, 0],
    expire: [1, -1, 0, 0],
    close: [1, -1, 0, 0],
    return: [1, 0, -1, 0],
    withdraw: [-1, 0, 0, 1],
  };
  const sums = new Map<string, number[]>();
  for (const [number, { saleId, kind, units }] of tables.ledger) {
    const sum = sums.get(saleId) ?? [0, 0, 0, 0];
    const after = sum.map((value, account) => value + (effects[kind][account] ?? 0) * units);
    sim.check(Math.min(...after) >= 0, "I1", () => `ledger row ${number} (${kind} ${units}) leaves sale ${saleId} at ${after.join(" ")}`);
    sums.set(saleId, after);
  }
  for (const { id, balances: b } of tables.sales.values()) {
    const kept = `${b.available} ${b.held} ${b.sold} ${b.withdrawn}`;
    const replayed = (sums.get(id) ?? [0, 0, 0, 0]).join(" ");
    sim.check(kept === replayed, "I2", () => `sale ${id} has ${kept}, its ledger gives ${replayed}`);
  }
}

/** What a product had is free, or with its buyers, or in a sale that goes on; by the books and by the store's own entries. */
function checkInventory({ sim, store, auditor }: World): void {
  const { tables } = store;
  for (const { id, inventory } of tables.products.values()) {
    const mine = auditor.books.products.get(id)?.free;
    sim.check(mine === inventory, "I13", () => `product ${id} has ${inventory} free, by the books ${mine}`);
    let replayed: number | null = null;
    for (const entry of tables.inventory.values()) {
      if (entry.productId !== id) continue;
      const units: number = entry.units ?? 0;
      if (entry.kind === "count") replayed = entry.units;
      else if (replayed !== null) replayed += entry.kind === "allot" ? -units : units;
      sim.check(replayed === entry.balance, "I13", () => `product ${id}: "${entry.kind}" leaves ${entry.balance}, replayed ${replayed}`);
    }
    sim.check(replayed === inventory, "I13", () => `product ${id} has ${inventory} free, its entries give ${replayed}`);
  }
  // Each change by hand has a reason of its own, under one key.
  const reasons = [...tables.adjustments.values(), ...tables.inventory.values()].flatMap(({ kind, reason }) =>
    kind === "adjust" ? [reason] : [],
  );
  sim.check(new Set(reasons).size === reasons.length, "I8", () => `a change by hand has two effects: ${reasons.join(", ")}`);
  for (const { id, balances, settledAtMs } of tables.sales.values())
    if (settledAtMs !== undefined)
      sim.check(balances.available + balances.held === 0, "I13", () => `sale ${id} is settled and has ${balances.available} free`);
}

/** By the provider's book: every capture is kept by one order, or went back in full and once. */
function checkMoney({ sim, store, provider }: World): void {
  const { tables } = store;
  const keptBy = new Map<string, number>();
  for (const { captureId, money, refunds } of provider.book.values()) {
    const capture = tables.captures.get(captureId);
    if (capture === undefined) {
      sim.violate("I9", `capture ${captureId} is not known to the store`);
      continue;
    }
    if (capture.kept) keptBy.set(capture.purchaseId, (keptBy.get(capture.purchaseId) ?? 0) + 1);
    const asked = [...tables.refunds.values()].filter((refund) => refund.captureId === captureId);
    const declined = asked.some(({ state }) => state === "failed");
    const expected = !capture.kept || asked.length > 0 ? 1 : 0;
    if (declined && refunds.length === 0) continue;
    sim.check(refunds.length === expected, "I9", () => `capture ${captureId} (kept: ${capture.kept}) was refunded ${refunds.length} times`);
    for (const refund of refunds)
      sim.check(refund.money.minor === money.minor, "I9", () => `refund ${refund.refundId} is not of the full amount`);
  }
  for (const { id, state } of tables.purchases.values()) {
    const kept = keptBy.get(id) ?? 0;
    sim.check(kept === (state === "paid" ? 1 : 0), "I9", () => `order ${id} is ${state} and keeps ${kept} captures`);
  }
}
