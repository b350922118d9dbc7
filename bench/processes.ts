import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { familyOf } from "./machine.ts";
import { serverCore } from "./wrk.ts";

export type Started = { readonly url: string; readonly pid: number; readonly readyAfterMs: number; readonly stop: () => Promise<void> };

const startTimeoutMs = 60_000;

type StartOptions = {
  readonly env?: Record<string, string>;
  readonly port: number;
  readonly ready: (url: string) => Promise<boolean>;
  readonly stderr?: number;
  readonly cwd?: string;
  /** A command that starts others: what they say is for nobody, and they are stopped together. */
  readonly family?: boolean;
};

/** Starts a Bun script on the server's core and waits until it answers. */
export const startOnCore = (script: string, args: readonly string[], options: StartOptions): Promise<Started> =>
  startCommand(process.execPath, [resolve(import.meta.dirname, script), ...args], options);

/** The same with any command. */
export async function startCommand(command: string, args: readonly string[], options: StartOptions): Promise<Started> {
  const begun = performance.now();
  const { family = false } = options;
  const child = spawn("taskset", ["-c", serverCore, command, ...args], {
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "ignore", family ? "ignore" : (options.stderr ?? "inherit")],
    detached: family,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const url = `http://127.0.0.1:${options.port}`;
  while (!(await options.ready(url).catch(() => false))) {
    if (child.exitCode !== null || performance.now() - begun > startTimeoutMs)
      throw new Error(`${command} ${args.join(" ")} did not start on ${url}`);
    await Bun.sleep(5);
  }
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} has no process id`);
  return { url, pid, readyAfterMs: performance.now() - begun, stop: () => stop(child, family ? -pid : pid) };
}

/** A process, or by a negative number a group of them. */
function stop(child: ChildProcess, whom: number): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once("exit", () => resolve());
    process.kill(whom, "SIGTERM");
  });
}

/** From now on a process and its children run on these cores only. */
export function pinFamily(pid: number, cores: string): void {
  for (const member of familyOf(pid)) execFileSync("taskset", ["-a", "-c", "-p", cores, String(member)], { stdio: "ignore" });
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
