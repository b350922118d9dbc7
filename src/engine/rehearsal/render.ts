/** The report for people: what the crowd did, what it was told, and whether every promise held. Never more than it measured. */
import type { LatencySummary } from "./histogram.ts";
import type { RehearsalReport } from "./report.ts";
import type { Counts } from "./series.ts";
import type { Progress } from "./storm.ts";
import type { VerifyVerdict } from "./verdict.ts";

const ruleWidth = 78;
const chartWidth = 60;
const barWidth = 30;
const problemsShownMax = 20;

export function renderReport(report: RehearsalReport): string {
  const sections = [
    heading(report),
    place(report),
    storm(report),
    refusals(report),
    latencies(report),
    stockChart(report),
    outcomes(report),
    remains(report),
    verdict(report),
  ];
  return `${sections.flat().join("\n")}\n`;
}

function heading({ buyers, stock, seed }: RehearsalReport): string[] {
  return ["", `Rehearsal: ${n(buyers)} buyers storm ${n(stock)} units (seed ${seed})`, "═".repeat(ruleWidth)];
}

/** Where it took place, when it was not a server of our own. */
function place({ target }: RehearsalReport): string[] {
  if (target.kind === "own_server") return [];
  const { url, sale_id: saleId, name, like } = target;
  return [
    row("deployment", line(url)),
    row("shadow sale", `${saleId} "${line(name)}"`),
    ...(like === undefined ? [] : [row("like", `sale ${line(like.id)} "${line(like.name)}", read only`)]),
  ];
}

function storm(report: RehearsalReport): string[] {
  const { storm_ms: ms, connections, throughput, requests, accepted, replayed, answers_lost: lost, not_tried: notTried, curve } = report;
  const pace = curve === undefined ? "as fast as it was answered" : `by the curve "${curve.kind}", up to ${n(curve.peak_per_s)} buyers/s`;
  return [
    row("the storm", `${seconds(ms)}, ${pace}, at most ${connections} requests in flight at once`),
    row(
      "asked",
      `${n(requests.purchase)} purchases, ${n(requests.other)} other requests; ${n(throughput.purchase_requests_per_s)} purchases/s during the storm`,
    ),
    ...(requests.polls === 0 ? [] : [row("before", `${n(requests.polls)} looks at the sale before it began`)]),
    ...(requests.not_sent === 0
      ? []
      : [
          row(
            "not sent",
            `${n(requests.not_sent)}: this machine could not send as fast as the curve asks; latencies say more about it than about the shop`,
          ),
        ]),
    row("accepted", `${n(accepted)} orders; ${n(replayed)} repeats got the same answer again`),
    row("not tried", sum(notTried) === 0 ? "none" : list(notTried)),
    row("lost", sum(lost) === 0 ? "no answer" : `${list(lost)} (on purpose where dropped; asked again under the same key)`),
    row("statuses", list(report.statuses)),
  ];
}

function refusals({ refused }: RehearsalReport): string[] {
  const most = Math.max(1, ...Object.values(refused));
  const bar = ([reason, times]: [string, number]) =>
    `  ${line(reason).padEnd(20)}${n(times).padStart(10)}  ${"█".repeat(Math.max(1, Math.round((times / most) * barWidth)))}`;
  return [...title("Refusals by reason"), ...(sum(refused) === 0 ? ["  none"] : Object.entries(refused).map(bar))];
}

function latencies({ latency_ms: latency, curve }: RehearsalReport): string[] {
  const columns = ["answers", "p50", "p90", "p99", "p99.9", "max"];
  const of = (name: string, found: LatencySummary | undefined) =>
    found === undefined
      ? []
      : [
          `  ${name.padEnd(16)}${[n(found.count), ...[found.p50, found.p90, found.p99, found.p999, found.max].map((ms) => ms.toFixed(1))].map(cell).join("")}`,
        ];
  return [
    ...title(`Latency in ms, measured by the crowd on this machine${curve === undefined ? "" : ", from when a buyer meant to ask"}`),
    `  ${"".padEnd(16)}${columns.map(cell).join("")}`,
    ...of("accepted", latency.accepted),
    ...of("repeated", latency.replayed),
    ...of("refused", latency.refused),
    ...(curve === undefined ? [] : of("from sending", latency.service)),
    ...of("looks", latency.polls),
    ...of("all the rest", latency.other),
  ];
}

