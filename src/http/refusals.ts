/** What a purchase that was not accepted answers. Refusals are asked for tens of thousands of times a second, so their
 * text is kept as long as its numbers stay the same. */
import type { Take } from "../domain/movement.ts";
import type { ErrorReason } from "../domain/errors.ts";
import type { Refusal, RefusalReason } from "../domain/purchase.ts";
import { unreachable } from "../lib/assert.ts";
import type { Answer, NotTriedCause } from "../ports/acceptance.ts";
import { failure, type ErrorDetails, type Reply } from "./envelope.ts";
import { isoTime } from "./time.ts";

type Memo = { readonly first: number; readonly second: number; readonly reply: Reply };
const memos = new Map<RefusalReason, Memo>();

/** The same numbers as last time give the same text as last time; nothing of a refusal hangs on who asks or when. */
function memoized(reason: RefusalReason, first: number, second: number, details: () => ErrorDetails): Reply {
  const memo = memos.get(reason);
  if (memo !== undefined && memo.first === first && memo.second === second) return memo.reply;
  const reply = failure(reason, details());
  memos.set(reason, { first, second, reply });
  return reply;
}

export function refusalReply(refusal: Refusal): Reply {
  switch (refusal.reason) {
    case "sold_out":
      return memoized("sold_out", refusal.available, 0, () => ({ available: refusal.available, held: 0 }));
    case "all_taken":
      if (isReopening(refusal)) return notTriedReply("busy");
      return memoized("all_taken", refusal.held, refusal.available, () => ({ held: refusal.held, available: refusal.available }));
    case "limit_reached":
      return memoized("limit_reached", refusal.limit, refusal.units, () => ({ limit: refusal.limit, held: refusal.units }));
    case "attempts_exhausted":
      return memoized("attempts_exhausted", refusal.attemptsMax, 0, () => ({ limit: refusal.attemptsMax }));
    case "not_started": {
      const { startsAtMs, nowMs } = refusal;
      const now = Math.floor(nowMs);
      return memoized("not_started", startsAtMs, now, () => ({ starts_at: isoTime(startsAtMs), server_time: isoTime(now) }));
    }
    case "ended":
      return memoized("ended", refusal.endedAtMs, 0, () => ({ ended_at: isoTime(refusal.endedAtMs) }));
    case "key_reused":
      return memoized("key_reused", 0, 0, () => ({ field: "Idempotency-Key" }));
    case "sale_unknown":
      return memoized("sale_unknown", 0, 0, () => ({ field: "sale_id" }));
    case "paused":
    case "sale_cancelled":
    case "discarded":
      return memoized(refusal.reason, 0, 0, () => ({}));
    default:
      return unreachable(refusal);
  }
}

/**
 * Nobody holds anything that could return, and units are free: the sale was published or resumed, or got units, a moment
 * ago, and nobody new is let in until no process refuses from an older copy any more. "All taken" would be untrue, and who
 * goes by its advice would stop.
 */
const isReopening = (refusal: Refusal): boolean => refusal.reason === "all_taken" && refusal.held === 0 && refusal.available > 0;

/** Nothing was taken by this request; it says nothing about an earlier one with the same key. */
export function notTriedReply(cause: NotTriedCause): Reply {
  return cause === "failed" ? failure("internal") : failure(cause);
}

/** It may have happened or may happen yet. */
export const unknownReply = (): Reply => failure("outcome_unknown");

export const badKey = (): Reply => failure("malformed", { field: "Idempotency-Key", problem: "must have 1 to 128 printable characters" });

/** All that a purchase may be told besides yes. */
export const takeRefusals = [
  "not_started",
  "ended",
  "paused",
  "sale_cancelled",
  "all_taken",
  "sold_out",
  "limit_reached",
  "attempts_exhausted",
  "key_reused",
  "busy",
  "storage_full",
  "draining",
  "rebuilding",
  "discarded",
  "outcome_unknown",
] as const satisfies readonly ErrorReason[];

/** The name under which an answer is counted. */
export function outcomeName(answer: Answer<Take>): string {
  switch (answer.kind) {
    case "accepted":
      return answer.replayed ? "replayed" : "accepted";
    case "queued":
      return answer.replayed ? "requeued" : "queued";
    case "refused":
      return isReopening(answer.refusal) ? "busy" : answer.refusal.reason;
    case "not_tried":
      return answer.cause === "failed" ? "internal" : answer.cause;
    case "sale_unknown":
      return "sale_unknown";
    case "unknown":
      return "outcome_unknown";
    default:
      return unreachable(answer);
  }
}
