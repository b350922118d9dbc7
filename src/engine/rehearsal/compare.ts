/**
 * Two runs side by side, and which of B's figures differ from A's by more than chance. Chance is told from the runs
 * themselves: their seconds are drawn anew, with repetition, many times over, in blocks so that neighbours stay together,
 * and where both runs had the same curve the same blocks are drawn from both, so that the curve's own ups and downs cancel.
 * A difference counts when 95 % of the draws agree on its direction and it is large enough to matter.
 */
import { SeededRandom } from "../../lib/seeded-random.ts";
import { Histogram } from "./histogram.ts";
import { allTakenAtMs, failuresOf, total } from "./slices.ts";
import type { RunFacts } from "./read-report.ts";
import type { SecondData } from "./series.ts";

export const metricNames = ["p50", "p90", "p99", "p999", "answers", "accepted", "sold_out", "failures", "not_sent", "problems"] as const;
export type MetricName = (typeof metricNames)[number];
/** `unlike`: what differs between the runs by itself decides the figure. */
export type Judgement = "worse" | "better" | "same" | "unmeasured" | "unlike";
export type Metric = {
  readonly name: MetricName;
  readonly unit: "ms" | "per_s" | "s" | "share" | "count";
  readonly a: number | undefined;
  readonly b: number | undefined;
  /** B minus A. */
  readonly difference: number | undefined;
  /** Of the difference, where chance can be told from the seconds. */
  readonly interval?: readonly [low: number, high: number] | undefined;
  readonly judgement: Judgement;
};
export type ComparedCondition = (typeof conditions)[number];
export type Unlike = { readonly what: ComparedCondition; readonly a: string; readonly b: string };
export type Comparison = {
  /** `worse` if anything is, or if B broke a promise. */
  readonly verdict: "fine" | "worse";
  readonly metrics: readonly Metric[];
  /** Conditions that differ: what they explain is no news. */
  readonly unlike: readonly Unlike[];
};

export const drawsCount = 400;
const blocksMax = 60;
/** With fewer blocks an interval says nothing. */
const blocksMin = 5;
export const relativeMin = 0.05;

type Rule = {
  readonly name: MetricName;
  readonly unit: Metric["unit"];
  readonly better: "lower" | "higher";
  /** A smaller difference is none, whatever its share: below what the client can measure. */
  readonly floor: number;
  /** Of any part of a run; absent where a run has one value only. */
  readonly of?: ((part: Part) => number | undefined) | undefined;
  readonly whole?: ((run: RunFacts) => number | undefined) | undefined;
  /** What the crowd and the sale decide rather than the shop: where one of these differs, the figure is not judged. */
  readonly decidedBy?: readonly Unlike["what"][] | undefined;
};
type Part = {
  readonly latency: Histogram;
  readonly seconds: number;
  readonly attempts: number;
  readonly answers: number;
  readonly failures: number;
  readonly notSent: number;
};

const latencyAt = (share: number) => (part: Part) => (part.latency.count === 0 ? undefined : part.latency.at(share));
const shareOf = (times: (part: Part) => number) => (part: Part) => (part.attempts === 0 ? undefined : times(part) / part.attempts);

// oxfmt-ignore
const rules: readonly Rule[] = [
  { name: "p50",      unit: "ms",    better: "lower",  floor: 0.5,   of: latencyAt(0.5) },
  { name: "p90",      unit: "ms",    better: "lower",  floor: 0.5,   of: latencyAt(0.9) },
  { name: "p99",      unit: "ms",    better: "lower",  floor: 1,     of: latencyAt(0.99) },
  { name: "p999",     unit: "ms",    better: "lower",  floor: 2,     of: latencyAt(0.999) },
  { name: "answers",  unit: "per_s", better: "higher", floor: 1,     of: (part) => (part.seconds === 0 ? undefined : part.answers / part.seconds), decidedBy: ["curve", "buyers"] },
  { name: "accepted", unit: "count", better: "higher", floor: 1,     whole: (run) => Math.min(run.accepted, run.stock), decidedBy: ["buyers", "stock"] },
  { name: "sold_out", unit: "s",     better: "lower",  floor: 0.5,   whole: (run) => inSeconds(allTakenAtMs(run.stockOverTime)), decidedBy: ["curve", "buyers", "stock"] },
  { name: "failures", unit: "share", better: "lower",  floor: 0.001, of: shareOf((part) => part.failures) },
  { name: "not_sent", unit: "share", better: "lower",  floor: 0.001, of: shareOf((part) => part.notSent) },
  { name: "problems", unit: "count", better: "lower",  floor: 0,     whole: (run) => run.problems },
];

