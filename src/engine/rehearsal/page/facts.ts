/** What was rehearsed, on what, and what came of it: lists and tables of a report. */
import type { LatencySummary } from "../histogram.ts";
import type { RehearsalReport } from "../report.ts";
import type { CheckLine, VerifyVerdict } from "../verdict.ts";
import { dataTable } from "./figure.ts";
import { html, type Markup, type Part } from "./markup.ts";
import type { MessageKey } from "./messages-en.ts";
import { brief, gibibytes, ms, percent, seconds, whole } from "../numbers.ts";
import { allTakenAtMs, latencyOf } from "../slices.ts";
import type { Words } from "./words.ts";

type Row = readonly [MessageKey, Part];

const list = (words: Words, rows: readonly (Row | undefined)[]): Markup =>
  html`<dl>
    ${rows.map((row) =>
      row === undefined
        ? undefined
        : html`<dt>${words.say(row[0])}</dt>
            <dd>${row[1]}</dd>`,
    )}
  </dl>`;

export function rehearsed(words: Words, report: RehearsalReport): Markup {
  const { target, curve, connections } = report;
  const shadow: Row[] =
    target.kind === "own_server"
      ? []
      : [
          ["shadow_sale", html`<span class="name">${target.name}</span> (${target.sale_id})`],
          ...(target.like === undefined
            ? []
            : [["like_sale", html`<span class="name">${target.like.name}</span> (${target.like.id}), ${words.say("only_read")}`] as const]),
          ["payments", words.say(`payments_${target.payments}`)],
          ["limits", words.say("limits_text", { errors: percent(target.limits.error_share_max), p99: ms(target.limits.p99_max_ms) })],
        ];
  const arrivals =
    curve === undefined
      ? words.say("arrivals_closed", { connections: whole(connections) })
      : words.say("arrivals_curve", {
          kind: words.say(`curve_${curve.kind}`),
          peak: brief(curve.peak_per_s),
          duration: `${brief(curve.duration_s)} s`,
          lead: `${brief(curve.lead_s)} s`,
        });
  const place = target.kind === "own_server" ? words.say("own_server") : words.say("deployment", { url: target.url });
  return html`<section class="card">
    <h2>${words.say("what")}</h2>
    ${list(words, [
      ["place", place],
      ...shadow,
      ["began", report.began_at],
      ["lasted", words.say("lasted_text", { storm: seconds(report.storm_ms), total: seconds(report.elapsed_ms) })],
      ["arrivals", arrivals],
      ["pay_window", seconds(report.pay_window_ms)],
      ["seed", String(report.seed)],
    ])}
  </section>`;
}

export function environment(words: Words, { environment: { client, server }, target }: RehearsalReport): Markup {
  const machine = `${client.cpu}, ${client.platform}`;
  const shared = target.kind === "own_server" ? html`<p class="hint">${words.say("same_machine")}</p>` : undefined;
  const ofServer = [server.version, server.environment].filter((text) => text !== undefined).join(", ");
  return html`<section class="card">
    <h2>${words.say("environment")}</h2>
    ${list(words, [
      ["client", `doorbuster ${client.version}, ${client.runtime}`],
      ["cpu", html`${machine}, ${words.say("cores", { count: String(client.cores) })}`],
      ["memory", gibibytes(client.memory_bytes)],
      ["server", ofServer === "" ? words.say("untold") : ofServer],
      ["commit", server.commit ?? words.say("untold")],
    ])}${shared}
  </section>`;
}

const latencyHead = (words: Words, first: MessageKey): Part[] => [
  words.say(first),
  words.say("count"),
  "p50",
  "p90",
  "p99",
  "p99.9",
  words.say("max"),
];
const latencyRow = (name: Part, { count, p50, p90, p99, p999, max }: LatencySummary): Part[] => [
  name,
  whole(count),
  ...[p50, p90, p99, p999, max].map(brief),
];

