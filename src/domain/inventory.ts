/**
 * A product's inventory: its free units, those in no sale. A ledger of its own, which meets the ledgers of the product's
 * sales at their edges: what a sale issues was allotted, what it withdraws comes back.
 *
 *   count ──► free ──allot──► (the sale's ledger: issue … withdraw) ──return──► free
 *   adjust ─►
 *
 * Counted or not is the shop's choice: `null` units means that it keeps count elsewhere, and then nothing is allotted.
 * Invariant I13: a count is never below zero, and equals the replay of its entries.
 */
import { assert } from "../lib/assert.ts";
import type { AdjustmentId, ProductId, SaleId } from "./ids.ts";
import { unitsMax } from "./ledger.ts";
import { isLabel, labelProblem, type DraftProblem } from "./sale.ts";

/** Free units, or null where nobody counts. */
export type Inventory = number | null;

export const inventoryKinds = ["count", "adjust", "allot", "return"] as const;
export type InventoryKind = (typeof inventoryKinds)[number];

/** One change. With the kind its source is unique: a sale for its publishing or cancelling, else an adjustment. */
export type InventoryEntry = {
  readonly productId: ProductId;
  readonly sourceId: SaleId | AdjustmentId;
  readonly kind: InventoryKind;
  /** Of a count the units found, null to count no more; of an adjustment signed; else those moved. */
  readonly units: Inventory;
  /** What is free after it. */
  readonly balance: Inventory;
  readonly reason: string;
  /** Who did it. */
  readonly actor: string;
  readonly atMs: number;
};

export const reasonLengthMax = 200;
/** The actor of what follows from the clock, and of what was entered before actors were kept. */
export const systemActor = "system";

export const reasonProblem = (reason: string): DraftProblem | undefined =>
  isLabel(reason, reasonLengthMax) ? undefined : { field: "reason", problem: labelProblem(reasonLengthMax) };

/** The count that a product comes with. */
export type FirstCount = { readonly id: AdjustmentId; readonly units: number; readonly actor: string };
const firstCountReason = "the first count";

export function firstCountEntry(
  { id: sourceId, units, actor }: FirstCount,
  of: { readonly id: ProductId; readonly createdAtMs: number },
): InventoryEntry {
  return { productId: of.id, sourceId, kind: "count", units, balance: units, reason: firstCountReason, actor, atMs: of.createdAtMs };
}

/** Whether an inventory that began with this entry began as it is asked to begin now; asking for none agrees with any. */
export function beganAs(first: Pick<InventoryEntry, "units" | "reason"> | undefined, counted: FirstCount | undefined): boolean {
  return counted === undefined || (first?.units === counted.units && first.reason === firstCountReason);
}

/** What is free after an entry. Where nobody counts, units come and go uncounted until somebody does. */
export function balanceAfter(before: Inventory, { kind, units }: Pick<InventoryEntry, "kind" | "units">): Inventory {
  if (kind === "count") return units;
  if (before === null) return null;
  assert(units !== null, () => `only a count is without units, got "${kind}"`);
  const after = before + (kind === "allot" ? -units : units);
  assert(after >= 0, () => `I13: free units ≥ 0, "${kind}" of ${units} leaves ${after}`);
  return after;
}

/** A change by hand: how many there are, or how many more or fewer. */
export type InventoryChange = {
  /** The same again has one effect. */
  readonly id: AdjustmentId;
  readonly productId: ProductId;
  readonly change: { readonly kind: "count"; readonly units: Inventory } | { readonly kind: "adjust"; readonly units: number };
  readonly reason: string;
  readonly actor: string;
  readonly atMs: number;
};

export type InventoryVerdict = { readonly kind: "enter"; readonly entry: InventoryEntry } | ({ readonly kind: "invalid" } & DraftProblem);

export function decideInventory(
  before: Inventory,
  { id: sourceId, productId, change, reason, actor, atMs }: InventoryChange,
): InventoryVerdict {
  const problem = reasonProblem(reason) ?? problemOfChange(before, change);
  if (problem !== undefined) return { kind: "invalid", ...problem };
  const balance = balanceAfter(before, change);
  return { kind: "enter", entry: { productId, sourceId, ...change, balance, reason, actor, atMs } };
}

function problemOfChange(before: Inventory, change: InventoryChange["change"]): DraftProblem | undefined {
  if (change.kind === "count") return change.units === null ? undefined : problemOfCount(change.units, "units");
  if (before === null) return { field: "units", problem: "must be counted first: the product keeps no inventory" };
  const legal = Number.isSafeInteger(change.units) && change.units !== 0;
  // What sales give back may lift a count above the most that can be counted: taking away is legal even so.
  const moreMax = Math.max(0, unitsMax - before);
  if (legal && change.units >= -before && change.units <= moreMax) return undefined;
  return { field: "units", problem: `must be an integer from ${-before} to ${moreMax}, and not 0` };
}

export function problemOfCount(units: number, field = "inventory"): DraftProblem | undefined {
  const legal = Number.isSafeInteger(units) && units >= 0 && units <= unitsMax;
  return legal ? undefined : { field, problem: `must be an integer from 0 to ${unitsMax}` };
}
