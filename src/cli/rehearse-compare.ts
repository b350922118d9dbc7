import { createHash } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { Option, type Command } from "commander";
import { compare } from "../engine/rehearsal/compare.ts";
import { renderComparison } from "../engine/rehearsal/compare-render.ts";
import { renderComparePage } from "../engine/rehearsal/page/compare-page.ts";
import type { PageTools } from "../engine/rehearsal/page/frame.ts";
import { languages } from "../engine/rehearsal/page/words.ts";
import { readReport, type RunFacts } from "../engine/rehearsal/read-report.ts";
import { openReport } from "./open-report.ts";
import { addCommand, CommandFailed, type CliDeps } from "./program.ts";
import { usage } from "./rehearse-flags.ts";

type CompareFlags = { html?: string; json?: boolean; lang: "en" | "zh" | "both" };
const reportBytesMax = 256 * 1_048_576;

export function registerRehearseCompare(program: Command, rehearse: Command, deps: CliDeps): void {
  // Or a command above would take the flags that it has as well.
  program.enablePositionalOptions();
  rehearse.enablePositionalOptions();
  addCommand(rehearse, "compare", "Hold two reports (--json) against each other: what got worse beyond noise?")
    .argument("<a-file>", "the report to measure against")
    .argument("<b-file>", "the newer one")
    .option("--html <file>", "also write it as one HTML page with charts")
    .addOption(new Option("--lang <language>", "of the HTML page; both can be switched").choices(["en", "zh", "both"]).default("both"))
    .option("--json", "print one line of JSON")
    .addHelpText("after", helpAfter)
    .action((a: string, b: string, flags: CompareFlags) => run(deps, { a, b }, flags));
}

const helpAfter = `
Noise is told from the seconds of the two runs. Exit code 1 if something got worse beyond it or the newer run broke a
promise, 2 if a report cannot be read.

Examples:
  npx doorbuster rehearse compare before.json after.json
  npx doorbuster rehearse compare before.json after.json --html difference.html`;

function run({ console }: CliDeps, paths: { a: string; b: string }, { html, json, lang }: CompareFlags): void {
  const [a, b] = [factsOf(paths.a), factsOf(paths.b)];
  if (html !== undefined) openReport("--html", html);
  const comparison = compare(a, b);
  const names = { a: basename(paths.a), b: basename(paths.b) };
  console.out(json ? `${JSON.stringify(comparison)}\n` : renderComparison(comparison, names));
  if (html !== undefined) writeFileSync(html, renderComparePage({ a, b, names, comparison }, pageTools(lang)));
  if (comparison.verdict === "worse") throw new CommandFailed("the newer run is worse");
}

function factsOf(path: string): RunFacts {
  let value: unknown;
  try {
    if (statSync(path).size > reportBytesMax) throw new Error(`it has more than ${reportBytesMax} bytes`);
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw usage(`cannot read the report "${path}": ${error instanceof Error ? error.message : String(error)}`);
  }
  const facts = readReport(value);
  if ("problem" in facts) throw usage(`"${path}" ${facts.problem}`);
  return facts;
}

export function pageTools(lang: CompareFlags["lang"]): PageTools {
  const digest = (text: string) => createHash("sha256").update(text).digest("base64");
  return { languages: lang === "both" ? languages : [lang], digest };
}
