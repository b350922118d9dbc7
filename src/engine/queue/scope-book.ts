/**
 * What this process knows of the scopes of sales that the cache decides: which are open, and under which epoch. It says
 * when a cache was lost, and answers every closing with its end mark, behind the last of its own lines.
 *
 *   ledger.scopes() ─► book ─► may a line go to the cache?
 *   cache says closed ─► no more lines of this epoch ─► ledger.close ─► (closing) ─► last line confirmed ─► mark
 *
 * Must stay true: no line is sent to the cache after the mark of its scope's closing was; what this process knows of a
 * scope never goes back; it goes by nothing that it read before it counted as alive.
 */
import type { ScopeId } from "../../domain/journal-message.ts";
import { encodeMessage } from "../../domain/journal-message.ts";
import type { Scope, ScopeState } from "../../domain/scope.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Journal } from "../../ports/journal.ts";
import type { Log } from "../../ports/log.ts";
import type { Presence } from "../../ports/presence.ts";
import type { QueueLedger } from "../../ports/queue-ledger.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import type { Tasks } from "../../ports/tasks.ts";

export type Standing =
  | { readonly kind: "open"; readonly scope: Scope }
  /** It is being closed, counted or loaded. */
  | { readonly kind: "rebuilding"; readonly epoch: number }
  /** Nothing can be bought in it any more. */
  | { readonly kind: "over"; readonly epoch: number };

type Known = {
  scope: Scope;
  /** Whether the ledger names it among those that are not over. */
  isListed: boolean;
  /** Up to this epoch the cache is known to be lost. */
  lostEpoch: number;
  /** Lines on their way by epoch: sent to the cache and not yet confirmed. */
  readonly onTheWay: Map<number, number>;
  /** The closing that was answered last, and when. */
  marked: number;
  markedAtMs: number;
  isMarking: boolean;
};

export type ScopeBookDeps = {
  readonly ledger: Pick<QueueLedger, "scopes" | "scope" | "close">;
  readonly journal: Pick<Journal, "publish">;
  readonly presence: Presence;
  readonly tasks: Pick<Tasks, "sleep">;
  readonly clock: Clock;
  readonly log: Pick<Log, "warn">;
};

const markRetryMs = 100;
/** A closing that still waits so long after its mark was sent gets it again: the broker may have lost it with its queue. */
const markAgainMs = 5_000;
/** Scopes that are over are forgotten beyond so many. */
const scopesMax = 20_000;

const stages: Readonly<Record<ScopeState, number>> = { closed: 0, opening: 1, open: 2, closing: 3 };
const isBehind = (scope: Scope, other: Scope) =>
  scope.epoch < other.epoch || (scope.epoch === other.epoch && stages[scope.state] < stages[other.state]);

export class ScopeBook {
  readonly #deps: ScopeBookDeps;
  readonly #known = new Map<ScopeId, Known>();
  readonly #reading = new Map<ScopeId, Promise<void>>();
  /** Losses that the ledger has not heard of. */
  readonly #losses = new Map<ScopeId, number>();
  /** The unbroken presence during which everything was read. */
  #readDuring: number | undefined;
  #isClosed = false;
  readonly counts = { losses: 0, marks: 0 };

  constructor(deps: ScopeBookDeps) {
    this.#deps = deps;
  }

  /** What is known now, without asking; undefined of a scope that was never met. */
  peek(scopeId: ScopeId): Standing | undefined {
    const known = this.#known.get(scopeId);
    if (known === undefined) return undefined;
    const { scope, isListed, lostEpoch } = known;
    const { epoch, state } = scope;
    if (!isListed && state === "closed") return { kind: "over", epoch };
    const { unbroken } = this.#deps.presence;
    const mayOpen = unbroken !== undefined && unbroken === this.#readDuring && epoch > lostEpoch;
    return state === "open" && mayOpen ? { kind: "open", scope } : { kind: "rebuilding", epoch };
  }

  /** Throws StoreUnavailable. */
  async look(scopeId: ScopeId): Promise<Standing> {
    const standing = this.peek(scopeId);
    if (standing !== undefined) return standing;
    let reading = this.#reading.get(scopeId);
    if (reading === undefined) {
      reading = this.#read(scopeId).finally(() => this.#reading.delete(scopeId));
      this.#reading.set(scopeId, reading);
    }
    await reading;
    return this.peek(scopeId) ?? { kind: "rebuilding", epoch: 0 };
  }

