/** The report for people: what the crowd did, what it was told, and whether every promise held. Never more than it measured. */
import type { LatencySummary } from "./percentiles.ts";
import type { Counts, RehearsalReport } from "./report.ts";
import type { Progress } from "./storm.ts";

const ruleWidth = 78;
const chartWidth = 60;
const barWidth = 30;
const problemsShownMax = 20;

export function renderReport(report: RehearsalReport): string {
  const sections = [
    heading(report),
    storm(report),
    refusals(report),
    latencies(report),
    stockChart(report),
    outcomes(report),
    verdict(report),
  ];
  return `${sections.flat().join("\n")}\n`;
}

function heading({ buyers, stock, seed }: RehearsalReport): string[] {
  return ["", `Rehearsal: ${n(buyers)} buyers storm ${n(stock)} units (seed ${seed})`, "═".repeat(ruleWidth)];
}

function storm(report: RehearsalReport): string[] {
  const { storm_ms: ms, connections, throughput, requests, accepted, replayed, answers_lost: lost, not_tried: notTried } = report;
  return [
    row("the storm", `${seconds(ms)}, ${connections} requests in flight at once, every yes synced to the store before it was said`),
    row(
      "asked",
      `${n(requests.purchase)} purchases, ${n(requests.other)} other requests; ${n(throughput.purchase_requests_per_s)} purchases/s during the storm`,
    ),
    row("accepted", `${n(accepted)} orders; ${n(replayed)} repeats got the same answer again`),
    row("not tried", sum(notTried) === 0 ? "none" : list(notTried)),
    row("lost", sum(lost) === 0 ? "no answer" : `${list(lost)} (on purpose where dropped; asked again under the same key)`),
    row("statuses", list(report.statuses)),
  ];
}

function refusals({ refused }: RehearsalReport): string[] {
  const most = Math.max(1, ...Object.values(refused));
  const line = ([reason, times]: [string, number]) =>
    `  ${reason.padEnd(20)}${n(times).padStart(10)}  ${"█".repeat(Math.max(1, Math.round((times / most) * barWidth)))}`;
  return [...title("Refusals by reason"), ...(sum(refused) === 0 ? ["  none"] : Object.entries(refused).map(line))];
}

function latencies({ latency_ms: latency }: RehearsalReport): string[] {
  const columns = ["answers", "p50", "p90", "p99", "p99.9", "max"];
  const line = (name: string, found: LatencySummary | undefined) =>
    found === undefined
      ? []
      : [
          `  ${name.padEnd(16)}${[n(found.count), ...[found.p50, found.p90, found.p99, found.p999, found.max].map((ms) => ms.toFixed(1))].map(cell).join("")}`,
        ];
  return [
    ...title("Latency in ms, measured by the crowd on this machine"),
    `  ${"".padEnd(16)}${columns.map(cell).join("")}`,
    ...line("accepted", latency.accepted),
    ...line("repeated", latency.replayed),
    ...line("refused", latency.refused),
    ...line("all the rest", latency.other),
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
  const axis = `  ${"".padEnd(10)} 0 s${seconds(last.atMs).padStart(Math.max(1, width - 3))}`;
  return [...title(`Stock over time, of ${n(stock)} units`), chart("available"), chart("held"), chart("sold"), axis];
}

function outcomes({ orders, refunds, pay_window_ms: window, came_to_rest: rest }: RehearsalReport): string[] {
  const refunded = refunds.count === 0 ? "none" : `${n(refunds.count)}: ${list(refunds.by_reason)}; state ${list(refunds.by_state)}`;
  return [
    ...title(`Orders at the end (${seconds(window)} to pay)`),
    row("orders", list(orders) || "none"),
    row("refunds", refunded),
    row("at rest", rest ? "yes: nothing held, every refund done" : "NO: something was still open when the time was up"),
  ];
}

function verdict({ verify, verdict: said, problems }: RehearsalReport): string[] {
  const shown = problems.slice(0, problemsShownMax).map((problem) => `  ✗ ${problem}`);
  const rest = problems.length > problemsShownMax ? [`  … and ${problems.length - problemsShownMax} more; --json has all`] : [];
  const closing = said === "valid" ? "PASSED: no promise was broken" : `FAILED: ${problems.length} broken`;
  return [
    ...title("verify, over the store and this crowd's own record"),
    ...verify.checks.map(
      ({ id, verdict: found, text }) => `  ${found === "valid" ? "✓" : found === "invalid" ? "✗" : "?"} ${id.padEnd(4)}${text}`,
    ),
    "═".repeat(ruleWidth),
    closing,
    ...shown,
    ...rest,
  ];
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
const n = (value: number) => String(value).replaceAll(/\B(?=(\d{3})+$)/g, ",");
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const list = (counts: Counts) =>
  Object.entries(counts)
    .map(([name, times]) => `${name} ${n(times)}`)
    .join(" · ");
const sum = (counts: Counts) => Object.values(counts).reduce((total, times) => total + times, 0);
