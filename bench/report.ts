import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Parts } from "./breakdown.ts";
import type { Against } from "./against.ts";
import type { Machine } from "./machine.ts";

export type Row = {
  readonly perSecond: number;
  readonly cpuUs: number;
  /** CPU per request as a multiple of the floor's in the same round. */
  readonly ofFloor: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p99OfFloor: number;
};
export type Buying = {
  /** By a crowd; its floor is measured with as many connections. */
  readonly accepted: Row;
  readonly acceptedByFew: Row;
  /** Orders that are in the store, per second of the accepting run. */
  readonly settledPerSecond: number;
};
export type WorldReport = {
  readonly name: string;
  readonly about: string;
  readonly floor: Row;
  readonly refused: Row;
  /** Absent where only refusals are measured. */
  readonly buying?: Buying | undefined;
  readonly memoryMb: number;
  readonly firstAcceptMs: number;
};
export type Report = {
  readonly machine: Machine;
  readonly at: string;
  readonly settings: {
    readonly rounds: number;
    readonly seconds: number;
    readonly connections: number;
    readonly crowd: number;
    readonly quick: boolean;
  };
  readonly worlds: readonly WorldReport[];
  /** Absent unless an earlier commit was named. */
  readonly against?: Against | undefined;
  readonly parts: Parts;
};

/** What the product promises itself; the aim in brackets. S4's figure is the one the seeds ask for. */
const goals = {
  refusedOfFloor: 1.7,
  refusedP99OfFloor: 3,
  acceptedOfFloor: 3,
  acceptedPerSecond: 20_000,
  flatness: 0.25,
  memoryMb: 400,
  firstAcceptMs: 2_000,
  againstEarlier: 1.05,
};

export function printReport(report: Report): void {
  const { machine, settings, worlds, parts, against } = report;
  if (against !== undefined) console.log(`\n${againstLine(against)}`);
  const [plain] = worlds;
  if (plain?.buying === undefined) return;
  const { buying } = plain;
  console.log(`\n${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, commit ${machine.commit}`);
  console.log(
    `server on core 0, wrk on core 1, ${settings.connections} connections, medians of ${settings.rounds} rounds of ${settings.seconds} s; fsync before every yes\n`,
  );
  table([
    ["", "per second", "CPU µs", "× floor", "p50 ms", "p99 ms", "p99 × floor"],
    lineOf("floor: parse, answer the same bytes", plain.floor),
    lineOf("refused (sold out)", plain.refused),
    lineOf(`durable accepts (201 after fsync), ${settings.crowd} connections`, buying.accepted),
    lineOf(`durable accepts, ${settings.connections} connections`, buying.acceptedByFew),
  ]);
  console.log(
    `\nthree numbers apart: ${count(buying.accepted.perSecond)} durable accepts/s · ${count(plain.refused.perSecond)} refusals/s · ${count(buying.settledPerSecond)} settled orders/s (the seeds ask for 20,000 requests/s)\n`,
  );
  printFlatness(worlds, plain);
  console.log("");
  const http = ["HTTP: the floor, sockets and all", plain.floor.cpuUs.toFixed(2)];
  table([["where the microseconds go", "µs"], http, ...Object.entries(parts).map(([name, us]) => [name, us.toFixed(2)])]);
  console.log("");
  table([["goal", "wanted", "measured", ""], ...verdicts(worlds, plain, buying), ...verdictAgainst(against)]);
}

function printFlatness(worlds: readonly WorldReport[], plain: WorldReport): void {
  const change = (row: Row | undefined, base: Row | undefined) =>
    row === undefined || base === undefined ? ["–", ""] : [row.ofFloor.toFixed(2), percent(row.ofFloor / base.ofFloor - 1)];
  table([
    ["world", "refused × floor", "", "accepted × floor", "", "memory MB", "restart to first 201 ms"],
    ...worlds.map((world) => [
      world.about,
      ...change(world.refused, plain.refused),
      ...change(world.buying?.accepted, plain.buying?.accepted),
      String(world.memoryMb),
      world.firstAcceptMs.toFixed(0),
    ]),
  ]);
}

const percent = (share: number) => `${share >= 0 ? "+" : "−"}${Math.abs(share * 100).toFixed(0)} %`;

