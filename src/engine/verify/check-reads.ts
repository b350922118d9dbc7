/** A read never shows less than what was known when it was asked: states move only forward (C11). */
import { imbalanceOf } from "../../domain/ledger.ts";
import { transitions, type PurchaseEvent, type PurchaseState } from "../../domain/purchase.ts";
import type { Check, Checks } from "./check.ts";
import type { HistoryFacts } from "./history-facts.ts";
import type { Attempt } from "./history-log.ts";

type Seen = { readonly attempt: Attempt; readonly state: PurchaseState };

export function checkReads(attempts: readonly Attempt[], facts: HistoryFacts, checks: Checks): void {
  const check = checks.of("C11");
  const seenOf = new Map<string, Seen[]>();
  for (const attempt of attempts) {
    if (attempt.f === "stock") checkStock(attempt, check);
    const state = stateShown(attempt);
    if (attempt.id === undefined || state === undefined) continue;
    const seen = seenOf.get(attempt.id);
    if (seen === undefined) seenOf.set(attempt.id, [{ attempt, state }]);
    else seen.push({ attempt, state });
  }
  for (const [id, seen] of seenOf) checkPurchase(id, seen, facts.rows.get(id)?.state, check);
}

/** A yes to a purchase shows it as reserved, however late it is repeated; or as queued, where that is all that is known yet. */
function stateShown({ f, type, state }: Attempt): PurchaseState | undefined {
  if (type !== "ok") return undefined;
  if (f === "purchase") return state ?? "reserved";
  return f === "cancel" ? (state ?? "cancelled") : state;
}

function checkStock(attempt: Attempt, check: Check): void {
  if (attempt.type !== "ok" || attempt.stock === undefined) return;
  check.count();
  const broken = imbalanceOf(attempt.stock);
  if (broken !== undefined) check.off(`attempt ${attempt.name}`, `was shown illegal balances: ${broken}`);
}

function checkPurchase(id: string, seen: Seen[], end: PurchaseState | undefined, check: Check): void {
  const known: PurchaseState[] = [];
  const byDone = seen.toSorted((a, b) => a.attempt.doneT - b.attempt.doneT);
  let next = 0;
  for (const { attempt, state } of seen.toSorted((a, b) => a.attempt.invokedT - b.attempt.invokedT)) {
    for (; (byDone[next]?.attempt.doneT ?? Number.POSITIVE_INFINITY) < attempt.invokedT; next++) {
      const older = byDone[next]?.state;
      if (older !== undefined && !known.includes(older)) known.push(older);
    }
    if (end !== undefined && !leadsTo(state, end)) check.off(`attempt ${attempt.name}`, `saw purchase ${id} ${state}; it ended ${end}`);
    if (attempt.f === "purchase") continue;
    check.count();
    const newer = known.find((before) => !leadsTo(before, state));
    if (newer !== undefined) check.off(`attempt ${attempt.name}`, `saw purchase ${id} ${state} after it was known to be ${newer}`);
  }
}

const reachable = new Map<PurchaseState, ReadonlySet<PurchaseState>>();

function leadsTo(from: PurchaseState, to: PurchaseState): boolean {
  let states = reachable.get(from);
  if (states === undefined) reachable.set(from, (states = reachableFrom(from)));
  return states.has(to);
}

function reachableFrom(start: PurchaseState): ReadonlySet<PurchaseState> {
  const found = new Set<PurchaseState>([start]);
  for (const state of found) {
    // Every key of a row of the table is an event.
    for (const event of Object.keys(transitions[state]) as PurchaseEvent[]) {
      const step = transitions[state][event];
      if (step !== "same" && step !== "no") found.add(step);
    }
  }
  return found;
}
