/**
 * Opens scopes: the cut in the ledger, then the cache loaded with what it read, then the word that purchases may come.
 *
 *   closing ─► every process has marked ─► what the old cache still has goes out ─► own mark ─► settled ─► cut ─► load ─► open
 *
 * Must stay true: an epoch is loaded by the one who cut it, once; whoever does not know how that went cuts anew. So what
 * a stalled opener writes late is of an epoch that nobody asks.
 */
import { encodeMessage, type ScopeId } from "../../domain/journal-message.ts";
import type { Scope } from "../../domain/scope.ts";
import { backoffMs } from "../../lib/backoff.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Journal } from "../../ports/journal.ts";
import type { Fence } from "../../ports/leases.ts";
import type { Log } from "../../ports/log.ts";
import type { Presence } from "../../ports/presence.ts";
import type { CutResult, OpenerMark, QueueLedger } from "../../ports/queue-ledger.ts";
import type { StockCache } from "../../ports/stock-cache.ts";
import { relayScope, type RelayDeps } from "./relay-outbox.ts";

export type OpenScopesDeps = RelayDeps & {
  readonly ledger: Pick<QueueLedger, "scopes" | "isDrained" | "cut" | "opened">;
  readonly cache: StockCache;
  readonly journal: Journal;
  readonly presence: Presence;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * The opener's mark is another than that which its process owes when it answers buyers, too: that one came as soon as its
 * own lines were through, and says nothing of what others published afterwards.
 */
const openerOf = ({ number: process, life }: Presence): OpenerMark => ({ process, life: `${life.slice(0, 24)}.opener` });

/** A mark that has not come back after so long is sent again. */
const markAgainMs = 5_000;
const loadAgain = { baseMs: 200, ceilingMs: 2_000 };

export class ScopeOpener {
  readonly #deps: OpenScopesDeps;
  /** Closings that this opener has marked, and when. */
  readonly #marked = new Map<ScopeId, { readonly closing: number; readonly atMs: number }>();
  /** Scopes whose cache could not be loaded, and when that is tried again. */
  readonly #failed = new Map<ScopeId, { readonly failures: number; readonly againAtMs: number }>();
  readonly counts = { cuts: 0, opened: 0 };

  constructor(deps: OpenScopesDeps) {
    this.#deps = deps;
  }

  /** One round over all scopes; how many were opened. Throws StoreUnavailable. */
  async round(fence?: Fence): Promise<number> {
    const scopes = await this.#deps.ledger.scopes();
    const opened = await Promise.all(scopes.map((scope) => this.#see(scope, fence)));
    return opened.filter(Boolean).length;
  }

  async #see(scope: Scope, fence: Fence | undefined): Promise<boolean> {
    if (scope.state === "open") return false;
    if (scope.state === "closing" && !(await this.#ownMark(scope))) return false;
    return this.#open(scope.id, fence);
  }

  /** Whether all others have marked and this process has, too; whether it came back the ledger knows at the cut. */
  async #ownMark(scope: Scope): Promise<boolean> {
    const { ledger, journal, presence, clock } = this.#deps;
    const { id: scopeId, epoch, closing, partition } = scope;
    const marked = this.#marked.get(scopeId);
    if (marked?.closing === closing && clock.nowMs() < marked.atMs + markAgainMs) return true;
    if (!(await ledger.isDrained(scopeId))) return false;
    // Where the cache stands, what nobody has published is published before it is cut off.
    await relayScope(this.#deps, scope, { olderThanMs: 0 });
    const text = encodeMessage({ kind: "mark", scopeId, epoch, closing, ...openerOf(presence) });
    if (!(await journal.publish(partition, text))) return false;
    this.#marked.set(scopeId, { closing, atMs: clock.nowMs() });
    return true;
  }

  async #open(scopeId: ScopeId, fence: Fence | undefined): Promise<boolean> {
    const { ledger, presence, clock } = this.#deps;
    if (clock.nowMs() < (this.#failed.get(scopeId)?.againAtMs ?? 0)) return false;
    const opener = openerOf(presence);
    const startedMs = clock.nowMs();
    const cut = await ledger.cut({ scopeId, opener, fence, nowMs: Math.floor(startedMs) });
    if (cut === undefined) return false;
    this.counts.cuts += 1;
    this.#marked.delete(scopeId);
    const isOpen = await this.#load(cut, fence);
    if (isOpen) this.#tell(cut, startedMs);
    return isOpen;
  }

  /** Whether purchases may come now. */
  async #load(cut: CutResult, fence: Fence | undefined): Promise<boolean> {
    const { ledger, cache, log } = this.#deps;
    const { id: scopeId, epoch } = cut.scope;
    const ends = cut.sales.length === 0;
    const loaded = ends ? ok : await cache.load(cut);
    if (loaded.kind !== "ok") {
      log.warn("the cache could not be loaded", { scope_id: scopeId, epoch, kind: loaded.kind });
      this.#noteFailure(scopeId);
      return false;
    }
    this.#failed.delete(scopeId);
    const isOpen = !ends && (await ledger.opened({ scopeId, epoch, fence }));
    await cache.drop({ scopeId, epoch });
    return isOpen;
  }

  /** A cut reads a great deal: for a cache that takes nothing it is not made again at once. */
  #noteFailure(scopeId: ScopeId): void {
    const failures = (this.#failed.get(scopeId)?.failures ?? 0) + 1;
    this.#failed.set(scopeId, { failures, againAtMs: this.#deps.clock.nowMs() + backoffMs(failures - 1, loadAgain) });
  }

  #tell({ scope: { id, epoch }, sales }: CutResult, startedMs: number): void {
    const { clock, log } = this.#deps;
    this.counts.opened += 1;
    log.info("the cache decides a sale", { scope_id: id, epoch, sales: sales.length, tookMs: Math.round(clock.nowMs() - startedMs) });
  }
}

const ok = { kind: "ok" } as const;
