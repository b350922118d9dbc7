/**
 * Every state of the buy button, as a table: the first row that applies is the state. What a row says, a page shows; no
 * page decides anything beside it. Lines for a queue, a turn, a check and a draw belong between BEFORE and QUOTA_REACHED,
 * once the server has them.
 *
 * Must stay true: what the buyer has, or may have, comes before what the sale is. Whoever holds a unit can pay for it
 * whatever became of the sale, and an answer that is awaited is awaited whatever else is heard.
 */
import type { Key } from "../messages/catalogue.ts";
import { phaseOf, unitsOf, type OwnPurchase, type SaleFacts } from "./facts.ts";

export type ButtonState =
  | "UNKNOWN"
  | "PROCESSING"
  | "HELD"
  | "BOUGHT"
  | "CANCELLED_SALE"
  | "ENDED"
  | "PAUSED"
  | "BEFORE"
  | "SIGN_IN"
  | "BLOCKED"
  | "LIMITED"
  | "QUOTA_REACHED"
  | "ON_SALE"
  | "OUT_HELD"
  | "SOLD_OUT";

/** What the button is: it buys, it leads somewhere, or it says why not (and stays in the reach of the keyboard). */
export type ButtonAct = "buy" | "order" | "sign-in" | "none";

export type ButtonRow = {
  readonly state: ButtonState;
  readonly applies: (facts: SaleFacts) => boolean;
  readonly act: ButtonAct;
  readonly label: Key;
  /** What stands beside it: why, and what comes next. */
  readonly hint: Key;
};

const open = (own: OwnPurchase, state: OwnPurchase["state"]) => own.state === state;
const has = (facts: SaleFacts, ...states: readonly OwnPurchase["state"][]) =>
  facts.own.some((own) => states.some((state) => open(own, state)));

// oxfmt-ignore
export const buttonRows: readonly ButtonRow[] = [
  { state: "UNKNOWN",        act: "none",    label: "button_unknown",    hint: "hint_unknown",    applies: (facts) => facts.asking },
  { state: "PROCESSING",     act: "none",    label: "button_processing", hint: "hint_processing", applies: (facts) => has(facts, "queued", "stuck", "offered") },
  { state: "HELD",           act: "order",   label: "button_held",       hint: "hint_held",       applies: (facts) => has(facts, "reserved") },
  { state: "BOUGHT",         act: "order",   label: "button_bought",     hint: "hint_bought",     applies: (facts) => has(facts, "paid") && unitsOf(facts.own) >= facts.limit },
  { state: "CANCELLED_SALE", act: "none",    label: "button_cancelled",  hint: "hint_cancelled",  applies: (facts) => phaseOf(facts) === "cancelled" },
  { state: "ENDED",          act: "none",    label: "button_ended",      hint: "hint_ended",      applies: (facts) => phaseOf(facts) === "ended" },
  { state: "PAUSED",         act: "none",    label: "button_paused",     hint: "hint_paused",     applies: (facts) => phaseOf(facts) === "paused" },
  { state: "BEFORE",         act: "none",    label: "button_before",     hint: "hint_before",     applies: (facts) => phaseOf(facts) === "before" },
  { state: "SIGN_IN",        act: "sign-in", label: "button_sign_in",    hint: "hint_sign_in",    applies: (facts) => facts.who === "nobody" },
  { state: "BLOCKED",        act: "none",    label: "button_blocked",    hint: "hint_blocked",    applies: (facts) => facts.who === "banned" },
  { state: "LIMITED",        act: "none",    label: "button_limited",    hint: "hint_limited",    applies: (facts) => facts.waitUntilMs !== undefined && facts.nowMs !== undefined && facts.nowMs < facts.waitUntilMs },
  { state: "QUOTA_REACHED",  act: "none",    label: "button_quota",      hint: "hint_quota",      applies: (facts) => unitsOf(facts.own) >= facts.limit },
  { state: "ON_SALE",        act: "buy",     label: "button_buy",        hint: "hint_buy",        applies: (facts) => facts.sale.available > 0 },
  { state: "OUT_HELD",       act: "none",    label: "button_out_held",   hint: "hint_out_held",   applies: (facts) => facts.sale.held > 0 },
];
const soldOut: ButtonRow = { state: "SOLD_OUT", act: "none", label: "button_sold_out", hint: "hint_sold_out", applies: () => true };

export function buttonOf(facts: SaleFacts): ButtonRow {
  return buttonRows.find((row) => row.applies(facts)) ?? soldOut;
}

/** The order that the button leads to, or that it speaks of. */
export function orderOf({ own }: Pick<SaleFacts, "own">): OwnPurchase | undefined {
  const order: readonly OwnPurchase["state"][] = ["reserved", "queued", "stuck", "offered", "paid"];
  return order.flatMap((state) => own.filter((each) => open(each, state)))[0];
}
