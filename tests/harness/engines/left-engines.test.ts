/** No engine and no folder stays behind, however the tests' process ends. */
import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eachLine, exitOf } from "../../../src/adapters/load/child-process.ts";
import { commandOf, foreignEnvironment, rootDir } from "../server-process.ts";
import { tempFolder } from "../volumes.ts";
import { bounded, waitFor } from "../wait.ts";
import { availabilityOf, engineNames } from "./availability.ts";
import { describeWithOwnEngine } from "./describe-with-engine.ts";
import { processesIn } from "./processes.ts";

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const [command] = commandOf("bun");
  const child = spawn(command, [...args], { cwd: rootDir, stdio: ["ignore", "pipe", "ignore"], env: { ...foreignEnvironment(), ...env } });
  const lines: string[] = [];
  eachLine(child.stdout, (line) => lines.push(line));
  return { child, lines, ended: exitOf(child) };
}

const remains = (folders: readonly string[]) =>
  folders.flatMap((folder) => [...processesIn(folder), ...(existsSync(folder) ? [folder] : [])]);

/** What a run that opens engines says of their folders. */
async function engineRun(how: string, names: readonly string[]) {
  const { child, lines, ended } = run([here("./left-engines.ts"), how, ...names]);
  const said = await waitFor("the run's engines", () => lines.find((line) => line.startsWith("[")), { withinMs: 60_000 });
  const folders: string[] = JSON.parse(said);
  expect(folders).toHaveLength(names.length);
  if (how !== "throw") for (const folder of folders) expect(processesIn(folder)).not.toEqual([]);
  return { child, ended, folders };
}

/** All in one run, which starts them side by side. */
const names = engineNames.filter((name) => availabilityOf(name, "own").kind === "own");
for (const name of engineNames) describeWithOwnEngine(name, name, () => test("is among those left", () => expect(names).toContain(name)));

test.skipIf(names.length === 0).each([
  ["is killed", "wait"],
  ["is killed while they are frozen", "frozen"],
])(
  "a run that %s leaves no engine",
  async (_, how) => {
    const { child, ended, folders } = await engineRun(how, names);
    child.kill("SIGKILL");
    await bounded("the end of the run", 10_000, ended);
    await waitFor("the end of its engines", () => remains(folders).length === 0, { withinMs: 20_000 });
  },
  { timeout: 90_000 },
);

describeWithOwnEngine("redis", "a run with an engine", () => {
  test.each([
    ["that throws", "throw", undefined],
    ["that is told to stop", "wait", "SIGTERM"],
    ["that is interrupted", "wait", "SIGINT"],
  ] as const)(
    "%s leaves nothing",
    async (_, how, signal) => {
      const { child, ended, folders } = await engineRun(how, ["redis"]);
      if (signal !== undefined) child.kill(signal);
      await bounded("the end of the run", 10_000, ended);
      await waitFor("the end of its engines", () => remains(folders).length === 0);
    },
    { timeout: 60_000 },
  );

  test.each([
    ["as people run it", []],
    ["as suites run it, which ends the watchdog, too", ["--no-orphans"]],
  ])(
    "bun test %s shares one among files and leaves nothing",
    async (_, flags) => {
      const folder = tempFolder();
      const files = ["one.test.ts", "two.test.ts"].map((name) => join(folder.path, name));
      for (const file of files) writeFileSync(file, `import { testSharing } from "${here("./shared-by-files.ts")}";\ntestSharing();\n`);
      const { lines, ended } = run([...flags, "test", ...files], { TMPDIR: folder.path });
      expect(await bounded("the end of the run", 30_000, ended)).toBe(0);
      const said: { folder: string; pid: number; url: string }[] = lines
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line));
      expect(said).toHaveLength(2);
      expect(said[0]?.pid).toBe(said[1]?.pid);
      expect(said[0]?.url).not.toBe(said[1]?.url);
      await waitFor("the end of its engine", () => remains(said.map((one) => one.folder)).length === 0);
      folder.release();
    },
    { timeout: 60_000 },
  );
});
