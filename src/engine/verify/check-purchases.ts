/** What each purchase row says on its own, and, once the ledger is read, whether its entries say the same (I5, I6, I7, I11). */
import { isKey } from "../../domain/ids.ts";
import { extensionMs, type Purchase, type PurchaseState } from "../../domain/purchase.ts";
import type { EntryKind } from "../../domain/ledger.ts";
import type { Checks } from "./check.ts";
import { decidedByCache, entryBit, purchaseStates, type PurchaseTable, type SaleAudit, type StoreTables } from "./store-tables.ts";

/** The entries that a purchase in a state has in the ledger: these, and no others. */
const entriesOf: Readonly<Record<PurchaseState, readonly EntryKind[]>> = {
  queued: [],
  refused: [],
  stuck: [],
  // An offer is not a unit of its buyer until it is taken.
  offered: [],
  reserved: ["take"],
  paid: ["take", "pay"],
  cancelled: ["take", "cancel"],
  expired: ["take", "expire"],
  closed: ["take", "close"],
};
const purchaseKinds: readonly EntryKind[] = ["take", "pay", "cancel", "expire", "close"];

export type RestRule = {
  /** The store's present, by the caller's clock. */
  readonly nowMs: number;
  /** No server runs on it and none will before the sweep: nothing may be overdue. */
  readonly atRest: boolean;
  /** How long after its deadline a hold may still wait for the sweep. */
  readonly lateMaxMs: number;
};

/** Reads a row in. */
export function checkPurchase(tables: StoreTables, checks: Checks, purchase: Purchase): void {
  const row = () => `purchase ${purchase.id}`;
  checks.of("I7").count();
  const number = tables.sales.get(purchase.saleId);
  const audit = tables.saleOf(purchase.saleId);
  if (number === undefined || audit === undefined) return checks.of("I7").off(row(), `belongs to the unknown sale ${purchase.saleId}`);
  if (tables.purchases.add(purchase, number) < 0) return checks.of("I4").off(row(), "its id is not one purchase's alone");
  const { sale } = audit;
  if (sale.counts !== undefined) {
    audit.buyers.add(purchase.buyerId);
    audit.byState.set(purchase.state, (audit.byState.get(purchase.state) ?? 0) + 1);
  }
  checks
    .of("I7")
    .expect(purchase.productId === sale.productId, row, () => `sells product ${purchase.productId}, its sale ${sale.productId}`);
  if (purchase.key !== undefined) checks.of("I8").expect(isKey(purchase.key), row, () => "its key is not one a request can carry");
  checks.of("I11").count();
  const { acceptedAtMs, payByMs, state } = purchase;
  // What a cache accepted is to be paid from when the ledger took its units, which the ledger says; what never took any, not at all.
  if (decidedByCache(sale) && state !== "queued" && state !== "refused" && state !== "stuck") return;
  const windowMs = decidedByCache(sale) ? 0 : sale.payWindowMs;
  checks
    .of("I11")
    .expect(
      payByMs === acceptedAtMs + windowMs,
      row,
      () => `is to be paid ${payByMs - acceptedAtMs} ms after acceptance, its sale gives ${windowMs}`,
    );
}

/** After ledger and payments. */
export function checkPurchasesEnd(tables: StoreTables, checks: Checks, rest: RestRule): void {
  const { purchases } = tables;
  for (let row = 0; row < purchases.ids.size; row++) {
    checkState(purchases, checks, row);
    checkHold(tables, checks, row);
    if (rest.atRest) checkRest(tables, checks, row, rest);
  }
  for (const audit of tables.saleList) checkCounts(audit, checks);
}

function checkCounts({ sale, byState, buyers }: SaleAudit, checks: Checks): void {
  if (sale.counts === undefined) return;
  const off = (what: string, counted: number, found: number) => {
    if (counted !== found) checks.of("I5").off(`sale ${sale.id}`, `counts ${counted} ${what}, its rows are ${found}`);
  };
  off("buyers", sale.counts.buyers, buyers.size);
  for (const state of purchaseStates) off(`purchases ${state}`, sale.counts.byState[state] ?? 0, byState.get(state) ?? 0);
}

function checkState(purchases: PurchaseTable, checks: Checks, row: number): void {
  const name = () => purchases.nameAt(row);
  const state = purchases.stateAt(row);
  const entries = purchases.entries.get(row);
  checks.of("I5").count();
  checks.of("I6").count();
  if (state === undefined) return checks.of("I5").off(name(), "its state does not exist");
  const taken = (entries & entryBit("take")) !== 0;
  checks.of("I6").expect(!(state === "refused" && taken), name, () => "took units and was refused afterwards");
  for (const kind of purchaseKinds) {
    const found = (entries & entryBit(kind)) !== 0;
    const wanted = entriesOf[state].includes(kind);
    if (found === wanted) continue;
    const problem = found ? `is ${state} and has an entry "${kind}"` : `is ${state} without an entry "${kind}"`;
    checks.of(kind === "take" && wanted ? "I7" : "I5").off(name(), problem);
  }
  if (state === "reserved")
    checks
      .of("I5")
      .expect(
        purchases.changedAtMs.get(row) === purchases.takenAtMs.get(row),
        name,
        () => "is reserved, yet changed after it took its units",
      );
}

/**
 * The hold is the window with its extensions, or what payments made of that, by at most the grace in all: no more and no
 * less. Of an order that was both extended and paid for, the rows do not say which came first: that much is left open.
 */
function checkHold({ purchases, saleList }: StoreTables, checks: Checks, row: number): void {
  const extensions = purchases.extensions.get(row);
  const extensionsMax = saleList[purchases.sale.get(row)]?.sale.payExtensionsMax ?? 0;
  const check = checks.of("I11");
  check.expect(
    extensions >= 0 && extensions <= extensionsMax,
    () => purchases.nameAt(row),
    () => `was extended ${extensions} times; its sale gives ${extensionsMax}`,
  );
  const deadlineMs = purchases.payByMs.get(row) + extensions * extensionMs;
  const fromMs = Math.max(deadlineMs, purchases.graceFromMs.get(row));
  const toMs = Math.max(deadlineMs, purchases.graceToMs.get(row));
  const holdUntilMs = purchases.holdUntilMs.get(row);
  check.expect(
    holdUntilMs >= fromMs && holdUntilMs <= toMs,
    () => purchases.nameAt(row),
    () => `is held until ${holdUntilMs}; its window, extensions and payments say ${fromMs === toMs ? fromMs : `${fromMs} to ${toMs}`}`,
  );
}

function checkRest(tables: StoreTables, checks: Checks, row: number, rest: RestRule): void {
  const { purchases } = tables;
  const state = purchases.stateAt(row);
  if (state === "queued" || state === "stuck")
    return checks.of("I5").off(purchases.nameAt(row), `is ${state} with the server at rest: it has no outcome`);
  if (state !== "reserved" && state !== "offered") return;
  const lateMs = rest.nowMs - purchases.holdUntilMs.get(row);
  checks.of("I5").expect(
    lateMs <= rest.lateMaxMs,
    () => purchases.nameAt(row),
    () => `is ${state}, ${lateMs} ms past its deadline`,
  );
  const sale = tables.saleList[purchases.sale.get(row)]?.sale;
  checks.of("I5").expect(
    sale?.phase !== "cancelled",
    () => purchases.nameAt(row),
    () => `is ${state} in a cancelled sale`,
  );
}
