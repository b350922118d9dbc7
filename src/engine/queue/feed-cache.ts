/**
 * Brings to the cache what the ledger decided by itself: rows of each scope's feed in their order, each once, and how many
 * units are paid, so that refusals can tell whether any may come back.
 */
import type { SaleId } from "../../domain/ids.ts";
import type { ScopeId } from "../../domain/journal-message.ts";
import type { Scope } from "../../domain/scope.ts";
import type { Clock } from "../../ports/clock.ts";
import type { QueueLedger } from "../../ports/queue-ledger.ts";
import type { StockCache } from "../../ports/stock-cache.ts";

export type FeedCacheDeps = {
  readonly ledger: Pick<QueueLedger, "scopes" | "feedAfter" | "quotes" | "close">;
  readonly cache: Pick<StockCache, "apply" | "quote">;
  readonly clock: Clock;
  /** How long nobody new is accepted after a mark was cleared: see SharedBoard.leaseMs. */
  readonly reopenDelayMs: number;
  readonly quoteEveryMs: number;
};

const rowsMax = 200;
/** So often at most the cache is told how many units are paid. */
export const quoteEveryMs = 500;

type Fed = { readonly epoch: number; number: number; readonly quoted: Map<SaleId, string> };

export class CacheFeeder {
  readonly #deps: FeedCacheDeps;
  readonly #fed = new Map<ScopeId, Fed>();
  #quotedAtMs = 0;
  readonly counts = { rows: 0 };

  constructor(deps: FeedCacheDeps) {
    this.#deps = deps;
  }

  /** One round over all open scopes; whether there may be more at once. Throws StoreUnavailable. */
  async round(): Promise<boolean> {
    const scopes = (await this.#deps.ledger.scopes()).filter(({ state }) => state === "open");
    const open = new Set(scopes.map(({ id }) => id));
    for (const id of this.#fed.keys()) if (!open.has(id)) this.#fed.delete(id);
    const more = await Promise.all(scopes.map((scope) => this.#feed(scope)));
    if (open.size > 0 && this.#deps.clock.nowMs() >= this.#quotedAtMs + this.#deps.quoteEveryMs) await this.#quote();
    return more.some(Boolean);
  }

  async #feed(scope: Scope): Promise<boolean> {
    const { ledger, cache, reopenDelayMs } = this.#deps;
    const { id: scopeId, epoch } = scope;
    let fed = this.#fed.get(scopeId);
    if (fed?.epoch !== epoch) {
      // Where it stands the first row tells: the cache says its number whatever it is given.
      fed = { epoch, number: 0, quoted: new Map() };
      this.#fed.set(scopeId, fed);
    }
    let isFull = false;
    if (fed.number < scope.feed) {
      const rows = await ledger.feedAfter({ scopeId, number: fed.number, countMax: rowsMax });
      isFull = rows.length === rowsMax;
      for (const row of rows) {
        if (row.number <= fed.number) continue;
        const answer = await cache.apply({ scopeId, epoch, row, reopenDelayMs });
        if (answer.kind === "closed") return this.#lost(scope);
        if (answer.kind !== "ok") return false;
        if (answer.value === row.number) this.counts.rows += 1;
        fed.number = answer.value;
        if (answer.value < row.number) break;
      }
    }
    return isFull;
  }

  /** Of all sales in one go, and to the cache what is new to it. */
  async #quote(): Promise<void> {
    const { ledger, cache, clock } = this.#deps;
    this.#quotedAtMs = clock.nowMs();
    const told = (await ledger.quotes()).map(async ({ scopeId, saleId, ...counts }) => {
      const fed = this.#fed.get(scopeId);
      const text = `${counts.sold} ${counts.withdrawn} ${counts.issued}`;
      if (fed === undefined || fed.quoted.get(saleId) === text) return;
      const answer = await cache.quote({ scopeId, epoch: fed.epoch, saleId, ...counts });
      if (answer.kind === "ok") fed.quoted.set(saleId, text);
    });
    await Promise.all(told);
  }

  async #lost({ id: scopeId, epoch }: Scope): Promise<boolean> {
    await this.#deps.ledger.close({ scopeId, epoch, cause: "cache_lost" });
    return false;
  }
}
