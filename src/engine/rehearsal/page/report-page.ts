/** A rehearsal's report as one HTML file, for people who were not there. */
import type { RehearsalReport } from "../report.ts";
import { reportCharts } from "./charts.ts";
import { checks, environment, latencies, notSentWarning, outcomes, rehearsed, remains } from "./facts.ts";
import { page, type PageTools } from "./frame.ts";
import { html } from "./markup.ts";
import { funnel, problemList, refusalTable, tiles, verdictBanner } from "./summary.ts";
import { Words } from "./words.ts";

export function renderReportPage(report: RehearsalReport, tools: PageTools): string {
  const words = new Words(tools.languages);
  const { target } = report;
  const place = target.kind === "own_server" ? words.say("own_server") : html`${target.url}`;
  const body = html`<header>
      <h1>${words.say("title")}</h1>
      <p class="soft">${report.began_at} · ${place}</p>
    </header>
    ${verdictBanner(words, report)} ${problemList(words, report)} ${notSentWarning(words, report)}
    <section aria-label="${words.plain("summary")}">${tiles(words, report)}</section>
    ${reportCharts(words, report)}
    <div class="two">${funnel(words, report)}${outcomes(words, report)}</div>
    ${refusalTable(words, report)} ${latencies(words, report)} ${remains(words, report)} ${rehearsed(words, report)}
    ${environment(words, report)} ${checks(words, report)}`;
  return page(words, tools, "title", body);
}
