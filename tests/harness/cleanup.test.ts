import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { eachLine } from "../../src/adapters/load/child-process.ts";
import { commandOf, rootDir } from "./server-process.ts";
import { bounded, waitFor } from "./wait.ts";

const ends: [string, NodeJS.Signals | undefined][] = [
  ["throws", undefined],
  ["is told to stop", "SIGTERM"],
  ["is interrupted", "SIGINT"],
];

test.each(ends)(
  "a run that %s leaves no server and no folder",
  async (_, signal) => {
    const [command, ...flags] = commandOf("bun");
    const entry = fileURLToPath(new URL("./left-behind.ts", import.meta.url));
    const child = spawn(command, [...flags, entry, signal === undefined ? "throw" : "wait"], {
      cwd: rootDir,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    let said: { pid: number; folder: string } | undefined;
    eachLine(child.stdout, (line) => (said = JSON.parse(line)));
    const { pid, folder } = await waitFor("the run's server", () => said, { withinMs: 20_000 });
    if (signal !== undefined) child.kill(signal);
    await bounded("the end of the run", 20_000, ended);
    await waitFor("the end of its server", () => !existsSync(`/proc/${pid}`));
    expect(existsSync(folder)).toBe(false);
  },
  { timeout: 45_000 },
);
