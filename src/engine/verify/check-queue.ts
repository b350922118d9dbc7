/**
 * Holds cache and broker against the ledger where a cache decides (I10), and looks for what was accepted and has no end
 * (I5). They can only be compared when nothing is on its way: while servers run, what is seen is noted and not judged.
 *
 * Must stay true: the ledger was read before, so that whatever the cache says later it may know more, never less.
 */
import type { SaleId } from "../../domain/ids.ts";
import { unitsAside, type LineAside } from "../../domain/lines-aside.ts";
import type { Scope } from "../../domain/scope.ts";
import type { QueueAudit } from "../../ports/queue-audit.ts";
import type { Check, Checks } from "./check.ts";
import type { SaleAudit, StoreTables } from "./store-tables.ts";

const pageMax = 10_000;
const entriesMax = 1_000;

export async function checkQueue(queue: QueueAudit, tables: StoreTables, checks: Checks, atRest: boolean): Promise<void> {
  const check = checks.of("I10");
  if (!atRest) return check.note("cache and ledger are compared with --at-rest");
  const letters = await queue.deadLetters();
  for (const letter of letters)
    checks.of("I5").off(letter.kind === "line" ? `purchase ${letter.id}` : letter.id, `was put aside: ${letter.problem}`);
  const aside = letters.filter((letter) => letter.kind === "line");
  for (const scope of await queue.scopes()) await checkScope({ queue, tables, checks, aside }, scope);
  await checkBroker(queue, checks);
}

type Audit = {
  readonly queue: QueueAudit;
  readonly tables: StoreTables;
  readonly checks: Checks;
  /** What was put aside: the cache has given it its units, and the ledger has not. It is told of once, as such. */
  readonly aside: readonly LineAside[];
};

async function checkScope(audit: Audit, scope: Scope): Promise<void> {
  const { queue, checks } = audit;
  const check = checks.of("I10");
  const { id: scopeId, epoch, state } = scope;
  if (state !== "open") return check.note(`scope ${scopeId} is ${state}: no cache decides it`);
  const entries = await queue.cache.outbox({ scopeId, epoch, olderThanMs: 0, countMax: entriesMax });
  if (entries.kind === "closed") return check.note(`scope ${scopeId} is not in the cache: it is loaded anew when somebody asks`);
  if (entries.kind !== "ok") return check.doubt(`the cache could not be asked: ${entries.message}`);
  for (const { id } of entries.value) check.off(`outbox entry ${id}`, `of scope ${scopeId} was never carried to the broker`);
  for (const saleId of await queue.salesOf(scopeId)) await checkSale(audit, scope, saleId);
}

async function checkSale({ queue, tables, checks, aside }: Audit, { id: scopeId, epoch, feed }: Scope, saleId: SaleId): Promise<void> {
  const check = checks.of("I10");
  const row = () => `sale ${saleId}`;
  const audit = tables.saleOf(saleId);
  const view = await queue.cache.look({ scopeId, epoch, saleId });
  // It was over when the cache was loaded: nobody can buy in it.
  if (view.kind === "absent" || audit === undefined) return;
  if (view.kind !== "ok") return check.doubt(`the cache could not be asked about sale ${saleId}`);
  check.count();
  const { sale } = audit;
  const { available, paused, cancelled, endsAtMs, feed: fed } = view.value;
  check.expect(fed === feed, row, () => `the cache stands at row ${fed} of the feed, which has ${feed}`);
  const counted = aside.filter((line) => line.saleId === saleId && line.epoch >= epoch);
  const free = sale.balances.available - unitsAside(counted, saleId);
  check.expect(available === free || cancelled, row, () => `has ${available} free units in the cache, and ${free} in the ledger`);
  check.expect(paused === sale.paused, row, () => `is ${paused ? "" : "not "}paused in the cache, unlike in the ledger`);
  check.expect(cancelled === (sale.phase === "cancelled"), row, () => `is ${sale.phase}, and the cache knows nothing of it`);
  check.expect(endsAtMs === sale.endsAtMs, row, () => `ends at ${endsAtMs} in the cache, and at ${sale.endsAtMs} in the ledger`);
  const waiting = new Set<string>(counted.map(({ line }) => line.purchaseId));
  await checkAccepted({ queue, tables, check, waiting }, { scopeId, epoch, saleId }, audit);
}

type OfCache = { readonly queue: QueueAudit; readonly tables: StoreTables; readonly check: Check; readonly waiting: ReadonlySet<string> };
type Place = { readonly scopeId: Scope["id"]; readonly epoch: number; readonly saleId: SaleId };

/** Whoever it ever accepted has a purchase in the ledger that is decided. */
async function checkAccepted({ queue, tables, check, waiting }: OfCache, place: Place, audit: SaleAudit): Promise<void> {
  for (let from = 0; ;) {
    const page = await queue.cache.accepted({ ...place, from, countMax: pageMax });
    if (page.kind !== "ok") return check.doubt(`the cache could not be asked whom it accepted in sale ${place.saleId}`);
    for (const { buyerId, purchaseId } of page.value) {
      check.count();
      const name = purchaseId === undefined ? `buyer ${buyerId}` : `purchase ${purchaseId}`;
      const isKnown =
        purchaseId === undefined ? hasBought(audit, buyerId) : waiting.has(purchaseId) || isDecided(tables, place.saleId, purchaseId);
      check.expect(
        isKnown,
        () => name,
        () => `was accepted by the cache in sale ${place.saleId} and has no end in the ledger`,
      );
    }
    from += page.value.length;
    if (page.value.length < pageMax) return;
  }
}

/** Where the store keeps no counts nobody noted who bought. */
const hasBought = ({ sale, buyers }: SaleAudit, buyerId: number): boolean => sale.counts === undefined || buyers.has(buyerId);

function isDecided(tables: StoreTables, saleId: SaleId, id: string): boolean {
  const { purchases } = tables;
  const row = tables.purchaseIn(saleId, id);
  const state = row < 0 ? undefined : purchases.stateAt(row);
  return state !== undefined && state !== "queued" && state !== "stuck";
}

async function checkBroker(queue: QueueAudit, checks: Checks): Promise<void> {
  const waiting = await queue.waiting();
  if (waiting.kind === "unknown") return checks.of("I10").doubt(`the broker could not be asked: ${waiting.why}`);
  for (const [partition, messages] of waiting.messages.entries())
    if (messages > 0) checks.of("I5").off(`partition ${partition}`, `holds ${messages} messages that nobody has settled`);
}