  async #read(scopeId: ScopeId): Promise<void> {
    const scope = await this.#deps.ledger.scope(scopeId);
    if (scope !== undefined) this.#note(scope, scope.state !== "closed");
  }

  /** Scopes that may be open, as they are known. */
  open(): readonly Scope[] {
    return [...this.#known.keys()].flatMap((id) => {
      const standing = this.peek(id);
      return standing?.kind === "open" ? [standing.scope] : [];
    });
  }

  /** Whether all scopes that are not over can be asked. */
  get isWhole(): boolean {
    return this.#readDuring !== undefined && [...this.#known.keys()].every((id) => this.peek(id)?.kind !== "rebuilding");
  }

  /** Lines go to the cache; each must `end` when it is confirmed, or was not taken. */
  begin({ id, epoch }: Scope, lines: number): void {
    const known = this.#known.get(id);
    known?.onTheWay.set(epoch, (known.onTheWay.get(epoch) ?? 0) + lines);
  }

  end({ id, epoch }: Pick<Scope, "id" | "epoch">, lines: number): void {
    const known = this.#known.get(id);
    if (known === undefined || lines === 0) return;
    const left = (known.onTheWay.get(epoch) ?? 0) - lines;
    if (left > 0) known.onTheWay.set(epoch, left);
    else known.onTheWay.delete(epoch);
    this.#answerClosing(known);
  }

  /** The cache said that it has nothing of this epoch. */
  lost({ id, epoch }: Pick<Scope, "id" | "epoch">): void {
    const known = this.#known.get(id);
    if (known === undefined || epoch <= known.lostEpoch) return;
    known.lostEpoch = epoch;
    this.counts.losses += 1;
    this.#deps.log.warn("the cache has lost a sale's stock", { scope_id: id, epoch });
    this.#losses.set(id, epoch);
    void this.#tellLosses();
  }

  async #tellLosses(): Promise<void> {
    for (const [scopeId, epoch] of this.#losses) {
      try {
        const scope = await this.#deps.ledger.close({ scopeId, epoch, cause: "cache_lost" });
        if (this.#losses.get(scopeId) === epoch) this.#losses.delete(scopeId);
        if (scope !== undefined) this.#note(scope);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        // The next refresh tells it again.
        return;
      }
    }
  }

  /** Reads all scopes that are not over. Throws StoreUnavailable. */
  async refresh(): Promise<void> {
    const { ledger, presence } = this.#deps;
    await this.#tellLosses();
    const { unbroken } = presence;
    const scopes = await ledger.scopes();
    this.#readDuring = unbroken;
    for (const known of this.#known.values()) known.isListed = false;
    for (const scope of scopes) this.#note(scope, true);
    const gone = [...this.#known.values()].filter(({ isListed, scope }) => !isListed && scope.state !== "closed");
    for (const { scope } of gone) await this.#read(scope.id);
    this.#bound();
  }

  #note(scope: Scope, isListed?: boolean): void {
    const known = this.#known.get(scope.id);
    if (known === undefined) {
      const fresh = {
        scope,
        isListed: isListed ?? true,
        lostEpoch: -1,
        onTheWay: new Map<number, number>(),
        marked: 0,
        markedAtMs: 0,
        isMarking: false,
      };
      this.#known.set(scope.id, fresh);
      return this.#answerClosing(fresh);
    }
    if (isListed !== undefined) known.isListed = isListed;
    if (!isBehind(scope, known.scope)) known.scope = scope;
    this.#answerClosing(known);
  }

  #answerClosing(known: Known): void {
    const { scope, isMarking, onTheWay } = known;
    if (this.#isClosed || scope.state !== "closing" || isMarking || this.#isAnswered(known) || onTheWay.has(scope.epoch)) return;
    known.isMarking = true;
    void this.#mark(known, scope).finally(() => {
      known.isMarking = false;
      this.#answerClosing(known);
    });
  }

  #isAnswered({ scope, marked, markedAtMs }: Known): boolean {
    return marked >= scope.closing && this.#deps.clock.nowMs() < markedAtMs + markAgainMs;
  }

  async #mark(known: Known, { id: scopeId, epoch, closing, partition }: Scope): Promise<void> {
    const { journal, tasks, presence, clock } = this.#deps;
    const { number: process, life } = presence;
    const text = encodeMessage({ kind: "mark", scopeId, epoch, closing, process, life });
    while (!(await journal.publish(partition, text))) {
      if (this.#isClosed) return;
      await tasks.sleep(markRetryMs);
    }
    known.marked = closing;
    known.markedAtMs = clock.nowMs();
    this.counts.marks += 1;
  }

  /** Nobody waits for its marks any more: the process leaves. */
  close(): void {
    this.#isClosed = true;
  }

  #bound(): void {
    if (this.#known.size <= scopesMax) return;
    for (const [id, { isListed, onTheWay, isMarking }] of this.#known)
      if (!isListed && onTheWay.size === 0 && !isMarking) this.#known.delete(id);
  }
}
