/**
 * The cache over plain maps: the reference that the script must agree with, and the simulation's cache. Decisions are
 * domain/purchase.ts's own; what is kept is what the script keeps.
 *
 * Invariant: one method is one step. `epochs` is all there is, so a model of a server that forgets or falls back copies it.
 */
import { decideTake, payloadFingerprint, type Refusal } from "../../domain/purchase.ts";
import type { BuyerId, PurchaseId, SaleId } from "../../domain/ids.ts";
import { encodeMessage, type Line, type ScopeId } from "../../domain/journal-message.ts";
import type { Sale } from "../../domain/sale.ts";
import { isMarked } from "../../domain/availability.ts";
import { limitInForce } from "../../domain/quota.ts";
import type { CutResult, CutRows, CutSale } from "../../ports/queue-ledger.ts";
import type {
  AcceptedEntry,
  AtEpoch,
  CacheAnswer,
  CacheRecord,
  CacheView,
  OutboxEntry,
  ReserveAsk,
  ReserveLine,
  ReserveOutcome,
  ReserveReply,
  SaleAnswer,
  StockCache,
} from "../../ports/stock-cache.ts";

type CachedSale = {
  /** With the balances that the cache knows: `sold` and `withdrawn` as last quoted. */
  sale: Sale;
  readonly quotas: Map<BuyerId, number>;
  readonly attempts: Map<BuyerId, number>;
  readonly keys: Map<string, { readonly purchaseId: PurchaseId; readonly fingerprint: string }>;
  readonly accepted: AcceptedEntry[];
};
type Entry = OutboxEntry & { readonly atMs: number };
export type CachedEpoch = {
  readonly scopeId: ScopeId;
  readonly epoch: number;
  feed: number;
  entries: number;
  readonly units: Map<BuyerId, number>;
  readonly sales: Map<SaleId, CachedSale>;
  readonly records: Map<PurchaseId, Omit<CacheRecord, "entry"> & { readonly entryId: string }>;
  readonly outbox: Map<string, Entry>;
};

const closed = { kind: "closed" } as const;
const absent = { kind: "absent" } as const;
const nameOf = ({ scopeId, epoch }: AtEpoch): string => `${scopeId} ${epoch}`;
const keyOf = (buyerId: BuyerId, key: string): string => `${buyerId} ${key}`;

