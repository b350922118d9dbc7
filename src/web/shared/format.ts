/** How money and times are written. The time zone is the reader's, and always named. */
import type { Language } from "./languages.ts";

/** An amount in the currency's smallest unit, which the currency itself tells the size of. */
export function money(language: Language, minor: number, currency: string): string {
  const format = new Intl.NumberFormat(language, { style: "currency", currency, currencyDisplay: "narrowSymbol" });
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/** "Jan 31, 12:00:00 GMT+8". Without a zone, the one of whoever runs this. */
export function instant(language: Language, ms: number, timeZone?: string): string {
  return new Intl.DateTimeFormat(language, {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "short",
    hourCycle: "h23",
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(ms);
}

export type Remaining = { readonly days: number; readonly hours: number; readonly minutes: number; readonly seconds: number };

/** Rounded up: while anything is left, it is at least a second. */
export function remaining(ms: number): Remaining {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return {
    days: Math.floor(seconds / 86_400),
    hours: Math.floor(seconds / 3_600) % 24,
    minutes: Math.floor(seconds / 60) % 60,
    seconds: seconds % 60,
  };
}

export const twoDigits = (n: number): string => String(n).padStart(2, "0");

/** "14:32", or "1:14:32" above an hour. */
export function clockText(ms: number): string {
  const { days, hours, minutes, seconds } = remaining(ms);
  const all = days * 24 + hours;
  return `${all > 0 ? `${all}:` : ""}${twoDigits(minutes)}:${twoDigits(seconds)}`;
}