export function latencies(words: Words, report: RehearsalReport): Markup {
  const kinds = ["accepted", "replayed", "refused", "service", "polls", "other"] as const;
  const rows = kinds.flatMap((kind) => {
    const found = report.latency_ms[kind];
    return found === undefined ? [] : [latencyRow(words.say(`kind_${kind}`), found)];
  });
  const takenSecond = (allTakenAtMs(report.stock_over_time) ?? Number.POSITIVE_INFINITY) / 1000;
  const phases = [
    ["phase_before", report.seconds.filter(({ second }) => second < 0)],
    ["phase_selling", report.seconds.filter(({ second }) => second >= 0 && second < takenSecond)],
    ["phase_after", report.seconds.filter(({ second }) => second >= 0 && second >= takenSecond)],
  ] as const;
  const phaseRows = phases.flatMap(([name, seconds]) => {
    const found = latencyOf(seconds).summary();
    return found === undefined ? [] : [latencyRow(words.say(name), found)];
  });
  return html`<section class="card">
    <h2>${words.say("latency")}</h2>
    <p class="hint">${words.say("latency_hint")}</p>
    <div class="wide">${dataTable({ head: latencyHead(words, "answer_kind"), rows })}</div>
    <h3>${words.say("phases")}</h3>
    <div class="wide">${dataTable({ head: latencyHead(words, "phase"), rows: phaseRows })}</div>
  </section>`;
}

export function notSentWarning(words: Words, { requests }: RehearsalReport): Markup | undefined {
  return requests.not_sent === 0
    ? undefined
    : html`<p class="card warning">${words.say("not_sent_warning", { count: whole(requests.not_sent) })}</p>`;
}

export function outcomes(words: Words, { orders, refunds, came_to_rest: rest }: RehearsalReport): Markup {
  const rows = Object.entries(orders).map(([state, count]): Part[] => [words.sayOr(`state_${state}`, state), whole(count)]);
  const table =
    rows.length === 0
      ? html`<p class="soft">${words.say("none")}</p>`
      : dataTable({ head: [words.say("state"), words.say("orders")], rows });
  const refunded =
    refunds.count === 0
      ? words.say("none")
      : html`${whole(refunds.count)}
        (${Object.entries(refunds.by_reason)
          .map(([reason, count]) => `${reason} ${whole(count)}`)
          .join(", ")})`;
  const restText = rest === undefined ? "rest_unknown" : rest ? "rest_yes" : "rest_no";
  return html`<section class="card">
    <h2>${words.say("outcomes")}</h2>
    ${table}${list(words, [["refunds", refunded]])}
    <p class="hint">${words.say(restText)}</p>
  </section>`;
}

export function remains(words: Words, { target }: RehearsalReport): Markup | undefined {
  if (target.kind === "own_server") return undefined;
  if (target.not_closed !== undefined)
    return html`<section class="card warning">
      <h2>${words.say("not_closed")}</h2>
      <p class="name">${target.not_closed}</p>
    </section>`;
  if (target.remains === undefined) return undefined;
  const { purchases, status } = target.remains;
  const rows = Object.entries(purchases).map(([state, count]): Part[] => [words.sayOr(`state_${state}`, state), whole(count)]);
  const said = { sale: target.sale_id, product: target.product_id, status: words.sayOr(`state_${status}`, status) };
  return html`<section class="card">
    <h2>${words.say("remains")}</h2>
    <p class="hint">${words.say("remains_text", said)}</p>
    ${dataTable({ head: [words.say("state"), words.say("orders")], rows })}
  </section>`;
}

export function checks(words: Words, { record, verify }: RehearsalReport): Markup {
  const part = (title: MessageKey, found: VerifyVerdict | undefined) =>
    found === undefined
      ? undefined
      : html`<h3>${words.say(title)}</h3>
          <div class="wide">${checkTable(words, found.checks)}</div>`;
  return html`<section class="card">
    <h2>${words.say("checks")}</h2>
    ${part("checks_record", record)}${part("checks_verify", verify)}
  </section>`;
}

const results = {
  valid: { key: "ok", sign: "✓", look: "mark-good" },
  invalid: { key: "bad", sign: "✗", look: "mark-bad" },
  unknown: { key: "unknown", sign: "–", look: "mark-soft" },
} as const;

function checkTable(words: Words, lines: readonly CheckLine[]): Markup {
  const rows = lines.map(({ id, verdict, text }) => {
    const { key, sign, look } = results[verdict];
    return html`<tr>
      <th scope="row">${id}</th>
      <td class="text ${look}">${sign} ${words.say(key)}</td>
      <td class="text" lang="en">${text}</td>
    </tr>`;
  });
  return html`<table>
    <thead>
      <tr>
        <th scope="col">${words.say("check")}</th>
        <th scope="col" class="text">${words.say("result")}</th>
        <th scope="col" class="text">${words.say("looked_at")}</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}
