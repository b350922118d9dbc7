/** One key, one effect, one body; after a yes, nothing else but "another payload" (C6). */
import type { Check, Checks } from "./check.ts";
import { mayEndWithoutOrder } from "./check-accepts.ts";
import { keyName, type HistoryFacts } from "./history-facts.ts";
import type { Attempt } from "./history-log.ts";

const keyReusedCode = 1008;
/** What speaks for a key: refusals of the sale. Limits, log-in and full queues speak for nothing. */
const isDefinite = (code: number | undefined) => code === 4041 || (code !== undefined && code >= 1001 && code <= 1999);

export function checkKeys(attempts: readonly Attempt[], facts: HistoryFacts, checks: Checks): void {
  const check = checks.of("C6");
  const groups = new Map<string, Attempt[]>();
  const ownerOfId = new Map<string, string>();
  const ownerOfBody = new Map<string, string>();
  for (const attempt of attempts) {
    if (attempt.f !== "purchase") continue;
    const { saleId, user, key, name } = attempt;
    // Without a key each request is its own purchase.
    const owner = key === undefined ? `attempt ${name}` : keyName(saleId, user, key);
    const group = groups.get(owner);
    if (group === undefined) groups.set(owner, [attempt]);
    else group.push(attempt);
  }
  for (const [owner, group] of groups) {
    const oks = group.filter(({ type }) => type === "ok");
    if (oks.length === 0) continue;
    check.count();
    checkSame(oks, check);
    for (const ok of oks) {
      checkOwner(ownerOfId, ok.id, { owner, ok, what: "id" }, check);
      checkOwner(ownerOfBody, ok.bodyHash, { owner, ok, what: "body" }, check);
    }
    const row = facts.rows.get(oks[0]?.id ?? "");
    if (row !== undefined && mayEndWithoutOrder(row) && oks.every(({ state }) => state === "queued")) continue;
    checkLater(group, oks, check);
  }
}

function checkSame(oks: readonly Attempt[], check: Check): void {
  const [first] = oks;
  if (first === undefined) return;
  for (const ok of oks) {
    const row = `attempt ${ok.name}`;
    if (ok.id !== first.id) check.off(row, `got purchase ${ok.id}, attempt ${first.name} with the same key got ${first.id}`);
    // Queued, and then reserved: two answers, each of them always the same.
    const like = oks.find(({ state }) => state === ok.state) ?? first;
    if (ok.bodyHash !== like.bodyHash) check.off(row, `got another body than attempt ${like.name} with the same key`);
    if (ok.qty !== first.qty) check.off(row, `got a yes for ${ok.qty} units, attempt ${first.name} with the same key for ${first.qty}`);
    if (ok.code !== 0) check.off(row, `got a yes with code ${ok.code}`);
  }
}

/** A body tells its purchase's id, so neither is ever seen under two keys. */
function checkOwner(
  owners: Map<string, string>,
  value: string | undefined,
  { owner, ok, what }: { owner: string; ok: Attempt; what: string },
  check: Check,
): void {
  if (value === undefined) return;
  const first = owners.get(value);
  if (first === undefined) owners.set(value, owner);
  else if (first !== owner) check.off(`attempt ${ok.name}`, `got the ${what} ${value} of another purchase`);
}

function checkLater(group: readonly Attempt[], oks: readonly Attempt[], check: Check): void {
  const knownT = Math.min(...oks.map(({ doneT }) => doneT));
  const qty = oks[0]?.qty;
  for (const { name, type, code, invokedT, qty: asked } of group) {
    if (type !== "fail" || !isDefinite(code)) continue;
    if (code === keyReusedCode) {
      if (asked === qty) check.off(`attempt ${name}`, `got ${code} for the payload that was accepted under its key`);
    } else if (invokedT > knownT) check.off(`attempt ${name}`, `got ${code} for a key that had been accepted before it asked`);
  }
}
