/**
 * Opens scopes: the cut in the ledger, then the cache loaded with what it read, then the word that purchases may come.
 *
 *   closing ─► every process has marked ─► what the old cache still has goes out ─► own mark ─► settled ─► cut ─► load ─► open
 *
 * Scopes are opened side by side, those first that sold last. What waits for the broker (marks, and what is relayed before
 * them) holds nobody up; what works on the ledger and the cache is done for a few at a time.
 *
 * Must stay true: an epoch is loaded by the one who cut it, once; whoever does not know how that went cuts anew. So what
 * a stalled opener writes late is of an epoch that nobody asks. Who loads keeps the lease, and a process is at one scope
 * once at a time: else two would go on cutting from under each other.
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
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import type { StopSignal, Tasks } from "../../ports/tasks.ts";
import { relayScope, type RelayDeps } from "./relay-outbox.ts";
import { ScopeWork } from "./scope-work.ts";

export type OpenScopesDeps = RelayDeps & {
  readonly ledger: Pick<QueueLedger, "scopes" | "isDrained" | "cut" | "opened">;
  readonly cache: StockCache;
  readonly journal: Journal;
  readonly presence: Presence;
  readonly clock: Clock;
  readonly tasks: Pick<Tasks, "after">;
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
/** Scopes that are cut and loaded at once: each has a view of the ledger open meanwhile. */
export const cutsAtOnceMax = 3;
/** A round ends after so long whatever it has begun, so that those which sold last are looked at again. */
const roundMs = 250;
/** So many of those that sold last are looked at in every round, however many there are. */
const firstMax = 5;

type Terms = { readonly fence?: Fence | undefined; readonly signal?: StopSignal | undefined };

export class ScopeOpener {
  readonly #deps: OpenScopesDeps;
  readonly #cuts: ScopeWork;
  /** Relaying and marking: it waits for the broker and for nothing else. */
  readonly #marking: ScopeWork;
  /** Closings that this opener has marked, and when. */
  readonly #marked = new Map<ScopeId, { readonly closing: number; readonly atMs: number }>();
  /** Scopes that could not be opened, and when that is tried again. */
  readonly #failed = new Map<ScopeId, { readonly failures: number; readonly againAtMs: number }>();
  /** When scopes that are to be opened were looked at. */
  #lookedAtMs = new Map<ScopeId, number>();
  readonly counts = { cuts: 0, opened: 0 };

  constructor(deps: OpenScopesDeps) {
    this.#deps = deps;
    const { tasks } = deps;
    this.#cuts = new ScopeWork({ tasks, atOnceMax: cutsAtOnceMax });
    this.#marking = new ScopeWork({ tasks });
  }

  /** One round over all scopes; whether there may be more to do at once. Throws StoreUnavailable. */
  async round(fence?: Fence, signal?: StopSignal): Promise<boolean> {
    const { ledger, clock } = this.#deps;
    const { opened } = this.counts;
    const due = this.#inTurn(await ledger.scopes());
    const seen = await this.#cuts.round(due, (scope) => this.#see(scope, { fence, signal }), roundMs);
    for (const { id } of seen) this.#lookedAtMs.set(id, clock.nowMs());
    this.#marking.throwWhatWasThrown();
    return this.counts.opened > opened || seen.length < due.length;
  }

  /** Until what was begun has ended, which a signal makes soon. */
  idle(): Promise<void> {
    return this.#cuts.idle();
  }

  /** Those that are to be opened: a few that sold last, and then whoever has waited longest. */
  #inTurn(scopes: readonly Scope[]): readonly Scope[] {
    const nowMs = this.#deps.clock.nowMs();
    const due = scopes.filter(
      ({ id, state }) => state !== "open" && !this.#cuts.isAt(id) && nowMs >= (this.#failed.get(id)?.againAtMs ?? 0),
    );
    const looked = this.#lookedAtMs;
    this.#lookedAtMs = new Map(due.flatMap(({ id }) => (looked.has(id) ? [[id, looked.get(id) ?? 0]] : [])));
    const others = due.slice(firstMax).toSorted((a, b) => (looked.get(a.id) ?? 0) - (looked.get(b.id) ?? 0));
    return [...due.slice(0, firstMax), ...others];
  }

  async #see(scope: Scope, terms: Terms): Promise<void> {
    const { ledger, log } = this.#deps;
    try {
      if (scope.state !== "closing" || this.#isMarked(scope)) return await this.#open(scope.id, terms);
      if (await ledger.isDrained(scope.id)) this.#marking.begin(scope.id, () => this.#mark(scope));
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      log.warn("a sale's cache could not be opened", { scope_id: scope.id, code: error.code, message: error.message });
      this.#noteFailure(scope.id);
    }
  }

  #isMarked({ id, closing }: Scope): boolean {
    const marked = this.#marked.get(id);
    return marked?.closing === closing && this.#deps.clock.nowMs() < marked.atMs + markAgainMs;
  }

  /** All others have marked, so this process does, too; whether its mark came back the ledger knows at the cut. */
  async #mark(scope: Scope): Promise<void> {
    const { journal, presence, clock } = this.#deps;
    const { id: scopeId, epoch, closing, partition } = scope;
    // Where the cache stands, what nobody has published is published before it is cut off.
    await relayScope(this.#deps, scope, { olderThanMs: 0 });
    const text = encodeMessage({ kind: "mark", scopeId, epoch, closing, ...openerOf(presence) });
    if (await journal.publish(partition, text)) this.#marked.set(scopeId, { closing, atMs: clock.nowMs() });
  }

  async #open(scopeId: ScopeId, { fence, signal }: Terms): Promise<void> {
    const { ledger, presence, clock } = this.#deps;
    const startedMs = clock.nowMs();
    const cut = await ledger.cut({ scopeId, opener: openerOf(presence), fence, nowMs: Math.floor(startedMs) });
    if (cut === undefined) return;
    this.counts.cuts += 1;
    this.#marked.delete(scopeId);
    try {
      if (await this.#load(cut, { fence, signal })) this.#tell(cut, startedMs);
    } finally {
      await cut.end?.();
    }
  }

  /** Whether purchases may come now. */
  async #load(cut: CutResult, { fence, signal }: Terms): Promise<boolean> {
    const { ledger, cache, log } = this.#deps;
    const { id: scopeId, epoch } = cut.scope;
    const ends = cut.sales.length === 0;
    const loaded = ends ? ok : await cache.load(cut, signal);
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
