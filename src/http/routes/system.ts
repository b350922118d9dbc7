/** Time, health and what this process has counted. `/livez` touches nothing, so that a sick store kills no process. */
import { parseProductId } from "../../domain/ids.ts";
import { latencyBucketsSeconds, type HttpCounters } from "../counters.ts";
import type { HttpContext } from "../context.ts";
import { failure, success, type Reply } from "../envelope.ts";
import type { Metrics } from "../metrics.ts";
import { forAnybody, notTheShop, type Ask, type Route } from "../route.ts";
import { isoTime } from "../time.ts";

const readyTimeoutMs = 1_000;

export function systemRoutes(metrics: Metrics): readonly Route[] {
  return [
    forAnybody(["GET", "/api/v1/time"], ({ nowMs }) =>
      success({ server_time: isoTime(Math.floor(nowMs)), server_time_ms: Math.floor(nowMs) }),
    ),
    openly("/livez", () => success({ status: "alive" })),
    openly("/readyz", ({ context }) => readyReply(context)),
    ...["/healthz", "/health"].map((path) => openly(path, summaryReply)),
    forOperator("/api/v1/system/stats", ({ context }) => statsReply(context)),
    forOperator("/metrics", () => metricsReply(metrics)),
  ];
}

/** The same for the operator's own listener, which nobody else can reach. */
export function operatorRoutes(metrics: Metrics): readonly Route[] {
  return [
    openly("/livez", () => success({ status: "alive" })),
    openly("/readyz", ({ context }) => readyReply(context)),
    openly("/api/v1/system/stats", ({ context }) => statsReply(context)),
    openly("/metrics", () => metricsReply(metrics)),
  ];
}

/** Without looking at credentials: a probe with an old token still learns whether we live. */
function openly(path: string, answer: (ask: Ask) => Reply | Promise<Reply>): Route {
  return { method: "GET", path, answer };
}

function forOperator(path: string, answer: (ask: Ask) => Reply | Promise<Reply>): Route {
  return forAnybody(["GET", path], (ask, caller) =>
    caller.kind === "shop" || ask.context.deps.options.environment === "development" ? answer(ask) : notTheShop(caller),
  );
}

const anyProduct = parseProductId("1");

async function readyReply({ deps }: HttpContext): Promise<Reply> {
  if (deps.isDraining()) return failure("draining");
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

function summaryReply({ context: { deps }, nowMs }: Ask): Reply {
  const { version, environment } = deps.options;
  const status = deps.isDraining() ? "draining" : "ok";
  return success({ status, version, environment, uptime_seconds: Math.floor(process.uptime()), server_time: isoTime(Math.floor(nowMs)) });
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
