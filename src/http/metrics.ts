/**
 * Prometheus metrics, made from plain counters when somebody scrapes; between scrapes the library is never touched.
 * Base units, `_total` on counters, no buyer and no order in a label.
 */
import { Counter, Gauge, Registry } from "@prometheus-io/client";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { latencyBucketsSeconds } from "./counters.ts";
import type { HttpContext } from "./context.ts";

export type Metrics = { readonly contentType: string; readonly render: () => Promise<string> };

type Sample = { readonly labels?: Readonly<Record<string, string>>; readonly value: number };
type Family = { readonly name: string; readonly help: string; readonly samples: () => Iterable<Sample> };

const eventLoopResolutionMs = 20;
const nsPerSecond = 1_000_000_000;
const purchaseSecondsName = "doorbuster_purchase_duration_seconds";

export function createMetrics(context: HttpContext): Metrics {
  const registry = new Registry();
  const delay = monitorEventLoopDelay({ resolution: eventLoopResolutionMs });
  delay.enable();
  const labelsOf = (family: Family) => [...new Set([...family.samples()].flatMap((sample) => Object.keys(sample.labels ?? {})))];
  for (const family of counterFamilies(context)) register(family, registry, "counter");
  for (const family of gaugeFamilies(context, delay)) register(family, registry, "gauge", labelsOf(family));
  return { contentType: registry.contentType, render: async () => (await registry.metrics()) + latencyText(context) };
}

const counterLabels: Readonly<Record<string, string[]>> = {
  doorbuster_purchases_total: ["outcome"],
  doorbuster_http_answers_total: ["status"],
  doorbuster_process_cpu_seconds_total: ["mode"],
  doorbuster_log_lines_lost_total: ["cause"],
  doorbuster_queue_events_total: ["event"],
};

function register(
  { name, help, samples }: Family,
  registry: Registry,
  kind: "counter" | "gauge",
  labels = counterLabels[name] ?? [],
): void {
  const common = { name, help, labelNames: labels, registers: [registry] };
  if (kind === "counter") {
    new Counter({
      ...common,
      collect() {
        this.reset();
        for (const { labels: at, value } of samples()) this.inc(at ?? {}, value);
      },
    });
    return;
  }
  new Gauge({
    ...common,
    collect() {
      this.reset();
      for (const { labels: at, value } of samples()) this.set(at ?? {}, value);
    },
  });
}

function counterFamilies(context: HttpContext): Family[] {
  const { counters, live, deps } = context;
  const { streams } = live;
  const { acceptance, logCounts } = deps;
  const one = (value: () => number) => () => [{ value: value() }];
  return [
    ...queueCounters(context),
    {
      name: "doorbuster_purchases_total",
      help: "Purchases by outcome: accepted, replayed, or the reason of the refusal or error",
      samples: () => [...counters.purchases].map(([outcome, value]) => ({ labels: { outcome }, value })),
    },
    {
      name: "doorbuster_http_answers_total",
      help: "HTTP answers by status",
      samples: () => [...counters.answers].map(([status, value]) => ({ labels: { status: String(status) }, value })),
    },
    { name: "doorbuster_commits_total", help: "Commits of batches", samples: one(() => acceptance.counts.commits) },
    {
      name: "doorbuster_committed_lines_total",
      help: "Movements decided; divided by commits, the size of a batch",
      samples: one(() => acceptance.counts.lines),
    },
    {
      name: "doorbuster_commit_retries_total",
      help: "Commits repeated because their outcome was unknown",
      samples: one(() => acceptance.counts.retries),
    },
    { name: "doorbuster_shed_lines_total", help: "Movements turned away untried", samples: one(() => acceptance.counts.shed) },
    { name: "doorbuster_stream_frames_total", help: "Events sent to live streams", samples: one(() => streams.counts.frames) },
    {
      name: "doorbuster_streams_lagged_total",
      help: "Live streams cut because their client did not read",
      samples: one(() => streams.counts.lagged),
    },
    {
      name: "doorbuster_streams_refused_total",
      help: "Live streams refused because there were too many",
      samples: one(() => streams.counts.refused),
    },
    {
      name: "doorbuster_log_lines_lost_total",
      help: "Log lines lost: dropped because too many were waiting, failed because they could not be written",
      samples: () => [
        { labels: { cause: "dropped" }, value: logCounts?.dropped ?? 0 },
        { labels: { cause: "failed" }, value: logCounts?.failed ?? 0 },
      ],
    },
    { name: "doorbuster_process_cpu_seconds_total", help: "CPU time of this process", samples: cpuSamples },
  ];
}