/** One line per account; each column is the last sample of its slice of time. */
function stockChart({ stock_over_time: samples, stock }: RehearsalReport): string[] {
  const last = samples.at(-1);
  if (last === undefined) return [];
  const width = Math.min(chartWidth, samples.length);
  const column = (index: number) => samples[Math.min(samples.length - 1, Math.ceil(((index + 1) * samples.length) / width) - 1)];
  const chart = (account: "available" | "held" | "sold") =>
    `  ${account.padEnd(10)} ${Array.from({ length: width }, (_, index) => level((column(index)?.[account] ?? 0) / stock)).join("")} ${n(last[account])}`;
  const from = seconds(samples[0]?.atMs ?? 0);
  const axis = `  ${"".padEnd(10)} ${from}${seconds(last.atMs).padStart(Math.max(1, width - from.length))}`;
  return [...title(`Stock over time, of ${n(stock)} units`), chart("available"), chart("held"), chart("sold"), axis];
}

function outcomes({ orders, refunds, pay_window_ms: window, came_to_rest: rest }: RehearsalReport): string[] {
  const refunded = refunds.count === 0 ? "none" : `${n(refunds.count)}: ${list(refunds.by_reason)}; state ${list(refunds.by_state)}`;
  return [
    ...title(`Orders at the end (${seconds(window)} to pay)`),
    row("orders", list(orders) || "none"),
    row("refunds", refunded),
    row(
      "at rest",
      rest === undefined
        ? "unknown: the shop could not be asked any more"
        : rest
          ? restText
          : "NO: something was still open when the time was up",
    ),
  ];
}

const restText = "yes: nothing held, every refund done";

/** What stays in a deployment's store, which is its record. */
function remains({ target }: RehearsalReport): string[] {
  if (target.kind === "own_server") return [];
  if (target.not_closed !== undefined) return [...title("NOT CLOSED"), `  ${line(target.not_closed)}`];
  if (target.remains === undefined) return [];
  const { status, purchases, stock, buyers } = target.remains;
  return [
    ...title("What remains in the deployment"),
    row("shadow sale", `${target.sale_id}, ${status}; product ${target.product_id}`),
    row("purchases", `${list(purchases) || "none"}; of ${n(buyers)} buyers of this run`),
    row("stock", `${list(stock)}: closed units stay unsold`),
  ];
}

function verdict(report: RehearsalReport): string[] {
  const { verify, record, verdict: said, problems, halted } = report;
  const shown = problems.slice(0, problemsShownMax).map((problem) => `  ✗ ${line(problem)}`);
  const rest = problems.length > problemsShownMax ? [`  … and ${problems.length - problemsShownMax} more; --json has all`] : [];
  const closings = {
    valid: "PASSED: no promise was broken",
    aborted: `ABORTED by ${halted?.by ?? "the operator"}: ${line(halted?.text ?? "")}`,
    invalid: `FAILED: ${problems.length} broken`,
  };
  return [
    ...(record === undefined ? [] : judged("This crowd's own record, by itself", record)),
    ...(verify === undefined ? [] : judged("verify, over the store and this crowd's own record", verify)),
    "═".repeat(ruleWidth),
    closings[said],
    ...(said === "invalid" && halted !== undefined ? [`stopped by ${halted.by}: ${line(halted.text)}`] : []),
    ...shown,
    ...rest,
  ];
}

const marks = { valid: "✓", invalid: "✗", unknown: "?" } as const;
function judged(heading: string, { checks }: VerifyVerdict): string[] {
  return [...title(heading), ...checks.map(({ id, verdict: found, text }) => `  ${marks[found]} ${id.padEnd(4)}${text}`)];
}

/** One line of progress, without a newline. */
export function renderProgress(progress: Progress, { buyers }: { buyers: number }): string {
  const { phase, elapsedMs, buyersAnswered, accepted, refused, available, held, sold } = progress;
  const done = Math.min(1, buyersAnswered / Math.max(1, buyers));
  const bar = `${"█".repeat(Math.round(done * 20))}${"░".repeat(20 - Math.round(done * 20))}`;
  return `${seconds(elapsedMs).padStart(7)} ${phase.padEnd(8)}${bar} ${n(buyersAnswered)} buyers · ${n(accepted)} yes · ${n(refused)} no · stock ${n(available)} free ${n(held)} held ${n(sold)} sold`;
}

const levels = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const level = (share: number) => levels[share <= 0 ? 0 : Math.min(8, Math.max(1, Math.round(share * 8)))] ?? " ";
const title = (text: string) => ["", text, "─".repeat(ruleWidth)];
const row = (name: string, text: string) => `  ${name.padEnd(12)}${text}`;
const cell = (text: string) => text.padStart(10);
/** Names and addresses are somebody else's: nothing in them moves the cursor or breaks the line. */
const line = (text: string) => text.replaceAll(/\p{C}/gu, "�");
const n = (value: number) => String(value).replaceAll(/\B(?=(\d{3})+$)/g, ",");
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const list = (counts: Counts) =>
  Object.entries(counts)
    .map(([name, times]) => `${line(name)} ${n(times)}`)
    .join(" · ");
const sum = (counts: Counts) => Object.values(counts).reduce((total, times) => total + times, 0);
