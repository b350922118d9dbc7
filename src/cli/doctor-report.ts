/** What `doorbuster doctor` shows people: a line for what is well; what, why and what to do for the rest. Pure text. */
import type { Diagnosis } from "../engine/doctor/examine.ts";
import type { Finding, Level } from "../engine/doctor/finding.ts";
import { visibleText } from "../lib/visible-text.ts";

const marks: Readonly<Record<Level, string>> = { ok: "ok", warning: "warning", problem: "PROBLEM" };
const colours: Readonly<Record<Level, string>> = { ok: "\u001B[32m", warning: "\u001B[33m", problem: "\u001B[31m" };
const reset = "\u001B[0m";
const markWidth = 7;

/** Ends with a newline. */
export function renderDiagnosis({ findings, counts, verdict }: Diagnosis, { colour, title }: { colour: boolean; title: string }): string {
  const paint = (text: string, level: Level) => (colour ? `${colours[level]}${text}${reset}` : text);
  const width = Math.max(...findings.map(({ id }) => id.length));
  const indent = " ".repeat(markWidth + 2);
  const linesOf = ({ id, level, found, why, fix }: Finding) => {
    // Servers, files and processes have told parts of it.
    const first = `${paint(marks[level].padEnd(markWidth), level)}  ${id.padEnd(width)}  ${visibleText(found)}`;
    if (level === "ok") return [first];
    return [first, `${indent}why  ${why}`, ...(fix === undefined ? [] : [`${indent}fix  ${visibleText(fix)}`])];
  };
  const summary = [plural(counts.problem, "problem"), plural(counts.warning, "warning"), `${counts.ok} ok`].join(", ");
  return `${[title, "", ...findings.flatMap(linesOf), "", paint(`${summary}: ${adviceOf(verdict)}`, verdict)].join("\n")}\n`;
}

function adviceOf(verdict: Level): string {
  switch (verdict) {
    case "ok":
      return "ready for a sale";
    case "warning":
      return "it will run; look at the warnings before a sale";
    case "problem":
      return "mend the problems first";
    default:
      return verdict satisfies never;
  }
}

const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;
