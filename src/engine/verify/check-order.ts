/**
 * Refusals for stock against the order of the ledger (C7). A refusal was decided at some point of its sale's ledger: not
 * before anything that was answered before it was asked, not after anything that was asked after it was answered.
 *
 *   answered before ─► [ L … a point with too few units free … U ] ─► asked after
 *
 * If there is no such point in between, units were free all the time, or one was accepted later without any coming back.
 * The entries themselves must stand in an order that the answers allow.
 *
 * Where several processes share the store (`reopenDelayMs` > 0), a memory may speak of a state that has been over for less
 * than that, so the point may lie so much earlier; and "all taken" is not judged, for it also answers everybody while a
 * sale that was paused, sold out or a draft is opened again, of which the ledger need not hold a trace.
 */
import type { Check, Checks } from "./check.ts";
import { keyName, type HistoryFacts, type StockLine } from "./history-facts.ts";
import type { Attempt } from "./history-log.ts";
import { RangeMinimum } from "./range-minimum.ts";

const allTakenCode = 1005;
const soldOutCode = 1006;

/** An entry that attempts of the record caused, with what they tell of its time. */
type Effect = { readonly what: string; readonly at: number; firstInvokedT: number; firstOkT: number };

export function checkOrder(attempts: readonly Attempt[], facts: HistoryFacts, checks: Checks, reopenDelayMs = 0): void {
  const check = checks.of("C7");
  const refusals = new Map<string, Attempt[]>();
  for (const attempt of attempts) {
    if (attempt.f !== "purchase" || attempt.type !== "fail") continue;
    // A cache is ahead of the ledger with what it accepts, and behind it with what comes back.
    if (facts.cached.has(attempt.saleId)) continue;
    if (attempt.code !== soldOutCode && (attempt.code !== allTakenCode || reopenDelayMs > 0)) continue;
    const list = refusals.get(attempt.saleId);
    if (list === undefined) refusals.set(attempt.saleId, [attempt]);
    else list.push(attempt);
  }
  const effects = effectsOf(attempts, facts);
  for (const [saleId, line] of facts.stock)
    checkSale(line, effects.get(saleId) ?? [], { refusals: refusals.get(saleId) ?? [], reopenDelayMs }, check);
}

type Refused = { readonly refusals: readonly Attempt[]; readonly reopenDelayMs: number };

function checkSale(line: StockLine, effects: readonly Effect[], { refusals, reopenDelayMs }: Refused, check: Check): void {
  const bounds = new Bounds(effects);
  for (const effect of effects)
    if (bounds.after(effect.firstInvokedT) > effect.at)
      check.off(effect.what, "stands in the ledger before one that was answered before it was asked");
  if (refusals.length === 0) return;
  const free = { allTaken: freeWhere(line, (held) => held > 0), soldOut: freeWhere(line, (held) => held === 0) };
  for (const refusal of refusals) {
    check.count();
    // Before its first entry a sale is a draft, and those are unknown, not sold out.
    const from = Math.max(1, bounds.after(refusal.invokedT - reopenDelayMs));
    const to = Math.min(bounds.before(refusal.doneT), line.entries);
    const least = (refusal.code === soldOutCode ? free.soldOut : free.allTaken).between(from, to);
    if (least >= refusal.qty)
      check.off(
        `attempt ${refusal.name}`,
        `got ${refusal.code} for ${refusal.qty} units; the sale's entries ${from} to ${to} hold no moment for it`,
      );
  }
}

/** Free units after each entry, where the held ones are as the refusal says; elsewhere endless, so that it never counts. */
function freeWhere(line: StockLine, fits: (held: number) => boolean): RangeMinimum {
  return new RangeMinimum(line.entries + 1, (r) => (fits(line.held.get(r)) ? line.available.get(r) : Number.POSITIVE_INFINITY));
}

function effectsOf(attempts: readonly Attempt[], facts: HistoryFacts): Map<string, Effect[]> {
  const effects = new Map<string, Map<string, Effect>>();
  const idOfKey = new Map<string, string>();
  for (const row of facts.rows.values())
    if (row.key !== undefined && row.user !== undefined && row.state !== "refused")
      idOfKey.set(keyName(row.saleId, row.user, row.key), row.id);
  for (const attempt of attempts) {
    const { f, type, key, saleId, user, id, invokedT, doneT } = attempt;
    if (type === "fail" || (f !== "purchase" && f !== "cancel")) continue;
    const rowId = f === "purchase" && key !== undefined ? idOfKey.get(keyName(saleId, user, key)) : id;
    const row = rowId === undefined ? undefined : facts.rows.get(rowId);
    const at = f === "cancel" ? row?.cancelAt : row?.takeAt;
    if (row === undefined || at === undefined || at < 0) continue;
    let ofSale = effects.get(row.saleId);
    if (ofSale === undefined) effects.set(row.saleId, (ofSale = new Map()));
    const what = `${f} ${row.id}`;
    let effect = ofSale.get(what);
    if (effect === undefined) ofSale.set(what, (effect = { what, at, firstInvokedT: invokedT, firstOkT: Number.POSITIVE_INFINITY }));
    effect.firstInvokedT = Math.min(effect.firstInvokedT, invokedT);
    // Accepted by a cache, it has no place in the ledger yet.
    if (type === "ok" && attempt.state !== "queued") effect.firstOkT = Math.min(effect.firstOkT, doneT);
  }
  return new Map([...effects].map(([saleId, ofSale]) => [saleId, [...ofSale.values()]]));
}

/** Where in the ledger a moment of the driver's clock can lie. */
class Bounds {
  readonly #okT: Float64Array;
  readonly #highest: Float64Array;
  readonly #invokedT: Float64Array;
  readonly #lowest: Float64Array;

  constructor(effects: readonly Effect[]) {
    const byOk = effects.toSorted((a, b) => a.firstOkT - b.firstOkT);
    this.#okT = Float64Array.from(byOk, ({ firstOkT }) => firstOkT);
    let highest = 0;
    this.#highest = Float64Array.from(byOk, ({ at }) => (highest = Math.max(highest, at + 1)));
    const byInvoke = effects.toSorted((a, b) => b.firstInvokedT - a.firstInvokedT);
    let lowest = Number.POSITIVE_INFINITY;
    const lowestLastFirst = Float64Array.from(byInvoke, ({ at }) => (lowest = Math.min(lowest, at)));
    this.#lowest = lowestLastFirst.reverse();
    this.#invokedT = Float64Array.from(byInvoke, ({ firstInvokedT }) => firstInvokedT).reverse();
  }

  /** Entries surely committed before `t`. */
  after(t: number): number {
    const count = countBelow(this.#okT, t);
    return count === 0 ? 0 : (this.#highest[count - 1] ?? 0);
  }

  /** At most so many entries were committed at `t`. */
  before(t: number): number {
    return this.#lowest[countUpTo(this.#invokedT, t)] ?? Number.POSITIVE_INFINITY;
  }
}

/** How many of the sorted values are < limit. */
function countBelow(sorted: Float64Array, limit: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many of the sorted values are ≤ limit. */
function countUpTo(sorted: Float64Array, limit: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
