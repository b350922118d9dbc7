/** What several processes on one database do: printed, written to bench/results, and quoted in both READMEs. */
import type { SyncTimes } from "../../src/ports/machine-facts.ts";
import type { Machine } from "../machine.ts";
import type { Refusals, SoldOut as SoldOutCounting } from "../sold-out.ts";
import { count, goal, quoteBetween, table, writeResult } from "../report.ts";
import type { Settling, Spent } from "./settling.ts";
import type { Accepts, Storm } from "./storm.ts";

/** Transactions on the whole database, and those that the API process asked for, which probe whether all is still taken. */
type SoldOut = SoldOutCounting<"transactions" | "probes">;

export type EngineReport = {
  readonly title: string;
  /** Of the disk under its data, before it all and after. */
  readonly syncs: readonly [SyncTimes, SyncTimes];
  readonly settling: readonly Settling[];
  readonly storm: Storm;
  readonly soldOut: SoldOut;
};
export type SqlReport = {
  readonly machine: Machine;
  readonly at: string;
  readonly settings: { readonly rounds: number; readonly seconds: number; readonly takes: number; readonly quick: boolean };
  /** What ran on which core. */
  readonly pinned: string;
  /** Processes waiting for a core while it was measured, ours among them. */
  readonly load: number;
  readonly engines: readonly EngineReport[];
};

const goals = { ofBare: 0.6, ofBareAt: 500, ofSingle: 10, probes: 5 };

export function printSqlReport({ machine, engines, settings, pinned, load }: SqlReport): void {
  console.log(`\n${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, commit ${machine.commit}`);
  console.log(`${pinned}; medians of ${settings.rounds} rounds; load ${load.toFixed(1)} on ${machine.cores} cores`);
  for (const engine of engines) printEngine(engine);
}

function printEngine({ title, syncs: [before, after], settling, storm, soldOut }: EngineReport): void {
  console.log(`\n${title}\na page written and synced took ${syncText(before)} before all this, ${syncText(after)} after it\n`);
  table([
    ["settling: takes in a batch", "ledger/s", "client µs", "engine µs", "bare/s", "client µs", "engine µs", "ratio", "worst to best"],
    ...settling.map(({ size, ledger, bare, ofBare, ofBareMin, ofBareMax }) => [
      String(size),
      ...spentCells(ledger),
      ...spentCells(bare),
      ofBare.toFixed(2),
      `${ofBareMin.toFixed(2)}–${ofBareMax.toFixed(2)}`,
    ]),
  ]);
  console.log("");
  table([
    ["two API processes, one hot product", "accepts/s", "a commit", "CPU µs", "p50 ms", "p99 ms"],
    acceptsLine("a commit takes what waits", storm.batched),
    acceptsLine("one purchase a transaction", storm.single),
  ]);
  console.log("");
  table([
    ["sold out, one API process", "per second", "CPU µs", "p50 ms", "p99 ms"],
    refusalsLine("floor: parse, answer the same bytes", soldOut.floor),
    refusalsLine("refused", soldOut.refused),
  ]);
  console.log(`${soldOut.ofFloor.toFixed(2)} × the floor; ${transactionsOf(soldOut)}\n`);
  table([["goal", "wanted", "measured", ""], ...verdicts(settling, storm, soldOut)]);
}

export const syncText = ({ medianMs, p99Ms }: SyncTimes) => `${medianMs.toFixed(2)} ms (p99 ${p99Ms.toFixed(1)})`;
const spentCells = ({ perSecond, clientUs, engineUs }: Spent) => [count(perSecond), clientUs.toFixed(1), engineUs.toFixed(1)];
const acceptsLine = (name: string, { connections, perSecond, perCommit, cpuUs, p50Ms, p99Ms }: Accepts) => [
  `${name}, ${connections} connections`,
  count(perSecond),
  perCommit.toFixed(1),
  cpuUs.toFixed(1),
  p50Ms.toFixed(1),
  p99Ms.toFixed(1),
];
export const refusalsLine = (name: string, { perSecond, cpuUs, p50Ms, p99Ms }: Refusals) => [
  name,
  count(perSecond),
  cpuUs.toFixed(1),
  p50Ms.toFixed(1),
  p99Ms.toFixed(1),
];
const transactionsOf = ({ idle, storm }: SoldOut) =>
  `the database has ${storm.transactions.toFixed(1)} transactions a second then, ${idle.transactions.toFixed(1)} without a storm; ${storm.probes.toFixed(1)} of them probe whether all is still taken`;

function verdicts(settling: readonly Settling[], storm: Storm, soldOut: SoldOut): string[][] {
  const settled = settling.find(({ size }) => size === goals.ofBareAt);
  return [
    ...(settled === undefined ? [] : [atLeast(`settling ${settled.size} a batch, × the bare loop`, settled.ofBare, goals.ofBare)]),
    atLeast("two API processes, × one purchase a transaction", storm.ofSingle, goals.ofSingle),
    goal("sold out, probes a second", soldOut.storm.probes, goals.probes),
  ];
}

export const atLeast = (name: string, value: number, min: number) => [name, `≥ ${min}`, value.toFixed(2), value >= min ? "met" : "MISSED"];

const readmeMarks = /(<!-- bench-sql:begin -->\n)[^]*(<!-- bench-sql:end -->)/;

/** Puts the figures into the READMEs, between their marks. */
export function quoteSqlInReadme({ machine, at, settings, pinned, load, engines }: SqlReport): void {
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}; commit ${machine.commit}, ${at.slice(0, 10)}; medians of ${settings.rounds} rounds; load ${load.toFixed(1)}.`,
    `${pinned}.`,
    "",
    `| | ${engines.map(({ title }) => title).join(" | ")} |`,
    `|---|${engines.map(() => "---|").join("")}`,
  ];
  const row = (name: string, cell: (engine: EngineReport) => string) => void lines.push(`| ${name} | ${engines.map(cell).join(" | ")} |`);
  for (const { size } of engines[0]?.settling ?? [])
    row(`settling, batches of ${size}`, ({ settling }) => {
      const settled = settling.find((other) => other.size === size);
      return settled === undefined ? "–" : `${count(settled.ledger.perSecond)}/s, ${settled.ofBare.toFixed(2)} × the bare loop`;
    });
  row("two API processes, one product", ({ storm: { batched } }) => acceptsText(batched));
  row("the same, one purchase a transaction", ({ storm: { single } }) => acceptsText(single));
  row("so much quicker", ({ storm }) => `${storm.ofSingle.toFixed(0)} × (${storm.ofSingleMin.toFixed(0)}–${storm.ofSingleMax.toFixed(0)})`);
  row("refusals (sold out), one API process", ({ soldOut: { refused, ofFloor } }) => {
    return `${count(refused.perSecond)}/s, ${refused.cpuUs.toFixed(1)} µs, ${ofFloor.toFixed(2)} × floor`;
  });
  row("transactions that they cost", ({ soldOut }) => `${soldOut.storm.probes.toFixed(1)}/s`);
  quoteBetween(readmeMarks, `${lines.join("\n")}\n`);
}

const acceptsText = ({ perSecond, perCommit, p50Ms, p99Ms }: Accepts) =>
  `${count(perSecond)}/s, ${perCommit.toFixed(0)} a commit, p50 ${p50Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms`;

export const writeSqlReport = (report: SqlReport): string => writeResult(report.settings.quick ? "sql-quick.json" : "sql.json", report);
