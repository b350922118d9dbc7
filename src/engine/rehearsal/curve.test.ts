import { expect, test } from "bun:test";
import {
  arrivalsMax,
  arrivalsOf,
  arrivalTimes,
  curveKinds,
  curveOf,
  durationOf,
  parseCurve,
  peakOf,
  problemOfCurve,
  rateAt,
  type Curve,
} from "./curve.ts";

const size = { perSecond: 200, durationMs: 20_000 };

test.each(curveKinds.map((kind) => [kind] as const))(
  "[J4] %s: arrivals are in order, exact in number, and as dense as the curve says",
  (kind) => {
    const curve = curveOf(kind, size);
    const times = [...arrivalTimes(curve, 7)];
    expect(times.length).toBe(arrivalsOf(curve));
    expect(peakOf(curve)).toBeCloseTo(size.perSecond);
    expect(durationOf(curve)).toBe(size.durationMs);
    expect(times.every((at, i) => at >= (times[i - 1] ?? 0) && at <= size.durationMs)).toBe(true);
    for (let second = 0; second < 20; second++) {
      const came = times.filter((at) => Math.floor(at / 1000) === second).length;
      let expected = 0;
      for (let i = 0; i < 1000; i++) expected += rateAt(curve, second * 1000 + i + 0.5) / 1000;
      expect(Math.abs(came - expected), `second ${second}: ${came} came, ${expected} expected`).toBeLessThanOrEqual(2.5);
    }
  },
);

test("the same seed gives the same moments, another seed others", () => {
  const curve = curveOf("wave", size);
  expect([...arrivalTimes(curve, 1)]).toEqual([...arrivalTimes(curve, 1)]);
  expect([...arrivalTimes(curve, 1)]).not.toEqual([...arrivalTimes(curve, 2)]);
});

test("a file's curve: comments, decimals, jumps", () => {
  const curve = parseCurve("# seconds rate\n0 10\n1.5 10 # still\n1.5, 100\n\n3 100\n");
  expect(curve).toMatchObject({ kind: "file", points: [{ atMs: 0 }, { atMs: 1_500 }, { atMs: 1_500, perSecond: 100 }, { atMs: 3_000 }] });
  const times = [...arrivalTimes(curve as Curve, 1)];
  expect(times.length).toBe(165);
  expect(times.filter((at) => at < 1_500).length).toBe(15);
});

test.each([
  ["", "at least two points"],
  ["0 10", "at least two points"],
  ["0 10\n0 20", "at least two points"],
  ["0 10\nsoon 20", 'line 2: expected "seconds rate", got "soon 20"'],
  ["0 10\n1 -5", "line 2: expected"],
  ["5 10\n1 5", "line 2: the seconds went back"],
  ["0 20001", "line 1: a rate is at most 20000"],
  ["0 1\n1801 1", "line 2: a curve lasts at most 1800 seconds"],
  ["0 0\n10 0", "nobody would come"],
  ["0 20000\n1800 20000", `at most ${arrivalsMax} may`],
])("a file that says %j is refused in words", (text, problem) => {
  const found = parseCurve(text);
  expect("problem" in found && found.problem).toContain(problem);
});

test("a file has at most 1000 points", () => {
  const lines = (count: number) => Array.from({ length: count }, (_, i) => `${i} 1`).join("\n");
  expect(parseCurve(lines(1_000))).toMatchObject({ kind: "file" });
  expect(parseCurve(lines(1_001))).toEqual({ problem: "line 1001: a curve has at most 1000 points" });
});

test("what a curve's flags ask for is bounded as well", () => {
  expect(problemOfCurve(curveOf("constant", { perSecond: 20_000, durationMs: 1_800_000 }))?.problem).toContain("at most");
  expect(problemOfCurve(curveOf("spike", size))).toBeUndefined();
});
