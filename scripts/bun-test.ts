/**
 * Runs `bun test` over given files and counts from its JUnit report, which names every test. What the report cannot say
 * (a crash, a time-out, an error between tests) makes the run red all the same: the exit code and the report must agree.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootDir } from "./steps.ts";
import type { Lane, Suite } from "./suites.ts";

export type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number };
export type SuiteResult = Counts & { readonly name: string; readonly seconds: number; readonly failures: readonly string[] };

const suiteTimeoutMs = 900_000;
/** For those that name none: a wait that has a bound of its own should reach it and say what it waited for, on a slow machine, too. */
const testTimeoutMs = 20_000;

/** The totals of a JUnit report; undefined if it is not one. */
export function countsOf(report: string): Counts | undefined {
  const head = /<testsuites\b[^>]*>/.exec(report)?.[0];
  if (head === undefined || !report.trimEnd().endsWith("</testsuites>")) return undefined;
  const attribute = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(head)?.[1] ?? Number.NaN);
  const [tests, failed, skipped] = [attribute("tests"), attribute("failures"), attribute("skipped")];
  if (!Number.isInteger(tests + failed + skipped)) return undefined;
  return { passed: tests - failed - skipped, failed, skipped };
}

/** "file: group > test" of each failed test. */
export function failuresOf(report: string): string[] {
  const cases = report.matchAll(/<testcase name="([^"]*)" classname="([^"]*)"[^>]*?\bfile="([^"]*)"[^>]*?>\s*<(failure|error)\b/g);
  return [...cases].map(([, name = "", group = "", file = ""]) => unescapeXml(`${file}: ${group === "" ? "" : `${group} > `}${name}`));
}

function unescapeXml(text: string): string {
  const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", "#10": " ", amp: "&" };
  return text.replaceAll(/&(lt|gt|quot|apos|#10|amp);/g, (_, name: string) => entities[name] ?? "");
}

/** What a run was, from its report and its end. Nothing run, or an end the report does not explain, is one failure more. */
export function judge(name: string, run: { report: string | undefined; exitCode: number | null }): Omit<SuiteResult, "seconds"> {
  const counts = run.report === undefined ? undefined : countsOf(run.report);
  if (run.report === undefined || counts === undefined)
    return {
      name,
      passed: 0,
      failed: 1,
      skipped: 0,
      failures: [`${name}: bun test ended without a report (exit ${run.exitCode ?? "by signal or time-out"})`],
    };
  const failures = failuresOf(run.report);
  if (counts.passed + counts.failed === 0) return { name, ...counts, failed: 1, failures: [`${name}: no test ran`] };
  if (counts.failed === 0 && run.exitCode !== 0)
    return {
      name,
      ...counts,
      failed: 1,
      failures: [`${name}: every test passed, but bun test exited with ${run.exitCode ?? "a signal"}: see its output`],
    };
  return { name, ...counts, failures };
}

/** Runs one suite; failing tests print as they happen, or together at its end. */
export async function runSuite(suite: Suite, { isPatient = false, isFirst = true }: Partial<Lane> = {}): Promise<SuiteResult> {
  const startMs = performance.now();
  const dir = mkdtempSync(join(tmpdir(), "doorbuster-tests-"));
  // Engines run as users of their own, and have their folders in here.
  chmodSync(dir, 0o711);
  const reportFile = join(dir, "report.xml");
  const child = Bun.spawn(
    [
      ...(isPatient && nice !== null ? [nice, "-n", "10"] : []),
      process.execPath,
      "--no-orphans",
      "test",
      "--only-failures",
      `--timeout=${testTimeoutMs}`,
      "--reporter=junit",
      `--reporter-outfile=${reportFile}`,
      ...suite.files.map((file) => `./${file}`),
    ],
    {
      cwd: rootDir,
      // What a crashed test leaves behind goes with the folder.
      env: { ...process.env, TMPDIR: dir },
      stdin: "ignore",
      stdout: isFirst ? "inherit" : "pipe",
      stderr: isFirst ? "inherit" : "pipe",
      timeout: suiteTimeoutMs,
      killSignal: "SIGKILL",
    },
  );
  const said = isFirst ? [] : await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  await child.exited;
  process.stdout.write(said.join(""));
  const result = judge(suite.name, { report: read(reportFile), exitCode: child.exitCode });
  remove(dir);
  const seconds = (performance.now() - startMs) / 1000;
  console.log(
    `${result.failed === 0 ? "ok  " : "FAIL"} ${suite.name}: ${result.passed} passed, ${result.failed} failed${result.skipped > 0 ? `, ${result.skipped} skipped` : ""} (${seconds.toFixed(1)} s)\n`,
  );
  return { ...result, seconds };
}

const nice = Bun.which("nice");
const textOf = (stream: ReadableStream<Uint8Array> | undefined): Promise<string> => new Response(stream).text();

/** A file system that a killed test left mounted stays; that is no verdict on the tests. */
function remove(dir: string): void {
  try {
    rmSync(dir, { recursive: true, force: true });
  } catch (error) {
    console.log(`could not remove ${dir}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
