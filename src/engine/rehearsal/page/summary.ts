/** The top of a report: the verdict, what broke, and the figures that one looks for first. */
import type { RehearsalReport } from "../report.ts";
import { html, type Markup, type Part } from "./markup.ts";
import type { MessageKey } from "./messages-en.ts";
import { ms, seconds, whole } from "../numbers.ts";
import { allTakenAtMs, failuresOf, total } from "../slices.ts";
import type { Words } from "./words.ts";

export const problemsShownMax = 50;
const signs = { valid: "✓", aborted: "■", invalid: "✗" } as const;
const texts = { valid: "valid_text", aborted: "aborted_text", invalid: "invalid_text" } as const satisfies Record<string, MessageKey>;

export function verdictBanner(words: Words, { verdict, problems, halted }: RehearsalReport): Markup {
  const why = halted === undefined ? undefined : html`<p>${words.say(`by_${halted.by}`)} ${halted.text}</p>`;
  return html`<section class="card verdict ${verdict}">
    <span class="sign" aria-hidden="true">${signs[verdict]}</span>
    <div>
      <h2>${words.say(verdict)}</h2>
      <p>${words.say(texts[verdict], { count: whole(problems.length) })}</p>
      ${why}
    </div>
  </section>`;
}

export function problemList(words: Words, { problems }: RehearsalReport): Markup | undefined {
  if (problems.length === 0) return undefined;
  const more = problems.length - problemsShownMax;
  const rest = more > 0 ? html`<p class="soft">${words.say("more_problems", { count: whole(more) })}</p>` : undefined;
  return html`<section class="card">
    <h2>${words.say("problems")}</h2>
    <ul class="problems">
      ${problems.slice(0, problemsShownMax).map((problem) => html`<li>${problem}</li>`)}
    </ul>
    ${rest}
  </section>`;
}

export function tiles(words: Words, report: RehearsalReport): Markup {
  const { stock, requests, accepted, latency_ms: latency, seconds: rows } = report;
  const takenMs = allTakenAtMs(report.stock_over_time);
  const busiest = Math.max(0, ...rows.map(({ attempts }) => attempts));
  const failures = rows.reduce((sum, row) => sum + failuresOf(row), 0);
  const tile = (label: MessageKey, value: Part, hint: Part) =>
    html`<li><span class="label">${words.say(label)}</span><span class="value">${value}</span><span class="hint">${hint}</span></li>`;
  return html`<ul class="tiles">
    ${[
      tile("buyers_asked", whole(report.buyers), words.say("buyers_asked_hint", { requests: whole(requests.purchase) })),
      tile("accepted", whole(accepted), words.say("accepted_hint", { stock: whole(stock) })),
      tile("sold_out", takenMs === undefined ? words.say("never") : seconds(takenMs), words.say("sold_out_hint")),
      tile("peak", whole(busiest), words.say("peak_hint")),
      tile("p99", latency.accepted === undefined ? "–" : ms(latency.accepted.p99), words.say("p99_hint")),
      tile("failures", whole(failures), words.say("failures_hint")),
    ]}
  </ul>`;
}

/** How many came how far. */
export function funnel(words: Words, report: RehearsalReport): Markup {
  const { requests, orders } = report;
  const steps = [
    ["looks", requests.polls],
    ["asked", report.buyers],
    ["got", report.accepted],
    ["paid", orders["paid"] ?? 0],
  ] as const satisfies readonly (readonly [MessageKey, number])[];
  const rows = steps.filter(([key, count]) => key !== "looks" || count > 0).map(([key, count]) => ({ name: words.say(key), count }));
  return barTable(words, { title: "funnel", nameHead: "step", rows, of: Math.max(...rows.map(({ count }) => count)) });
}

export function refusalTable(words: Words, { refused, not_tried: notTried, answers_lost: lost }: RehearsalReport): Markup {
  const named = [...Object.entries(refused), ...Object.entries(notTried), ...Object.entries(lost)];
  const rows = named.map(([reason, count]) => ({ name: words.sayOr(`reason_${reason}`, reason), count }));
  return barTable(words, { title: "refusals", nameHead: "reason", rows, of: total(refused) + total(notTried) + total(lost) });
}

type BarTable = {
  readonly title: MessageKey;
  readonly nameHead: MessageKey;
  readonly rows: readonly { readonly name: Markup; readonly count: number }[];
  /** What a full bar stands for. */
  readonly of: number;
};

function barTable(words: Words, { title, nameHead, rows, of }: BarTable): Markup {
  if (rows.length === 0)
    return html`<section class="card">
      <h2>${words.say(title)}</h2>
      <p class="soft">${words.say("none")}</p>
    </section>`;
  const line = ({ name, count }: BarTable["rows"][number]) => {
    const share = of === 0 ? 0 : Math.min(1, count / of);
    const bar = html`<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width="100" height="10" />
      <rect class="area c-reason-0" width="${Math.round(share * 1000) / 10}" height="10" />
    </svg>`;
    return html`<tr>
      <th scope="row">${name}</th>
      <td>${whole(count)}</td>
      <td>${bar}</td>
    </tr>`;
  };
  return html`<section class="card">
    <h2>${words.say(title)}</h2>
    <div class="wide">
      <table>
        <thead>
          <tr>
            <th scope="col">${words.say(nameHead)}</th>
            <th scope="col">${words.say("times")}</th>
            <th scope="col" class="text">${words.say("share")}</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(line)}
        </tbody>
      </table>
    </div>
  </section>`;
}