export function compare(a: RunFacts, b: RunFacts, seed = 1): Comparison {
  const blocks = { a: blocksOf(a.seconds), b: blocksOf(b.seconds) };
  const draws = drawn(blocks, a.curve === b.curve, seed);
  const unlike = unlikeOf(a, b);
  const metrics = rules.map((rule): Metric => {
    const { name, unit, of, whole, decidedBy } = rule;
    const isUnlike = unlike.some(({ what }) => decidedBy?.includes(what));
    const [left, right] = of === undefined ? [whole?.(a), whole?.(b)] : [of(sumOf(blocks.a)), of(sumOf(blocks.b))];
    const difference = left === undefined || right === undefined ? undefined : right - left;
    const interval = of === undefined || difference === undefined ? undefined : intervalOf(draws, of);
    return { name, unit, a: left, b: right, difference, interval, judgement: judge(rule, { a: left, difference, interval, isUnlike }) };
  });
  const isWorse = b.verdict === "invalid" || metrics.some(({ judgement }) => judgement === "worse");
  return { verdict: isWorse ? "worse" : "fine", metrics, unlike };
}

type Found = Pick<Metric, "a" | "difference" | "interval"> & { readonly isUnlike: boolean };

function judge({ of, better, floor }: Rule, { a, difference, interval, isUnlike }: Found): Judgement {
  if (a === undefined || difference === undefined) return "unmeasured";
  if (isUnlike) return "unlike";
  const large = Math.abs(difference) > floor && Math.abs(difference) >= Math.abs(a) * relativeMin;
  if (!large) return "same";
  // Too short to tell chance: a difference that nobody can call one.
  if (of !== undefined && (interval === undefined || (interval[0] <= 0 && interval[1] >= 0))) return "same";
  return difference > 0 === (better === "lower") ? "worse" : "better";
}

/** From the opening on, in at most so many pieces of equal length. */
function blocksOf(rows: readonly SecondData[]): Part[] {
  const open = rows.filter(({ second, attempts }) => second >= 0 && attempts > 0);
  const width = Math.max(1, Math.ceil(open.length / blocksMax));
  return Array.from({ length: Math.ceil(open.length / width) }, (_, i) => partOf(open.slice(i * width, (i + 1) * width)));
}

function partOf(rows: readonly SecondData[]): Part {
  const latency = new Histogram();
  for (const { latency: data } of rows) {
    const one = data === undefined ? undefined : Histogram.of(data);
    if (one !== undefined) latency.merge(one);
  }
  const sum = (of: (row: SecondData) => number) => rows.reduce((all, row) => all + of(row), 0);
  return {
    latency,
    seconds: rows.length,
    attempts: sum((row) => row.attempts),
    answers: sum((row) => row.accepted + row.replayed + total(row.refused)),
    failures: sum((row) => failuresOf(row) + total(row.not_tried)),
    notSent: sum((row) => row.not_sent),
  };
}

function sumOf(parts: readonly Part[]): Part {
  const latency = new Histogram();
  for (const part of parts) latency.merge(part.latency);
  const sum = (of: (part: Part) => number) => parts.reduce((all, part) => all + of(part), 0);
  return {
    latency,
    seconds: sum((part) => part.seconds),
    attempts: sum((part) => part.attempts),
    answers: sum((part) => part.answers),
    failures: sum((part) => part.failures),
    notSent: sum((part) => part.notSent),
  };
}

type Draw = { readonly a: Part; readonly b: Part };

function drawn({ a, b }: { a: readonly Part[]; b: readonly Part[] }, sameCurve: boolean, seed: number): Draw[] {
  if (a.length < blocksMin || b.length < blocksMin) return [];
  const random = new SeededRandom(seed);
  const paired = sameCurve && a.length === b.length;
  const pick = (from: readonly Part[], indices: readonly number[]) => sumOf(indices.flatMap((index) => from[index] ?? []));
  const indices = (length: number) => Array.from({ length }, () => random.between(0, length - 1));
  return Array.from({ length: drawsCount }, () => {
    const ofA = indices(a.length);
    return { a: pick(a, ofA), b: pick(b, paired ? ofA : indices(b.length)) };
  });
}

/** The middle 95 % of the differences drawn. */
function intervalOf(draws: readonly Draw[], of: NonNullable<Rule["of"]>): readonly [number, number] | undefined {
  const differences = draws
    .flatMap(({ a, b }) => {
      const [left, right] = [of(a), of(b)];
      return left === undefined || right === undefined ? [] : [right - left];
    })
    .toSorted((x, y) => x - y);
  const low = differences[Math.floor(differences.length * 0.025)];
  const high = differences[Math.ceil(differences.length * 0.975) - 1];
  return low === undefined || high === undefined ? undefined : [low, high];
}

const conditions = [
  "place",
  "server",
  "client",
  "curve",
  "stock",
  "buyers",
  "connections",
  "payWindowMs",
  "seed",
] as const satisfies readonly (keyof RunFacts)[];

function unlikeOf(a: RunFacts, b: RunFacts): Unlike[] {
  return conditions.flatMap((what) => (a[what] === b[what] ? [] : [{ what, a: String(a[what]), b: String(b[what]) }]));
}

const inSeconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000);
