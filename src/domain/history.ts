/**
 * A client's own record of what it asked and what it was told: JSON lines, one when a request leaves and one when its
 * fate is known. docs/spec/history.md is the format's page. A record is evidence, so reading one is strict: a line that
 * is not exactly an event is a problem with a name, never skipped.
 */
import type { Balances } from "./ledger.ts";
import type { PurchaseState } from "./purchase.ts";

export const historyFunctions = ["purchase", "pay", "cancel", "get", "stock"] as const;
export type HistoryFunction = (typeof historyFunctions)[number];
/** `fail` is definite (this request did nothing); `info` is not (it may have happened, or may happen yet). */
export const historyTypes = ["invoke", "ok", "fail", "info"] as const;
export type HistoryType = (typeof historyTypes)[number];

export type HistoryEvent = {
  /** Line number of the driver, strictly growing within a file. */
  readonly i: number;
  /** The driver's monotonic clock in ms, never falling within a file; files checked together share it. */
  readonly t: number;
  readonly proc: string;
  /** Names one request; its invoke and its one completion share it. Unique over all files. */
  readonly attempt: string;
  readonly f: HistoryFunction;
  readonly type: HistoryType;
  /** The buyer as the shop names it. */
  readonly user?: string | undefined;
  /** The sale's id. */
  readonly event?: string | undefined;
  readonly key?: string | undefined;
  readonly qty?: number | undefined;
  /** The purchase: told by the answer to `purchase`, named by the request for the others. */
  readonly id?: string | undefined;
  /** The envelope's code, 0 for OK; absent without an answer. */
  readonly code?: number | undefined;
  /** Of the answer's raw body, equal for equal bytes. */
  readonly bodyHash?: string | undefined;
  /** The purchase's state as the answer shows it. */
  readonly state?: PurchaseState | undefined;
  /** For `stock`: the balances as the answer shows them. */
  readonly stock?: Balances | undefined;
};

export const historyLineLengthMax = 4_096;
const textLengthMax = 200;

export function formatHistoryEvent(event: HistoryEvent): string {
  const { i, t, proc, attempt, id, f, key, user, event: sale, qty, type, code, bodyHash, state, stock } = event;
  return JSON.stringify({ i, t, proc, attempt, id, f, key, user, event: sale, qty, type, code, body_hash: bodyHash, state, stock });
}

/** The event of a line (without its newline), or what is wrong with it. */
export function parseHistoryEvent(line: string): HistoryEvent | { readonly problem: string } {
  if (line.length > historyLineLengthMax) return { problem: `a line has at most ${historyLineLengthMax} characters` };
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { problem: "a line is one JSON object" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { problem: "a line is one JSON object" };
  // An object with string keys is a record of unknowns.
  return eventOf(value as Record<string, unknown>);
}

const isText = (value: unknown): value is string => typeof value === "string" && value.length > 0 && value.length <= textLengthMax;
const isCount = (value: unknown): value is number => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const isTime = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value) && value >= 0;
const isOneOf = (values: readonly string[]) => (value: unknown) => typeof value === "string" && values.includes(value);
const states: readonly PurchaseState[] = ["queued", "refused", "offered", "reserved", "paid", "cancelled", "expired", "closed", "stuck"];
const accounts = ["issued", "available", "held", "sold", "withdrawn"];

function isBalances(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const found = new Map<string, unknown>(Object.entries(value));
  return found.size === accounts.length && accounts.every((account) => Number.isSafeInteger(found.get(account)));
}

type Field = { readonly need: boolean; readonly legal: (value: unknown) => boolean };
const fields: ReadonlyMap<string, Field> = new Map([
  ["i", { need: true, legal: isCount }],
  ["t", { need: true, legal: isTime }],
  ["proc", { need: true, legal: isText }],
  ["attempt", { need: true, legal: isText }],
  ["id", { need: false, legal: isText }],
  ["f", { need: true, legal: isOneOf(historyFunctions) }],
  ["key", { need: false, legal: isText }],
  ["user", { need: false, legal: isText }],
  ["event", { need: false, legal: isText }],
  ["qty", { need: false, legal: isCount }],
  ["type", { need: true, legal: isOneOf(historyTypes) }],
  ["code", { need: false, legal: isCount }],
  ["body_hash", { need: false, legal: isText }],
  ["state", { need: false, legal: isOneOf(states) }],
  ["stock", { need: false, legal: isBalances }],
]);

function eventOf(record: Record<string, unknown>): HistoryEvent | { problem: string } {
  for (const name of Object.keys(record)) if (!fields.has(name)) return { problem: `"${name}" is no field of an event` };
  for (const [name, { need, legal }] of fields) {
    const value = record[name];
    if (value === undefined ? need : !legal(value)) return { problem: `"${name}" is missing or illegal` };
  }
  const { body_hash: bodyHash, ...rest } = record;
  // Every field was checked above, and no other is there.
  const event = { ...rest, ...(bodyHash === undefined ? {} : { bodyHash }) } as HistoryEvent;
  return problemOfEvent(event) ?? event;
}

/** What fields an event needs beyond those all have. */
function problemOfEvent({ f, type, id, user, event, qty, code, state, stock, bodyHash }: HistoryEvent): { problem: string } | undefined {
  const missing = (name: string) => ({ problem: `"${name}" is missing in ${f} ${type}` });
  if (f !== "stock" && user === undefined) return missing("user");
  if ((f === "purchase" || f === "stock") && event === undefined) return missing("event");
  if (f === "purchase" && qty === undefined) return missing("qty");
  if ((type === "ok" || type === "fail") && code === undefined) return missing("code");
  if (type === "ok" && f !== "stock" && id === undefined) return missing("id");
  if (type === "ok" && f === "purchase" && bodyHash === undefined) return missing("body_hash");
  if (f === "purchase" && state !== undefined && state !== "queued") return { problem: `"state" of a purchase is "queued" or left out` };
  if (type === "ok" && f === "stock" && stock === undefined) return missing("stock");
  return undefined;
}
