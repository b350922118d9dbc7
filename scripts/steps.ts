/**
 * Steps of a check: each is one program with a name, timed; its output is shown when it fails, so that a green run is a
 * short list and a red one says what to read.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

export const rootDir = dirname(import.meta.dirname);

export type Step = { readonly name: string; readonly command: readonly string[] };
export type StepResult = { readonly name: string; readonly ok: boolean; readonly seconds: number };

/** A tool of node_modules/.bin, run by Node. */
export function tool(name: string, ...args: string[]): string[] {
  return [join(rootDir, "node_modules", ".bin", name), ...args];
}

/** Format, types, lint and unused code: what needs no test run. */
export const staticSteps: readonly Step[] = [
  { name: "format", command: tool("oxfmt", "--check") },
  { name: "types", command: tool("tsc", "-p", ".") },
  { name: "types of domain, ports, engine without DOM, Node or Bun", command: tool("tsc", "-p", "tsconfig.pure.json") },
  { name: "lint", command: tool("oxlint", "--type-aware", "--deny-warnings") },
  { name: "unused code", command: tool("knip", "--no-progress") },
];

/** Runs one step; its output is kept back unless it fails. */
export async function runStep(step: Step): Promise<StepResult> {
  const startMs = performance.now();
  const [program = "", ...args] = step.command;
  if (!existsSync(program)) return report(step.name, false, startMs, `${program} is missing: run "npm ci"\n`);
  const child = Bun.spawn([program, ...args], { cwd: rootDir, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return report(step.name, code === 0, startMs, code === 0 ? "" : out + err);
}

function report(name: string, ok: boolean, startMs: number, output: string): StepResult {
  const seconds = (performance.now() - startMs) / 1000;
  console.log(`${ok ? "ok  " : "FAIL"} ${name} (${seconds.toFixed(1)} s)`);
  if (output !== "") console.log(output.replace(/^/gm, "     "));
  return { name, ok, seconds };
}
