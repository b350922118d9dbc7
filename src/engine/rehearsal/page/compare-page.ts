/** Two rehearsals side by side as one HTML file. */
import type { ComparedCondition, Comparison, Metric } from "../compare.ts";
import { signed, withUnit } from "../compare-render.ts";
import type { RunFacts } from "../read-report.ts";
import { dataTable, figure } from "./figure.ts";
import { page, type PageTools } from "./frame.ts";
import { html, type Markup, type Part } from "./markup.ts";
import type { MessageKey } from "./messages-en.ts";
import { brief, percent, seconds, whole } from "../numbers.ts";
import { linearScale, logScale, timeScale, type Scale } from "./scale.ts";
import { columnsMax, slicesOf, type Slice } from "../slices.ts";
import { svgChart } from "./svg-chart.ts";
import { Words } from "./words.ts";

export type ComparedRuns = {
  readonly a: RunFacts;
  readonly b: RunFacts;
  readonly names: { readonly a: string; readonly b: string };
  readonly comparison: Comparison;
};

export function renderComparePage(runs: ComparedRuns, tools: PageTools): string {
  const words = new Words(tools.languages);
  const body = html`<header>
      <h1>${words.say("compare_title")}</h1>
      <p class="soft name">A ${runs.names.a} · B ${runs.names.b}</p>
    </header>
    ${banner(words, runs)} ${unlike(words, runs.comparison)}
    <section class="card">
      <h2>${words.say("difference")}</h2>
      <p class="hint">${words.say("compare_hint")}</p>
      <div class="wide">${metricTable(words, runs.comparison)}</div>
    </section>
    ${overlay(words, runs, { id: "p99", title: "chart_compare_p99", hint: "chart_latency_hint", of: ({ latency }) => latency?.p99, y: (to) => logScale({ from: 1, to }) })}
    ${overlay(words, runs, {
      id: "accepts",
      title: "chart_compare_accepts",
      hint: "chart_compare_accepts_hint",
      of: ({ accepted, seconds: span }) => accepted / span,
      y: (to) => linearScale({ from: 0, to, ticks: 4 }),
    })}
    ${facts(words, runs)}`;
  return page(words, tools, "compare_title", body);
}

const namesOf = (words: Words, metrics: readonly Metric[], judgement: Metric["judgement"]): Markup => {
  const found = metrics.filter((metric) => metric.judgement === judgement);
  return html`${found.map(({ name }, i) => html`${i === 0 ? "" : ", "}${words.say(`metric_${name}`)}`)}`;
};

function banner(words: Words, { b, comparison: { verdict, metrics } }: ComparedRuns): Markup {
  const isWorse = metrics.some(({ judgement }) => judgement === "worse");
  const broke = b.verdict === "invalid" ? html`<p>${words.say("compare_broken")}</p>` : undefined;
  const better = metrics.some(({ judgement }) => judgement === "better")
    ? html`<p>${words.say("compare_better", { list: namesOf(words, metrics, "better") })}</p>`
    : undefined;
  const line = isWorse ? words.say("compare_worse", { list: namesOf(words, metrics, "worse") }) : words.say("compare_fine");
  const [look, sign] = verdict === "worse" ? ["invalid", "▲"] : ["valid", "✓"];
  return html`<section class="card verdict ${look}">
    <span class="sign" aria-hidden="true">${sign}</span>
    <div>
      <h2>${line}</h2>
      ${broke}${better}
    </div>
  </section>`;
}

const unlikeNames: Readonly<Record<ComparedCondition, MessageKey>> = {
  place: "place",
  server: "server",
  client: "client",
  curve: "arrivals",
  stock: "stock",
  buyers: "buyers_asked",
  connections: "connections",
  payWindowMs: "pay_window",
  seed: "seed",
};

function unlike(words: Words, { unlike: found }: Comparison): Markup | undefined {
  if (found.length === 0) return undefined;
  const items = found.map(({ what, a, b }) => {
    return html`<li>${words.say("unlike_text", { what: words.say(unlikeNames[what]), a, b })}</li>`;
  });
  return html`<section class="card warning">
    <h2>${words.say("compare_unlike")}</h2>
    <ul class="problems">
      ${items}
    </ul>
  </section>`;
}

const looks = { worse: "mark-bad", better: "mark-good", same: "mark-soft", unmeasured: "mark-soft", unlike: "mark-soft" } as const;

