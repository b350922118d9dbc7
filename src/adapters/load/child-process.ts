/** Runs this program's own command line as another process, with no environment but the options given. */
import { spawn, type ChildProcess } from "node:child_process";

export type ProgramStart = {
  readonly entry: string;
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  /** Where it runs: a configuration file lying in the caller's folder is not meant for it. */
  readonly folder: string;
};

export function startProgram({ entry, args, options, folder }: ProgramStart): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, entry, ...args], {
    env: { ...options },
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Resolves with the exit code, or 128 and the like for a signal as -1. */
export function exitOf(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  if (child.signalCode !== null) return Promise.resolve(-1);
  return new Promise((resolve) => child.once("exit", (code) => resolve(code ?? -1)));
}

/** Calls back for each whole line of a stream. */
export function eachLine(stream: NodeJS.ReadableStream | null, take: (line: string) => void): void {
  let rest = "";
  stream?.setEncoding("utf8");
  stream?.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  });
  stream?.on("end", () => rest !== "" && take(rest));
}

/** The promise, or an error that says what took too long. */
export async function within<Value>(promise: Promise<Value>, ms: number, what: string): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
