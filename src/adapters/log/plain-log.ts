import type { Lines } from "./open-log.ts";

/** One line per event for a person at a terminal: time, level, message, fields. */
export function plainLines(write: (line: string) => void, nowMs: () => number): Lines {
  return (level, message, fields) => {
    const rest = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => ` ${key}=${textOf(value)}`);
    write(`${new Date(nowMs()).toISOString().slice(11, 19)} ${level.padEnd(5)} ${oneLine(message + rest.join(""))}\n`);
  };
}

/** An error is told by where it came from. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  const isError = typeof value === "object" && value !== null && "stack" in value && typeof value.stack === "string";
  return isError ? String(value.stack).replaceAll(/\s*\n\s*/g, " | ") : JSON.stringify(value);
}

/** What a caller sent may be quoted in a line, but may not begin a new one. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
