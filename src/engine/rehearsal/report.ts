/**
 * The rehearsal's result as data: what is printed and what `--json` writes. Times are in ms, money in the currency's
 * smallest unit. It holds the figures as they were measured, the crowd's own client included, and the verdict.
 */
import { durationOf, peakOf, type Curve } from "./curve.ts";
import type { HaltReason } from "./halt.ts";
import type { LatencySummary } from "./histogram.ts";
import type { RehearsalOptions } from "./plan.ts";
import type { Counts, SecondData } from "./series.ts";
import type { Remains } from "./shadow-sale.ts";
import type { StormResult } from "./storm.ts";
import type { ClientEnvironment, ServerEnvironment } from "./surroundings.ts";
import type { StockSample } from "./tally.ts";
import type { VerifyVerdict } from "./verdict.ts";

export const reportFormat = "doorbuster-rehearsal/1";

/** Where it took place. Texts come from the shop or the operator: pages escape them. */
export type Target =
  | { readonly kind: "own_server" }
  | {
      readonly kind: "deployment";
      readonly url: string;
      readonly sale_id: string;
      readonly product_id: string;
      readonly name: string;
      readonly like?: { readonly id: string; readonly name: string } | undefined;
      readonly payments: "none" | "simulated";
      readonly limits: { readonly error_share_max: number; readonly p99_max_ms: number };
      readonly remains?: Remains | undefined;
      /** Why the shadow sale could not be closed, and what does it by hand. */
      readonly not_closed?: string | undefined;
    };
export type Environment = { readonly client: ClientEnvironment; readonly server: ServerEnvironment };
export type CurveData = {
  readonly kind: Curve["kind"];
  readonly peak_per_s: number;
  readonly duration_s: number;
  readonly lead_s: number;
  readonly points: readonly (readonly [second: number, perSecond: number])[];
};

export type RehearsalReport = {
  readonly format: typeof reportFormat;
  readonly began_at: string;
  /** `aborted`: nothing was seen broken, but the run ended before its time. */
  readonly verdict: "valid" | "invalid" | "aborted";
  readonly problems: readonly string[];
  readonly halted?: HaltReason | undefined;
  readonly target: Target;
  readonly environment: Environment;
  readonly seed: number;
  readonly buyers: number;
  readonly stock: number;
  readonly connections: number;
  readonly pay_window_ms: number;
  readonly curve?: CurveData | undefined;
  readonly storm_ms: number;
  readonly elapsed_ms: number;
  readonly throughput: { readonly purchase_requests_per_s: number; readonly accepts_per_s: number };
  readonly requests: { readonly purchase: number; readonly other: number; readonly polls: number; readonly not_sent: number };
  readonly accepted: number;
  readonly replayed: number;
  readonly refused: Counts;
  readonly not_tried: Counts;
  readonly answers_lost: Counts;
  readonly statuses: Counts;
  readonly latency_ms: {
    readonly accepted: LatencySummary | undefined;
    readonly replayed: LatencySummary | undefined;
    readonly refused: LatencySummary | undefined;
    /** Of purchases, from leaving the client; the three above run from when a buyer meant to ask. */
    readonly service: LatencySummary | undefined;
    readonly polls: LatencySummary | undefined;
    readonly other: LatencySummary | undefined;
  };
  readonly seconds: readonly SecondData[];
  readonly orders: Counts;
  readonly refunds: { readonly count: number; readonly amount_minor: number; readonly by_reason: Counts; readonly by_state: Counts };
  readonly stock_over_time: readonly StockSample[];
  /** Undefined when the shop could not be asked any more. */
  readonly came_to_rest?: boolean | undefined;
  /** What the client's own record shows, where the store was not at hand or besides it. */
  readonly record?: VerifyVerdict | undefined;
  readonly verify?: VerifyVerdict | undefined;
};

export type ReportParts = {
  readonly options: RehearsalOptions;
  readonly result: StormResult;
  readonly record?: VerifyVerdict | undefined;
  readonly verify?: VerifyVerdict | undefined;
  readonly halted?: HaltReason | undefined;
  readonly target: Target;
  readonly environment: Environment;
  readonly beganAt: string;
};

