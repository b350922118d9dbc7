/** C7 by example: three units, told as stories. */
import { describe, expect, test } from "bun:test";
import type { HistoryEvent } from "../../src/domain/history.ts";
import type { BuyerId, PurchaseId, SaleId } from "../../src/domain/ids.ts";
import { Checks } from "../../src/engine/verify/check.ts";
import { checkOrder } from "../../src/engine/verify/check-order.ts";
import { HistoryFacts } from "../../src/engine/verify/history-facts.ts";
import { HistoryLog } from "../../src/engine/verify/history-log.ts";
import type { LedgerRow } from "../../src/ports/audit-source.ts";
import { idOf } from "./good-run.ts";

const saleId = idOf<SaleId>(1);
/** `buy x` invokes, `x yes` answers with an id, `x 1006` refuses, `x lost` never answers; `cancel x` and `x freed`. */
type Story = { readonly ledger: string; readonly said: string };

function offIn({ ledger, said }: Story, reopenDelayMs = 0): number {
  const log = new HistoryLog();
  log.startFile();
  const ids = new Map(Array.from("abcdef", (name, n) => [name, String(100 + n)]));
  for (const [i, step] of said.split(", ").entries()) {
    const problem = log.add({ i, t: i, proc: "p", ...eventOf(step, ids) });
    if (problem !== undefined) throw new Error(problem);
  }
  const facts = new HistoryFacts(log.attempts);
  for (const [name, id] of ids) facts.buyer({ id: Number(id) as BuyerId, issuer: "local", subject: name });
  for (const [name, id] of ids) {
    if (!ledger.includes(`take ${name}`)) continue;
    const row = {
      id: id as PurchaseId,
      saleId,
      buyerId: Number(id) as BuyerId,
      key: `key-${name}`,
      quantity: 1,
      state: "reserved" as const,
    };
    // The facts read no other field of a purchase.
    facts.purchase({ ...row, holdUntilMs: 0 } as Parameters<HistoryFacts["purchase"]>[0]);
  }
  for (const [number, entry] of ledger.split(", ").entries()) facts.entry(entryOf(number, entry, ids));
  const checks = new Checks(10);
  checkOrder(log.attempts, facts, checks, reopenDelayMs);
  return checks.of("C7").offTotal;
}

function eventOf(step: string, ids: ReadonlyMap<string, string>): Omit<HistoryEvent, "i" | "t" | "proc"> {
  const [first = "", second = ""] = step.split(" ");
  const invoking = first === "buy" || first === "cancel";
  const name = invoking ? second : first;
  const freeing = first === "cancel" || second === "freed";
  const id = ids.get(name) ?? "";
  const who = { user: name, event: saleId, key: `key-${name}`, qty: 1 };
  if (freeing)
    return { f: "cancel", attempt: `cancel-${name}`, user: name, id, ...(invoking ? { type: "invoke" } : { type: "ok", code: 0 }) };
  if (invoking) return { f: "purchase", attempt: name, ...who, type: "invoke" };
  if (second === "yes") return { f: "purchase", attempt: name, ...who, type: "ok", id, code: 0, bodyHash: id };
  if (second === "lost") return { f: "purchase", attempt: name, ...who, type: "info" };
  return { f: "purchase", attempt: name, ...who, type: "fail", code: Number(second) };
}

function entryOf(number: number, text: string, ids: ReadonlyMap<string, string>): LedgerRow {
  const [kind = "", of = ""] = text.split(" ");
  const units = kind === "issue" ? Number(of) : 1;
  return { number, saleId, sourceId: idOf(Number(ids.get(of) ?? 1)), kind: kind as LedgerRow["kind"], units, atMs: 0 };
}

describe("[C7] a refusal for stock needs a moment in the ledger", () => {
  test.each<[string, Story, off: number]>([
    ["refused when all were held", { ledger: "issue 1, take a", said: "buy a, a yes, buy b, b 1005" }, 0],
    ["refused while another's take was under way", { ledger: "issue 1, take a", said: "buy a, buy b, b 1005, a yes" }, 0],
    ["refused because of a take whose answer was lost", { ledger: "issue 1, take a", said: "buy a, a lost, buy b, b 1005" }, 0],
    ["refused with units free", { ledger: "issue 2, take a", said: "buy a, a yes, buy b, b 1005" }, 1],
    ["refused before the last unit was asked for", { ledger: "issue 1, take a", said: "buy b, b 1005, buy a, a yes" }, 1],
    ["sold out although the unit was only held", { ledger: "issue 1, take a", said: "buy a, a yes, buy b, b 1006" }, 1],
    ["sold out when paid", { ledger: "issue 1, take a, pay a", said: "buy a, a yes, buy b, b 1006" }, 0],
    [
      "accepted after a refusal, a unit came back",
      { ledger: "issue 1, take a, expire a, take c", said: "buy a, a yes, buy b, b 1005, buy c, c yes" },
      0,
    ],
    [
      "accepted after a refusal, units added",
      { ledger: "issue 1, take a, issue 1, take c", said: "buy a, a yes, buy b, b 1005, buy c, c yes" },
      0,
    ],
    [
      "accepted after a refusal, nothing came back",
      { ledger: "issue 2, take a, take c", said: "buy a, a yes, buy b, b 1005, buy c, c yes" },
      1,
    ],
    [
      "refused after a cancellation was answered",
      { ledger: "issue 1, take a, cancel a", said: "buy a, a yes, cancel a, a freed, buy b, b 1005" },
      1,
    ],
    [
      "refused while the cancellation was under way",
      { ledger: "issue 1, take a, cancel a", said: "buy a, a yes, cancel a, buy b, b 1005, a freed" },
      0,
    ],
    ["entries against the order of answers", { ledger: "issue 2, take c, take a", said: "buy a, a yes, buy c, c yes" }, 1],
  ])("%s", (_what, story, off) => expect(offIn(story)).toBe(off));
});

describe("[C7] where several processes refuse from memory, a refusal may be as old as its mark", () => {
  const refundedStory = "issue 1, take a, pay a, return a";
  // Each step of a story takes a millisecond.
  test.each<[string, Story, reopenDelayMs: number, off: number]>([
    [
      "sold out within the delay after units came back",
      { ledger: `${refundedStory}, take c`, said: "buy a, a yes, buy c, buy b, b 1006, c yes" },
      9,
      0,
    ],
    ["sold out later than that", { ledger: "issue 1, take a, cancel a", said: "buy a, a yes, cancel a, a freed, buy b, b 1006" }, 1, 1],
    ["all taken, which also answers for a sale that reopens", { ledger: "issue 2, take a", said: "buy a, a yes, buy b, b 1005" }, 9, 0],
    ["sold out, though the unit was only held", { ledger: "issue 1, take a", said: "buy a, a yes, buy b, b 1006" }, 9, 1],
  ])("%s", (_what, story, reopenDelayMs, off) => expect(offIn(story, reopenDelayMs)).toBe(off));
});
