/** Every yes is in the store for good (C2, C3), and everything in the store was asked for (C4). */
import type { Check, Checks } from "./check.ts";
import type { RestRule } from "./check-purchases.ts";
import { keyName, type HistoryFacts, type StoredPurchase } from "./history-facts.ts";
import type { Attempt } from "./history-log.ts";

const unknownCodes: readonly (number | undefined)[] = [404, 4042];

type Accepted = {
  readonly user: string;
  doneT: number;
  readBack: boolean;
  /** Whether it was ever told as more than queued. */
  reserved: boolean;
};

/** What may become of a purchase that a cache accepted, other than an order: its sale went, or somebody threw it away. */
const ends: readonly StoredPurchase["refusedFor"][] = ["sale_cancelled", "ended", "discarded"];

export function checkAccepts(attempts: readonly Attempt[], facts: HistoryFacts, checks: Checks, rest: RestRule): void {
  const check = checks.of("C2");
  const accepted = new Map<string, Accepted>();
  const byKey = new Map<string, Accepted>();
  for (const attempt of attempts) if (attempt.type === "ok" && attempt.id !== undefined) note(attempt, attempt.id, accepted, byKey);
  for (const attempt of attempts) checkRead(attempt, accepted, byKey, check);
  const unread = [...accepted.values()].filter(({ readBack }) => !readBack).length;
  for (const [id, { reserved }] of accepted) {
    check.count();
    const row = facts.rows.get(id);
    if (row === undefined) check.off(`purchase ${id}`, "was answered with a yes and is not in the store");
    else checkOutcome(row, reserved, checks.of("C3"), rest);
  }
  check.note(`${accepted.size - unread} read back, ${unread} never`);
}

function note(attempt: Attempt, id: string, accepted: Map<string, Accepted>, byKey: Map<string, Accepted>): void {
  const { f, user, saleId, key, doneT } = attempt;
  let known = accepted.get(id);
  if (known === undefined) accepted.set(id, (known = { user, doneT, readBack: false, reserved: false }));
  known.doneT = Math.min(known.doneT, doneT);
  if (f === "get") known.readBack = true;
  if (attempt.state === undefined ? f === "purchase" : attempt.state !== "queued" && attempt.state !== "refused") known.reserved = true;
  if (f === "purchase" && key !== undefined) byKey.set(keyName(saleId, user, key), known);
}

/** After a yes, the same client never hears that it does not exist (I12). */
function checkRead(attempt: Attempt, accepted: Map<string, Accepted>, byKey: Map<string, Accepted>, check: Check): void {
  const { f, type, code, id, user, saleId, key, invokedT } = attempt;
  if (f === "purchase" || f === "stock" || type !== "fail" || !unknownCodes.includes(code)) return;
  const known = id === undefined ? byKey.get(keyName(saleId, user, key ?? "")) : accepted.get(id);
  if (known === undefined || known.user !== user || known.doneT >= invokedT) return;
  check.off(`attempt ${attempt.name}`, `heard ${code} for purchase ${id ?? `under key "${key}"`}, accepted before it asked`);
}

function checkOutcome(row: StoredPurchase, reserved: boolean, check: Check, { atRest, nowMs, lateMaxMs }: RestRule): void {
  check.count();
  if (!reserved && mayEndWithoutOrder(row)) return;
  // What the ledger keeps for the next cut is taken then.
  const isOnItsWay = !atRest && !reserved && (row.state === "queued" || row.state === "stuck");
  if (row.takeAt < 0 && !isOnItsWay) check.off(`purchase ${row.id}`, "was answered with a yes and took no units in the ledger");
  if (row.state === "refused") check.off(`purchase ${row.id}`, "was answered with a yes and is refused");
  if (!atRest) return;
  if (row.state === "queued" || row.state === "stuck") check.off(`purchase ${row.id}`, `is ${row.state} with the server at rest`);
  if (row.state === "reserved" && nowMs - row.holdUntilMs > lateMaxMs)
    check.off(`purchase ${row.id}`, "is reserved long past its deadline");
}

/** Told as queued, and not more: on its way while servers run, or refused for something other than units or limits. */
export const mayEndWithoutOrder = ({ state, refusedFor }: StoredPurchase): boolean => state === "refused" && ends.includes(refusedFor);

type Asked = {
  /** Attempts with a key that may have happened. */
  readonly keyed: Map<string, Attempt[]>;
  /** Those that got a yes, by the id it told. */
  readonly told: Map<string, Attempt>;
  /** Those without one of which nothing is known: sale, buyer and units → how many rows they may explain. */
  readonly open: Map<string, number>;
  readonly refusedIds: Map<string, Attempt>;
};

export function checkAsked(attempts: readonly Attempt[], facts: HistoryFacts, checks: Checks): void {
  const check = checks.of("C4");
  const asked = sortOut(attempts);
  for (const row of facts.rows.values()) {
    if (!facts.sales.has(row.saleId) || row.state === "refused") continue;
    check.count();
    const problem = problemOf(row, asked);
    if (problem !== undefined) check.off(`purchase ${row.id}`, problem);
    const refused = asked.refusedIds.get(row.id);
    if (refused !== undefined) check.off(`purchase ${row.id}`, `attempt ${refused.name} was refused under this very id`);
  }
}

function sortOut(attempts: readonly Attempt[]): Asked {
  const asked: Asked = { keyed: new Map(), told: new Map(), open: new Map(), refusedIds: new Map() };
  for (const attempt of attempts) {
    if (attempt.f !== "purchase") continue;
    const { type, id, saleId, user, key, qty } = attempt;
    if (type === "fail") {
      if (id !== undefined) asked.refusedIds.set(id, attempt);
      continue;
    }
    if (id !== undefined) asked.told.set(id, attempt);
    if (key !== undefined) {
      const name = keyName(saleId, user, key);
      const group = asked.keyed.get(name);
      if (group === undefined) asked.keyed.set(name, [attempt]);
      else group.push(attempt);
    } else if (id === undefined) asked.open.set(openName(saleId, user, qty), (asked.open.get(openName(saleId, user, qty)) ?? 0) + 1);
  }
  return asked;
}

function problemOf(row: StoredPurchase, asked: Asked): string | undefined {
  const { id, saleId, user, key, quantity } = row;
  if (user === undefined) return "its buyer asked for nothing";
  const told = asked.told.get(id);
  if (told !== undefined) {
    const same = told.saleId === saleId && told.user === user && told.key === key && told.qty === quantity;
    return same ? undefined : `differs from attempt ${told.name}, which was told its id`;
  }
  if (key !== undefined) {
    const attempts = asked.keyed.get(keyName(saleId, user, key)) ?? [];
    if (attempts.length === 0) return `no attempt with key "${key}" of "${user}" may have made it`;
    return attempts.some(({ qty }) => qty === quantity) ? undefined : `holds ${quantity} units, which no attempt with its key asked for`;
  }
  const name = openName(saleId, user, quantity);
  const left = asked.open.get(name) ?? 0;
  if (left === 0) return `no attempt of "${user}" may have made it`;
  asked.open.set(name, left - 1);
  return undefined;
}

const openName = (saleId: string, user: string, qty: number) => `${saleId}\n${user}\n${qty}`;
