import { describe, expect, test } from "bun:test";
import { SeededRandom } from "../../lib/seeded-random.ts";
import { compare, metricNames, type Comparison, type MetricName } from "./compare.ts";
import { renderComparison } from "./compare-render.ts";
import { Histogram } from "./histogram.ts";
import { readReport, type RunFacts } from "./read-report.ts";
import { reportFormat } from "./report.ts";

type Shape = {
  readonly seed: number;
  readonly slower?: number;
  readonly failing?: number;
  readonly seconds?: number;
  readonly change?: Record<string, unknown>;
};

/** A run whose latencies are drawn from a skewed distribution, second by second, under a rate that swings. */
function written({ seed, slower = 1, failing = 0, seconds = 24, change = {} }: Shape): unknown {
  const random = new SeededRandom(seed);
  const rows = Array.from({ length: seconds }, (_, second) => {
    const latency = new Histogram();
    const attempts = Math.round(60 + 40 * Math.sin(second));
    // A second is quick or slow as a whole, as on a real machine.
    const mood = 1 + random.next() * 0.5;
    for (let i = 0; i < attempts; i++) latency.add(slower * mood * (1 + 8 * random.next() ** 6));
    const failed = Math.round(attempts * failing);
    const errors = { timed_out: failed, dropped: 3 };
    return {
      second,
      attempts,
      accepted: 1,
      replayed: 0,
      refused: { sold_out: attempts - failed },
      not_tried: {},
      errors,
      not_sent: 0,
      polls: 0,
      latency: latency.data(),
    };
  });
  return {
    format: reportFormat,
    began_at: "2030-01-01T00:00:00.000Z",
    verdict: "valid",
    problems: [],
    stock: 40,
    buyers: 100,
    seed: 1,
    connections: 9,
    pay_window_ms: 5_000,
    curve: { kind: "wave", peak_per_s: 100, duration_s: 40, points: [] },
    target: { kind: "own_server" },
    environment: { client: { version: "1", cores: 2 }, server: { version: "1" } },
    accepted: 40,
    stock_over_time: [
      { atMs: 0, available: 40, held: 0, sold: 0 },
      { atMs: 5_000, available: 0, held: 0, sold: 40 },
    ],
    seconds: rows,
    ...change,
  };
}
function run(shape: Shape): RunFacts {
  const facts = readReport(JSON.parse(JSON.stringify(written(shape))));
  if ("problem" in facts) throw new Error(facts.problem);
  return facts;
}
const judged = ({ metrics }: Comparison, name: MetricName) => metrics.find((metric) => metric.name === name)?.judgement;

