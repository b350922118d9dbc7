/**
 * Records where the cache decides: what the ledger does not have yet is looked for among the lines put aside, and then in
 * the caches. Whoever was told yes never hears that there is no such purchase: while that cannot be known, nothing is said.
 */
import type { BuyerId, PurchaseId, SaleId } from "../../domain/ids.ts";
import { idMintedAtMs } from "../../domain/id-mint.ts";
import { holdsKey, type Purchase } from "../../domain/purchase.ts";
import { queuedPurchase } from "../../domain/queue-movements.ts";
import type { Line, ScopeId } from "../../domain/journal-message.ts";
import { asideUnder } from "../../domain/lines-aside.ts";
import { assert } from "../../lib/assert.ts";
import type { Clock } from "../../ports/clock.ts";
import type { QueueLedger } from "../../ports/queue-ledger.ts";
import type { Records } from "../../ports/records.ts";
import type { CacheAnswer, CacheRecord, StockCache } from "../../ports/stock-cache.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import type { ScopeBook } from "./scope-book.ts";

export type QueuedRecordsDeps = {
  readonly records: Records;
  readonly ledger: Pick<QueueLedger, "deadLetter" | "linesAside">;
  readonly cache: Pick<StockCache, "records" | "findKey">;
  readonly book: ScopeBook;
  readonly clock: Clock;
};

/** So young an id that nobody knows may be on its way yet, by a process that was stopped in the middle. */
const youngMs = 60_000;
/** Caches that are asked in one go: they are one server, which takes such calls as one packet. */
export const cachesAtOnceMax = 128;

/** The ledger's records, with purchases that are on their way. */
export function queuedRecords(deps: QueuedRecordsDeps): Records {
  const { records } = deps;
  const own: Pick<Records, "purchase" | "purchaseByKey"> = {
    purchase: (id) => purchaseWithId(deps, id),
    purchaseByKey: (ask) => purchaseUnderKey(deps, ask),
  };
  return new Proxy(records, {
    get(target, name) {
      if (name === "purchase" || name === "purchaseByKey") return own[name];
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

async function purchaseWithId(deps: QueuedRecordsDeps, id: PurchaseId): Promise<Purchase | undefined> {
  const { records, ledger, book, clock } = deps;
  const kept = await records.purchase(id);
  if (kept !== undefined) return kept;
  const letter = await ledger.deadLetter(id);
  if (letter?.kind === "line") return withState(deps, letter.saleId, letter.line, "stuck");
  const record = await inCaches(deps, id);
  if (record !== undefined) return withState(deps, record.saleId, record.line, "queued");
  // It may have settled between the look into the ledger and that into the cache.
  const settled = await records.purchase(id);
  if (settled !== undefined) return settled;
  const ageMs = clock.nowMs() - idMintedAtMs(id);
  if (!book.isWhole || Math.abs(ageMs) < youngMs) throw notNow();
  return undefined;
}

/** Nothing tells whose cache has it, and anybody may ask for what is nowhere: all are asked, many in one go. */
async function inCaches(deps: QueuedRecordsDeps, id: PurchaseId): Promise<CacheRecord | undefined> {
  const scopes = deps.book.open();
  let isSure = true;
  for (let from = 0; from < scopes.length; from += cachesAtOnceMax) {
    const asked = scopes.slice(from, from + cachesAtOnceMax).map(({ id: scopeId, epoch }) => ({ scopeId, epoch }));
    const answers = await Promise.all(asked.map((at) => deps.cache.records({ ...at, purchaseIds: [id] })));
    for (const [index, at] of asked.entries()) {
      const answer = answers[index];
      assert(answer !== undefined, "every cache answers");
      noteLoss(deps, at, answer);
      const [record] = answer.kind === "ok" ? answer.value : [];
      if (record !== undefined) return record;
      if (answer.kind !== "ok") isSure = false;
    }
  }
  if (!isSure) throw notNow();
  return undefined;
}

async function purchaseUnderKey(
  deps: QueuedRecordsDeps,
  ask: { saleId: SaleId; buyerId: BuyerId; key: string },
): Promise<Purchase | undefined> {
  const { records, book, cache } = deps;
  const kept = await records.purchaseByKey(ask);
  if (kept !== undefined && holdsKey(kept)) return kept;
  const scopeId = (await records.sale(ask.saleId))?.scopeId;
  const standing = scopeId === undefined ? undefined : await book.look(scopeId);
  if (scopeId === undefined || standing === undefined) return kept;
  if (standing.kind === "over") return (await purchaseAside(deps, scopeId, ask)) ?? kept;
  if (standing.kind !== "open") throw notNow();
  const at = { scopeId: standing.scope.id, epoch: standing.scope.epoch };
  const found = await cache.findKey({ ...at, ...ask });
  noteLoss(deps, at, found);
  if (found.kind !== "ok") throw notNow();
  if (found.value !== undefined) return purchaseWithId(deps, found.value);
  // A cut that had no unit left for it has not told the cache of its key, either.
  return (await purchaseAside(deps, scopeId, ask)) ?? kept;
}

async function purchaseAside(
  deps: QueuedRecordsDeps,
  scopeId: ScopeId,
  ask: { saleId: SaleId; buyerId: BuyerId; key: string },
): Promise<Purchase | undefined> {
  const line = asideUnder(await deps.ledger.linesAside(scopeId), ask);
  return line === undefined ? undefined : withState(deps, ask.saleId, line, "stuck");
}

function noteLoss(
  { book }: QueuedRecordsDeps,
  { scopeId: id, epoch }: { scopeId: SaleId; epoch: number },
  answer: CacheAnswer<unknown>,
): void {
  if (answer.kind === "closed") book.lost({ id, epoch });
}

async function withState(
  { records }: QueuedRecordsDeps,
  saleId: SaleId,
  line: Line,
  state: "queued" | "stuck",
): Promise<Purchase | undefined> {
  const sale = await records.sale(saleId);
  return sale && { ...queuedPurchase(line, sale), state };
}

const notNow = () => new StoreUnavailable("unavailable", "Whether there is such a purchase cannot be said just now");
