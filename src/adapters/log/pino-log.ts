import { pino } from "pino";
import type { Lines } from "./open-log.ts";

/** One JSON object per line, for machines. */
export function jsonLines(write: (line: string) => void): Lines {
  const logger = pino({ level: "trace", base: null, timestamp: pino.stdTimeFunctions.isoTime }, { write });
  return (level, message, fields) => logger[level](fields, message);
}
