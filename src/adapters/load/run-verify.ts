import { eachLine, startProgram, within } from "./child-process.ts";

const verifyMaxMs = 120_000;

/** Runs `doorbuster verify … --json` as a process of its own and gives what it printed. */
export async function runVerify(run: {
  readonly entry: string;
  readonly folder: string;
  readonly args: readonly string[];
  /** Which store it is, where that is not said by the arguments. */
  readonly options?: Readonly<Record<string, string>> | undefined;
}): Promise<unknown> {
  const { entry, folder, options = {} } = run;
  const checker = startProgram({ entry, args: ["verify", ...run.args, "--json"], options, folder });
  const lines: string[] = [];
  const complaints: string[] = [];
  eachLine(checker.stdout, (line) => lines.push(line));
  eachLine(checker.stderr, (line) => complaints.push(line));
  const ended = new Promise<number>((resolve) => checker.once("close", (code) => resolve(code ?? -1)));
  try {
    const code = await within(ended, verifyMaxMs, "verify");
    if (code !== 0 && code !== 1) throw new Error(`verify ended with ${code}: ${complaints.join("; ").slice(0, 500)}`);
    return JSON.parse(lines.join("\n"));
  } finally {
    checker.kill("SIGKILL");
  }
}