export class MemoryCache implements StockCache {
  readonly #nowMs: () => number;
  /** All that the server holds. */
  readonly epochs = new Map<string, CachedEpoch>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  reserveNow(ask: ReserveAsk): SaleAnswer<ReserveReply> {
    const at = this.epochs.get(nameOf(ask));
    const cached = at?.sales.get(ask.saleId);
    if (at === undefined) return closed;
    if (cached === undefined) return absent;
    const nowMs = Math.floor(ask.nowMs ?? this.#nowMs());
    const lines: Line[] = [];
    const entryId = `${nowMs}-${at.entries++}`;
    const decided = ask.lines.map((line) => decide(at, cached, { line, nowMs, readmit: ask.readmit ?? false, lines, entryId }));
    const entry = lines.length === 0 ? undefined : append(at, { saleId: ask.saleId, lines, nowMs, entryId });
    // A line that met one of this very call is known with its message, too.
    const outcomes = decided.map((outcome) =>
      outcome.kind === "known" && outcome.record !== undefined ? { ...outcome, record: recordOf(at, outcome.purchaseId) } : outcome,
    );
    return { kind: "ok", value: { outcomes, view: viewOf(at, cached, nowMs), entry, lines, outbox: at.outbox.size } };
  }

  reserve = async (ask: ReserveAsk) => this.reserveNow(ask);

  async journaled(ask: Parameters<StockCache["journaled"]>[0]): Promise<CacheAnswer<void>> {
    return this.#at(ask, (at) => {
      for (const id of ask.entries) at.outbox.delete(id);
    });
  }

  async apply(ask: Parameters<StockCache["apply"]>[0]): Promise<CacheAnswer<number>> {
    const { row, reopenDelayMs } = ask;
    return this.#at(ask, (at) => {
      if (row.number !== at.feed + 1) return at.feed;
      at.feed = row.number;
      const { patch } = row;
      for (const [buyerId, units] of patch.buyers) at.units.set(buyerId, (at.units.get(buyerId) ?? 0) + units);
      const cached = at.sales.get(patch.saleId);
      if (cached === undefined) return at.feed;
      for (const [buyerId, key, purchaseId] of patch.keys ?? []) {
        const name = keyOf(buyerId, key);
        if (cached.keys.get(name)?.purchaseId === purchaseId) cached.keys.delete(name);
      }
      const { sale } = cached;
      const nowMs = Math.floor(this.#nowMs());
      const changed: Sale = withAvailable(
        {
          ...sale,
          paused: patch.paused ?? sale.paused,
          endsAtMs: patch.endsAtMs ?? sale.endsAtMs,
          phase: patch.cancelled ? "cancelled" : sale.phase,
        },
        sale.balances.available + patch.available,
      );
      // Each moment by itself: that a sale ends soon says nothing of what is refused of it now.
      const clears = (atMs: number) => isMarked(sale, atMs) && !isMarked(changed, atMs);
      const waits = clears(nowMs) || clears(nowMs + reopenDelayMs);
      cached.sale = waits ? { ...changed, reopensAtMs: nowMs + reopenDelayMs } : changed;
      return at.feed;
    });
  }

  async quote(ask: Parameters<StockCache["quote"]>[0]): Promise<CacheAnswer<void>> {
    return this.#at(ask, (at) => {
      const cached = at.sales.get(ask.saleId);
      if (cached === undefined) return;
      const { sold, withdrawn, issued } = ask;
      const balances = { ...cached.sale.balances, sold, withdrawn, issued };
      cached.sale = withAvailable({ ...cached.sale, balances }, balances.available);
    });
  }

  async look(ask: AtEpoch & { saleId: SaleId }): Promise<SaleAnswer<CacheView>> {
    const at = this.epochs.get(nameOf(ask));
    const cached = at?.sales.get(ask.saleId);
    if (at === undefined) return closed;
    return cached === undefined ? absent : { kind: "ok", value: viewOf(at, cached, Math.floor(this.#nowMs())) };
  }

  async accepted(ask: Parameters<StockCache["accepted"]>[0]): Promise<CacheAnswer<readonly AcceptedEntry[]>> {
    const { saleId, from, countMax } = ask;
    return this.#at(ask, (at) => (at.sales.get(saleId)?.accepted ?? []).slice(from, from + countMax));
  }

  async outbox(ask: Parameters<StockCache["outbox"]>[0]): Promise<CacheAnswer<readonly OutboxEntry[]>> {
    const nowMs = this.#nowMs();
    return this.#at(ask, (at) => {
      const entries = [...at.outbox.values()];
      // The clock was set back, and of none the age is known.
      const isBack = entries.some(({ atMs }) => atMs > nowMs);
      return entries
        .filter(({ atMs }) => isBack || atMs <= nowMs - ask.olderThanMs)
        .slice(0, ask.countMax)
        .map(({ id, text }) => ({ id, text }));
    });
  }

  async findKey(ask: Parameters<StockCache["findKey"]>[0]): Promise<CacheAnswer<PurchaseId | undefined>> {
    return this.#at(ask, (at) => at.sales.get(ask.saleId)?.keys.get(keyOf(ask.buyerId, ask.key))?.purchaseId);
  }

  async records(ask: Parameters<StockCache["records"]>[0]): Promise<CacheAnswer<readonly (CacheRecord | undefined)[]>> {
    return this.#at(ask, (at) => ask.purchaseIds.map((id) => recordOf(at, id)));
  }

  async load({ scope, sales, units }: CutResult): Promise<CacheAnswer<void>> {
    const [unitsOf, loaded] = [new Map(await allOf(units)), await Promise.all(sales.map(cachedSale))];
    this.epochs.set(nameOf({ scopeId: scope.id, epoch: scope.epoch }), {
      scopeId: scope.id,
      epoch: scope.epoch,
      feed: scope.feed,
      entries: 0,
      units: unitsOf,
      sales: new Map(loaded.map((cached) => [cached.sale.id, cached])),
      records: new Map(),
      outbox: new Map(),
    });
    return { kind: "ok", value: undefined };
  }

  async drop({ scopeId, epoch }: AtEpoch): Promise<CacheAnswer<void>> {
    for (const [name, at] of this.epochs) if (at.scopeId === scopeId && at.epoch < epoch) this.epochs.delete(name);
    return { kind: "ok", value: undefined };
  }

  async loaded(): Promise<CacheAnswer<readonly ScopeId[]>> {
    return { kind: "ok", value: [...new Set([...this.epochs.values()].map(({ scopeId }) => scopeId))] };
  }

  #at<Value>(ask: AtEpoch, run: (at: CachedEpoch) => Value): CacheAnswer<Value> {
    const at = this.epochs.get(nameOf(ask));
    return at === undefined ? closed : { kind: "ok", value: run(at) };
  }
}

