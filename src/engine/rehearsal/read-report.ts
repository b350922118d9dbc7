/**
 * A report that was written down, read again. It comes from a file, maybe of another version or of somebody else's making,
 * so nothing of its shape is taken for granted: what comparing needs is looked at field by field.
 */
import { Histogram } from "./histogram.ts";
import { reportFormat } from "./report.ts";
import { secondsMax, type Counts, type SecondData } from "./series.ts";
import { isObject } from "./shop-client.ts";
import type { StockSample } from "./tally.ts";

/** What two runs are compared by. */
export type RunFacts = {
  readonly beganAt: string;
  readonly verdict: "valid" | "aborted" | "invalid";
  readonly problems: number;
  readonly stock: number;
  readonly buyers: number;
  readonly seed: number;
  readonly connections: number;
  readonly payWindowMs: number;
  /** Kind, peak and duration; equal texts are equal curves. */
  readonly curve: string;
  readonly place: string;
  readonly server: string;
  readonly client: string;
  readonly accepted: number;
  readonly seconds: readonly SecondData[];
  readonly stockOverTime: readonly StockSample[];
};

const samplesMax = 50_000;
const textMax = 300;

/** The facts of a parsed JSON file, or what is wrong with it. */
export function readReport(value: unknown): RunFacts | { readonly problem: string } {
  if (!isObject(value) || value["format"] !== reportFormat)
    return { problem: `is no report of this version: its "format" is not "${reportFormat}"` };
  const { verdict, problems } = value;
  if (verdict !== "valid" && verdict !== "aborted" && verdict !== "invalid") return { problem: 'has no "verdict" that is known' };
  const seconds = Array.isArray(value["seconds"]) ? value["seconds"].slice(0, 2 * secondsMax + 1).map(secondOf) : [];
  const known = seconds.filter((second) => second !== undefined);
  if (known.length === 0 || known.length < seconds.length) return { problem: 'has no "seconds" that can be read' };
  const samples = Array.isArray(value["stock_over_time"]) ? value["stock_over_time"].slice(0, samplesMax) : [];
  const environment = isObject(value["environment"]) ? value["environment"] : {};
  const target = isObject(value["target"]) ? value["target"] : {};
  return {
    beganAt: text(value["began_at"]),
    verdict,
    problems: Array.isArray(problems) ? problems.length : 0,
    stock: count(value["stock"]),
    buyers: count(value["buyers"]),
    seed: count(value["seed"]),
    connections: count(value["connections"]),
    payWindowMs: count(value["pay_window_ms"]),
    curve: curveText(value["curve"]),
    place: target["kind"] === "deployment" ? text(target["url"]) : "own server",
    server: joined(environment["server"], ["version", "environment", "commit"]),
    client: joined(environment["client"], ["version", "runtime", "cpu", "cores"]),
    accepted: count(value["accepted"]),
    seconds: known,
    stockOverTime: samples.flatMap(sampleOf),
  };
}

function secondOf(value: unknown): SecondData | undefined {
  if (!isObject(value) || !Number.isSafeInteger(value["second"]) || Math.abs(Number(value["second"])) > secondsMax) return undefined;
  const { latency } = value;
  const histogram = isObject(latency) ? Histogram.of(latency) : undefined;
  if (latency !== undefined && histogram === undefined) return undefined;
  return {
    second: Number(value["second"]),
    attempts: count(value["attempts"]),
    accepted: count(value["accepted"]),
    replayed: count(value["replayed"]),
    refused: counts(value["refused"]),
    not_tried: counts(value["not_tried"]),
    errors: counts(value["errors"]),
    not_sent: count(value["not_sent"]),
    polls: count(value["polls"]),
    latency: histogram?.data(),
  };
}

function sampleOf(value: unknown): StockSample[] {
  if (!isObject(value) || typeof value["atMs"] !== "number" || !Number.isFinite(value["atMs"])) return [];
  return [{ atMs: value["atMs"], available: count(value["available"]), held: count(value["held"]), sold: count(value["sold"]) }];
}

function curveText(value: unknown): string {
  if (!isObject(value)) return "none";
  const { kind, peak_per_s: peak, duration_s: duration, points } = value;
  // Two files are the same curve only if all their points are.
  const shape = kind === "file" ? ` ${JSON.stringify(points).slice(0, textMax)}` : "";
  return `${text(kind)}, ${count(peak)}/s, ${count(duration)} s${shape}`;
}

function joined(value: unknown, names: readonly string[]): string {
  if (!isObject(value)) return "";
  return names
    .flatMap((name) => (typeof value[name] === "string" || typeof value[name] === "number" ? [text(String(value[name]))] : []))
    .join(", ");
}

const text = (value: unknown): string => (typeof value === "string" ? value.slice(0, textMax) : "");
const count = (value: unknown): number => (typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : 0);
const counts = (value: unknown): Counts =>
  isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, times]) => [name.slice(0, textMax), count(times)])) : {};
