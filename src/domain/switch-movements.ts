/** Decisions about a sale's switches and its draft. */
import { unreachable } from "../lib/assert.ts";
import type { BatchState } from "./batch-state.ts";
import { systemActor } from "./inventory.ts";
import type { Edit, EditOutcome, Switch, SwitchOutcome } from "./movement.ts";
import {
  draftOf,
  editedDraft,
  problemOf,
  sameDraft,
  startToleranceMs,
  statusOf,
  switchTable,
  windowMaxMs,
  type DraftProblem,
  type Sale,
} from "./sale.ts";
import { withdraw } from "./supply-movements.ts";

export function flip(state: BatchState, { change }: Switch): SwitchOutcome {
  const { sale } = state.writes;
  const status = statusOf(sale, state.nowMs);
  const verdict = switchTable[change.kind][status];
  if (verdict === "same") return { kind: "switched", sale, repeated: true };
  if (verdict === "refuse") return { kind: "not_allowed", status };
  switch (change.kind) {
    case "publish":
      return publish(state, change.pastAllowed ?? false);
    case "pause":
      return switched(state, { paused: true });
    case "resume":
      return sale.paused ? switched(state, { paused: false }) : { kind: "switched", sale, repeated: true };
    case "extend":
      // A repeat, or a commit made again because nobody knew of its first: the same end is no mistake.
      if (change.endsAtMs === sale.endsAtMs) return { kind: "switched", sale, repeated: true };
      if (change.endsAtMs < sale.endsAtMs) return { kind: "invalid", field: "ends_at", problem: "must be later than it is now" };
      if (change.endsAtMs - sale.startsAtMs > windowMaxMs)
        return { kind: "invalid", field: "ends_at", problem: "must be within ten years of starts_at" };
      return switched(state, { endsAtMs: change.endsAtMs });
    case "cancel_sale":
      return cancelSale(state);
    default:
      return unreachable(change);
  }
}

/** Opens the sale and issues its stock; where the product counts its inventory, the stock comes out of it in the same step. */
function publish(state: BatchState, pastAllowed: boolean): SwitchOutcome {
  const problem = problemOfPublishing(state, pastAllowed);
  if (problem !== undefined) return { kind: "invalid", ...problem };
  const { id, stock } = state.writes.sale;
  const { productHasQuotas } = state.facts;
  const outcome = switched(state, {
    phase: "published",
    hasQuotas: productHasQuotas,
    fromInventory: typeof state.inventory === "number",
    scopeId: state.facts.publishesTo,
  });
  state.moveInventory("allot", stock, { sourceId: id, reason: "the sale was published", actor: systemActor });
  state.post("issue", id, stock);
  state.writes.copyQuotas = productHasQuotas;
  return { ...outcome, sale: state.writes.sale };
}

function problemOfPublishing(state: BatchState, pastAllowed: boolean): DraftProblem | undefined {
  const { sale } = state.writes;
  const { groupLimit } = state.facts;
  const free = state.inventory;
  if (free === undefined) return { field: "product_id", problem: "names a product that was deleted" };
  if (!pastAllowed && sale.endsAtMs <= state.nowMs) return { field: "ends_at", problem: "must lie in the future" };
  if (!pastAllowed && sale.startsAtMs < state.nowMs - startToleranceMs) return { field: "starts_at", problem: "must lie in the future" };
  if (groupLimit !== undefined && groupLimit !== sale.perBuyerLimit)
    return { field: "per_buyer_limit", problem: `must be ${groupLimit} like that of the group's other sales` };
  if (free !== null && sale.stock > free) return { field: "stock", problem: `must be at most ${free}, the product's free inventory` };
  return undefined;
}

/** Free units are withdrawn at once. Held ones become free when the closer closes their orders, for nobody: the sale sells no more. Paid orders stay. */
function cancelSale(state: BatchState): SwitchOutcome {
  const { id, balances } = state.writes.sale;
  if (balances.available > 0) withdraw(state, balances.available, { sourceId: id, reason: "the sale was cancelled", actor: systemActor });
  return switched(state, { phase: "cancelled" });
}

function switched(state: BatchState, change: Partial<Sale>): { kind: "switched"; sale: Sale; repeated: boolean } {
  return { kind: "switched", sale: state.change(change), repeated: false };
}

/** A published sale changes by its switches only. A repeat finds the draft as it wants it, and is none the worse for its version. */
export function edit(state: BatchState, { changes, expectedFeed }: Edit): EditOutcome {
  const { sale } = state.writes;
  if (sale.phase !== "draft") return { kind: "not_allowed", status: statusOf(sale, state.nowMs) };
  const draft = editedDraft(draftOf(sale), changes);
  if (sameDraft(draft, sale)) return { kind: "edited", sale, repeated: true };
  if (expectedFeed !== undefined && expectedFeed !== sale.feed) return { kind: "version_differs", sale };
  // A start that has passed is publishing's business, unless it is what changes.
  const newWindow = draft.startsAtMs !== sale.startsAtMs || draft.endsAtMs !== sale.endsAtMs;
  const problem = problemOf(draft, newWindow ? state.nowMs : Math.min(state.nowMs, draft.startsAtMs));
  if (problem !== undefined) return { kind: "invalid", ...problem };
  return { kind: "edited", sale: state.change(draft), repeated: false };
}
