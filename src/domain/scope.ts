/**
 * Sales that share a lock, an epoch and a feed where the cache decides: one sale, or all of a limit group.
 *
 *   closed ──cut──► opening ──loaded──► open ──loss, end, new sale──► closing ──all marks settled──► (cut) opening …
 *
 * The epoch is raised by the cut alone, in the transaction that reads what the cache will be loaded with. Lines of the
 * scope's epoch were decided by the cache as it stands; those of a lower one by a cache that is gone.
 */
import type { ScopeId } from "./journal-message.ts";

export type ScopeState = "closed" | "opening" | "open" | "closing";
export const scopeStates: readonly ScopeState[] = ["closed", "opening", "open", "closing"];

export type Scope = {
  readonly id: ScopeId;
  readonly state: ScopeState;
  readonly epoch: number;
  /** The newest row of its feed. */
  readonly feed: number;
  /** Counts the closings, so that an end mark answers one of them. */
  readonly closing: number;
  /** One of the broker's queues, fixed at the first publishing. */
  readonly partition: number;
};

/** What becomes of a line whose purchase is not known yet. */
export type LineCourse =
  /** Decided by the cache as it stands: it settles. */
  | "settle"
  /** Decided by a cache that is gone, and another stands: that one is asked again. */
  | "readmit"
  /** Nobody can be asked just now: it waits in the ledger for the cut, holding nothing. */
  | "park";

export function courseOf({ state, epoch }: Pick<Scope, "state" | "epoch">, lineEpoch: number): LineCourse {
  if (lineEpoch >= epoch) return "settle";
  return state === "open" ? "readmit" : "park";
}

/** A sale's scope as its first publishing makes it. */
export function newScope(id: ScopeId, partitions: number): Scope {
  // Ids end in a counter, so their last digits spread evenly.
  return { id, state: "closed", epoch: 0, feed: 0, closing: 0, partition: Number(id.slice(-6)) % partitions };
}

export type ScopeEvent = {
  /** A row was added to its feed. */
  readonly fed: boolean;
  /** A sale was published into it: the cache does not know it yet. */
  readonly published: boolean;
  /** A line of its epoch met no stock: the cache has drifted from the ledger. */
  readonly drifted: boolean;
};

/** The scope after a commit of one of its sales. */
export function afterCommit(scope: Scope, { fed, published, drifted }: ScopeEvent): Scope {
  const feed = scope.feed + (fed ? 1 : 0);
  return (published || drifted) && scope.state === "open" ? closing({ ...scope, feed }) : { ...scope, feed };
}

export const closing = (scope: Scope): Scope => ({ ...scope, state: "closing", closing: scope.closing + 1 });
