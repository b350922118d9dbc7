/**
 * How far a long command is. On a terminal one line that rewrites itself and vanishes at the end; without one (a pipe, CI,
 * NO_COLOR) plain lines at a bounded rate. It writes to standard error only: standard output is data.
 *
 *   const progress = new ProgressLine(deps.console);
 *   try { … progress.show({ what: "Reading purchases", done, total, unit: "rows" }); … } finally { progress.end(); }
 *
 * It starts no timer and touches no signal and no standard input: a command that only reports must not change how it ends.
 */
import type { Console } from "./program.ts";

/** One state of the work. With a total there is a bar; `note` follows as it is. */
export type ProgressStep = {
  readonly what: string;
  readonly done?: number | undefined;
  readonly total?: number | undefined;
  readonly unit?: string | undefined;
  readonly note?: string | undefined;
};
export type ProgressOptions = {
  /** Work that is known to be long: the first plain line comes at once. */
  readonly long?: boolean | undefined;
  /** A steady clock, for tests. */
  readonly monotonicMs?: (() => number) | undefined;
};

/** A terminal is redrawn ten times a second at most; a log gets a line every two seconds at most, and none of quick work. */
export const redrawMinMs = 100;
export const plainLineMinMs = 2_000;
const columnsDefault = 80;
const barWidth = 20;
const clearLine = "\r\u001B[2K";

export class ProgressLine {
  readonly #console: Console;
  readonly #monotonicMs: () => number;
  readonly #long: boolean;
  #shownAtMs = 0;
  #shown: string | undefined;
  #onScreen = false;

  constructor(console: Console, { long = false, monotonicMs = () => performance.now() }: ProgressOptions = {}) {
    this.#console = console;
    this.#monotonicMs = monotonicMs;
    this.#long = long;
    this.#startOver();
  }

  /** May be called as often as one likes; what comes too soon after the line before is passed over. */
  show(step: ProgressStep | string): void {
    const { isTerminal } = this.#console;
    const nowMs = this.#monotonicMs();
    if (nowMs - this.#shownAtMs < (isTerminal ? redrawMinMs : plainLineMinMs)) return;
    const line = typeof step === "string" ? step : lineOf(step);
    // Without a terminal a line that says nothing new is only noise.
    if (line === this.#shown) return;
    this.#shownAtMs = nowMs;
    this.#shown = line;
    if (!isTerminal) return this.#console.err(`${line}\n`);
    this.#onScreen = true;
    // A terminal that nobody told its size says 0.
    this.#console.err(clearLine + fitted(line, (this.#console.columns?.() || columnsDefault) - 1));
  }

  /** Takes the line off the screen, before anything else is written and however the work ended. May be called again. */
  end(): void {
    if (this.#onScreen) this.#console.err(clearLine);
    this.#onScreen = false;
    this.#startOver();
  }

  #startOver(): void {
    this.#shown = undefined;
    this.#shownAtMs = this.#long || this.#console.isTerminal ? Number.NEGATIVE_INFINITY : this.#monotonicMs();
  }
}

function lineOf({ what, done, total, unit, note }: ProgressStep): string {
  const parts = [what];
  if (done !== undefined && total !== undefined && total > 0) {
    const share = Math.min(1, done / total);
    const full = Math.round(share * barWidth);
    parts.push(
      `${"█".repeat(full)}${"░".repeat(barWidth - full)}`,
      `${String(Math.floor(share * 100)).padStart(3)} %`,
      `${grouped(done)} of ${grouped(total)}${unit === undefined ? "" : ` ${unit}`}`,
    );
  } else if (done !== undefined) parts.push(`${grouped(done)}${unit === undefined ? "" : ` ${unit}`}`);
  if (note !== undefined) parts.push(note);
  return parts.join("  ");
}

/** A line that wraps cannot be taken back: clearing reaches only its last row. */
function fitted(line: string, columns: number): string {
  const letters = Array.from(line);
  return letters.length <= columns ? line : `${letters.slice(0, Math.max(0, columns - 1)).join("")}…`;
}

const grouped = (count: number) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");
