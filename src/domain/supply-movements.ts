/** Decisions about units between a sale and its product's inventory, beyond publishing and cancelling. */
import type { BatchState } from "./batch-state.ts";
import { reasonProblem, systemActor } from "./inventory.ts";
import { unitsMax } from "./ledger.ts";
import type { Adjust, AdjustOutcome, Settle, SettleOutcome } from "./movement.ts";
import { isOver, statusOf, type DraftProblem } from "./sale.ts";

export function adjust(state: BatchState, adjust: Adjust): AdjustOutcome {
  const { adjustmentId: id, units: asked, reason, actor } = adjust;
  const { sale } = state.writes;
  const earlier = state.facts.adjustments.get(id);
  if (earlier !== undefined) return { kind: "adjusted", applied: earlier.applied, adjustment: earlier, sale, repeated: true };
  const status = statusOf(sale, state.nowMs);
  if (status === "draft" || isOver(status)) return { kind: "not_adjustable", status };
  const problem = reasonProblem(reason) ?? problemOfUnits(state, asked);
  if (problem !== undefined) return { kind: "invalid", ...problem };
  // Subtracted, not negated: nothing taken is 0 and not -0.
  const applied = asked > 0 ? asked : 0 - Math.min(-asked, Math.max(0, sale.balances.available - (state.facts.unitsAside ?? 0)));
  const by = { sourceId: id, reason, actor };
  if (applied > 0) {
    state.moveInventory("allot", applied, by);
    state.post("issue", id, applied);
  }
  if (applied < 0) withdraw(state, -applied, by);
  const adjustment = state.adjusted({ id, kind: "adjust", asked, applied, reason, actor });
  return { kind: "adjusted", applied, adjustment, sale: state.writes.sale, repeated: false };
}

function problemOfUnits(state: BatchState, units: number): DraftProblem | undefined {
  const { balances, fromInventory } = state.writes.sale;
  const wrong = (problem: string) => ({ field: "units", problem });
  if (!Number.isSafeInteger(units) || units === 0 || units < -unitsMax) return wrong("must be an integer, and not 0");
  // All that were ever issued count, so that the sum stays exact however often units come and go.
  if (units > unitsMax - balances.issued) return wrong(`must be at most ${unitsMax - balances.issued}: a sale issues at most ${unitsMax}`);
  const free = fromInventory ? state.inventory : undefined;
  if (typeof free === "number" && units > free) return wrong(`must be at most ${free}, the product's free inventory`);
  return undefined;
}

/** Units leave the sale, and go back to where they came from. */
export function withdraw(state: BatchState, units: number, by: Parameters<BatchState["moveInventory"]>[2]): void {
  state.post("withdraw", by.sourceId, units);
  state.moveInventory("return", units, by);
}

/** Units that a refund returns later are settled again, each once: what is free is all that is ever withdrawn. */
export function settle(state: BatchState, { adjustmentId: id }: Settle): SettleOutcome {
  const { sale } = state.writes;
  const status = statusOf(sale, state.nowMs);
  const { available } = sale.balances;
  // Of a cancelled sale they will be refused.
  const held = sale.balances.held + (sale.phase === "cancelled" ? 0 : (state.facts.unitsAside ?? 0));
  if (!isOver(status) || held > 0) return { kind: "not_over", status, held };
  if (state.facts.adjustments.has(id) || (available === 0 && sale.settledAtMs !== undefined))
    return { kind: "settled", units: 0, sale, repeated: true };
  if (available > 0) {
    const reason = `the sale is ${status}`;
    withdraw(state, available, { sourceId: id, reason, actor: systemActor });
    state.adjusted({ id, kind: "settle", asked: -available, applied: -available, reason, actor: systemActor });
  }
  return { kind: "settled", units: available, sale: state.change({ settledAtMs: state.nowMs }), repeated: false };
}
