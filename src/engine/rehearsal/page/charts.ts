/** The four charts of a rehearsal, each with the table it was drawn from. */
import { rateAt } from "../curve.ts";
import type { RehearsalReport } from "../report.ts";
import { figure, type LegendEntry } from "./figure.ts";
import { html, type Markup } from "./markup.ts";
import type { MessageKey } from "./messages-en.ts";
import { brief, whole } from "../numbers.ts";
import { linearScale, logScale, timeScale } from "./scale.ts";
import { added, allTakenAtMs, slicesOf, stockColumns, type Slice } from "../slices.ts";
import { svgChart, type Layer } from "./svg-chart.ts";
import type { Words } from "./words.ts";

const yTicks = 4;
const xTicks = 10;
/** More reasons than this go into one. */
const reasonsMax = 5;

export function reportCharts(words: Words, report: RehearsalReport): Markup {
  const slices = slicesOf(report.seconds);
  if (slices.length === 0) return html`<p class="card">${words.say("no_data")}</p>`;
  const axis: MessageKey = report.curve === undefined ? "axis_begin" : "axis_opening";
  const view = { words, report, slices, axis };
  return html`${paceChart(view)}${answersChart(view)}${latencyChart(view)}${stockChart(view)}`;
}

type View = { readonly words: Words; readonly report: RehearsalReport; readonly slices: readonly Slice[]; readonly axis: MessageKey };

const spanOf = (slices: readonly Slice[]) => {
  const last = slices.at(-1);
  return { from: slices[0]?.from ?? 0, to: last === undefined ? 1 : last.from + last.seconds };
};
const timeAxis = (slices: readonly Slice[]) => timeScale({ ...spanOf(slices), ticks: xTicks });
const markOf = (from: number) => (from < 0 ? 0 : undefined);
/** What the line across means, where there is one. */
const markLegend = (name: Markup, at: number | undefined): LegendEntry[] =>
  at === undefined ? [] : [{ look: "c-mark", name, isLine: true }];
/** A little apart from its neighbours: where it begins, and how wide it is. */
const barOf = ({ from, seconds }: Slice): [x: number, width: number] => [from + seconds * 0.03, seconds * 0.94];
const middle = ({ from, seconds }: Slice) => from + seconds / 2;

/** A run that was stopped saw less than its curve holds: the line ends with the axis. */
function cutAt(points: readonly (readonly [number, number])[], end: number, at: (second: number) => number): [number, number][] {
  const within = points.filter(([second]) => second <= end).map(([second, value]): [number, number] => [second, value]);
  return within.length === points.length || within.length === 0 ? within : [...within, [end, at(end)]];
}

function paceChart({ words, report, slices, axis }: View): Markup {
  const { points = [] } = report.curve ?? {};
  const curve = { kind: "file" as const, points: points.map(([second, perSecond]) => ({ atMs: second * 1000, perSecond })) };
  const planned = cutAt(points, spanOf(slices).to, (second) => rateAt(curve, second * 1000));
  const highest = Math.max(1, ...slices.map(({ attempts, seconds }) => attempts / seconds), ...points.map(([, perSecond]) => perSecond));
  const legend: LegendEntry[] = [
    { look: "c-attempts", name: words.say("attempts") },
    { look: "c-accepted", name: words.say("accepts") },
    ...(points.length === 0 ? [] : [{ look: "c-plan dashed", name: words.say("planned"), isLine: true }]),
    ...(report.requests.not_sent === 0 ? [] : [{ look: "c-errors", name: words.say("not_sent"), isLine: true }]),
  ];
  const bars = (look: string, of: (slice: Slice) => number): Layer => ({
    kind: "bars",
    look,
    points: slices.map((slice) => [...barOf(slice), 0, of(slice) / slice.seconds]),
  });
  const layers: Layer[] = [
    bars("c-attempts", ({ attempts }) => attempts),
    bars("c-accepted", ({ accepted }) => accepted),
    { kind: "line", look: "c-plan dashed", points: planned },
    ...(report.requests.not_sent === 0
      ? []
      : [
          {
            kind: "line" as const,
            look: "c-errors",
            points: slices.map((slice) => [middle(slice), slice.notSent / slice.seconds] as const),
          },
        ]),
  ];
  return figure(words, {
    id: "pace",
    title: "chart_pace",
    hint: "chart_pace_hint",
    axis,
    legend: [...legend, ...markLegend(words.say("opening"), markOf(slices[0]?.from ?? 0))],
    chart: (labelledBy) =>
      svgChart({
        labelledBy,
        x: timeAxis(slices),
        y: linearScale({ from: 0, to: highest, ticks: yTicks }),
        layers,
        markX: markOf(slices[0]?.from ?? 0),
      }),
    table: {
      head: [
        words.say("second"),
        words.say("attempts"),
        words.say("planned"),
        words.say("accepts"),
        words.say("repeats"),
        words.say("not_sent"),
        words.say("looks"),
      ],
      rows: slices.map((slice) => [
        nameOf(slice),
        whole(slice.attempts),
        points.length === 0 ? "–" : brief(rateAt(curve, middle(slice) * 1000)),
        whole(slice.accepted),
        whole(slice.replayed),
        whole(slice.notSent),
        whole(slice.polls),
      ]),
    },
  });
}

type Stack = { readonly look: string; readonly name: Markup; readonly of: (slice: Slice) => number };

