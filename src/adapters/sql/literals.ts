/** Values as text inside statements, where a driver's own way would cost more than the database does. */
import { assert } from "../../lib/assert.ts";
import type { ValueKind } from "./insert-statement.ts";
import type { SqlValue } from "./sql-transaction.ts";

/** An array as PostgreSQL reads it. Numbers need no quotes, and texts of digits may have them. */
export function arrayLiteral(values: readonly SqlValue[]): string {
  let text = "{";
  for (const [i, value] of values.entries()) {
    if (i > 0) text += ",";
    text += value === null ? "NULL" : typeof value === "number" ? value : isPlain(value) ? value : quoted(value);
  }
  return `${text}}`;
}

/** Digits alone: neither a delimiter nor the word NULL. */
const isPlain = (value: string): boolean => value !== "" && isDigits(value);
const quoted = (value: string): string => `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`;

/** An id inside a statement. Whatever else came would be SQL of somebody else's. */
export function idLiteral(value: SqlValue): string {
  if (value === null) return "NULL";
  const text = String(value);
  assert(text !== "" && isDigits(text), () => `an id is decimal digits, got ${JSON.stringify(value)}`);
  return text;
}

function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return true;
}

/** What MySQL takes for a value; `escape` quotes a text for the session's character set. */
export function literal(kind: ValueKind | "any", value: SqlValue, escape: (text: string) => string): string {
  if (kind === "id") return idLiteral(value);
  if (value === null) return "NULL";
  if (typeof value === "string") return escape(value);
  assert(Number.isFinite(value), () => `a number is finite, got ${value}`);
  return String(value);
}
