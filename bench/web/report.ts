/** What buyers notice: printed, written to bench/results, and quoted in both READMEs. */
import type { Machine } from "../machine.ts";
import { count, quoteBetween, table, writeResult } from "../report.ts";
import type { Loading } from "./loading.ts";
import type { Newcomer } from "./newcomer.ts";
import type { Pixels } from "./pixels.ts";
import type { Stampede } from "./stampede.ts";
import type { Opening, Starts } from "./starts.ts";

export type WebReport = {
  readonly machine: Machine;
  readonly at: string;
  readonly settings: { readonly rounds: number; readonly quick: boolean };
  /** What ran on which core. */
  readonly pinned: string;
  /** Processes waiting for a core while it was measured, ours among them. */
  readonly load: number;
  readonly loading: Loading;
  readonly starts: Starts;
  readonly pixels: Pixels;
  readonly stampede: Stampede;
  readonly newcomer: Newcomer;
};

type Line = { readonly name: string; readonly measured: string; readonly goal: string; readonly met: boolean };

const most = (name: string, value: number, max: number, unit: string, more = "", digits = 0): Line => ({
  name,
  measured: `${value.toFixed(digits)}${unit}${more}`,
  goal: `≤ ${max}${unit}`,
  met: value <= max,
});
const none = (name: string, value: number): Line => ({ name, measured: String(value), goal: "0", met: value === 0 });

/** A page may be early by what it says it may be off, and by no more. */
const opened = (where: string, { afterMs, earliestMs, latestMs, boundMs, buttons }: Opening, graceMs: number): Line => ({
  name: `the button opens after the server's start, ${where} (${buttons} buttons, clocks right and 5 min off)`,
  measured: `${afterMs.toFixed(0)} ms (${earliestMs} to ${latestMs}; the page said ±${boundMs})`,
  goal: graceMs === 0 ? "≤ 100 ms, never before" : "≤ 100 ms and what the page says, never before that",
  met: latestMs <= 100 + graceMs && earliestMs >= -graceMs,
});

export function linesOf({ loading, starts, pixels, stampede, newcomer }: WebReport): Line[] {
  const kb = 1024;
  const { purchases, joins } = stampede;
  const shed = `${(100 * purchases.shedShare).toFixed(2)} % of ${count(purchases.perSecond)} purchases/s shed`;
  return [
    most("sale page: its program, compressed", loading.programBytes / kb, 16, " KB", "", 1),
    most("sale page: all of it on the wire", loading.bytes / kb, 35, " KB", "", 1),
    most("sale page: requests before it is ready", loading.requests, 6, ""),
    none("sale page: requests to third parties", loading.foreign),
    most("largest paint, cheap phone, nothing cached", loading.paintMs, 1_500, " ms", ` (max ${loading.paintMsMax.toFixed(0)})`),
    most("layout shift, cheap phone", loading.shift, 0.02, "", "", 3),
    opened("on this machine", starts.near, 0),
    opened("cheap phone", starts.phone, starts.phone.boundMs),
    most(
      `purchase sent to number painted, p95, ${count(pixels.listeners)} other listeners`,
      pixels.p95Ms,
      500,
      " ms",
      ` (p50 ${pixels.p50Ms.toFixed(0)}, max ${pixels.maxMs.toFixed(0)}; ${pixels.purchases} purchases)`,
    ),
    most(
      `sale page in a stampede, p99 (${shed})`,
      stampede.p99Ms,
      50,
      " ms",
      ` (p50 ${stampede.p50Ms.toFixed(1)}; ${count(stampede.perSecond)}/s)`,
      1,
    ),
    {
      name: "sale pages a second in it",
      measured: count(stampede.perSecond),
      goal: `${count(stampede.wantedPerSecond)}`,
      // The generator counts its first and last moments, too.
      met: stampede.perSecond >= 0.98 * stampede.wantedPerSecond,
    },
    none("sale pages in it that were no 200", stampede.failed),
    most(`largest paint for a cheap phone that joins then (sees ${joins.state})`, joins.paintMs, 2_500, " ms"),
    most(
      "npm start to a paid order in the browser, scripted",
      newcomer.paidSeconds,
      180,
      " s",
      ` (max ${newcomer.paidSecondsMax.toFixed(1)}; first page after ${newcomer.firstPageSeconds.toFixed(1)})`,
      1,
    ),
  ];
}

export function printWebReport(report: WebReport): void {
  const { machine, settings, pinned, load, stampede } = report;
  console.log(`\n${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, commit ${machine.commit}`);
  console.log(`${pinned}; medians of ${settings.rounds} rounds; load ${load.toFixed(1)} on ${machine.cores} cores\n`);
  table([
    ["", "goal", "measured", ""],
    ...linesOf(report).map(({ name, goal, measured, met }) => [name, goal, measured, met ? "met" : "MISSED"]),
  ]);
  console.log(`\n${mostLine(stampede)}`);
}

const mostLine = ({ mostPerSecond, cpuUs }: Stampede): string =>
  `Without a rate wrk gets ${count(mostPerSecond)} sale pages a second at ${cpuUs.toFixed(1)} µs of CPU each.`;

const readmeMarks = /(<!-- bench-web:begin -->\n)[^]*(<!-- bench-web:end -->)/;

/** Puts the figures into the READMEs, between their marks. */
export const quoteWebInReadme = (report: WebReport): void => quoteBetween(readmeMarks, readmeText(report));

export function readmeText(report: WebReport): string {
  const { machine, at, settings, pinned, load, stampede } = report;
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}; commit ${machine.commit}, ${at.slice(0, 10)}; medians of ${settings.rounds} rounds, of paints 5; load ${load.toFixed(1)}.`,
    `${pinned}.`,
    "",
    "| | measured | goal |",
    "|---|---|---|",
    ...linesOf(report).map(({ name, measured, goal, met }) => `| ${name} | ${measured} | ${goal}${met ? "" : ", **missed**"} |`),
    "",
    mostLine(stampede),
  ];
  return `${lines.join("\n")}\n`;
}

export const writeWebReport = (report: WebReport): string => writeResult(report.settings.quick ? "web-quick.json" : "web.json", report);