/** Only where a cache decides. */
function queueCounters({ deps: { queueStats } }: HttpContext): Family[] {
  if (queueStats === undefined) return [];
  return [
    {
      name: "doorbuster_queue_events_total",
      help: "What this process did between cache, broker and ledger, by what it was",
      samples: () => Object.entries(queueStats().events).map(([event, value]) => ({ labels: { event }, value })),
    },
  ];
}

function queueGauges({ deps: { queueStats } }: HttpContext): Family[] {
  if (queueStats === undefined) return [];
  return [
    {
      name: "doorbuster_queue_messages_unconfirmed",
      help: "Messages that wait for the broker's confirm",
      samples: () => [{ value: queueStats().unconfirmed }],
    },
    {
      name: "doorbuster_broker_open",
      help: "1 while the broker takes messages",
      samples: () => [{ value: queueStats().brokerOpen ? 1 : 0 }],
    },
  ];
}

function cpuSamples(): Sample[] {
  const { user, system } = process.cpuUsage();
  return [
    { labels: { mode: "user" }, value: user / 1_000_000 },
    { labels: { mode: "system" }, value: system / 1_000_000 },
  ];
}

function gaugeFamilies(context: HttpContext, delay: ReturnType<typeof monitorEventLoopDelay>): Family[] {
  const { deps, live } = context;
  const { acceptance, isLeaving } = deps;
  return [
    ...queueGauges(context),
    { name: "doorbuster_queue_length", help: "Movements waiting for a commit", samples: () => [{ value: acceptance.waiting }] },
    { name: "doorbuster_streams_open", help: "Live streams (SSE)", samples: () => [{ value: live.streams.size }] },
    { name: "doorbuster_draining", help: "1 while the process is stopping", samples: () => [{ value: isLeaving() ? 1 : 0 }] },
    {
      name: "doorbuster_process_memory_bytes",
      help: "Memory of this process",
      samples: () => {
        const { rss, heapUsed } = process.memoryUsage();
        return [
          { labels: { kind: "resident" }, value: rss },
          { labels: { kind: "heap_used" }, value: heapUsed },
        ];
      },
    },
    { name: "doorbuster_process_uptime_seconds", help: "Age of this process", samples: () => [{ value: process.uptime() }] },
    {
      name: "doorbuster_event_loop_delay_seconds",
      help: "How late the event loop runs, since the last scrape",
      samples: () => {
        const samples = [
          { labels: { quantile: "0.5" }, value: secondsOf(delay.percentile(50)) },
          { labels: { quantile: "0.99" }, value: secondsOf(delay.percentile(99)) },
          { labels: { quantile: "1" }, value: secondsOf(delay.max) },
        ];
        delay.reset();
        return samples;
      },
    },
  ];
}

const secondsOf = (ns: number) => (Number.isFinite(ns) && ns > 0 ? ns / nsPerSecond : 0);

/** The library's histogram can only observe, so the buckets we count ourselves are written as it would write them. */
function latencyText({ counters }: HttpContext): string {
  let below = 0;
  const lines = [`# HELP ${purchaseSecondsName} Time from a purchase's arrival to its answer`, `# TYPE ${purchaseSecondsName} histogram`];
  for (const [i, count] of counters.latency.entries()) {
    below += count;
    lines.push(`${purchaseSecondsName}_bucket{le="${latencyBucketsSeconds[i] ?? "+Inf"}"} ${below}`);
  }
  lines.push(`${purchaseSecondsName}_sum ${counters.latencySumMs / 1000}`, `${purchaseSecondsName}_count ${below}`, "");
  return lines.join("\n");
}