function verdicts(worlds: readonly WorldReport[], plain: WorldReport, buying: Buying): string[][] {
  const worst = (pick: (world: WorldReport) => number) => Math.max(...worlds.map(pick));
  // A storm on ten thousand sales at once is shown, not promised: each sale has rows, hence pages, of its own to write.
  const promised = worlds.filter(({ name }) => name !== "spread");
  const changes = promised.flatMap(({ refused, buying: bought }) => [
    refused.ofFloor / plain.refused.ofFloor - 1,
    ...(bought === undefined ? [] : [bought.accepted.ofFloor / buying.accepted.ofFloor - 1]),
  ]);
  const { perSecond } = buying.accepted;
  const memory = worst(({ memoryMb }) => memoryMb);
  const restart = worst(({ firstAcceptMs }) => firstAcceptMs);
  return [
    goal("refused, CPU × floor", plain.refused.ofFloor, goals.refusedOfFloor),
    goal("refused, p99 × floor", plain.refused.p99OfFloor, goals.refusedP99OfFloor),
    goal("accepted, CPU × floor", buying.accepted.ofFloor, goals.acceptedOfFloor),
    ["durable accepts/s", `≥ ${count(goals.acceptedPerSecond)}`, count(perSecond), perSecond >= goals.acceptedPerSecond ? "met" : "MISSED"],
    goal("worst change over the worlds", Math.max(...changes), goals.flatness),
    goal("memory, MB", memory, goals.memoryMb),
    goal("restart to first 201, ms", restart, goals.firstAcceptMs),
  ];
}

const verdictAgainst = (against: Against | undefined) =>
  against === undefined ? [] : [goal(`refused, CPU × that of ${against.commit}`, against.cpuRatio, goals.againstEarlier)];

const againstLine = ({ commit, cpuRatio, noiseRatio, thenUs, nowUs }: Against) =>
  `A refused purchase, logs on, now ${nowUs.toFixed(1)} µs and at commit ${commit} ${thenUs.toFixed(1)} µs: × ${cpuRatio.toFixed(3)} (the earlier one measured twice: × ${noiseRatio.toFixed(3)}).`;

export const goal = (name: string, value: number, max: number) => [
  name,
  `≤ ${max}`,
  value >= 100 ? value.toFixed(0) : value.toFixed(2),
  value <= max ? "met" : "MISSED",
];
export const count = (value: number) => Math.round(value).toLocaleString("en");
const lineOf = (name: string, row: Row) => [
  name,
  count(row.perSecond),
  row.cpuUs.toFixed(1),
  row.ofFloor.toFixed(2),
  row.p50Ms.toFixed(2),
  row.p99Ms.toFixed(2),
  row.p99OfFloor.toFixed(2),
];

export function table(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows)
    console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  "));
}

/** The same figures in both languages. */
const readmePaths = ["README.md", "README.zh-CN.md"].map((name) => join(import.meta.dirname, "..", name));
const readmeMarks = /(<!-- bench:begin -->\n)[^]*(<!-- bench:end -->)/;

/** Puts the figures into the README, between its marks. */
export function quoteInReadme(report: Report): void {
  const { machine, worlds, at, settings, against } = report;
  const [plain] = worlds;
  if (plain?.buying === undefined) return;
  const { buying } = plain;
  const line = (name: string, { cpuUs, ofFloor, perSecond, p50Ms, p99Ms }: Row) =>
    `| ${name} | ${cpuUs.toFixed(1)} µs | ${ofFloor.toFixed(2)} | ${count(perSecond)} | ${p50Ms.toFixed(1)} ms | ${p99Ms.toFixed(1)} ms |`;
  const text = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}; commit ${machine.commit}, ${at.slice(0, 10)}; medians of ${settings.rounds} rounds.`,
    "",
    "| | CPU per request | × floor | per second | p50 | p99 |",
    "|---|---|---|---|---|---|",
    line(`floor, ${settings.connections} connections`, plain.floor),
    line(`refusals (sold out), ${settings.connections} connections`, plain.refused),
    line(`durable accepts (201 after fsync), ${settings.crowd} connections`, buying.accepted),
    line(`durable accepts, ${settings.connections} connections`, buying.acceptedByFew),
    `| settled orders | | | ${count(buying.settledPerSecond)} | | |`,
    "",
    "| the same with | refusals × floor | accepts × floor | memory | restart to first 201 |",
    "|---|---|---|---|---|",
    ...worlds.map(
      (world) =>
        `| ${world.about} | ${world.refused.ofFloor.toFixed(2)} | ${world.buying?.accepted.ofFloor.toFixed(2) ?? "–"} | ${world.memoryMb} MB | ${world.firstAcceptMs.toFixed(0)} ms |`,
    ),
    ...(against === undefined ? [] : ["", againstLine(against)]),
    "",
  ].join("\n");
  quoteBetween(readmeMarks, text);
}

/** `marks` has them as its first and its second group. */
export function quoteBetween(marks: RegExp, text: string): void {
  for (const path of readmePaths) writeFileSync(path, readFileSync(path, "utf8").replace(marks, `$1${text}$2`));
}

export const writeReport = (report: Report): string => writeResult(report.settings.quick ? "quick.json" : "latest.json", report);

export function writeResult(name: string, report: unknown): string {
  const folder = join(import.meta.dirname, "results");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, `${JSON.stringify(report, undefined, 2)}\n`);
  return path;
}
