/**
 * What doctor says about one thing: what was found, why it matters and what to do. Judgement is a pure function of facts,
 * so that every finding is a row of a table test; see docs/doctor.md for all of them.
 */
export type Level = "ok" | "warning" | "problem";

export type Finding = {
  /** Stable: scripts look for it. */
  readonly id: string;
  readonly level: Level;
  readonly found: string;
  /** What was measured, where it is a number. */
  readonly value?: number | undefined;
  readonly unit?: string | undefined;
  /** Why it matters. */
  readonly why: string;
  /** One line, with a command where there is one. Absent when nothing is to be done. */
  readonly fix?: string | undefined;
};

/** A finding before it has its check's name and reason. */
export type Judgement = {
  readonly level: Level;
  readonly found: string;
  readonly value?: number | undefined;
  readonly unit?: string | undefined;
  readonly fix?: string | undefined;
};

/** One thing to look at. A new kind of store, cache or broker brings a list of these and a way to get their facts. */
export type Check<Facts> = {
  readonly id: string;
  readonly why: string;
  /** One judgement or several; none when there is nothing to judge. */
  readonly judge: (facts: Facts) => Judgement | readonly Judgement[] | undefined;
};

export function judgeAll<Facts>(checks: readonly Check<Facts>[], facts: Facts): readonly Finding[] {
  return checks.flatMap(({ id, why, judge }) => {
    const judged = judge(facts);
    if (judged === undefined) return [];
    return (isList(judged) ? judged : [judged]).map((judgement) => ({ id, ...judgement, why }));
  });
}

const isList = (judged: Judgement | readonly Judgement[]): judged is readonly Judgement[] => Array.isArray(judged);

type Measured = { readonly value?: number | undefined; readonly unit?: string | undefined };

export const ok = (found: string, measured: Measured = {}): Judgement => ({ level: "ok", found, ...measured });

export const warning = (found: string, fix: string, measured: Measured = {}): Judgement => ({ level: "warning", found, ...measured, fix });

export const problem = (found: string, fix: string, measured: Measured = {}): Judgement => ({ level: "problem", found, ...measured, fix });

/** The worst of them. */
export function worstOf(findings: readonly Finding[]): Level {
  if (findings.some(({ level }) => level === "problem")) return "problem";
  return findings.some(({ level }) => level === "warning") ? "warning" : "ok";
}

const units = ["bytes", "KB", "MB", "GB", "TB", "PB"] as const;

/** 1_500_000_000 as "1.5 GB". */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ""}`;
}

/** With thousands apart. */
export const countText = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

export function millisecondsText(ms: number): string {
  return `${ms >= 100 ? Math.round(ms) : ms >= 1 ? ms.toFixed(1) : ms.toFixed(3)} ms`;
}
