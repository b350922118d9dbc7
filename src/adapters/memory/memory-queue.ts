/** The ledger's side of sales that the cache decides, over the memory store's tables: closings, cuts, feeds, dead letters. */
import { feedOf } from "../../domain/feed.ts";
import type { BuyerId, SaleId } from "../../domain/ids.ts";
import type { ScopeId } from "../../domain/journal-message.ts";
import { countedAside, saleWithAside, unitsWithAside } from "../../domain/lines-aside.ts";
import type { Movement, MovementOutcome } from "../../domain/movement.ts";
import { countsAgainstLimit, holdsKey, payloadFingerprint, type Purchase } from "../../domain/purchase.ts";
import { isOver, statusOf, type Sale } from "../../domain/sale.ts";
import { afterCommit, closing, newScope, type Scope } from "../../domain/scope.ts";
import type { SaleWrites } from "../../domain/batch-state.ts";
import { assert } from "../../lib/assert.ts";
import type { AtCutOutcome, CutKey, CutResult, CutSale, OpenerMark, QueueLedger } from "../../ports/queue-ledger.ts";
import { linesAsideOf } from "./gather-facts.ts";
import { joined, type Changes, type Tables } from "./tables.ts";

export type QueueSetup = {
  readonly partitions: number;
  /** API processes alive at this moment. */
  readonly living: () => readonly { readonly number: number; readonly life: string }[];
};
type Commit = (saleId: SaleId, movements: readonly Movement[], nowMs: number) => readonly MovementOutcome[];

/** The scope that a sale is published into: that of its group, or a new one of its own. */
export function scopeToPublish(tables: Tables, sale: Sale): ScopeId {
  if (sale.limitGroup === undefined) return sale.id;
  for (const other of tables.sales.values())
    if (other.seller === sale.seller && other.limitGroup === sale.limitGroup && other.scopeId !== undefined) return other.scopeId;
  return sale.id;
}

type Decided = {
  readonly before: { readonly sale: Sale; readonly purchases: ReadonlyMap<Purchase["id"], Purchase> };
  readonly writes: SaleWrites;
};

/** What a commit means for its sale's scope, in the same commit. */
export function noteCommit(tables: Tables, { before, writes }: Decided, setup: QueueSetup, changes: Changes): void {
  const { scopeId } = writes.sale;
  if (scopeId === undefined) return;
  const scope = tables.scopes.get(scopeId) ?? newScope(scopeId, setup.partitions);
  const published = before.sale.phase === "draft";
  const patch = published ? undefined : feedOf(before, writes);
  const after = afterCommit(scope, { fed: patch !== undefined, published, drifted: writes.drifted });
  if (patch !== undefined)
    changes.insert(tables.feedRows, joined(scopeId, after.feed), { number: after.feed, patch }, "a feed row's number");
  changes.set(tables.scopes, scopeId, after);
  if (after.closing > scope.closing) noteWaits(tables, after, setup, changes);
}

function noteWaits(tables: Tables, { id, closing: number }: Scope, { living }: QueueSetup, changes: Changes): void {
  changes.set(
    tables.scopeWaits,
    joined(id, number),
    living().map((process) => joined(process.number, process.life)),
  );
}

export class MemoryQueue {
  readonly #tables: () => Tables;
  readonly #setup: QueueSetup;
  readonly #commit: Commit;

  /** `commit` is the store's own, without what it means for the scope: a cut reads everything anew. */
  constructor(deps: { tables: () => Tables; setup: QueueSetup; commit: Commit }) {
    this.#tables = deps.tables;
    this.#setup = deps.setup;
    this.#commit = deps.commit;
  }

  scopesNow(nowMs: number): readonly Scope[] {
    const { scopes, atCut } = this.#tables();
    const wanted = (scope: Scope) =>
      this.#salesOf(scope.id).some((sale) => canSell(sale, nowMs)) ||
      [...atCut.values()].some(({ ask, outcome }) => ask.scopeId === scope.id && outcome === undefined);
    return [...scopes.values()].filter((scope) => scope.state !== "closed" || wanted(scope));
  }

