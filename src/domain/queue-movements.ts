/**
 * Decisions about lines: what the cache accepted and the ledger settles. The cache has looked at window, switches, limit,
 * key and stock; the ledger holds it to key, limit and stock alone, so while the cache stands all of its lines settle.
 *
 *   known id ─► the same answer
 *   its sale will sell no more ─► refused
 *   epoch of the cache that stands ─► key, limit, stock ─► reserved, or refused: the cache has drifted
 *   older ─► ask the cache that stands, or wait for the cut
 */
import { assert } from "../lib/assert.ts";
import type { BatchState } from "./batch-state.ts";
import type { Line } from "./journal-message.ts";
import type { Admit, AdmitOutcome, Decline, DeclineOutcome, Unpark, UnparkOutcome } from "./movement.ts";
import { transitions, type Purchase, type SettleRefusal } from "./purchase.ts";
import { isOver, statusOf, type Sale } from "./sale.ts";
import { courseOf } from "./scope.ts";

/** A line that the cache accepted and the ledger does not know yet, as the purchase that it is. */
export function queuedPurchase(line: Line, { id: saleId, productId }: Pick<Sale, "id" | "productId">): Purchase {
  const { purchaseId: id, buyerId, key, quantity, price, limit, metadata, acceptedAtMs } = line;
  const when = { acceptedAtMs, payByMs: acceptedAtMs, extensions: 0, holdUntilMs: acceptedAtMs, changedAtMs: acceptedAtMs };
  return { id, saleId, productId, buyerId, key, quantity, price, limit, metadata, ...when, state: "queued", refunded: false };
}

type Course = { readonly epoch: number };
type Decided = Pick<Purchase, "state" | "refusedFor" | "supersededBy">;

export function admit(state: BatchState, { line, epoch }: Admit): AdmitOutcome {
  const known = state.facts.purchases.get(line.purchaseId);
  const { scope } = state.facts;
  if (known !== undefined && known.state !== "queued" && known.state !== "stuck")
    return { kind: "admitted", purchase: known, repeated: true };
  const closed = closedForGood(state);
  if (closed !== undefined) return admitted(state, { line, epoch, decided: { state: "refused", refusedFor: closed }, known });
  assert(scope !== undefined, "a line belongs to a sale that the cache decides");
  switch (courseOf(scope, epoch)) {
    case "readmit":
      return { kind: "readmit" };
    case "park":
      if (known !== undefined) return { kind: "parked", purchase: known, repeated: true };
      return { kind: "parked", purchase: keep(state, { line, decided: { state: "queued" } }), repeated: false };
    case "settle": {
      const decided = judge(state, line);
      state.writes.drifted ||= decided.refusedFor === "stock";
      return admitted(state, { line, epoch, decided, known });
    }
  }
}

/** Whatever epoch its line had: the cut counts everything anew, and loads the cache with what it decides. */
export function unpark(state: BatchState, { purchaseId }: Unpark): UnparkOutcome {
  const known = state.facts.purchases.get(purchaseId);
  if (known === undefined) return { kind: "purchase_unknown" };
  if (known.state !== "queued") return { kind: "admitted", purchase: known, repeated: true };
  const line = lineOf(known);
  const closed = closedForGood(state);
  const decided: Decided = closed === undefined ? judge(state, line) : { state: "refused", refusedFor: closed };
  return { kind: "admitted", purchase: keep(state, { line, decided, known }), repeated: false };
}

export function decline(state: BatchState, { line, epoch, reason, supersededBy }: Decline): DeclineOutcome {
  const known = state.facts.purchases.get(line.purchaseId);
  if (known !== undefined && transitions[known.state].refuse === "no") return { kind: "admitted", purchase: known, repeated: true };
  if (known?.state === "refused") return { kind: "admitted", purchase: known, repeated: true };
  return admitted(state, { line, epoch, decided: { state: "refused", refusedFor: reason, supersededBy }, known });
}

type Kept = { readonly line: Line; readonly decided: Decided; readonly known?: Purchase | undefined };

/** Where a line is refused whose units the cache that stands still counts, it is to have them back. */
function admitted(state: BatchState, { epoch, ...kept }: Kept & Course): Extract<AdmitOutcome, { kind: "admitted" }> {
  const { line, decided } = kept;
  const counts = state.facts.scope?.epoch === epoch && decided.refusedFor !== "stock";
  if (decided.state === "refused" && counts) state.writes.freed.push(line);
  return { kind: "admitted", purchase: keep(state, kept), repeated: false };
}

function keep(state: BatchState, { line, decided, known }: Kept): Purchase {
  const purchase = purchaseOf(state, line, decided);
  if (purchase.state === "reserved") state.post("take", line.purchaseId, line.quantity, line.limit);
  if (known === undefined) {
    state.add(purchase);
    return purchase;
  }
  return state.put(purchase, known.state);
}

/** By key, limit and stock. Two ids meet under one key only across a cut: the first to settle stands. */
function judge(state: BatchState, line: Line): Decided {
  const buyer = state.buyer(line.buyerId);
  const first = line.key === undefined ? undefined : buyer.byKey.get(line.key);
  if (first !== undefined && first.id !== line.purchaseId) return { state: "refused", refusedFor: "superseded", supersededBy: first.id };
  const units = buyer.units + (state.facts.unitsElsewhere.get(line.buyerId) ?? 0);
  if (units + line.quantity > line.limit) return { state: "refused", refusedFor: "limit" };
  if (state.writes.sale.balances.available < line.quantity) return { state: "refused", refusedFor: "stock" };
  return { state: "reserved" };
}

/**
 * A cancelled sale sells nothing more, whenever its line was accepted. One that ended goes on settling what was accepted
 * before, until it is itself settled: then nothing of it can be on its way.
 */
function closedForGood({ writes: { sale }, nowMs }: BatchState): SettleRefusal | undefined {
  if (sale.phase === "cancelled") return "sale_cancelled";
  return sale.settledAtMs !== undefined && isOver(statusOf(sale, nowMs)) ? "ended" : undefined;
}

function purchaseOf({ writes: { sale }, nowMs }: BatchState, line: Line, decided: Decided): Purchase {
  const { purchaseId: id, buyerId, key, quantity, price, limit, metadata, acceptedAtMs } = line;
  const payByMs = decided.state === "reserved" ? nowMs + sale.payWindowMs : acceptedAtMs;
  const when = { acceptedAtMs, payByMs, extensions: 0, holdUntilMs: payByMs, changedAtMs: nowMs };
  return {
    id,
    saleId: sale.id,
    productId: sale.productId,
    buyerId,
    key,
    quantity,
    price,
    limit,
    metadata,
    ...when,
    refunded: false,
    ...decided,
  };
}

export function lineOf(purchase: Purchase): Line {
  const { id: purchaseId, buyerId, key, quantity, price, limit, metadata, acceptedAtMs } = purchase;
  return { purchaseId, buyerId, key, quantity, price, limit, metadata, acceptedAtMs };
}
