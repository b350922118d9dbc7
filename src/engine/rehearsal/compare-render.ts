/** The comparison for a terminal: a table, and one line that says it. */
import type { Comparison, Metric, MetricName } from "./compare.ts";
import { brief, percent } from "./numbers.ts";

const ruleWidth = 96;
const marks = {
  worse: "▲ worse",
  better: "▼ better",
  same: "  within noise",
  unmeasured: "  not measured",
  unlike: "  not comparable",
} as const;

export const metricTitles: Readonly<Record<MetricName, string>> = {
  p50: "median latency",
  p90: "p90 latency",
  p99: "p99 latency",
  p999: "p99.9 latency",
  answers: "answers per second",
  accepted: "orders accepted",
  sold_out: "until all was taken",
  failures: "failures and not tried",
  not_sent: "not sent in time",
  problems: "broken promises",
};

export function renderComparison({ metrics, unlike, verdict }: Comparison, names: { readonly a: string; readonly b: string }): string {
  const worse = metrics.filter(({ judgement }) => judgement === "worse").map(({ name }) => metricTitles[name]);
  const better = metrics.filter(({ judgement }) => judgement === "better").map(({ name }) => metricTitles[name]);
  const lines = [
    "",
    `A ${names.a}`,
    `B ${names.b}`,
    "═".repeat(ruleWidth),
    ...(unlike.length === 0
      ? []
      : ["Not like for like:", ...unlike.map(({ what, a, b }) => `  ${what}: ${clean(a)} against ${clean(b)}`), ""]),
    row(["", "A", "B", "difference", "", "95 % interval"], "judgement"),
    "─".repeat(ruleWidth),
    ...metrics.map(line),
    "═".repeat(ruleWidth),
    worse.length > 0
      ? `WORSE beyond noise: ${worse.join(", ")}`
      : verdict === "worse"
        ? "WORSE: run B broke promises"
        : "FINE: nothing got worse beyond noise",
    ...(better.length === 0 ? [] : [`better beyond noise: ${better.join(", ")}`]),
  ];
  return `${lines.join("\n")}\n`;
}

function line({ name, unit, a, b, difference, interval, judgement }: Metric): string {
  const share =
    difference === undefined || difference === 0 || a === undefined || a === 0 || unit === "share" ? "" : signed(difference / a, percent);
  const between = interval === undefined ? "" : `${withUnit(interval[0], unit, true)} … ${withUnit(interval[1], unit, true)}`;
  return row(
    [metricTitles[name], withUnit(a, unit), withUnit(b, unit), withUnit(difference, unit, true), share, between],
    marks[judgement],
  );
}

const row = ([name = "", a = "", b = "", difference = "", share = "", between = ""]: readonly string[], judgement: string) =>
  `  ${name.padEnd(23)}${a.padStart(10)}${b.padStart(10)}${difference.padStart(12)}${share.padStart(9)}${between.padStart(24)}  ${judgement}`.trimEnd();

export function withUnit(value: number | undefined, unit: Metric["unit"], sign = false): string {
  if (value === undefined) return "–";
  const text = { ms: (v: number) => `${brief(v)} ms`, s: (v: number) => `${brief(v)} s`, per_s: brief, share: percent, count: brief }[unit];
  return sign ? signed(value, text) : text(value);
}

export const signed = (value: number, text: (value: number) => string): string =>
  value === 0 ? "±0" : `${value > 0 ? "+" : "−"}${text(Math.abs(value))}`;

/** A file's texts move no cursor. */
const clean = (text: string) => text.replaceAll(/\p{C}/gu, "�").slice(0, 80);
