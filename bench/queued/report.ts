/** What queued mode does: printed, written to bench/results, and quoted in both READMEs. */
import type { SyncTimes } from "../../src/ports/machine-facts.ts";
import type { Machine } from "../machine.ts";
import { count, goal, quoteBetween, table, writeResult } from "../report.ts";
import { atLeast, refusalsLine, syncText } from "../sql/report.ts";
import type { Settling } from "../sql/settling.ts";
import type { Backlog } from "./backlog.ts";
import type { CacheCpu } from "./cache-cpu.ts";
import type { EndToEnd } from "./end-to-end.ts";
import type { QueuedSoldOut } from "./sold-out.ts";

export type QueuedEngineReport = {
  readonly title: string;
  /** Of the disk under its data, before it all and after. */
  readonly syncs: readonly [SyncTimes, SyncTimes];
  /** Measured on the first database alone. */
  readonly soldOut?: QueuedSoldOut | undefined;
  readonly endToEnd: EndToEnd;
  readonly settling: Settling;
  readonly backlog: Backlog;
};
export type QueuedReport = {
  readonly machine: Machine;
  readonly at: string;
  readonly settings: {
    readonly rounds: number;
    readonly seconds: number;
    readonly crowd: number;
    readonly backlog: number;
    readonly quick: boolean;
  };
  /** What ran on which core. */
  readonly pinned: string;
  /** Processes waiting for a core while it was measured, ours among them. */
  readonly load: number;
  readonly cache: readonly CacheCpu[];
  readonly engines: readonly QueuedEngineReport[];
};

/** A backlog is settled with the broker at the database's side, which the settling it is held against has for itself. */
const goals = { ofSingle: 0.5, refusedOfFloor: 1.7, probes: 4, settledP99Ms: 500, ofSettling: 0.6, backlogMb: 400 };

export function printQueuedReport({ machine, engines, settings, pinned, load, cache }: QueuedReport): void {
  console.log(`\n${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, commit ${machine.commit}`);
  console.log(`${pinned}; medians of ${settings.rounds} rounds; load ${load.toFixed(1)} on ${machine.cores} cores\n`);
  table([
    ["the cache's server, its log synced: lines in a call", "CPU µs a line", "lines/s", "× one a call"],
    ...cache.map(({ size, redisUs, perSecond, ofSingle }) => [String(size), redisUs.toFixed(2), count(perSecond), ofSingle.toFixed(2)]),
  ]);
  for (const engine of engines) printEngine(engine);
  console.log("");
  table([["goal", "wanted", "measured", ""], ...cacheVerdicts(cache), ...engines.flatMap(verdicts)]);
}

function printEngine({ title, syncs: [before, after], soldOut, endToEnd, settling, backlog }: QueuedEngineReport): void {
  const { full, half, waiting } = endToEnd;
  console.log(`\n${title}\na page written and synced took ${syncText(before)} before all this, ${syncText(after)} after it\n`);
  if (soldOut !== undefined) {
    table([
      ["sold out, one API process", "per second", "CPU µs", "p50 ms", "p99 ms"],
      refusalsLine("floor: parse, answer the same bytes", soldOut.floor),
      refusalsLine("refused", soldOut.refused),
    ]);
    const { storm, idle } = soldOut;
    const calls = `${storm.calls.toFixed(1)} calls a second, ${idle.calls.toFixed(1)} without a storm`;
    console.log(`${soldOut.ofFloor.toFixed(2)} × the floor; the cache has ${calls}\n`);
  }
  table([
    ["one API process, one worker, one hot product", "per second", "CPU µs", "p50 ms", "p99 ms"],
    [`202, ${full.connections} connections`, count(full.perSecond), full.cpuUs.toFixed(1), full.p50Ms.toFixed(1), full.p99Ms.toFixed(1)],
    ["settled meanwhile", count(full.settledPerSecond), "", "", ""],
    ["at half of that: accepted to settled", count(half.perSecond), "", half.lag.p50Ms.toFixed(1), half.lag.p99Ms.toFixed(1)],
    ["at half of that: 201, for who waits", count(waiting.perSecond), "", waiting.p50Ms.toFixed(1), waiting.p99Ms.toFixed(1)],
  ]);
  console.log(`${(100 * waiting.share).toFixed(1)} % of those who waited had their order in time\n`);
  table([
    ["settling", "per second", "in a commit"],
    ["the bare loop, without cache and broker", count(settling.bare.perSecond), String(settling.size)],
    ["the ledger, without cache and broker", count(settling.ledger.perSecond), String(settling.size)],
    [`a backlog of ${count(backlog.lines)}, by a worker`, count(backlog.settledPerSecond), backlog.perCommit.toFixed(0)],
  ]);
  console.log(`the worker has ${backlog.restMb} MB at rest, and had ${backlog.peakMb} MB at most`);
}

