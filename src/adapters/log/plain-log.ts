import type { Log, LogFields } from "../../ports/log.ts";

const levels = ["debug", "info", "warn", "error", "silent"] as const;
type Level = (typeof levels)[number];

/** One line per event for a person at a terminal: time, level, message, fields. */
export function openPlainLog(level: string, write: (line: string) => void, now: () => Date): Log {
  const least = levels.findIndex((name) => name === level);
  const line = (at: Level, message: string, fields: LogFields = {}) => {
    if (levels.indexOf(at) < least) return;
    const rest = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => ` ${key}=${textOf(value)}`);
    write(`${now().toISOString().slice(11, 19)} ${at.padEnd(5)} ${oneLine(message + rest.join(""))}\n`);
  };
  return {
    debug: (message, fields) => line("debug", message, fields),
    info: (message, fields) => line("info", message, fields),
    warn: (message, fields) => line("warn", message, fields),
    error: (message, fields) => line("error", message, fields),
  };
}

/** JSON knows nothing of an error: it would be `{}`. */
function textOf(value: unknown): string {
  if (value instanceof Error) return (value.stack ?? String(value)).replaceAll(/\s*\n\s*/g, " | ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What a caller sent may be quoted in a line, but may not begin a new one. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
