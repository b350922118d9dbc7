/** What somebody has to look at: accepted purchases that cannot be settled, and messages that cannot be read. */
import { encodeMessage } from "../../domain/journal-message.ts";
import type { Purchase } from "../../domain/purchase.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Journal } from "../../ports/journal.ts";
import type { DeadLetter, QueueLedger } from "../../ports/queue-ledger.ts";
import type { CommitResult, StockLedger } from "../../ports/stock-ledger.ts";

export type DeadLetterDeps = {
  readonly ledger: Pick<QueueLedger, "scope" | "close" | "deadLetter" | "bury" | "unbury">;
  readonly stockLedger: StockLedger;
  readonly journal: Pick<Journal, "publish">;
  readonly clock: Clock;
};

type LineLetter = Extract<DeadLetter, { kind: "line" }>;

export type DeadLetterAnswer =
  | { readonly kind: "done"; readonly purchase?: Purchase | undefined }
  | { readonly kind: "unknown_letter" }
  /** Of a message that nobody can read there is nothing to try again. */
  | { readonly kind: "not_replayable" }
  /** It became an order, or was refused for another reason, before this. */
  | { readonly kind: "settled"; readonly purchase: Purchase }
  /** The database does not even keep that it was refused. */
  | { readonly kind: "not_discardable" }
  /** The broker or the database did not take it; it is as it was. */
  | { readonly kind: "unavailable" }
  /** It may have been done: the same again has one effect. */
  | { readonly kind: "unknown" };

/**
 * Settles a line, or puts it aside once more. The ledger is asked at once, so that no cut comes between its letter, which
 * holds its unit, and its order. Only a line that no cut has counted yet goes by the broker, to ask the cache that stands.
 * Throws StoreUnavailable.
 */
export async function replayDeadLetter(deps: DeadLetterDeps, id: string): Promise<DeadLetterAnswer> {
  const { ledger, stockLedger, clock } = deps;
  const letter = await ledger.deadLetter(id);
  if (letter === undefined) return { kind: "unknown_letter" };
  if (letter.kind === "message") return { kind: "not_replayable" };
  const { saleId, epoch, line } = letter;
  const nowMs = Math.floor(clock.nowMs());
  const result = await stockLedger.commit({ nowMs, groups: [{ saleId, movements: [{ kind: "admit", line, epoch }] }] });
  if (result.kind === "failed" && result.cause === "bad_line") {
    await ledger.bury({ ...letter, problem: result.message, atMs: nowMs });
    return { kind: "done" };
  }
  const outcome = result.kind === "committed" ? result.groups[0]?.outcomes[0] : undefined;
  if (outcome?.kind === "readmit") return publishedAnew(deps, letter);
  if (outcome?.kind !== "admitted" && outcome?.kind !== "parked") return notDone(result);
  await ledger.unbury(letter);
  return { kind: "done", purchase: outcome.purchase };
}

async function publishedAnew({ ledger, journal }: DeadLetterDeps, letter: LineLetter): Promise<DeadLetterAnswer> {
  const { scopeId, saleId, epoch, line } = letter;
  const scope = await ledger.scope(scopeId);
  if (scope === undefined) return { kind: "not_replayable" };
  const text = encodeMessage({ kind: "lines", scopeId, epoch, saleId, lines: [line] });
  // Without a confirm it may be there all the same.
  if (!(await journal.publish(scope.partition, text))) return { kind: "unknown" };
  await ledger.unbury(letter);
  return { kind: "done" };
}

/**
 * Refuses a line for good: its buyer's limit and, where the cache still counts it, its unit are free again. What the
 * database cannot keep of it, the refusal does without. Throws StoreUnavailable.
 */
export async function discardDeadLetter(deps: DeadLetterDeps, id: string): Promise<DeadLetterAnswer> {
  const { ledger, stockLedger, clock } = deps;
  const letter = await ledger.deadLetter(id);
  if (letter === undefined) return { kind: "unknown_letter" };
  if (letter.kind === "message") {
    await ledger.unbury(letter);
    return { kind: "done" };
  }
  const { saleId, line, epoch } = letter;
  const nowMs = Math.floor(clock.nowMs());
  for (const kept of [line, { ...line, metadata: undefined }, { ...line, metadata: undefined, key: undefined }]) {
    const decline = { kind: "decline", line: kept, epoch, reason: "discarded" } as const;
    const result = await stockLedger.commit({ nowMs, groups: [{ saleId, movements: [decline] }] });
    if (result.kind === "failed" && result.cause === "bad_line") continue;
    const outcome = result.kind === "committed" ? result.groups[0]?.outcomes[0] : undefined;
    if (outcome?.kind !== "admitted") return notDone(result);
    await forget(deps, letter);
    const { purchase } = outcome;
    return { kind: purchase.refusedFor === "discarded" ? "done" : "settled", purchase };
  }
  return { kind: "not_discardable" };
}

const notDone = ({ kind }: CommitResult): DeadLetterAnswer => ({ kind: kind === "unknown" ? "unknown" : "unavailable" });

/** Where a cut has counted it meanwhile, that cache holds a unit for it which nobody gives back: it is counted anew. */
async function forget({ ledger }: DeadLetterDeps, letter: LineLetter): Promise<void> {
  const now = await ledger.deadLetter(letter.id);
  if (now?.kind === "line" && now.epoch !== letter.epoch) {
    await ledger.close({ scopeId: now.scopeId, epoch: now.epoch, cause: "drift" });
    return ledger.unbury(now);
  }
  await ledger.unbury(letter);
}

/** What operators are given of it. */
export type DeadLetters = {
  list(): Promise<readonly DeadLetter[]>;
  find(id: string): Promise<DeadLetter | undefined>;
  replay(id: string): Promise<DeadLetterAnswer>;
  discard(id: string): Promise<DeadLetterAnswer>;
};

export function deadLetters(deps: DeadLetterDeps & { readonly ledger: Pick<QueueLedger, "deadLetters"> }): DeadLetters {
  return {
    list: () => deps.ledger.deadLetters(),
    find: (id) => deps.ledger.deadLetter(id),
    replay: (id) => replayDeadLetter(deps, id),
    discard: (id) => discardDeadLetter(deps, id),
  };
}