const probesOf = ({ storm, idle }: QueuedSoldOut): number => storm.calls - idle.calls;
const ofLedger = ({ backlog, settling }: QueuedEngineReport): number => backlog.settledPerSecond / settling.ledger.perSecond;

const cacheVerdicts = (cache: readonly CacheCpu[]): string[][] =>
  cache
    .filter(({ size }) => size > 1)
    .map(({ size, ofSingle }) => goal(`the cache's CPU of a line, ${size} a call, × one a call`, ofSingle, goals.ofSingle));

function verdicts(engine: QueuedEngineReport): string[][] {
  const { title, soldOut, endToEnd, backlog } = engine;
  const [name = ""] = title.split(" ");
  return [
    ...(soldOut === undefined
      ? []
      : [
          goal("sold out, CPU × floor", soldOut.ofFloor, goals.refusedOfFloor),
          goal("sold out, probes of the cache a second", probesOf(soldOut), goals.probes),
        ]),
    goal(`${name}: accepted to settled at half load, p99 ms`, endToEnd.half.lag.p99Ms, goals.settledP99Ms),
    goal(`${name}: 201 at half load, p99 ms`, endToEnd.waiting.p99Ms, goals.settledP99Ms),
    atLeast(`${name}: a backlog, × the ledger's own settling`, ofLedger(engine), goals.ofSettling),
    goal(`${name}: the worker's memory with a backlog, MB`, backlog.peakMb, goals.backlogMb),
  ];
}

const readmeMarks = /(<!-- bench-queued:begin -->\n)[^]*(<!-- bench-queued:end -->)/;

/** Puts the figures into the READMEs, between their marks. */
export const quoteQueuedInReadme = (report: QueuedReport): void => quoteBetween(readmeMarks, readmeText(report));

export function readmeText({ machine, at, settings, pinned, load, cache, engines }: QueuedReport): string {
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}; commit ${machine.commit}, ${at.slice(0, 10)}; medians of ${settings.rounds} rounds; load ${load.toFixed(1)}.`,
    `${pinned}.`,
    "",
    `| | ${engines.map(({ title }) => title).join(" | ")} |`,
    `|---|${engines.map(() => "---|").join("")}`,
  ];
  const row = (name: string, cell: (engine: QueuedEngineReport) => string) =>
    void lines.push(`| ${name} | ${engines.map(cell).join(" | ")} |`);
  for (const { size, redisUs, ofSingle } of cache)
    // No database has a part in it.
    row(`CPU of Redis for a line, ${size} a call`, (engine) =>
      engine === engines[0] ? `${redisUs.toFixed(1)} µs, ${ofSingle.toFixed(2)} × one a call` : "–",
    );
  row("refusals (sold out), one API process", ({ soldOut }) => {
    if (soldOut === undefined) return "–";
    const { perSecond, cpuUs } = soldOut.refused;
    return `${count(perSecond)}/s, ${cpuUs.toFixed(1)} µs, ${soldOut.ofFloor.toFixed(2)} × floor, ${probesOf(soldOut).toFixed(1)} probes/s`;
  });
  row(
    `accepted (202), ${settings.crowd} connections`,
    ({ endToEnd: { full } }) => `${count(full.perSecond)}/s, p50 ${full.p50Ms.toFixed(0)} ms, p99 ${full.p99Ms.toFixed(0)} ms`,
  );
  row(
    "accepted to settled, at half of that",
    ({ endToEnd: { half } }) => `p50 ${half.lag.p50Ms.toFixed(0)} ms, p99 ${half.lag.p99Ms.toFixed(0)} ms`,
  );
  row(
    "201 for who waits, at half of that",
    ({ endToEnd: { waiting } }) => `p50 ${waiting.p50Ms.toFixed(0)} ms, p99 ${waiting.p99Ms.toFixed(0)} ms`,
  );
  row("a backlog settles", (engine) => {
    const { backlog } = engine;
    return `${count(backlog.lines)} at ${count(backlog.settledPerSecond)}/s, ${ofLedger(engine).toFixed(2)} × the ledger alone; ${backlog.peakMb} MB`;
  });
  return `${lines.join("\n")}\n`;
}

export const writeQueuedReport = (report: QueuedReport): string =>
  writeResult(report.settings.quick ? "queued-quick.json" : "queued.json", report);