function answersChart({ words, slices, axis }: View): Markup {
  const reasons = Object.keys(added(slices.map(({ refused }) => refused)));
  const shown = reasons.slice(0, reasonsMax);
  const rest = reasons.slice(reasonsMax);
  const stacks: Stack[] = [
    { look: "c-accepted", name: words.say("accepts"), of: ({ accepted }) => accepted },
    { look: "c-replayed", name: words.say("repeats"), of: ({ replayed }) => replayed },
    ...shown.map((reason, i) => ({
      look: `c-reason-${i}`,
      name: words.sayOr(`reason_${reason}`, reason),
      of: ({ refused }: Slice) => refused[reason] ?? 0,
    })),
    {
      look: "c-rest",
      name: words.say("other_reasons"),
      of: ({ refused }) => rest.reduce((sum, reason) => sum + (refused[reason] ?? 0), 0),
    },
    { look: "c-busy", name: words.say("not_tried"), of: ({ notTried }) => notTried },
    { look: "c-errors", name: words.say("errors"), of: ({ errors }) => errors },
  ];
  const used = stacks.filter(({ of }) => slices.some((slice) => of(slice) > 0));
  const highest = Math.max(1, ...slices.map((slice) => used.reduce((sum, { of }) => sum + of(slice), 0) / slice.seconds));
  const below = slices.map(() => 0);
  const layers = used.map(({ look, of }): Layer => {
    const points = slices.map((slice, i) => {
      const low = below[i] ?? 0;
      const high = low + of(slice) / slice.seconds;
      below[i] = high;
      return [...barOf(slice), low, high] as const;
    });
    return { kind: "bars", look, points };
  });
  return figure(words, {
    id: "answers",
    title: "chart_answers",
    hint: "chart_answers_hint",
    axis,
    legend: [...used, ...markLegend(words.say("opening"), markOf(slices[0]?.from ?? 0))],
    chart: (labelledBy) =>
      svgChart({
        labelledBy,
        x: timeAxis(slices),
        y: linearScale({ from: 0, to: highest, ticks: yTicks }),
        layers,
        markX: markOf(slices[0]?.from ?? 0),
      }),
    table: {
      head: [words.say("second"), ...used.map(({ name }) => name)],
      rows: slices.map((slice) => [nameOf(slice), ...used.map(({ of }) => whole(of(slice)))]),
    },
  });
}

const percentiles = ["p50", "p90", "p99", "max"] as const;

function latencyChart({ words, slices, axis }: View): Markup {
  const found = slices.flatMap(({ latency }) => (latency === undefined ? [] : [latency]));
  const layers: Layer[] = percentiles.map((name) => ({
    kind: "line",
    look: `c-${name}`,
    points: slices.map((slice) => [middle(slice), slice.latency?.[name]]),
  }));
  const y = logScale({ from: Math.min(...found.map(({ p50 }) => p50), 1), to: Math.max(...found.map(({ max }) => max), 1) });
  return figure(words, {
    id: "latency",
    title: "chart_latency",
    hint: "chart_latency_hint",
    axis,
    legend: [
      ...percentiles.map((name) => ({ look: `c-${name}`, name: name === "max" ? words.say("max") : html`${name}`, isLine: true })),
      ...markLegend(words.say("opening"), markOf(slices[0]?.from ?? 0)),
    ],
    chart: (labelledBy) => svgChart({ labelledBy, x: timeAxis(slices), y, layers, markX: markOf(slices[0]?.from ?? 0) }),
    table: {
      head: [words.say("second"), words.say("count"), "p50", "p90", "p99", "p99.9", words.say("max")],
      rows: slices.map((slice) => {
        const { latency } = slice;
        if (latency === undefined) return [nameOf(slice), "0", "–", "–", "–", "–", "–"];
        return [nameOf(slice), whole(latency.count), ...[latency.p50, latency.p90, latency.p99, latency.p999, latency.max].map(brief)];
      }),
    },
  });
}

function stockChart({ words, report, slices, axis }: View): Markup {
  const at = (atMs: number) => atMs / 1000;
  const span = spanOf(slices);
  const samples = stockColumns(report.stock_over_time.filter(({ atMs }) => at(atMs) >= span.from));
  const last = samples.at(-1);
  const x = timeScale({ from: span.from, to: Math.max(span.to, at(last?.atMs ?? 0)), ticks: xTicks });
  const layers: Layer[] = [
    { kind: "area", look: "c-sold", points: samples.map(({ atMs, sold }) => [at(atMs), 0, sold]) },
    { kind: "area", look: "c-held", points: samples.map(({ atMs, sold, held }) => [at(atMs), sold, sold + held]) },
    {
      kind: "area",
      look: "c-free",
      points: samples.map(({ atMs, sold, held, available }) => [at(atMs), sold + held, sold + held + available]),
    },
  ];
  const takenMs = allTakenAtMs(report.stock_over_time);
  return figure(words, {
    id: "stock",
    title: "chart_stock",
    hint: "chart_stock_hint",
    axis,
    legend: [
      { look: "c-free", name: words.say("available") },
      { look: "c-held", name: words.say("held") },
      { look: "c-sold", name: words.say("sold") },
      ...markLegend(words.say("all_taken_at"), takenMs),
    ],
    chart: (labelledBy) =>
      svgChart({
        labelledBy,
        x,
        y: linearScale({ from: 0, to: report.stock, ticks: yTicks }),
        layers,
        markX: takenMs === undefined ? undefined : at(takenMs),
      }),
    table: {
      head: [words.say("second"), words.say("available"), words.say("held"), words.say("sold")],
      rows: samples.map(({ atMs, available, held, sold }) => [brief(at(atMs)), whole(available), whole(held), whole(sold)]),
    },
  });
}

const nameOf = ({ from, seconds }: Slice) => (seconds === 1 ? String(from) : `${from} … ${from + seconds - 1}`);
