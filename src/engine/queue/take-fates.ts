/** What the cache's answer means for each take of a call: an answer, a message to be confirmed first, or a word of the ledger. */
import type { PurchaseId } from "../../domain/ids.ts";
import type { TakeOutcome } from "../../domain/movement.ts";
import type { Purchase } from "../../domain/purchase.ts";
import { queuedPurchase } from "../../domain/queue-movements.ts";
import type { Sale } from "../../domain/sale.ts";
import { assert } from "../../lib/assert.ts";
import type { OutboxEntry, ReserveOutcome, ReserveReply } from "../../ports/stock-cache.ts";
import { unknown, type LineAnswer } from "../open-lines.ts";
import type { TakeLine } from "./take-lane.ts";

export type Queued = Extract<TakeOutcome, { kind: "queued" }>;
export type Kept = {
  readonly line: TakeLine;
  readonly purchaseId: PurchaseId;
  /** Where the ledger may not have it yet: what is said then. */
  readonly queued: Queued | undefined;
};
export type Taken = {
  readonly kind: "taken";
  readonly purchase: Purchase;
  readonly replayed: boolean;
  /** What is to be confirmed first. */
  readonly entry: OutboxEntry;
};
export type TakenLine = { readonly line: TakeLine; readonly fate: Taken };
type Fate =
  | Taken
  | { readonly kind: "answered"; readonly answer: LineAnswer }
  /** Its message was confirmed, or its key was loaded with the cache: the ledger knows it, or will. */
  | ({ readonly kind: "in_ledger" } & Omit<Kept, "line">);
type Call = { readonly lines: readonly TakeLine[]; readonly sale: Sale; readonly isUncertain: boolean };

/** In the order of the lines. */
export function fatesOf(
  reply: ReserveReply,
  { lines, sale, isUncertain }: Call,
): readonly { readonly line: TakeLine; readonly fate: Fate }[] {
  // They come in the order of the outcomes.
  let accepted = 0;
  const fateOf = (outcome: ReserveOutcome | undefined, { movement: { purchaseId } }: TakeLine): Fate => {
    assert(outcome !== undefined, "the cache answers every line");
    if (outcome.kind === "refused") return { kind: "answered", answer: isUncertain ? unknown : outcome };
    if (outcome.kind === "known") {
      const { record } = outcome;
      if (record === undefined) return { kind: "in_ledger", purchaseId: outcome.purchaseId, queued: undefined };
      const replayed = outcome.purchaseId !== purchaseId;
      const purchase = queuedPurchase(record.line, sale);
      if (record.entry !== undefined) return { kind: "taken", purchase, replayed, entry: record.entry };
      return { kind: "in_ledger", purchaseId: outcome.purchaseId, queued: { kind: "queued", purchase, replayed } };
    }
    const line = reply.lines[accepted++];
    assert(line?.purchaseId === purchaseId && reply.entry !== undefined, "an accepted line has its record and its message");
    return { kind: "taken", purchase: queuedPurchase(line, sale), replayed: false, entry: reply.entry };
  };
  return lines.map((line, index) => ({ line, fate: fateOf(reply.outcomes[index], line) }));
}
