/**
 * Holds the cache to the ledger: whether both have the same stock when nothing is on its way, and whether everything that
 * the cache accepted has come to the ledger. Where they differ the scope is closed and counted anew.
 */
import type { PurchaseId, SaleId } from "../../domain/ids.ts";
import { encodeMessage, messageLinesMax, type Line, type ScopeId } from "../../domain/journal-message.ts";
import { unitsAside, type LineAside } from "../../domain/lines-aside.ts";
import type { Scope } from "../../domain/scope.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Journal } from "../../ports/journal.ts";
import type { Log } from "../../ports/log.ts";
import type { QueueLedger } from "../../ports/queue-ledger.ts";
import type { Records } from "../../ports/records.ts";
import type { CacheView, StockCache } from "../../ports/stock-cache.ts";

export type ReconcileDeps = {
  readonly ledger: Pick<QueueLedger, "scopes" | "scope" | "salesOf" | "close" | "linesAside">;
  readonly records: Pick<Records, "sale" | "purchasesWithIds">;
  readonly cache: Pick<StockCache, "look" | "accepted" | "records" | "outbox">;
  readonly journal: Pick<Journal, "publish">;
  readonly clock: Clock;
  readonly log: Pick<Log, "error" | "warn">;
};

/** What was accepted so long ago and has no order, nor a message that waits for its confirm, is published again. */
const missingAfterMs = 30_000;
const pageMax = 1_000;
const pagesPerRound = 20;
/** A sale in which nothing moved is compared in one of so many rounds. */
const idleRounds = 12;

/** Up to where the list of accepted has come to the ledger. */
type Followed = { readonly epoch: number; index: number };

export class CacheReconciler {
  readonly #deps: ReconcileDeps;
  readonly #followed = new Map<SaleId, Followed>();
  readonly #sales = new Map<ScopeId, { readonly epoch: number; readonly ids: readonly SaleId[] }>();
  /** As each sale was when both had the same. */
  readonly #alike = new Map<SaleId, { readonly view: string; rounds: number }>();
  readonly counts = { compared: 0, drifted: 0, republished: 0 };

  constructor(deps: ReconcileDeps) {
    this.#deps = deps;
  }

  /** One round over all open scopes. Throws StoreUnavailable. */
  async round(): Promise<void> {
    const scopes = await this.#deps.ledger.scopes();
    this.#forgetAllBut(new Set(scopes.map(({ id }) => id)));
    for (const scope of scopes) if (scope.state === "open") for (const saleId of await this.#salesOf(scope)) await this.#see(scope, saleId);
  }

  #forgetAllBut(wanted: ReadonlySet<ScopeId>): void {
    for (const [id, { ids }] of this.#sales) {
      if (wanted.has(id)) continue;
      this.#sales.delete(id);
      for (const saleId of ids) {
        this.#followed.delete(saleId);
        this.#alike.delete(saleId);
      }
    }
  }

  /** Publishing one more closes the scope, so an epoch has the same ones all along. */
  async #salesOf({ id, epoch }: Scope): Promise<readonly SaleId[]> {
    let sales = this.#sales.get(id);
    if (sales?.epoch !== epoch) {
      sales = { epoch, ids: await this.#deps.ledger.salesOf(id) };
      this.#sales.set(id, sales);
    }
    return sales.ids;
  }

