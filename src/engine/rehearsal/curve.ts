/**
 * When buyers come: a rate over time, straight between its points, and the moments that follow from it. The schedule is
 * fixed before the storm and takes no notice of answers (an open loop), so a shop that stalls is asked all the same, and
 * what it made buyers wait is measured from when they meant to ask.
 */
import { SeededRandom } from "../../lib/seeded-random.ts";

export const curveKinds = ["spike", "ramp", "steps", "constant", "wave"] as const;
export type CurveKind = (typeof curveKinds)[number];
export type CurvePoint = { readonly atMs: number; readonly perSecond: number };
export type Curve = { readonly kind: CurveKind | "file"; readonly points: readonly CurvePoint[] };

export const rateMax = 20_000;
export const durationMaxMs = 1_800_000;
export const arrivalsMax = 1_000_000;
const pointsMax = 1_000;
const waves = 3;
const wavePoints = 16;

/** `perSecond` is the highest rate that the curve reaches. */
export function curveOf(kind: CurveKind, { perSecond, durationMs }: { perSecond: number; durationMs: number }): Curve {
  const points = shapes[kind].map(([share, height]) => ({ atMs: share * durationMs, perSecond: height * perSecond }));
  return { kind, points };
}

/** Share of the duration, share of the rate. */
const shapes: Readonly<Record<CurveKind, readonly (readonly [number, number])[]>> = {
  constant: [
    [0, 1],
    [1, 1],
  ],
  ramp: [
    [0, 0],
    [1, 1],
  ],
  /** Everybody at the stroke of the hour, then ever fewer. */
  spike: [
    [0, 1],
    [0.1, 1],
    [0.25, 0.35],
    [0.5, 0.12],
    [1, 0.05],
  ],
  steps: [0.25, 0.5, 0.75, 1].flatMap((height, i) => [[i / 4, height] as const, [(i + 1) / 4, height] as const]),
  wave: Array.from({ length: waves * wavePoints + 1 }, (_, i) => {
    const share = i / (waves * wavePoints);
    return [share, 0.6 - 0.4 * Math.cos(2 * Math.PI * waves * share)] as const;
  }),
};

/**
 * `seconds rate` a line, `#` begins a comment. Seconds never fall; two lines with the same second are a jump.
 * Gives the curve, or what is wrong with the text.
 */
export function parseCurve(text: string): Curve | { readonly problem: string } {
  const points: CurvePoint[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const words = line.replace(/#.*/, "").trim();
    if (words === "") continue;
    const [, seconds, rate] = /^(\d+(?:\.\d+)?)[\s,]+(\d+(?:\.\d+)?)$/.exec(words) ?? [];
    if (seconds === undefined || rate === undefined) return wrong(index, `expected "seconds rate", got "${words.slice(0, 60)}"`);
    const point = { atMs: Number(seconds) * 1000, perSecond: Number(rate) };
    if (point.atMs < (points.at(-1)?.atMs ?? 0)) return wrong(index, "the seconds went back");
    if (point.perSecond > rateMax) return wrong(index, `a rate is at most ${rateMax} per second`);
    if (point.atMs > durationMaxMs) return wrong(index, `a curve lasts at most ${durationMaxMs / 1000} seconds`);
    if (points.length >= pointsMax) return wrong(index, `a curve has at most ${pointsMax} points`);
    points.push(point);
  }
  const curve: Curve = { kind: "file", points };
  if (durationOf(curve) === 0) return { problem: "a curve has at least two points, the last one later than the first" };
  return problemOfCurve(curve) ?? curve;
}

const wrong = (index: number, problem: string) => ({ problem: `line ${index + 1}: ${problem}` });

/** A curve that a rehearsal can run: bounded, and somebody comes. */
export function problemOfCurve(curve: Curve): { readonly problem: string } | undefined {
  const arrivals = arrivalsOf(curve);
  if (arrivals < 1) return { problem: "nobody would come: the curve holds less than one arrival" };
  return arrivals > arrivalsMax ? { problem: `${arrivals} buyers would come, at most ${arrivalsMax} may` } : undefined;
}

export const durationOf = ({ points }: Curve): number => points.at(-1)?.atMs ?? 0;
export const peakOf = ({ points }: Curve): number => Math.max(0, ...points.map(({ perSecond }) => perSecond));

/** How many come in all. */
export function arrivalsOf({ points }: Curve): number {
  let sum = 0;
  for (const [from, to] of pairs(points)) sum += areaOf(from, to);
  return Math.floor(sum + 1e-6);
}

/** The rate at a moment; where the curve jumps, what it jumps to. */
export function rateAt({ points }: Curve, atMs: number): number {
  let rate = 0;
  for (const [from, to] of pairs(points))
    if (atMs >= from.atMs && atMs <= to.atMs && to.atMs > from.atMs)
      rate = from.perSecond + ((to.perSecond - from.perSecond) * (atMs - from.atMs)) / (to.atMs - from.atMs);
  return rate;
}

/**
 * Each arrival's moment in ms, in order. The k-th comes where the area under the curve reaches k plus a share that chance
 * picks, so that the count is exact, the rhythm is uneven as a crowd's is, and the same seed gives the same moments.
 */
export function* arrivalTimes(curve: Curve, seed: number): Generator<number> {
  const random = new SeededRandom(seed);
  const count = arrivalsOf(curve);
  const legs = pairs(curve.points);
  let leg = 0;
  let before = 0;
  for (let number = 0; number < count; number++) {
    const target = number + random.next();
    for (; leg < legs.length - 1; leg++) {
      const [from, to] = legs[leg] ?? [origin, origin];
      const area = areaOf(from, to);
      if (before + area > target) break;
      before += area;
    }
    const [from, to] = legs[leg] ?? [origin, origin];
    yield momentIn(from, to, target - before);
  }
}

const origin: CurvePoint = { atMs: 0, perSecond: 0 };

function pairs(points: readonly CurvePoint[]): (readonly [CurvePoint, CurvePoint])[] {
  return points.slice(1).flatMap((to, i) => {
    const from = points[i];
    return from === undefined ? [] : [[from, to] as const];
  });
}

/** Arrivals between two points: a trapezium. */
const areaOf = (from: CurvePoint, to: CurvePoint) => ((to.atMs - from.atMs) / 1000) * ((from.perSecond + to.perSecond) / 2);

/** When the area from `from` on reaches `area`: rate·t + slope·t²/2 = area, solved in the form that has no cancellation. */
function momentIn(from: CurvePoint, to: CurvePoint, area: number): number {
  const seconds = (to.atMs - from.atMs) / 1000;
  if (seconds <= 0) return from.atMs;
  const slope = (to.perSecond - from.perSecond) / seconds;
  const root = Math.sqrt(Math.max(0, from.perSecond ** 2 + 2 * slope * area));
  const passed = from.perSecond + root === 0 ? 0 : (2 * area) / (from.perSecond + root);
  return from.atMs + Math.min(seconds, Math.max(0, passed)) * 1000;
}
