/**
 * What goes between the threads for a commit. It is JSON text, which crosses faster than cloned objects, and it leaves
 * out what the other side knows: a take is five fields, an accepted take's answer is one number, a sale's new state six.
 *
 * Must stay true: both sides see the same answers in the same order, for a sale is sent as a change of the copy that the
 * answer before it left in the mirrors of both.
 */
import { assert } from "../../lib/assert.ts";
import type { BuyerId, PurchaseId, SaleId } from "../../domain/ids.ts";
import type { Movement, MovementOutcome, Take } from "../../domain/movement.ts";
import { acceptedPurchase } from "../../domain/stock-movements.ts";
import type { Sale } from "../../domain/sale.ts";
import type { CommitResult, LedgerBatch, SaleGroup } from "../../ports/stock-ledger.ts";
import { isRedefined } from "./ledger-writes.ts";
import type { BatchAnswer } from "./stock-ledger.ts";
import type { WriteResult } from "./writer.ts";

type WireTakes = readonly (string | number | null)[];
type WireGroup = readonly [saleId: SaleId, takes: WireTakes | null, movements?: readonly Movement[]];
export type WireBatch = readonly [nowMs: number, groups: readonly WireGroup[]];

type WireStock = readonly [issued: number, available: number, held: number, sold: number, withdrawn: number, feed: number];
/** A number is a take accepted under that limit, as this batch's own line says. */
type WireOutcome = number | MovementOutcome;
type WireAnswer = readonly [sale: Sale | WireStock | null, outcomes: readonly WireOutcome[]];
export type WireResult = readonly WireAnswer[] | Exclude<CommitResult, { kind: "committed" }>;

const takeFields = 5;
const mirroredSalesMax = 20_000;

/** What the asking side holds of each sale, kept alike on both sides. */
export class SaleMirror {
  readonly #sales = new Map<SaleId, Sale>();

  /** To be called on both sides for every result, before its sales are looked at. */
  begin(result: { readonly kind: string; readonly groups: number }): void {
    if (result.kind === "unknown" || this.#sales.size + result.groups > mirroredSalesMax) this.#sales.clear();
  }

  get(id: SaleId): Sale | undefined {
    return this.#sales.get(id);
  }

  keep(sale: Sale): void {
    this.#sales.set(sale.id, sale);
  }

  clear(): void {
    this.#sales.clear();
  }
}

export function encodeBatch(batch: LedgerBatch): WireBatch {
  return [batch.nowMs, batch.groups.map(encodeGroup)];
}

function encodeGroup({ saleId, movements }: SaleGroup): WireGroup {
  const takes: (string | number | null)[] = [];
  for (const movement of movements) {
    if (movement.kind !== "take") return [saleId, null, movements];
    const { purchaseId, buyerId, key, quantity, metadata } = movement;
    takes.push(purchaseId, buyerId, key ?? null, quantity, metadata ?? null);
  }
  return [saleId, takes];
}

export function decodeBatch([nowMs, groups]: WireBatch): LedgerBatch {
  return { nowMs, groups: groups.map(([saleId, takes, movements]) => ({ saleId, movements: movements ?? decodeTakes(takes ?? []) })) };
}

function decodeTakes(fields: WireTakes): Take[] {
  const takes: Take[] = [];
  for (let at = 0; at < fields.length; at += takeFields) {
    // The fields as encodeGroup laid them.
    const purchaseId = fields[at] as PurchaseId;
    const buyerId = fields[at + 1] as BuyerId;
    const [key, quantity, metadata] = [fields[at + 2], fields[at + 3], fields[at + 4]] as [string | null, number, string | null];
    takes.push({ kind: "take", purchaseId, buyerId, key: key ?? undefined, quantity, metadata: metadata ?? undefined });
  }
  return takes;
}

export function encodeResult(batch: LedgerBatch, result: WriteResult<BatchAnswer>, mirror: SaleMirror): WireResult {
  const kind = result.kind === "failed" ? result.failure : "committed";
  mirror.begin({ kind, groups: batch.groups.length });
  if (result.kind === "failed") {
    const { failure, message } = result;
    return failure === "unknown" ? { kind: "unknown", message } : { kind: "failed", cause: failure, message };
  }
  return result.value.groups.map(({ sale, outcomes }, g) => {
    const movements = batch.groups[g]?.movements ?? [];
    const wireOutcomes = outcomes.map((outcome, i) => encodeOutcome(outcome, movements[i], batch.nowMs));
    return [sale === undefined ? null : encodeSale(sale, mirror), wireOutcomes];
  });
}

function encodeSale(sale: Sale, mirror: SaleMirror): Sale | WireStock {
  const copy = mirror.get(sale.id);
  mirror.keep(sale);
  if (copy === undefined || isRedefined(copy, sale)) return sale;
  const { issued, available, held, sold, withdrawn } = sale.balances;
  return [issued, available, held, sold, withdrawn, sale.feed];
}

function encodeOutcome(outcome: MovementOutcome, movement: Movement | undefined, nowMs: number): WireOutcome {
  if (outcome.kind !== "accepted" || outcome.replayed || movement?.kind !== "take") return outcome;
  const { purchase } = outcome;
  const { acceptedAtMs, changedAtMs, state, payByMs, holdUntilMs } = purchase;
  // A line that an earlier commit of this batch accepted may have moved on since.
  const asAccepted = acceptedAtMs === nowMs && changedAtMs === nowMs && state === "reserved" && holdUntilMs === payByMs;
  return asAccepted ? purchase.limit : outcome;
}

/** Rebuilds what the writer decided. */
export function decodeResult(batch: LedgerBatch, result: WireResult, mirror: SaleMirror): CommitResult {
  mirror.begin({ kind: "kind" in result ? result.kind : "committed", groups: batch.groups.length });
  if ("kind" in result) return result;
  assert(result.length === batch.groups.length, "a commit answers every group");
  const groups = batch.groups.map(({ movements }, g) => {
    const [wireSale, wireOutcomes] = result[g] ?? [null, []];
    assert(wireOutcomes.length === movements.length, "a commit answers every line");
    const sale = decodeSale(wireSale, batch.groups[g]?.saleId, mirror);
    const outcomes = wireOutcomes.map((outcome, i) => {
      if (typeof outcome !== "number") return outcome;
      const movement = movements[i];
      assert(sale !== undefined && movement?.kind === "take", "only a take of a known sale is accepted");
      const purchase = acceptedPurchase(movement, { sale, limit: outcome, nowMs: batch.nowMs });
      return { kind: "accepted" as const, purchase, replayed: false };
    });
    return { outcomes, sale };
  });
  return { kind: "committed", groups };
}

function decodeSale(wire: Sale | WireStock | null, saleId: SaleId | undefined, mirror: SaleMirror): Sale | undefined {
  if (wire === null || saleId === undefined) return undefined;
  const sale = isStock(wire) ? changed(mirror.get(saleId), wire) : wire;
  mirror.keep(sale);
  return sale;
}

function changed(copy: Sale | undefined, [issued, available, held, sold, withdrawn, feed]: WireStock): Sale {
  assert(copy !== undefined, "a change of a sale meets its copy");
  return { ...copy, balances: { issued, available, held, sold, withdrawn }, feed };
}

const isStock = (wire: Sale | WireStock): wire is WireStock => Array.isArray(wire);