async function allOf<Row>(rows: CutRows<Row>): Promise<readonly Row[]> {
  if (!(Symbol.asyncIterator in rows)) return rows;
  const all: Row[] = [];
  for await (const page of rows) all.push(...page);
  return all;
}

async function cachedSale({ sale, ...cut }: CutSale): Promise<CachedSale> {
  const [quotas, attempts, keys] = [cut.quotas, await allOf(cut.attempts), await allOf(cut.keys)];
  return {
    sale: { ...sale, reopensAtMs: undefined },
    quotas: new Map(quotas),
    attempts: new Map(attempts),
    keys: new Map(keys.map(([buyerId, key, purchaseId, fingerprint]) => [keyOf(buyerId, key), { purchaseId, fingerprint }])),
    accepted: attempts.map(([buyerId]) => ({ buyerId, purchaseId: undefined })),
  };
}

function recordOf(at: CachedEpoch, id: PurchaseId): CacheRecord | undefined {
  const record = at.records.get(id);
  if (record === undefined) return undefined;
  const { saleId, line, entryId } = record;
  const entry = at.outbox.get(entryId);
  return { saleId, line, entry: entry && { id: entry.id, text: entry.text } };
}

type Ask = {
  readonly line: ReserveLine;
  readonly nowMs: number;
  readonly readmit: boolean;
  /** What was accepted so far, and the entry that is to hold it. */
  readonly lines: Line[];
  readonly entryId: string;
};

function decide(at: CachedEpoch, cached: CachedSale, { line, nowMs, readmit, lines, entryId }: Ask): ReserveOutcome {
  const { purchaseId, buyerId, key, quantity, metadata } = line;
  const own = recordOf(at, purchaseId);
  if (own !== undefined) return { kind: "known", purchaseId, record: own };
  const known = key === undefined ? undefined : cached.keys.get(keyOf(buyerId, key));
  if (known !== undefined) {
    if (known.fingerprint !== payloadFingerprint(line)) return refused({ reason: "key_reused" });
    return { kind: "known", purchaseId: known.purchaseId, record: recordOf(at, known.purchaseId) };
  }
  const { sale } = cached;
  const limit = limitInForce(sale, cached.quotas.get(buyerId));
  const units = at.units.get(buyerId) ?? 0;
  const attempts = cached.attempts.get(buyerId) ?? 0;
  const asked = readmit ? { ...sale, phase: "published" as const, paused: false, startsAtMs: 0, endsAtMs: Infinity, reopensAtMs: 0 } : sale;
  const decision = decideTake({ sale: asked, quantity, metadata, units, limit, attempts: readmit ? 0 : attempts }, nowMs);
  if (decision.kind === "refuse") return refused(decision.refusal);
  cached.sale = withAvailable(sale, sale.balances.available - quantity);
  at.units.set(buyerId, units + quantity);
  cached.attempts.set(buyerId, attempts + 1);
  const taken: Line = { purchaseId, buyerId, key, quantity, price: sale.price, limit, acceptedAtMs: line.acceptedAtMs ?? nowMs, metadata };
  at.records.set(purchaseId, { saleId: sale.id, line: taken, entryId });
  if (key !== undefined) cached.keys.set(keyOf(buyerId, key), { purchaseId, fingerprint: payloadFingerprint(line) });
  cached.accepted.push({ buyerId, purchaseId });
  lines.push(taken);
  return { kind: "accepted" };
}

const refused = (refusal: Refusal): ReserveOutcome => ({ kind: "refused", refusal });

/** What is not to be had and not paid is held by somebody. */
function withAvailable(sale: Sale, available: number): Sale {
  const { issued, sold, withdrawn } = sale.balances;
  return { ...sale, balances: { issued, sold, withdrawn, available, held: Math.max(0, issued - withdrawn - sold - available) } };
}

type Appended = { readonly saleId: SaleId; readonly lines: readonly Line[]; readonly nowMs: number; readonly entryId: string };

function append(at: CachedEpoch, { saleId, lines, nowMs, entryId: id }: Appended): OutboxEntry {
  const { scopeId, epoch } = at;
  const text = encodeMessage({ kind: "lines", scopeId, epoch, saleId, lines });
  at.outbox.set(id, { id, text, atMs: nowMs });
  return { id, text };
}

function viewOf({ feed }: CachedEpoch, { sale, accepted }: CachedSale, nowMs: number): CacheView {
  const { available, held } = sale.balances;
  const { startsAtMs, endsAtMs, reopensAtMs = 0, paused } = sale;
  return {
    nowMs,
    available,
    held,
    paused,
    cancelled: sale.phase === "cancelled",
    startsAtMs,
    endsAtMs,
    reopensAtMs,
    accepted: accepted.length,
    feed,
  };
}