describe("[J4] comparing two runs", () => {
  test("twice the same, 8 pairs of seeds: noise is called noise", () => {
    let wrong = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const { metrics } = compare(run({ seed }), run({ seed: seed + 1_000 }), seed);
      wrong += metrics.filter(({ judgement }) => judgement === "worse" || judgement === "better").length;
    }
    // Of 80 judgements; a 95 % interval may be wrong now and then.
    expect(wrong).toBeLessThanOrEqual(3);
  }, 30_000);

  test("half as slow again, 3 pairs of seeds: the median is always seen to be worse, and the other way round better", () => {
    for (let seed = 1; seed <= 3; seed++) {
      const [quick, slow] = [run({ seed, slower: 3 }), run({ seed: seed + 1_000, slower: 4.5 })];
      const found = compare(quick, slow, seed);
      expect([seed, judged(found, "p50"), found.verdict]).toEqual([seed, "worse", "worse"]);
      const back = compare(slow, quick, seed);
      expect([seed, judged(back, "p50"), back.verdict]).toEqual([seed, "better", "fine"]);
    }
  }, 30_000);

  // oxfmt-ignore
  const rows: [string, Shape, MetricName, "worse" | "better"][] = [
    ["more failures",        { seed: 2, failing: 0.1 },                                                          "failures", "worse"],
    ["fewer orders",         { seed: 2, change: { accepted: 30 } },                                              "accepted", "worse"],
    ["a later sell-out",     { seed: 2, change: { stock_over_time: [{ atMs: 9_000, available: 0, sold: 40 }] } },          "sold_out", "worse"],
    ["an earlier sell-out",  { seed: 2, change: { stock_over_time: [{ atMs: 1_000, available: 0, sold: 40 }] } },          "sold_out", "better"],
    ["a broken promise",     { seed: 2, change: { verdict: "invalid", problems: ["I1: oversold"] } },            "problems", "worse"],
  ];
  test.each(rows)("%s", (_, shape, name, judgement) => {
    const found = compare(run({ seed: 1 }), run(shape));
    expect([judged(found, name), found.verdict]).toEqual([judgement, judgement === "worse" ? "worse" : "fine"]);
  });

  test("what is too short to tell chance is called no difference, and what was not measured is said so", () => {
    const found = compare(run({ seed: 1, seconds: 4 }), run({ seed: 2, seconds: 4, slower: 50 }));
    expect(judged(found, "p50")).toBe("same");
    expect(judged(compare(run({ seed: 1, change: { stock_over_time: [] } }), run({ seed: 2 })), "sold_out")).toBe("unmeasured");
  });

  test("no free unit because the rest was withdrawn is no sell-out", () => {
    const samples = [
      { atMs: 0, available: 40, held: 0, sold: 0 },
      { atMs: 5_000, available: 0, held: 10, sold: 20 },
    ];
    const cancelled = run({ seed: 2, change: { stock_over_time: samples } });
    expect(judged(compare(cancelled, cancelled), "sold_out")).toBe("unmeasured");
  });

  test("what another crowd or stock decides by itself is not judged", () => {
    const later = { stock_over_time: [{ atMs: 9_000, available: 0, sold: 20 }], stock: 20, accepted: 20 };
    const found = compare(run({ seed: 1 }), run({ seed: 1, change: later }));
    expect([judged(found, "sold_out"), judged(found, "accepted"), found.verdict]).toEqual(["unlike", "unlike", "fine"]);
  });

  test("different conditions are named", () => {
    const other = run({ seed: 2, change: { stock: 50, environment: { client: {}, server: { version: "2" } } } });
    expect(compare(run({ seed: 1 }), other).unlike.map(({ what }) => what)).toEqual(["server", "client", "stock"]);
  });

  test("the table has a line for every figure, with signs, and says it in a sentence", () => {
    const page = renderComparison(compare(run({ seed: 1 }), run({ seed: 2, failing: 0.1 })), { a: "a.json", b: "b.json" });
    expect(page.split("\n").filter((line) => /within noise|worse|better/.test(line)).length).toBeGreaterThanOrEqual(metricNames.length);
    expect(page).toMatch(/failures and not tried\s+0 %\s+1\d(\.\d)? %\s+\+1\d(\.\d)? %/);
    expect(page).toMatch(/WORSE beyond noise: .*failures and not tried/);
  });
});

test.each([
  ["nothing", undefined],
  ["a list", []],
  ["another format", { ...Object(written({ seed: 1 })), format: "doorbuster-rehearsal/9" }],
  ["no verdict", written({ seed: 1, change: { verdict: "fine" } })],
  ["no seconds", written({ seed: 1, change: { seconds: [] } })],
  ["a second without its number", written({ seed: 1, change: { seconds: [{ attempts: 1 }] } })],
  ["a histogram that is none", written({ seed: 1, change: { seconds: [{ second: 0, latency: { max_us: -1, buckets: [] } }] } })],
])("a report that holds %s is refused in words", (_, value) => {
  const facts = readReport(value);
  expect("problem" in facts && facts.problem.length > 0).toBe(true);
});

test("a report with wild numbers and names is read without harm", () => {
  const wild = {
    accepted: "many",
    stock: -5,
    buyers: Number.NaN,
    stock_over_time: [{ atMs: "x" }, null, { atMs: 1, available: -1 }],
    target: null,
    environment: 7,
  };
  const found = compare(run({ seed: 1, change: wild }), run({ seed: 1, change: wild }));
  expect(JSON.stringify(found)).not.toMatch(/NaN|null/);
});
