/**
 * What the broker carries from the cache, which said yes, to the ledger, which settles it. One message holds lines of one
 * sale that were accepted together, or the end mark of a process: nothing of its epoch comes behind it from there.
 *
 * The text is made in two places, here and in the cache's script, and read here alone. A version that is not known is
 * told apart from damage: whoever meets it is older than who wrote it, and must leave the message where it is.
 */
import { parseBuyerId, parsePurchaseId, parseSaleId, type BuyerId, type PurchaseId, type SaleId } from "./ids.ts";
import { parseCurrency, type Currency, type Money } from "./money.ts";

/** The sale that gave its number to all that share a lock, an epoch and a feed: itself, or its limit group. */
export type ScopeId = SaleId;

/** A purchase that the cache accepted. */
export type Line = {
  readonly purchaseId: PurchaseId;
  readonly buyerId: BuyerId;
  readonly key?: string | undefined;
  readonly quantity: number;
  /** Price of one unit at acceptance. */
  readonly price: Money;
  /** The buyer's limit in force at acceptance. */
  readonly limit: number;
  /** By the cache's clock. */
  readonly acceptedAtMs: number;
  readonly metadata?: string | undefined;
};

export type LinesMessage = {
  readonly kind: "lines";
  readonly scopeId: ScopeId;
  readonly epoch: number;
  readonly saleId: SaleId;
  readonly lines: readonly Line[];
};
export type MarkMessage = {
  readonly kind: "mark";
  readonly scopeId: ScopeId;
  readonly epoch: number;
  /** Which closing of the scope it answers. */
  readonly closing: number;
  /** The process's number, and its life: a number may be another's later. */
  readonly process: number;
  readonly life: string;
};
export type JournalMessage = LinesMessage | MarkMessage;

export type DecodedMessage =
  | { readonly kind: "message"; readonly message: JournalMessage }
  | { readonly kind: "newer"; readonly version: number }
  | { readonly kind: "damaged"; readonly problem: string };

export const messageVersion = 1;
/** Lines in one message. */
export const messageLinesMax = 256;

type WireLine = readonly [
  id: string,
  buyer: number,
  key: string | null,
  quantity: number,
  priceMinor: number,
  currency: string,
  limit: number,
  acceptedAtMs: number,
  metadata: string | null,
];

export function encodeMessage(message: JournalMessage): string {
  const { scopeId: scope, epoch } = message;
  if (message.kind === "mark") {
    const { closing, process, life } = message;
    return JSON.stringify({ v: messageVersion, scope, epoch, mark: [closing, process, life] });
  }
  return JSON.stringify({ v: messageVersion, scope, epoch, sale: message.saleId, lines: message.lines.map(wireLine) });
}

function wireLine(line: Line): WireLine {
  const { purchaseId, buyerId, key, quantity, price, limit, acceptedAtMs, metadata } = line;
  return [purchaseId, buyerId, key ?? null, quantity, price.minor, price.currency, limit, acceptedAtMs, metadata ?? null];
}

export function decodeMessage(text: string): DecodedMessage {
  const tree = parsed(text);
  if (tree === undefined) return damaged("is not a JSON object");
  const { v, scope, epoch, sale, lines, mark } = tree;
  if (typeof v !== "number") return damaged("has no version");
  if (v !== messageVersion) return { kind: "newer", version: v };
  const scopeId = typeof scope === "string" ? parseSaleId(scope) : undefined;
  if (scopeId === undefined || !isCount(epoch)) return damaged("has no scope or epoch");
  if (mark !== undefined) {
    const told = markOf(mark);
    return told === undefined ? damaged("has a broken mark") : found({ kind: "mark", scopeId, epoch, ...told });
  }
  const saleId = typeof sale === "string" ? parseSaleId(sale) : undefined;
  if (saleId === undefined || !Array.isArray(lines) || lines.length === 0) return damaged("has no sale or no lines");
  const read = lines.map(lineOfWire);
  const whole = read.filter((line) => line !== undefined);
  return whole.length < read.length ? damaged("has a broken line") : found({ kind: "lines", scopeId, epoch, saleId, lines: whole });
}

const found = (message: JournalMessage): DecodedMessage => ({ kind: "message", message });
const damaged = (problem: string): DecodedMessage => ({ kind: "damaged", problem: `The message ${problem}` });
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isPositive = (value: unknown): value is number => isCount(value) && value > 0;
const isLife = (value: unknown): value is string => typeof value === "string" && /^[ -~]{1,32}$/.test(value);
const isText = (value: unknown): value is string | null => value === null || typeof value === "string";

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const tree: unknown = JSON.parse(text);
    // An object that is no list has only string keys.
    return typeof tree === "object" && tree !== null && !Array.isArray(tree) ? (tree as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function markOf(mark: unknown): Pick<MarkMessage, "closing" | "process" | "life"> | undefined {
  if (!Array.isArray(mark)) return undefined;
  const [closing, process, life]: unknown[] = mark;
  return isCount(closing) && isCount(process) && isLife(life) ? { closing, process, life } : undefined;
}

/** A line as it stands in a message, or undefined of anything else. */
export function lineOfWire(wire: unknown): Line | undefined {
  if (!Array.isArray(wire)) return undefined;
  const [id, buyer, key, quantity, minor, code, limit, acceptedAtMs, metadata]: unknown[] = wire;
  const purchaseId = typeof id === "string" ? parsePurchaseId(id) : undefined;
  const buyerId = typeof buyer === "number" ? parseBuyerId(buyer) : undefined;
  const currency: Currency | undefined = typeof code === "string" ? parseCurrency(code) : undefined;
  if (purchaseId === undefined || buyerId === undefined || currency === undefined) return undefined;
  if (!isPositive(quantity) || !isPositive(minor) || !isPositive(limit) || !isPositive(acceptedAtMs)) return undefined;
  if (!isText(key) || !isText(metadata)) return undefined;
  const price = { minor, currency };
  return { purchaseId, buyerId, key: key ?? undefined, quantity, price, limit, acceptedAtMs, metadata: metadata ?? undefined };
}