  /** Whether nothing has moved since both had the same, on either side: what the ledger does by itself is in its feed. */
  #isIdle({ epoch, feed }: Scope, saleId: SaleId, view: CacheView): boolean {
    const alike = this.#alike.get(saleId);
    if (alike === undefined || alike.view !== viewText(epoch, view) || feed !== view.feed) return false;
    alike.rounds += 1;
    return alike.rounds % idleRounds !== 0;
  }

  /** Compares stock, if all that was accepted has come to the ledger and nothing more was until after the ledger was read. */
  async #see(scope: Scope, saleId: SaleId): Promise<void> {
    const { ledger, records, log } = this.#deps;
    const before = await this.#look(scope, saleId);
    if (before === undefined || this.#isIdle(scope, saleId, before)) return;
    const aside = await this.#asideOf(scope, saleId);
    const followed = await this.#follow(scope, saleId, aside);
    if (followed.index < before.accepted) return;
    const sale = await records.sale(saleId);
    const now = await ledger.scope(scope.id);
    const after = await this.#look(scope, saleId);
    if (sale === undefined || after === undefined || now?.epoch !== scope.epoch || now.state !== "open") return;
    const isQuiet = before.accepted === after.accepted && before.feed === after.feed && now.feed === after.feed;
    if (!isQuiet || after.cancelled || !isSame(aside, await this.#asideOf(scope, saleId))) return;
    this.counts.compared += 1;
    // The cache has given away what they hold, and the ledger has not.
    const available = sale.balances.available - unitsAside(aside, saleId);
    if (available === after.available) return void this.#alike.set(saleId, { view: viewText(scope.epoch, after), rounds: 0 });
    this.counts.drifted += 1;
    log.error("the cache and the ledger differ", { sale_id: saleId, cache: after.available, ledger: available });
    await ledger.close({ scopeId: scope.id, epoch: scope.epoch, cause: "drift" });
  }

  /** Lines of the sale that the cache counts and that wait for somebody to look at them. */
  async #asideOf({ id, epoch }: Scope, saleId: SaleId): Promise<readonly LineAside[]> {
    return (await this.#deps.ledger.linesAside(id)).filter((each) => each.saleId === saleId && each.epoch >= epoch);
  }

  async #look({ id: scopeId, epoch }: Scope, saleId: SaleId): Promise<CacheView | undefined> {
    const answer = await this.#deps.cache.look({ scopeId, epoch, saleId });
    if (answer.kind === "closed") await this.#deps.ledger.close({ scopeId, epoch, cause: "cache_lost" });
    return answer.kind === "ok" ? answer.value : undefined;
  }

  /** Goes along the list of accepted, as far as all of it has come to the ledger. */
  async #follow(scope: Scope, saleId: SaleId, aside: readonly LineAside[]): Promise<Followed> {
    const waiting = new Set(aside.map(({ line }) => line.purchaseId));
    let followed = this.#followed.get(saleId);
    if (followed?.epoch !== scope.epoch) {
      followed = { epoch: scope.epoch, index: 0 };
      this.#followed.set(saleId, followed);
    }
    for (let pages = 0; pages < pagesPerRound; pages++) {
      const passed = await this.#followPage(scope, saleId, { from: followed.index, waiting });
      followed.index += passed;
      if (passed < pageMax) break;
    }
    return followed;
  }

  /** How many entries from a place on have come, or wait for somebody to look at them; what has not for too long is published again. */
  async #followPage(scope: Scope, saleId: SaleId, { from, waiting }: { from: number; waiting: ReadonlySet<PurchaseId> }): Promise<number> {
    const { id: scopeId, epoch } = scope;
    const page = await this.#deps.cache.accepted({ scopeId, epoch, saleId, from, countMax: pageMax });
    if (page.kind !== "ok") return 0;
    const ids = page.value.flatMap(({ purchaseId }) => (purchaseId === undefined ? [] : [purchaseId]));
    const settled = new Set(waiting);
    if (ids.length > 0) for (const { id, state } of await this.#deps.records.purchasesWithIds(ids)) if (state !== "queued") settled.add(id);
    const isMissing = (id: PurchaseId | undefined) => id !== undefined && !settled.has(id);
    const missing = ids.filter(isMissing);
    if (missing.length === 0) return page.value.length;
    await this.#republish(scope, saleId, missing);
    return page.value.findIndex(({ purchaseId }) => isMissing(purchaseId));
  }

  async #republish(scope: Scope, saleId: SaleId, ids: readonly PurchaseId[]): Promise<void> {
    const { cache, journal, clock, log } = this.#deps;
    const { id: scopeId, epoch, partition } = scope;
    const found = await cache.records({ scopeId, epoch, purchaseIds: ids });
    if (found.kind !== "ok") return;
    const before = clock.nowMs() - missingAfterMs;
    const lines: Line[] = [];
    for (const record of found.value) {
      if (record === undefined || record.entry !== undefined || record.line.acceptedAtMs > before) continue;
      lines.push(record.line);
    }
    for (let at = 0; at < lines.length; at += messageLinesMax) {
      const part = lines.slice(at, at + messageLinesMax);
      log.warn("accepted purchases have not come to the ledger and are published again", { sale_id: saleId, lines: part.length });
      this.counts.republished += part.length;
      await journal.publish(partition, encodeMessage({ kind: "lines", scopeId, epoch, saleId, lines: part }));
    }
  }
}

const viewText = (epoch: number, { accepted, feed, available }: CacheView): string => `${epoch} ${accepted} ${feed} ${available}`;

function isSame(some: readonly LineAside[], others: readonly LineAside[]): boolean {
  const ids = new Set(others.map(({ line }) => line.purchaseId));
  return some.length === others.length && some.every(({ line }) => ids.has(line.purchaseId));
}
