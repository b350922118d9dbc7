/**
 * Decides a batch of one sale's movements, line by line in arrival order, over facts read under the sale's lock.
 * Pure: it says what to write and what to answer, and the ledger adapters do both. The memory model and the SQL
 * ledgers share it, so they cannot disagree about a decision, only about keeping it.
 *
 *   facts ──► decide(movement)… ──► outcomes + writes
 *
 * Each line sees what the lines before it did. Nothing here may depend on anything but facts, movement and nowMs:
 * a batch whose commit is unknown is decided again.
 */
import { unreachable } from "../lib/assert.ts";
import { BatchState, type SaleFacts, type SaleWrites } from "./batch-state.ts";
import { capture, startPayment, startRefund, updatePayment, updateRefund } from "./money-movements.ts";
import type { Movement, MovementOutcome } from "./movement.ts";
import { admit, decline, unpark } from "./queue-movements.ts";
import { extendHold, release, take } from "./stock-movements.ts";
import { adjust, settle } from "./supply-movements.ts";
import { edit, flip } from "./switch-movements.ts";

export type BatchDecision = {
  /** One per movement, in the same order. */
  readonly outcomes: MovementOutcome[];
  readonly writes: SaleWrites;
  /** Whether anything is to be written; a batch of refusals is not. */
  readonly changed: boolean;
};

export function decideBatch(facts: SaleFacts, movements: readonly Movement[], nowMs: number): BatchDecision {
  const state = new BatchState(facts, nowMs);
  const outcomes = movements.map((movement) => decide(state, movement));
  const { writes } = state;
  const moved = writes.sale !== facts.sale;
  const { payments, captures, refunds, callbacks, newPurchases, changedPurchases, adjustments } = writes;
  const kept = [payments, captures, refunds, callbacks, newPurchases, changedPurchases, adjustments];
  const changed = moved || kept.some(({ size }) => size > 0);
  return { outcomes, writes, changed };
}

function decide(state: BatchState, movement: Movement): MovementOutcome {
  switch (movement.kind) {
    case "take":
      return take(state, movement);
    case "cancel":
    case "expire":
    case "close":
      return release(state, movement);
    case "extend_hold":
      return extendHold(state, movement);
    case "start_payment":
      return startPayment(state, movement);
    case "update_payment":
      return updatePayment(state, movement);
    case "capture":
      return capture(state, movement);
    case "refund":
      return startRefund(state, movement);
    case "update_refund":
      return updateRefund(state, movement);
    case "adjust":
      return adjust(state, movement);
    case "settle":
      return settle(state, movement);
    case "switch":
      return flip(state, movement);
    case "edit":
      return edit(state, movement);
    case "admit":
      return admit(state, movement);
    case "unpark":
      return unpark(state, movement);
    case "decline":
      return decline(state, movement);
    default:
      return unreachable(movement);
  }
}
