import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Parts } from "./breakdown.ts";
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
export type WorldReport = {
  readonly name: string;
  readonly about: string;
  readonly floor: Row;
  readonly refused: Row;
  /** By a crowd; its floor is measured with as many connections. */
  readonly accepted: Row;
  readonly acceptedByFew: Row;
  /** Orders that are in the store, per second of the accepting run. */
  readonly settledPerSecond: number;
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
};

export function printReport(report: Report): void {
  const { machine, settings, worlds, parts } = report;
  const [plain] = worlds;
  if (plain === undefined) return;
  console.log(`\n${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, commit ${machine.commit}`);
  console.log(
    `server on core 0, wrk on core 1, ${settings.connections} connections, medians of ${settings.rounds} rounds of ${settings.seconds} s; fsync before every yes\n`,
  );
  table([
    ["", "per second", "CPU µs", "× floor", "p50 ms", "p99 ms", "p99 × floor"],
    lineOf("floor: parse, answer the same bytes", plain.floor),
    lineOf("refused (sold out)", plain.refused),
    lineOf(`durable accepts (201 after fsync), ${settings.crowd} connections`, plain.accepted),
    lineOf(`durable accepts, ${settings.connections} connections`, plain.acceptedByFew),
  ]);
  console.log(
    `\nthree numbers apart: ${count(plain.accepted.perSecond)} durable accepts/s · ${count(plain.refused.perSecond)} refusals/s · ${count(plain.settledPerSecond)} settled orders/s (the seeds ask for 20,000 requests/s)\n`,
  );
  printFlatness(worlds, plain);
  console.log("");
  table([["where the microseconds go", "µs"], ...Object.entries(parts).map(([name, us]) => [name, us.toFixed(2)])]);
  console.log("");
  table([["goal", "wanted", "measured", ""], ...verdicts(worlds, plain)]);
}

function printFlatness(worlds: readonly WorldReport[], plain: WorldReport): void {
  const change = (value: number, base: number) => `${value >= base ? "+" : "−"}${Math.abs((value / base - 1) * 100).toFixed(0)} %`;
  table([
    ["world", "refused × floor", "", "accepted × floor", "", "memory MB", "restart to first 201 ms"],
    ...worlds.map((world) => [
      world.about,
      world.refused.ofFloor.toFixed(2),
      change(world.refused.ofFloor, plain.refused.ofFloor),
      world.accepted.ofFloor.toFixed(2),
      change(world.accepted.ofFloor, plain.accepted.ofFloor),
      String(world.memoryMb),
      world.firstAcceptMs.toFixed(0),
    ]),
  ]);
}

function verdicts(worlds: readonly WorldReport[], plain: WorldReport): string[][] {
  const worst = (pick: (world: WorldReport) => number) => Math.max(...worlds.map(pick));
  // A storm on ten thousand sales at once is shown, not promised: each sale has rows, hence pages, of its own to write.
  const promised = worlds.filter(({ name }) => name !== "spread");
  const spread = (pick: (world: WorldReport) => number) => Math.max(...promised.map(pick)) / pick(plain) - 1;
  const flat = Math.max(
    spread((world) => world.refused.ofFloor),
    spread((world) => world.accepted.ofFloor),
  );
  return [
    goal("refused, CPU × floor", plain.refused.ofFloor, goals.refusedOfFloor),
    goal("refused, p99 × floor", plain.refused.p99OfFloor, goals.refusedP99OfFloor),
    goal("accepted, CPU × floor", plain.accepted.ofFloor, goals.acceptedOfFloor),
    [
      "durable accepts/s",
      `≥ ${count(goals.acceptedPerSecond)}`,
      count(plain.accepted.perSecond),
      plain.accepted.perSecond >= goals.acceptedPerSecond ? "met" : "MISSED",
    ],
    goal("worst change over the worlds", flat, goals.flatness),
    goal(
      "memory at many orders, MB",
      worst((world) => world.memoryMb),
      goals.memoryMb,
    ),
    goal(
      "restart to first 201, ms",
      worst((world) => world.firstAcceptMs),
      goals.firstAcceptMs,
    ),
  ];
}

const goal = (name: string, value: number, max: number) => [
  name,
  `≤ ${max}`,
  value >= 100 ? value.toFixed(0) : value.toFixed(2),
  value <= max ? "met" : "MISSED",
];
const count = (value: number) => Math.round(value).toLocaleString("en");
const lineOf = (name: string, row: Row) => [
  name,
  count(row.perSecond),
  row.cpuUs.toFixed(1),
  row.ofFloor.toFixed(2),
  row.p50Ms.toFixed(2),
  row.p99Ms.toFixed(2),
  row.p99OfFloor.toFixed(2),
];

function table(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows)
    console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  "));
}

const readmePath = join(import.meta.dirname, "..", "README.md");
const readmeMarks = /(<!-- bench:begin -->\n)[^]*(<!-- bench:end -->)/;

/** Puts the figures into the README, between its marks. */
export function quoteInReadme(report: Report): void {
  const { machine, worlds, at, settings } = report;
  const [plain] = worlds;
  if (plain === undefined) return;
  const line = (name: string, { cpuUs, ofFloor, perSecond, p50Ms, p99Ms }: Row) =>
    `| ${name} | ${cpuUs.toFixed(1)} µs | ${ofFloor.toFixed(2)} | ${count(perSecond)} | ${p50Ms.toFixed(1)} ms | ${p99Ms.toFixed(1)} ms |`;
  const text = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}; commit ${machine.commit}, ${at.slice(0, 10)}; medians of ${settings.rounds} rounds.`,
    "",
    "| | CPU per request | × floor | per second | p50 | p99 |",
    "|---|---|---|---|---|---|",
    line(`floor, ${settings.connections} connections`, plain.floor),
    line(`refusals (sold out), ${settings.connections} connections`, plain.refused),
    line(`durable accepts (201 after fsync), ${settings.crowd} connections`, plain.accepted),
    line(`durable accepts, ${settings.connections} connections`, plain.acceptedByFew),
    `| settled orders | | | ${count(plain.settledPerSecond)} | | |`,
    "",
    "| the same with | refusals × floor | accepts × floor | memory | restart to first 201 |",
    "|---|---|---|---|---|",
    ...worlds.map(
      (world) =>
        `| ${world.about} | ${world.refused.ofFloor.toFixed(2)} | ${world.accepted.ofFloor.toFixed(2)} | ${world.memoryMb} MB | ${world.firstAcceptMs.toFixed(0)} ms |`,
    ),
    "",
  ].join("\n");
  writeFileSync(readmePath, readFileSync(readmePath, "utf8").replace(readmeMarks, `$1${text}$2`));
}

export function writeReport(report: Report): string {
  const folder = join(import.meta.dirname, "results");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, report.settings.quick ? "quick.json" : "latest.json");
  writeFileSync(path, `${JSON.stringify(report, undefined, 2)}\n`);
  return path;
}