export function reportOf(parts: ReportParts): RehearsalReport {
  const { options, result, record, verify, halted, target, environment, beganAt } = parts;
  const { tally, finalOrders, seconds, stormMs, elapsedMs, cameToRest } = result;
  const { counts } = tally;
  const problems = problemsOf(parts);
  const perSecond = (events: number) => Math.round((events * 1000) / Math.max(1, stormMs));
  const early = halted === undefined ? "valid" : "aborted";
  return {
    format: reportFormat,
    began_at: beganAt,
    verdict: problems.length === 0 ? early : "invalid",
    problems,
    halted,
    target,
    environment,
    seed: options.seed,
    buyers: options.buyers,
    stock: options.stock,
    connections: options.connections,
    pay_window_ms: options.payWindowMs,
    curve: curveData(options),
    storm_ms: Math.round(stormMs),
    elapsed_ms: Math.round(elapsedMs),
    throughput: { purchase_requests_per_s: perSecond(counts.stormRequests), accepts_per_s: perSecond(counts.stormAccepts) },
    requests: { purchase: counts.purchaseRequests, other: counts.otherRequests, polls: counts.polls, not_sent: counts.notSent },
    accepted: tally.orders.size,
    replayed: counts.replays,
    refused: sorted(tally.refusals),
    not_tried: sorted(tally.notTried),
    answers_lost: sorted(tally.lost),
    statuses: sorted(tally.statuses),
    latency_ms: latencyOf(result),
    seconds,
    orders: tallied(finalOrders.map(({ state }) => state)),
    refunds: refundsOf(result),
    stock_over_time: tally.stock,
    came_to_rest: cameToRest,
    record,
    verify,
  };
}

function latencyOf({ tally: { latencies } }: StormResult): RehearsalReport["latency_ms"] {
  const { accepted, replayed, refused, service, polls, other } = latencies;
  return {
    accepted: accepted.summary(),
    replayed: replayed.summary(),
    refused: refused.summary(),
    service: service.summary(),
    polls: polls.summary(),
    other: other.summary(),
  };
}

function refundsOf({ finalOrders }: StormResult): RehearsalReport["refunds"] {
  const refunds = finalOrders.flatMap((order) => order.refunds);
  return {
    count: refunds.length,
    amount_minor: refunds.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
    by_reason: tallied(refunds.map(({ reason }) => reason)),
    by_state: tallied(refunds.map(({ state }) => state)),
  };
}

function curveData({ curve, lead }: RehearsalOptions): CurveData | undefined {
  if (curve === undefined) return undefined;
  const hundredths = (value: number) => Math.round(value * 100) / 100;
  const points = curve.points.map(({ atMs, perSecond }) => [hundredths(atMs / 1000), hundredths(perSecond)] as const);
  return {
    kind: curve.kind,
    peak_per_s: hundredths(peakOf(curve)),
    duration_s: durationOf(curve) / 1000,
    lead_s: (lead?.ms ?? 0) / 1000,
    points,
  };
}

/** Everything that makes a rehearsal fail, in words. A check that had too little to look at (`unknown`) is shown, and is no failure. */
function problemsOf({ options, result, record, verify, halted }: ReportParts): string[] {
  const { tally, finalOrders, cameToRest } = result;
  const problems = [...tally.brokenPromises];
  const more = tally.counts.brokenPromises - tally.brokenPromises.length;
  if (more > 0) problems.push(`${more} more broken promises of the same kinds`);
  const kept = finalOrders.filter(({ state }) => state === "paid" || state === "reserved").length;
  if (kept > options.stock) problems.push(`oversold: ${kept} orders hold a unit of ${options.stock}`);
  const last = tally.stock.at(-1);
  const held = finalOrders.filter(({ state }) => state === "paid").length;
  if (cameToRest !== undefined && last !== undefined && last.sold !== held)
    problems.push(`the shop shows ${last.sold} units sold, its orders say ${held}`);
  if (cameToRest === false) problems.push("orders or refunds were still open when the time for them was up");
  if (halted?.by === "fence") problems.push(`the rehearsal would have left its own sale and was stopped: ${halted.text}`);
  for (const [name, judged] of [["the record", record] as const, ["verify", verify] as const])
    if (judged?.verdict === "invalid") problems.push(...(judged.problems.length > 0 ? judged.problems : [`${name} says invalid`]));
  return problems;
}

const sorted = (counts: ReadonlyMap<string | number, number>): Counts =>
  Object.fromEntries([...counts].sort(([, a], [, b]) => b - a).map(([name, units]) => [String(name), units]));

function tallied(names: readonly string[]): Counts {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return sorted(counts);
}
