/** Values as text inside statements, where a driver's own way would cost more than the database does. */
import { assert } from "../../lib/assert.ts";
import type { ValueKind } from "./insert-statement.ts";
import type { SqlValue } from "./sql-transaction.ts";

/** An array as PostgreSQL reads it: every so many values of a list, from one place on. */
export function arrayLiteral(values: readonly SqlValue[], { from = 0, step = 1 }: { from?: number; step?: number } = {}): string {
  let text = "{";
  for (let at = from; at < values.length; at += step) {
    const value = values[at] ?? null;
    if (at > from) text += ",";
    text += value === null ? "NULL" : typeof value === "number" || isDigits(value) ? value : `"${value.replaceAll(special, escaped)}"`;
  }
  return `${text}}`;
}

const special = /["\\]/g;
const escaped = String.raw`\$&`;

/** An id inside a statement. Whatever else came would be SQL of somebody else's. */
function idLiteral(value: SqlValue): string {
  if (value === null) return "NULL";
  const text = typeof value === "string" ? value : String(value);
  assert(isDigits(text), () => `an id is decimal digits, got ${JSON.stringify(value)}`);
  return text;
}

/** Several of them, at least one. */
function idsLiteral(value: SqlValue): string {
  const text = String(value);
  assert(idList.test(text), () => `ids are decimal digits with commas between them, got ${JSON.stringify(value)}`);
  return text;
}

const idList = /^\d+(?:,\d+)*$/;

/** Digits alone: neither a delimiter nor the word NULL. */
function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return text !== "";
}

/** Nothing of it means anything to MySQL inside quotes. */
const plain = /^[\w.:/@ +-]*$/;

/** What MySQL takes for a value; `escape` quotes a text for the session's character set. */
export function literal(kind: ValueKind | "ids" | "any", value: SqlValue, escape: (text: string) => string): string {
  if (kind === "id") return idLiteral(value);
  if (kind === "ids") return idsLiteral(value);
  if (value === null) return "NULL";
  if (typeof value === "string") return plain.test(value) ? `'${value}'` : escape(value);
  assert(Number.isFinite(value), () => `a number is finite, got ${value}`);
  return String(value);
}
