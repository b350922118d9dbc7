/**
 * Replays the ledger in commit order, with a table of moves of its own: what it shares with the code that wrote the rows,
 * it could not find fault with. Every entry must leave legal balances (I1, I2), name a purchase, refund or adjustment
 * that says the same (I4, I5, I7), keep its buyer's limit (I3) and its deadline (I11).
 */
import { imbalanceOf, type Balances, type EntryKind } from "../../domain/ledger.ts";
import type { LedgerRow } from "../../ports/audit-source.ts";
import { BuyerUnits } from "./buyer-units.ts";
import type { Check, Checks } from "./check.ts";
import { decidedByCache, entryBit, type SaleAudit, type StoreTables } from "./store-tables.ts";

/** So far the clocks of a cache and of its database may be apart: more, and doctor says so. */
const clockGapMaxMs = 60_000;

type Account = keyof Balances;
const moves = new Map<EntryKind, readonly [from: Account | undefined, to: Account]>([
  ["issue", [undefined, "available"]],
  ["take", ["available", "held"]],
  ["pay", ["held", "sold"]],
  ["cancel", ["held", "available"]],
  ["expire", ["held", "available"]],
  ["close", ["held", "available"]],
  ["return", ["sold", "available"]],
  ["withdraw", ["available", "withdrawn"]],
]);

export class LedgerCheck {
  readonly #tables: StoreTables;
  readonly #checks: Checks;
  readonly #units: BuyerUnits;

  constructor(tables: StoreTables, checks: Checks) {
    this.#tables = tables;
    this.#checks = checks;
    this.#units = new BuyerUnits(tables);
  }

  row(entry: LedgerRow): void {
    this.#checks.of("I1").count();
    this.#checks.of("I2").count();
    const audit = this.#tables.saleOf(entry.saleId);
    if (audit === undefined) return this.#off("I2", entry, `belongs to the unknown sale ${entry.saleId}`);
    const move = moves.get(entry.kind);
    if (move === undefined) return this.#off("I2", entry, "its kind does not exist");
    this.#post(audit, entry, move);
    switch (entry.kind) {
      case "take":
        return this.#take(audit, entry);
      case "pay":
      case "cancel":
      case "expire":
      case "close":
        return this.#settle(audit, entry);
      case "return":
        return this.#return(entry);
      default:
        return this.#supply(audit, entry);
    }
  }

  end(): void {
    for (const audit of this.#tables.saleList) this.#saleEnd(audit);
  }

  #off(id: Parameters<Checks["of"]>[0], entry: LedgerRow, problem: string): void {
    this.#checks.of(id).off(`ledger row ${entry.number}`, `"${entry.kind}" of ${entry.sourceId} ${problem}`);
  }