function metricTable(words: Words, { metrics }: Comparison): Markup {
  const rows = metrics.map(({ name, unit, a, b, difference, interval, judgement }) => {
    const share =
      difference === undefined || difference === 0 || a === undefined || a === 0 || unit === "share"
        ? ""
        : ` (${signed(difference / a, percent)})`;
    const between = interval === undefined ? "–" : `${withUnit(interval[0], unit, true)} … ${withUnit(interval[1], unit, true)}`;
    return html`<tr>
      <th scope="row">${words.say(`metric_${name}`)}</th>
      <td>${withUnit(a, unit)}</td>
      <td>${withUnit(b, unit)}</td>
      <td>${withUnit(difference, unit, true)}${share}</td>
      <td>${between}</td>
      <td class="text ${looks[judgement]}">${words.say(judgement)}</td>
    </tr>`;
  });
  const heads = (["metric", "run_a", "run_b", "difference", "noise"] as const).map((key) => html`<th scope="col">${words.say(key)}</th>`);
  return html`<table>
    <thead>
      <tr>
        ${heads}
        <th scope="col" class="text">${words.say("judgement")}</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

type Overlay = {
  readonly id: string;
  readonly title: MessageKey;
  readonly hint: MessageKey;
  readonly of: (slice: Slice) => number | undefined;
  readonly y: (to: number) => Scale;
};

function overlay(words: Words, { a, b }: ComparedRuns, { id, title, hint, of, y }: Overlay): Markup {
  // Columns of one width, so that both runs stand on the same seconds.
  const most = Math.max(a.seconds.length, b.seconds.length);
  const columns = (run: RunFacts) =>
    slicesOf(run.seconds, Math.max(1, Math.ceil((run.seconds.length * columnsMax) / Math.max(most, columnsMax))));
  const [left, right] = [columns(a), columns(b)];
  const all = [...left, ...right];
  const from = Math.min(...all.map((slice) => slice.from));
  const x = timeScale({ from, to: Math.max(...all.map((slice) => slice.from + slice.seconds)), ticks: 10 });
  const scale = y(Math.max(1, ...all.map((slice) => of(slice) ?? 0)));
  const points = (slices: readonly Slice[]) => slices.map((slice) => [slice.from + slice.seconds / 2, of(slice)] as const);
  const layers = [
    { kind: "line", look: "c-run-a", points: points(left) },
    { kind: "line", look: "c-run-b", points: points(right) },
  ] as const;
  const found = new Map<number, Part[]>();
  for (const [column, slices] of [left, right].entries())
    for (const slice of slices) {
      const row = found.get(slice.from) ?? ["–", "–"];
      row[column] = of(slice) === undefined ? "–" : brief(of(slice) ?? 0);
      found.set(slice.from, row);
    }
  return figure(words, {
    id,
    title,
    hint,
    axis: "axis_opening",
    legend: [
      { look: "c-run-a", name: words.say("run_a"), isLine: true },
      { look: "c-run-b", name: words.say("run_b"), isLine: true },
    ],
    chart: (labelledBy) => svgChart({ labelledBy, x, y: scale, layers, markX: from < 0 ? 0 : undefined }),
    table: {
      head: [words.say("second"), words.say("run_a"), words.say("run_b")],
      rows: [...found].toSorted(([one], [two]) => one - two).map(([second, row]): Part[] => [String(second), ...row]),
    },
  });
}

function facts(words: Words, { a, b }: ComparedRuns): Markup {
  const rows: [MessageKey, (run: RunFacts) => Part][] = [
    ["result", (run) => words.say(run.verdict)],
    ["began", (run) => run.beganAt],
    ["place", (run) => run.place],
    ["server", (run) => run.server],
    ["client", (run) => run.client],
    ["arrivals", (run) => run.curve],
    ["buyers_asked", (run) => whole(run.buyers)],
    ["connections", (run) => whole(run.connections)],
    ["stock", (run) => whole(run.stock)],
    ["pay_window", (run) => seconds(run.payWindowMs)],
    ["seed", (run) => String(run.seed)],
  ];
  const table = {
    head: [words.say("what"), words.say("run_a"), words.say("run_b")],
    rows: rows.map(([key, of]): Part[] => [words.say(key), of(a), of(b)]),
  };
  return html`<section class="card">
    <h2>${words.say("facts")}</h2>
    <div class="wide name">${dataTable(table)}</div>
  </section>`;
}