  closeNow({ scopeId, epoch }: Parameters<QueueLedger["close"]>[0], changes: Changes): Scope | undefined {
    const tables = this.#tables();
    const scope = tables.scopes.get(scopeId);
    if (scope?.state !== "open" || scope.epoch !== epoch) return scope;
    const after = closing(scope);
    changes.set(tables.scopes, scopeId, after);
    noteWaits(tables, after, this.#setup, changes);
    return after;
  }

  isDrainedNow(scopeId: ScopeId): boolean {
    const { scopes, scopeWaits, scopeMarks } = this.#tables();
    const scope = scopes.get(scopeId);
    if (scope === undefined) return false;
    if (scope.state !== "closing") return scope.state !== "open";
    const alive = new Set(this.#setup.living().map(({ number, life }) => joined(number, life)));
    const owed = scopeWaits.get(joined(scopeId, scope.closing)) ?? [];
    return owed.every((process) => !alive.has(process) || scopeMarks.has(joined(scopeId, scope.closing, process)));
  }

  /** Undefined where the scope is not to be cut. */
  cutNow(ask: { scopeId: ScopeId; opener: OpenerMark; nowMs: number }, changes: Changes): CutResult | undefined {
    const { scopeId, opener, nowMs } = ask;
    const tables = this.#tables();
    const scope = tables.scopes.get(scopeId);
    if (scope === undefined || !this.isDrainedNow(scopeId)) return undefined;
    const own = joined(scopeId, scope.closing, joined(opener.process, opener.life));
    if (scope.state === "closing" && !tables.scopeMarks.has(own)) return undefined;
    for (const sale of this.#salesOf(scopeId)) this.#unpark(sale.id, nowMs);
    for (const [id, { ask, outcome }] of tables.atCut) {
      if (ask.scopeId !== scopeId || outcome !== undefined) continue;
      const [made] = this.#commit(ask.saleId, [ask.movement], nowMs);
      // Such a movement has such an outcome.
      changes.set(tables.atCut, id, { ask, outcome: made as AtCutOutcome });
    }
    const sales = this.#salesOf(scopeId).filter((sale) => canSell(sale, nowMs));
    const cut: Scope = { ...scope, epoch: scope.epoch + 1, state: sales.length > 0 ? "opening" : "closed" };
    changes.set(tables.scopes, scopeId, cut);
    const available = new Map(this.#salesOf(scopeId).map(({ id, balances }) => [id, balances.available]));
    const aside = countedAside(linesAsideOf(tables, scopeId), available).map((letter) => ({ ...letter, epoch: cut.epoch }));
    for (const letter of aside) changes.set(tables.deadLetters, letter.id, letter);
    if (sales.length === 0) return { scope: cut, sales: [], units: [] };
    const read = sales.map((sale) => saleWithAside(this.#cutSale(sale), aside));
    return { scope: cut, sales: read, units: unitsWithAside(this.#units(scopeId), aside) };
  }

  parkedNow(scopeId: ScopeId, countMax: number): readonly Purchase[] {
    if (this.#tables().scopes.get(scopeId)?.state !== "open") return [];
    const sales = new Set(this.#salesOf(scopeId).map(({ id }) => id));
    return [...this.#tables().purchases.values()].filter(({ saleId, state }) => state === "queued" && sales.has(saleId)).slice(0, countMax);
  }

  #unpark(saleId: SaleId, nowMs: number): void {
    const parked = [...this.#tables().purchases.values()].filter((purchase) => purchase.saleId === saleId && purchase.state === "queued");
    const movements = parked.map(({ id: purchaseId, buyerId }) => ({ kind: "unpark", purchaseId, buyerId }) as const);
    if (movements.length > 0) this.#commit(saleId, movements, nowMs);
  }

  #salesOf(scopeId: ScopeId): Sale[] {
    return [...this.#tables().sales.values()].filter((sale) => sale.scopeId === scopeId);
  }

  #cutSale(sale: Sale): CutSale {
    const { saleQuotas, purchases } = this.#tables();
    const attempts = new Map<BuyerId, number>();
    const keys: CutKey[] = [];
    for (const purchase of purchases.values()) {
      if (purchase.saleId !== sale.id) continue;
      const { buyerId, key, id } = purchase;
      attempts.set(buyerId, (attempts.get(buyerId) ?? 0) + 1);
      if (key !== undefined && holdsKey(purchase)) keys.push([buyerId, key, id, payloadFingerprint(purchase)]);
    }
    const prefix = joined(sale.id, "");
    const quotas = [...saleQuotas].flatMap(([name, units]) =>
      // What stands behind the sale's id is a buyer's.
      name.startsWith(prefix) ? [[Number(name.slice(prefix.length)) as BuyerId, units] as const] : [],
    );
    return { sale, quotas, attempts: [...attempts], keys };
  }

  #units(scopeId: ScopeId): [BuyerId, number][] {
    const sales = new Map(this.#salesOf(scopeId).map((sale) => [sale.id, sale]));
    const units = new Map<BuyerId, number>();
    for (const purchase of this.#tables().purchases.values()) {
      const sale = sales.get(purchase.saleId);
      if (sale === undefined || !countsAgainstLimit(purchase, sale.refundedUnitsCount)) continue;
      units.set(purchase.buyerId, (units.get(purchase.buyerId) ?? 0) + purchase.quantity);
    }
    return [...units];
  }
}

export function canSell(sale: Sale, nowMs: number): boolean {
  assert(sale.phase !== "draft", "a sale in a scope was published");
  return !isOver(statusOf(sale, nowMs));
}
