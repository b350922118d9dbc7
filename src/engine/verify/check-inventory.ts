/**
 * The inventory against the ledgers of its sales (I13). Replays each product's entries in commit order, and pairs what
 * went to a sale or came back from it with the sale's own entry; every supply of a sale that is not its publishing or
 * cancelling must be an adjustment that says the same.
 *
 *   inventory:  count, adjust │ allot  return          adjustment:  adjust, settle
 *                             │   ║      ║                              ║
 *   sale's ledger:            │ issue  withdraw ═════════════════════════╝
 */
import type { InventoryEntry, InventoryKind } from "../../domain/inventory.ts";
import type { Adjustment } from "../../domain/movement.ts";
import type { Product } from "../../domain/product.ts";
import type { InventoryRow } from "../../ports/audit-source.ts";
import type { Check, Checks } from "./check.ts";
import type { SaleAudit, StoreTables, SupplyAudit } from "./store-tables.ts";
import { TextSet } from "./text-set.ts";

type ProductAudit = { readonly product: Product; free: number | null };

/** The sale's entry that an entry of the inventory answers. */
const counterparts = new Map<InventoryKind, "issue" | "withdraw">([
  ["allot", "issue"],
  ["return", "withdraw"],
]);

export class InventoryCheck {
  readonly #tables: StoreTables;
  readonly #checks: Checks;
  readonly #products = new Map<string, ProductAudit>();
  readonly #sources = new TextSet();
  readonly #adjustments = new TextSet();

  constructor(tables: StoreTables, checks: Checks) {
    this.#tables = tables;
    this.#checks = checks;
  }

