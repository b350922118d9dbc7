/**
 * The start of a sale as a calendar file (RFC 5545): who opens it is reminded ten minutes before, signed in or not. It is
 * made of the sale alone, so it is the same bytes for everybody, from every process, whenever it is asked for.
 */
import type { Sale } from "../../domain/sale.ts";

/** A reminder, and nothing of anybody. */
export type CalendarWords = { readonly title: string; readonly about: string };

export function calendarFile(sale: Pick<Sale, "id" | "startsAtMs" | "endsAtMs" | "createdAtMs">, { title, about }: CalendarWords): string {
  const lines = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//Doorbuster//Doorbuster//EN",
    "CALSCALE:GREGORIAN",
    "BEGIN:VEVENT",
    // Opened twice, it is one entry.
    `UID:sale-${sale.id}-${sale.createdAtMs}@doorbuster.invalid`,
    `DTSTAMP:${utc(sale.createdAtMs)}`,
    `DTSTART:${utc(sale.startsAtMs)}`,
    `DTEND:${utc(sale.endsAtMs)}`,
    `SUMMARY:${text(title)}`,
    `DESCRIPTION:${text(about)}`,
    // Whoever has it in the calendar is not taken to be away meanwhile.
    "TRANSP:TRANSPARENT",
    "BEGIN:VALARM",
    "ACTION:DISPLAY",
    `DESCRIPTION:${text(title)}`,
    "TRIGGER:-PT10M",
    "END:VALARM",
    "END:VEVENT",
    "END:VCALENDAR",
  ];
  return lines.map((line) => `${folded(line)}\r\n`).join("");
}

/** Whole seconds are all that a calendar has. */
const utc = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;

/** A line break is told by letters; other control characters have no place in a calendar. */
const text = (value: string): string =>
  value
    .replaceAll(/[\\;,]/g, "\\$&")
    .replaceAll(/\r\n|[\r\n]/g, "\\n")
    .replaceAll(/\p{Cc}/gu, "");

/** Of a line, its break not counted. */
const octetsMax = 75;

/** A line goes on behind a blank, which counts; no character is torn apart. */
function folded(line: string): string {
  const parts: string[] = [];
  let part = "";
  let octets = 0;
  for (const sign of line) {
    const size = Buffer.byteLength(sign);
    if (octets + size > octetsMax) {
      parts.push(part);
      part = "";
      octets = 1;
    }
    part += sign;
    octets += size;
  }
  return [...parts, part].join("\r\n ");
}
