/** What was accepted and could not be settled: operators look at it, have it tried again, or discard it. */
import { mayReach } from "../../domain/access.ts";
import type { DeadLetterAnswer } from "../../engine/queue/dead-letters.ts";
import { unreachable } from "../../lib/assert.ts";
import type { DeadLetter } from "../../ports/queue-ledger.ts";
import { deadLetterAnswer } from "../contract/answers.ts";
import { listOf, listView, pagedQuery, pageOf } from "../contract/paging.ts";
import { letterParams } from "../contract/params.ts";
import { emptyBody } from "../contract/requests.ts";
import { failure, success, type Reply } from "../envelope.ts";
import type { Staff } from "../identity.ts";
import { notTriedReply, unknownReply } from "../refusals.ts";
import { forStaff, type Ask, type Route } from "../route.ts";
import { deadLetterView } from "../views.ts";

const path = "/api/v1/dead-letters";
const listContract = {
  method: "GET",
  path,
  operation: "listDeadLetters",
  tag: "orders",
  summary: "List accepted purchases that could not be settled, oldest first",
  about: "Where the ledger decides there are none. At most the oldest thousand are listed.",
  query: pagedQuery({}),
  answers: { 200: listOf(deadLetterAnswer) },
} as const;
const one = { method: "POST", tag: "orders", params: letterParams, body: emptyBody, answers: { 200: deadLetterAnswer } } as const;
const replayContract = {
  ...one,
  path: `${path}/:letter_id/replay`,
  operation: "replayDeadLetter",
  summary: "Have a purchase settled that could not be",
  about: "It goes its way once more: it becomes an order, or comes back here.",
  refusals: ["letter_unknown", "letter_not_replayable", "busy", "outcome_unknown"],
} as const;
const discardContract = {
  ...one,
  path: `${path}/:letter_id/discard`,
  operation: "discardDeadLetter",
  summary: "Refuse a purchase that cannot be settled, for good",
  about: "Its buyer's limit is free again, and its unit if the cache still counts it.",
  refusals: ["letter_unknown", "letter_settled", "letter_not_discardable", "busy", "outcome_unknown"],
} as const;

export const deadLetterRoutes: readonly Route[] = [
  forStaff("orders:read", listContract, async (ask, staff) => {
    const letters = await ask.context.deps.deadLetters?.list();
    const inReach: DeadLetter[] = [];
    for (const letter of letters ?? []) if (await isInReach(ask, staff, letter)) inReach.push(letter);
    const { offset, limit } = pageOf(ask.query);
    return success(listView(ask.query, { items: inReach.slice(offset, offset + limit), total: inReach.length }, deadLetterView));
  }),
  forStaff("orders:write", replayContract, (ask, staff) => deal(ask, staff, { id: ask.params.letter_id, how: "replay" })),
  forStaff("orders:write", discardContract, (ask, staff) => deal(ask, staff, { id: ask.params.letter_id, how: "discard" })),
];

type Asking = Pick<Ask, "context">;

async function deal(ask: Asking, staff: Staff, { id, how }: { id: string; how: "replay" | "discard" }): Promise<Reply> {
  const { deadLetters } = ask.context.deps;
  const letter = await deadLetters?.find(id);
  if (deadLetters === undefined || letter === undefined || !(await isInReach(ask, staff, letter))) return letterUnknown();
  return replyOf(await deadLetters[how](id), letter);
}

/** A shop sees its own; what nobody can read is of no shop, and whoever runs the installation sees it. */
async function isInReach({ context }: Asking, { access }: Staff, letter: DeadLetter): Promise<boolean> {
  if (access.merchant === undefined) return true;
  if (letter.kind === "message") return false;
  const sale = await context.deps.records.sale(letter.saleId);
  return sale !== undefined && mayReach(access, sale.seller);
}

function replyOf(answer: DeadLetterAnswer, letter: DeadLetter): Reply {
  switch (answer.kind) {
    case "done":
      return success(deadLetterView(letter));
    case "unknown_letter":
      return letterUnknown();
    case "not_replayable":
      return failure("letter_not_replayable");
    case "settled":
      return failure("letter_settled", { state: answer.purchase.state });
    case "not_discardable":
      return failure("letter_not_discardable");
    case "unknown":
      return unknownReply();
    case "unavailable":
      return notTriedReply("busy");
    default:
      return unreachable(answer);
  }
}

const letterUnknown = (): Reply => failure("letter_unknown", { field: "letter_id" });
