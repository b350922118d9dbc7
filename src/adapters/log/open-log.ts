/**
 * The log of a process: levels, a wall against secrets, a bound on lines per second, a format, and somewhere to write to.
 *
 *   caller ─► level ─► budget ─► redact.ts ─► JSON or plain ─► line-sink.ts
 */
import { SecondBudget } from "../../lib/second-budget.ts";
import type { Log, LogCounts, LogFields } from "../../ports/log.ts";
import { LineSink, type Target } from "./line-sink.ts";
import { jsonLines } from "./pino-log.ts";
import { plainLines } from "./plain-log.ts";
import { redact } from "./redact.ts";

/** Of each level; whoever can make us fail or refuse as often as he likes cannot fill the disk with it. */
export const linesPerSecondMax = 1_000;
const levels = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof levels)[number];

export type LogOptions = {
  /** The least important level that is written, or `silent`. */
  readonly level: string;
  readonly format: string;
  readonly target: Target;
  readonly nowMs: () => number;
};

export type OpenedLog = Log & {
  readonly counts: LogCounts;
  /** After logrotate has moved the file away. */
  readonly reopen: () => void;
  readonly flush: () => Promise<void>;
  readonly flushSync: () => void;
};

/** Writes a line that is clean already. */
export type Lines = (level: Level, message: string, fields: LogFields) => void;

export function openLog({ level: least, format, target, nowMs }: LogOptions): OpenedLog {
  const sink = new LineSink(target);
  const write = (line: string) => sink.write(line);
  const lines = guarded(format === "plain" ? plainLines(write, nowMs) : jsonLines(write), nowMs);
  const from = levels.findIndex((name) => name === least);
  const at = (level: Level) => (from >= 0 && levels.indexOf(level) >= from ? lines(level) : nothing);
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    counts: sink.counts,
    reopen: () => sink.reopen(),
    flush: () => sink.flush(),
    flushSync: () => sink.flushSync(),
  };
}

const nothing = () => undefined;

/** Bounded and clean. What is left out is said once a second. */
export function guarded(lines: Lines, nowMs: () => number) {
  return (level: Level) => {
    const budget = new SecondBudget(linesPerSecondMax);
    const sayLeftOut = () => lines("warn", "log lines were left out", { level, left_out: budget.takeLeftOut() });
    return (message: string, fields?: LogFields): void => {
      if (budget.take(nowMs())) {
        const clean = redact(message, fields);
        lines(level, clean.message, clean.fields);
      } else if (budget.leftOut === 1) setTimeout(sayLeftOut, 1000).unref();
    };
  };
}
