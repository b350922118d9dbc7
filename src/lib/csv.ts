/**
 * Lines of CSV (RFC 4180: commas, CRLF, quotes doubled) that a spreadsheet opens as what they are.
 *
 * Invariant: no cell made of text begins a formula. A text that starts like one, also behind blanks, invisible characters
 * or in a full-width spelling, gets an apostrophe in front; so does one that would start where a spreadsheet with another
 * separator cuts the cell in two.
 */
import { utcText } from "./utc-text.ts";

export type Cell = string | number | boolean | Instant | undefined;
/** Written as ISO 8601 in UTC. */
export type Instant = { readonly atMs: number };

/** What makes a spreadsheet compute, in every width that it takes for the same. */
const trigger = "[=+\\-@\\uFF1D\\uFF0B\\uFF0D\\uFF20\\uFE66\\uFE62\\uFE63\\uFE6B\\u207C\\u207A\\u207B\\u208C\\u208A\\u208B\\u2212]";
const unseen = "[\\s\\p{Cf}\\p{Cc}]*";
const atStart = new RegExp(`^(?:[\\t\\r\\n]|${unseen}${trigger})`, "u");
const afterCut = new RegExp(`([;\\t\\r\\n|]${unseen})(?=${trigger})`, "gu");

/** Text for people's eyes, with nothing in it that would be computed. */
export function harmless(text: string): string {
  const cut = text.replace(afterCut, "$1'");
  return atStart.test(text) ? `'${cut}` : cut;
}

/** One line with its end. Numbers stand bare, texts in quotes; nothing at all is an empty cell. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(cellText).join(",")}\r\n`;
}

function cellText(cell: Cell): string {
  if (cell === undefined) return "";
  if (typeof cell === "object") return `"${utcText(cell.atMs)}"`;
  if (typeof cell !== "string") return String(cell);
  return `"${harmless(cell).replaceAll('"', '""')}"`;
}

/** Tells spreadsheets that UTF-8 follows. */
export const byteOrderMark = "\uFEFF";
