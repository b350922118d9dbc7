/**
 * The rehearsal's result as data: what is printed and what `--json` writes. Times are in ms, money in the currency's
 * smallest unit. It holds the figures as they were measured, the crowd's own client included, and the verdict.
 */
import type { LatencySummary } from "./percentiles.ts";
import type { RehearsalOptions } from "./plan.ts";
import type { StormResult } from "./storm.ts";
import type { StockSample } from "./tally.ts";
import type { VerifyVerdict } from "./verdict.ts";

export type Counts = Readonly<Record<string, number>>;

export type RehearsalReport = {
  readonly verdict: "valid" | "invalid";
  readonly problems: readonly string[];
  readonly seed: number;
  readonly buyers: number;
  readonly stock: number;
  readonly connections: number;
  readonly pay_window_ms: number;
  readonly storm_ms: number;
  readonly elapsed_ms: number;
  readonly throughput: { readonly purchase_requests_per_s: number; readonly accepts_per_s: number };
  readonly requests: { readonly purchase: number; readonly other: number };
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
    readonly other: LatencySummary | undefined;
  };
  readonly orders: Counts;
  readonly refunds: { readonly count: number; readonly amount_minor: number; readonly by_reason: Counts; readonly by_state: Counts };
  readonly stock_over_time: readonly StockSample[];
  readonly came_to_rest: boolean;
  readonly verify: VerifyVerdict;
};

export type ReportParts = { readonly options: RehearsalOptions; readonly result: StormResult; readonly verify: VerifyVerdict };

export function reportOf({ options, result, verify }: ReportParts): RehearsalReport {
  const { tally, finalOrders, stormMs, elapsedMs, cameToRest } = result;
  const { counts, latencies } = tally;
  const problems = problemsOf({ options, result, verify });
  const refunds = finalOrders.flatMap((order) => order.refunds);
  const perSecond = (events: number) => Math.round((events * 1000) / Math.max(1, stormMs));
  return {
    verdict: problems.length === 0 ? "valid" : "invalid",
    problems,
    seed: options.seed,
    buyers: options.buyers,
    stock: options.stock,
    connections: options.connections,
    pay_window_ms: options.payWindowMs,
    storm_ms: Math.round(stormMs),
    elapsed_ms: Math.round(elapsedMs),
    throughput: { purchase_requests_per_s: perSecond(counts.stormRequests), accepts_per_s: perSecond(counts.stormAccepts) },
    requests: { purchase: counts.purchaseRequests, other: counts.otherRequests },
    accepted: tally.orders.size,
    replayed: counts.replays,
    refused: sorted(tally.refusals),
    not_tried: sorted(tally.notTried),
    answers_lost: sorted(tally.lost),
    statuses: sorted(tally.statuses),
    latency_ms: {
      accepted: latencies.accepted.summary(),
      replayed: latencies.replayed.summary(),
      refused: latencies.refused.summary(),
      other: latencies.other.summary(),
    },
    orders: tallied(finalOrders.map(({ state }) => state)),
    refunds: {
      count: refunds.length,
      amount_minor: refunds.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
      by_reason: tallied(refunds.map(({ reason }) => reason)),
      by_state: tallied(refunds.map(({ state }) => state)),
    },
    stock_over_time: tally.stock,
    came_to_rest: cameToRest,
    verify,
  };
}

/** Everything that makes a rehearsal fail, in words. A check that had too little to look at (`unknown`) is shown, and is no failure. */
function problemsOf({ options, result, verify }: ReportParts): string[] {
  const { tally, finalOrders, cameToRest } = result;
  const problems = [...tally.brokenPromises];
  const more = tally.counts.brokenPromises - tally.brokenPromises.length;
  if (more > 0) problems.push(`${more} more broken promises of the same kinds`);
  const kept = finalOrders.filter(({ state }) => state === "paid" || state === "reserved").length;
  if (kept > options.stock) problems.push(`oversold: ${kept} orders hold a unit of ${options.stock}`);
  const last = tally.stock.at(-1);
  const held = finalOrders.filter(({ state }) => state === "paid").length;
  if (last !== undefined && last.sold !== held) problems.push(`the shop shows ${last.sold} units sold, its orders say ${held}`);
  if (!cameToRest) problems.push("orders or refunds were still open when the time for them was up");
  if (verify.verdict === "invalid") problems.push(...(verify.problems.length > 0 ? verify.problems : ["verify says invalid"]));
  return problems;
}

const sorted = (counts: ReadonlyMap<string | number, number>): Counts =>
  Object.fromEntries([...counts].sort(([, a], [, b]) => b - a).map(([name, units]) => [String(name), units]));

function tallied(names: readonly string[]): Counts {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return sorted(counts);
}
