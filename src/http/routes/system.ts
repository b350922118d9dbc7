/** Time, health and what this process has counted. `/livez` touches nothing, so that a sick store kills no process. */
import { parseProductId } from "../../domain/ids.ts";
import { healthAnswer, statsAnswer, statusAnswer, timeAnswer } from "../contract/answers.ts";
import { latencyBucketsSeconds, type HttpCounters } from "../counters.ts";
import type { HttpContext } from "../context.ts";
import { failure, success, type Reply } from "../envelope.ts";
import type { Metrics } from "../metrics.ts";
import { forAnybody, forStaff, openly, type Answering, type Ask, type Asked, type Contract, type Route } from "../route.ts";
import { isoTime } from "../time.ts";

const readyTimeoutMs = 1_000;

const time = {
  method: "GET",
  path: "/api/v1/time",
  operation: "readTime",
  tag: "system",
  summary: "Read the server's time, for countdowns",
  answers: { 200: timeAnswer },
} as const;

const probe = { method: "GET", tag: "system" } as const;
const live = {
  ...probe,
  path: "/livez",
  operation: "readLiveness",
  summary: "Whether the process lives",
  answers: { 200: statusAnswer },
} as const;
const ready = {
  ...probe,
  path: "/readyz",
  operation: "readReadiness",
  summary: "Whether the server can do its work",
  answers: { 200: statusAnswer },
  refusals: ["busy", "draining"],
} as const;
const health = { ...probe, summary: "Read health, version and uptime", answers: { 200: healthAnswer } } as const;
const stats = {
  ...probe,
  path: "/api/v1/system/stats",
  operation: "readSystemStats",
  summary: "Read what this process has counted",
  about: "In development anybody may.",
  answers: { 200: statsAnswer },
} as const;
const metricsPage = {
  ...probe,
  path: "/metrics",
  operation: "readMetrics",
  summary: "Read the metrics for Prometheus",
  about: "In development anybody may.",
  answers: { 200: { contentType: "text/plain", about: "Prometheus text exposition format" } },
} as const;

export function systemRoutes(metrics: Metrics): readonly Route[] {
  return [
    openly(time, ({ nowMs }) => success({ server_time: isoTime(Math.floor(nowMs)), server_time_ms: Math.floor(nowMs) })),
    openly(live, () => success({ status: "alive" })),
    openly(ready, ({ context }) => readyReply(context)),
    openly({ ...health, path: "/healthz", operation: "readHealthz" }, summaryReply),
    openly({ ...health, path: "/health", operation: "readHealth" }, summaryReply),
    forOperator(stats, ({ context }) => statsReply(context)),
    forOperator(metricsPage, () => metricsReply(metrics)),
  ];
}

/** The same for the operator's own listener, which nobody else can reach. */
export function operatorRoutes(metrics: Metrics): readonly Route[] {
  return [
    openly(live, () => success({ status: "alive" })),
    openly(ready, ({ context }) => readyReply(context)),
    openly(stats, ({ context }) => statsReply(context)),
    openly(metricsPage, () => metricsReply(metrics)),
  ];
}

/** In development anybody may see the process's numbers. */
function forOperator<const C extends Contract>(contract: C, answer: (ask: Asked<C>) => Answering): Route {
  const open = forAnybody(contract, (ask) => answer(ask));
  const closed = forStaff("system:read", contract, (ask) => answer(ask));
  return {
    ...closed,
    answer: (ask) => (ask.context.deps.options.environment === "development" ? open : closed).answer(ask),
  };
}

const anyProduct = parseProductId("1");

async function readyReply({ deps }: HttpContext): Promise<Reply> {
  if (deps.isLeaving()) return failure("draining");
  if (anyProduct === undefined) return failure("internal");
  let cancel: (() => void) | undefined;
  const late = new Promise<"late">((resolve) => {
    cancel = deps.tasks.after(readyTimeoutMs, () => resolve("late"));
  });
  const asked = deps.records.product(anyProduct).then(() => "ready" as const);
  try {
    const first = await Promise.race([asked, late]);
    return first === "ready"
      ? success({ status: "ready" })
      : failure("busy", { problem: `The store did not answer within ${readyTimeoutMs} ms` });
  } finally {
    cancel?.();
    asked.catch(() => undefined);
  }
}

function summaryReply({ context: { deps }, nowMs }: Pick<Ask, "context" | "nowMs">): Reply {
  const { version, commit, environment } = deps.options;
  const status = deps.isLeaving() ? "draining" : "ok";
  return success({
    status,
    version,
    commit,
    environment,
    uptime_seconds: Math.floor(process.uptime()),
    server_time: isoTime(Math.floor(nowMs)),
  });
}

async function statsReply({ deps, counters }: HttpContext): Promise<Reply> {
  const { sales, purchases, buyers, refundsOpen } = await deps.records.totals();
  const { commits, lines, retries, shed } = deps.acceptance.counts;
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return success({
    store: { sales, purchases, buyers, refunds_open: refundsOpen },
    purchases: Object.fromEntries(counters.purchases),
    answers: Object.fromEntries(counters.answers),
    latency_seconds: { p50: quantile(counters, 0.5), p95: quantile(counters, 0.95), p99: quantile(counters, 0.99) },
    acceptance: { waiting: deps.acceptance.waiting, commits, lines, retries, shed },
    process: {
      uptime_seconds: Math.floor(process.uptime()),
      resident_bytes: rss,
      heap_used_bytes: heapUsed,
      cpu_seconds: (user + system) / 1_000_000,
    },
  });
}

/** The upper edge of the bucket that holds the quantile; null while nothing was counted or beyond the last bucket. */
function quantile({ latency }: HttpCounters, q: number): number | null {
  const total = latency.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (const [i, count] of latency.entries()) {
    below += count;
    if (total > 0 && below >= q * total) return latencyBucketsSeconds[i] ?? null;
  }
  return null;
}

async function metricsReply(metrics: Metrics): Promise<Reply> {
  return { status: 200, body: await metrics.render(), headers: { "Content-Type": metrics.contentType } };
}