  /** Made when there is something to look at: most stores count nothing. */
  get #check(): Check {
    return this.#checks.of("I13");
  }

  product(product: Product): void {
    const { id, version, inventory } = product;
    const row = () => `product ${id}`;
    if (this.#products.has(id)) return this.#check.off(row(), "is there twice");
    this.#products.set(id, { product, free: null });
    if (!(Number.isSafeInteger(version) && version > 0)) this.#check.off(row(), `has the version ${version}`);
    if (inventory !== null && !isCount(inventory)) this.#check.off(row(), `has ${inventory} free units`);
  }

  adjustment(adjustment: Adjustment): void {
    this.#check.count();
    const { id, saleId, kind, asked, applied, atMs } = adjustment;
    const row = () => `adjustment ${id}`;
    const expect = (condition: boolean, problem: () => string) => this.#check.expect(condition, row, problem);
    if (!this.#adjustments.add(id)) return this.#check.off(row(), "is there twice");
    const audit = this.#tables.saleOf(saleId);
    if (audit === undefined) return this.#check.off(row(), `belongs to the unknown sale ${saleId}`);
    const fits = asked > 0 ? applied === asked : applied <= 0 && applied >= asked;
    expect(fits && Number.isSafeInteger(asked) && asked !== 0, () => `applied ${applied} of ${asked} units`);
    if (kind === "settle") {
      expect(applied === asked && applied < 0, () => `settled ${applied} of ${asked} units`);
      expect(audit.sale.phase === "cancelled" || atMs >= audit.sale.endsAtMs, () => "settled a sale that was not over");
    } else expect(kind === "adjust", () => `is a "${kind}", which does not exist`);
    for (const side of ["issue", "withdraw"] as const) {
      const supply = this.#tables.supplyOf(id, side);
      const units = side === "issue" ? applied : -applied;
      if (units > 0) expect(supply !== undefined, () => `has no "${side}" in the ledger`);
      if (supply === undefined) continue;
      supply.adjusted = true;
      const { entry } = supply;
      expect(
        entry.units === units && entry.saleId === saleId && entry.atMs === atMs,
        () => `says ${applied} units in sale ${saleId}, its "${side}" ${entry.units} in sale ${entry.saleId}, or at another time`,
      );
    }
  }

  row(entry: InventoryRow): void {
    this.#check.count();
    const { productId, sourceId, kind, units, balance } = entry;
    const off = (problem: string) => this.#check.off(`inventory row ${entry.number}`, `"${kind}" of ${sourceId} ${problem}`);
    if (!this.#sources.add(`${sourceId}\n${kind}`)) off("is there twice");
    const audit = this.#products.get(productId);
    if (audit === undefined) return off(`belongs to the unknown product ${productId}`);
    const legal = kind === "count" ? units === null || isCount(units) : Number.isSafeInteger(units) && units !== 0;
    if (!legal) off(`moves ${units} units`);
    const after = this.#after(audit.free, entry);
    if (after === undefined) return off("does what it cannot do, or its kind does not exist");
    if (after !== balance) off(`leaves ${balance} free, by the entries before it ${after}`);
    if (after !== null && after < 0) off(`leaves ${after} free`);
    audit.free = after;
    const counterpart = counterparts.get(kind);
    if (counterpart === undefined) return;
    const supply = this.#tables.supplyOf(sourceId, counterpart);
    if (supply === undefined) return off(`answers no "${counterpart}" of a sale`);
    supply.moved = true;
    const sale = this.#tables.saleOf(supply.entry.saleId)?.sale;
    if (sale?.productId !== productId) off(`is of product ${productId}, its sale of ${sale?.productId}`);
    if (supply.entry.units !== units) off(`moves ${units} units, the sale's "${counterpart}" ${supply.entry.units}`);
    if (supply.entry.atMs !== entry.atMs) off(`is not dated as the sale's "${counterpart}"`);
  }

  /** What is free afterwards; undefined for what cannot be. */
  #after(free: number | null, { kind, units }: InventoryEntry): number | null | undefined {
    switch (kind) {
      case "count":
        return units;
      case "adjust":
        return free === null || units === null ? undefined : free + units;
      case "allot":
        return free === null || units === null ? free : free - units;
      case "return":
        return free === null || units === null ? free : free + units;
      default:
        return undefined;
    }
  }

  end(): void {
    for (const { product, free } of this.#products.values())
      if (product.inventory !== free)
        this.#check.off(`product ${product.id}`, `has ${product.inventory} free units, its entries end at ${free}`);
    for (const supply of this.#tables.supplies) this.#supplyEnd(supply);
    for (const audit of this.#tables.saleList) this.#saleEnd(audit);
  }

  #supplyEnd({ entry, adjusted, moved }: SupplyAudit): void {
    const off = (problem: string) => this.#check.off(`ledger row ${entry.number}`, `"${entry.kind}" of ${entry.sourceId} ${problem}`);
    if (entry.sourceId !== entry.saleId && !adjusted) off("is no adjustment");
    const supplied = this.#tables.saleOf(entry.saleId)?.sale.fromInventory;
    if (supplied === true && !moved) off("has no counterpart in the product's inventory");
    if (supplied === false && moved) off("has a counterpart in an inventory that its sale has nothing to do with");
  }

  #saleEnd({ sale, lastAtMs }: SaleAudit): void {
    const row = () => `sale ${sale.id}`;
    const product = this.#products.get(sale.productId)?.product;
    if (product === undefined) return this.#check.off(row(), `sells the unknown product ${sale.productId}`);
    if (product.seller !== sale.seller) this.#check.off(row(), `is sold by "${sale.seller}", its product by "${product.seller}"`);
    if (sale.phase === "draft" && sale.fromInventory) this.#check.off(row(), "is a draft and has taken units");
    if (sale.settledAtMs === undefined) return;
    const { available, held } = sale.balances;
    if (available + held > 0) this.#check.off(row(), `is settled and has ${available} free units and ${held} held ones`);
    if (sale.settledAtMs < lastAtMs) this.#check.off(row(), "was settled before its last entry");
    if (sale.phase !== "cancelled" && sale.settledAtMs < sale.endsAtMs) this.#check.off(row(), "was settled before its end");
  }
}

const isCount = (units: number): boolean => Number.isSafeInteger(units) && units >= 0;
