/** Runs the command line to its end, bounded, and gives all it said. */
import { spawn } from "node:child_process";
import { commandOf, foreignEnvironment, rootDir, type Runtime } from "./server-process.ts";
import { onCleanup } from "./cleanup.ts";

export type CommandResult = { readonly code: number; readonly out: string; readonly err: string };

export async function runCommand(
  args: readonly string[],
  { env = {}, runtime = "bun", withinMs = 60_000 }: { env?: Record<string, string>; runtime?: Runtime; withinMs?: number } = {},
): Promise<CommandResult> {
  const [command, ...flags] = commandOf(runtime);
  const child = spawn(command, [...flags, "src/main.ts", ...args], {
    cwd: rootDir,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...foreignEnvironment(), ...env },
  });
  const release = onCleanup(`command ${args.join(" ")}`, () => void child.kill("SIGKILL"));
  const timer = setTimeout(() => void child.kill("SIGKILL"), withinMs);
  const collect = async (stream: AsyncIterable<Buffer>) => Buffer.concat(await Array.fromAsync(stream)).toString();
  const ended = new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? -1)));
  const [out, err, code] = await Promise.all([collect(child.stdout), collect(child.stderr), ended]);
  clearTimeout(timer);
  release();
  return { code, out, err };
}