  #expect(check: Check, condition: boolean, entry: LedgerRow, problem: () => string): void {
    if (!condition) this.#off(check.id, entry, problem());
  }

  #post(audit: SaleAudit, entry: LedgerRow, [from, to]: readonly [Account | undefined, Account]): void {
    const legal = Number.isSafeInteger(entry.units) && entry.units > 0;
    if (!legal) return this.#off("I1", entry, `moves ${entry.units} units`);
    audit.entries += 1;
    audit.lastAtMs = Math.max(audit.lastAtMs, entry.atMs);
    audit.balances[from ?? "issued"] += from === undefined ? entry.units : -entry.units;
    audit.balances[to] += entry.units;
    const broken = imbalanceOf(audit.balances);
    // The first step that breaks a sale's balances is the one to look at; all later ones inherit it.
    if (broken === undefined || audit.stepBroken) return;
    audit.stepBroken = true;
    this.#off(broken.startsWith("I1") ? "I1" : "I2", entry, `breaks ${broken}: sale ${entry.saleId} ${inWords(audit.balances)}`);
  }

  #take(audit: SaleAudit, entry: LedgerRow): void {
    const { purchases } = this.#tables;
    const row = this.#purchaseRow(entry);
    this.#checks.of("I3").count();
    if (row < 0) return;
    const { sale } = audit;
    const check = this.#checks.of("I7");
    const acceptedAtMs = purchases.acceptedAtMs.get(row);
    purchases.takenAtMs.set(row, entry.atMs);
    if (decidedByCache(sale)) this.#settledTake(sale, row, entry);
    else this.#expect(check, entry.atMs === acceptedAtMs, entry, () => "is not dated as its purchase");
    this.#expect(check, acceptedAtMs >= sale.startsAtMs && acceptedAtMs < sale.endsAtMs, entry, () => "lies outside the sale's window");
    this.#expect(check, sale.phase !== "draft" && !audit.cancelled, entry, () => "is in a sale that was not open");
    const buyer = purchases.buyer.get(row);
    const limit = audit.quotas.get(buyer) ?? sale.perBuyerLimit;
    const limits = this.#checks.of("I3");
    this.#expect(limits, entry.limit === limit, entry, () => `records the limit ${entry.limit}, in force was ${limit}`);
    this.#expect(
      limits,
      purchases.limit.get(row) === limit,
      entry,
      () => `its purchase says limit ${purchases.limit.get(row)}, in force was ${limit}`,
    );
    const units = this.#units.take(audit, buyer, entry);
    this.#expect(limits, units <= (entry.limit ?? 0), entry, () => `gives buyer ${buyer} ${units} units, the limit is ${entry.limit}`);
  }

  /** Buyers have the sale's whole window to pay, however long their lines were on their way. */
  #settledTake({ payWindowMs }: SaleAudit["sale"], row: number, entry: LedgerRow): void {
    const { purchases } = this.#tables;
    const windowMs = purchases.payByMs.get(row) - entry.atMs;
    this.#expect(
      this.#checks.of("I11"),
      windowMs === payWindowMs,
      entry,
      () => `is to be paid within ${windowMs} ms, its sale gives ${payWindowMs}`,
    );
    const earlyMs = purchases.acceptedAtMs.get(row) - entry.atMs;
    this.#expect(this.#checks.of("I7"), earlyMs <= clockGapMaxMs, entry, () => `is dated ${earlyMs} ms before its cache accepted it`);
  }

  #settle(audit: SaleAudit, entry: LedgerRow): void {
    const { purchases } = this.#tables;
    const row = this.#purchaseRow(entry);
    if (row < 0) return;
    const check = this.#checks.of("I5");
    this.#expect(check, (purchases.entries.get(row) & entryBit("take")) !== 0, entry, () => "comes before its take");
    this.#expect(check, entry.atMs === purchases.changedAtMs.get(row), entry, () => "is not dated as its purchase's last change");
    if (entry.kind !== "pay") this.#units.release(audit, purchases.buyer.get(row), entry);
    if (entry.kind !== "expire") return;
    const earlyMs = purchases.holdUntilMs.get(row) - entry.atMs;
    this.#expect(this.#checks.of("I11"), earlyMs <= 0, entry, () => `releases the hold ${earlyMs} ms early`);
  }

  /** Row of the entry's purchase, checked for what all its entries share, or -1. */
  #purchaseRow(entry: LedgerRow): number {
    const { purchases } = this.#tables;
    this.#checks.of("I4").count(entry.kind === "take" ? 1 : 0);
    const row = this.#tables.purchaseIn(entry.saleId, entry.sourceId);
    if (row < 0) {
      this.#off("I4", entry, `has no purchase in sale ${entry.saleId}`);
      return row;
    }
    const bit = entryBit(entry.kind);
    const seen = purchases.entries.get(row);
    if ((seen & bit) !== 0) this.#off("I2", entry, "is there twice");
    purchases.entries.set(row, seen | bit);
    const quantity = purchases.quantity.get(row);
    this.#expect(this.#checks.of("I2"), entry.units === quantity, entry, () => `moves ${entry.units} units of a purchase of ${quantity}`);
    return row;
  }

  #return(entry: LedgerRow): void {
    const audit = this.#tables.refunds.get(entry.sourceId);
    if (audit === undefined) return this.#off("I2", entry, "has no refund");
    const { refund } = audit;
    if (audit.returned) this.#off("I2", entry, "is there twice");
    audit.returned = true;
    const row = this.#tables.purchaseIn(entry.saleId, refund.purchaseId);
    const check = this.#checks.of("I2");
    this.#expect(check, refund.returnStock, entry, () => "returns units its refund did not give back");
    this.#expect(check, refund.createdAtMs === entry.atMs, entry, () => "is not dated as its refund");
    this.#expect(
      check,
      row >= 0 && this.#tables.purchases.quantity.get(row) === entry.units,
      entry,
      () => "moves other units than were bought",
    );
  }

  #supply(audit: SaleAudit, entry: LedgerRow): void {
    if (!this.#tables.addSupply(entry)) this.#off("I2", entry, "is there twice");
    if (entry.sourceId !== entry.saleId) return;
    if (entry.kind === "withdraw") {
      audit.cancelled = true;
      this.#expect(this.#checks.of("I2"), audit.sale.phase === "cancelled", entry, () => `withdraws a sale that is ${audit.sale.phase}`);
      return;
    }
    audit.issued = true;
    const { stock } = audit.sale;
    this.#expect(
      this.#checks.of("I2"),
      entry.units === stock,
      entry,
      () => `issues ${entry.units} units, the sale was published with ${stock}`,
    );
    this.#expect(this.#checks.of("I2"), audit.entries <= 1, entry, () => "is not the sale's first entry");
  }

  #saleEnd({ sale, balances, issued }: SaleAudit): void {
    const row = () => `sale ${sale.id}`;
    const stored = sale.balances;
    const accounts = ["issued", "available", "held", "sold", "withdrawn"] as const;
    const check = this.#checks.of("I2");
    check.expect(
      accounts.every((account) => stored[account] === balances[account]),
      row,
      () => `stores ${inWords(stored)}, its ledger ends at ${inWords(balances)}`,
    );
    const broken = imbalanceOf(stored);
    if (broken !== undefined) this.#checks.of(broken.startsWith("I1") ? "I1" : "I2").off(row(), `stores illegal balances: ${broken}`);
    if (sale.phase === "published") check.expect(issued, row, () => "is published and has issued nothing");
    if (sale.phase === "draft") check.expect(!issued, row, () => "is a draft and has issued units");
  }
}

const inWords = ({ issued, available, held, sold, withdrawn }: Balances) =>
  `issued ${issued}, available ${available}, held ${held}, sold ${sold}, withdrawn ${withdrawn}`;
