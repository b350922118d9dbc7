/**
 * Progress as people and pipes see it: each long command once on a terminal of its own (a pseudo-terminal, by script of
 * util-linux) and once without. Standard output is data: it never holds a piece of the progress line.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cleanUp } from "../harness/cleanup.ts";
import { runCommand } from "../harness/run-command.ts";
import { foreignEnvironment, rootDir } from "../harness/server-process.ts";
import { tempFolder } from "../harness/volumes.ts";

afterEach(cleanUp);

const clearLine = "\r\u001B[2K";
const hasScript = Bun.which("script") !== null && process.platform === "linux";

type Seen = { readonly code: number; readonly out: string; readonly terminal: string };

/** Standard error on a terminal, standard output in a file. */
function onTerminal(args: readonly string[], env: Record<string, string> = {}): Seen {
  const folder = tempFolder().path;
  const out = join(folder, "out");
  const words = [process.execPath, "--no-env-file", "--no-install", "src/main.ts", ...args].map((word) => `'${word}'`).join(" ");
  const { CI: _, NO_COLOR: __, ...clean } = foreignEnvironment();
  const child = Bun.spawnSync(["script", "-qec", `${words} > '${out}'`, "/dev/null"], {
    cwd: rootDir,
    stdin: "ignore",
    timeout: 60_000,
    env: { ...clean, TERM: "xterm", ...env },
  });
  return { code: child.exitCode ?? -1, out: readFileSync(out, "utf8"), terminal: child.stdout.toString() };
}

/** What stands on the screen when all is written: the clearing of the last line takes the progress away. */
const leftOnScreen = (terminal: string) => terminal.slice(terminal.lastIndexOf(clearLine) + clearLine.length);

const rehearsal = ["rehearse", "--buyers", "300", "--stock", "20", "--pay-window", "1", "--json", "-"];
const seeded = async () => {
  const dataDir = join(tempFolder().path, "data");
  expect((await runCommand(["seed", "--data-dir", dataDir])).code).toBe(0);
  return dataDir;
};
type Case = readonly [name: string, line: RegExp, args: (dataDir: string) => string[]];
const cases: readonly Case[] = [
  ["doctor", /Looking at .*[█░]{20} +\d+ % {2}\d+ of \d+/, (dataDir) => ["doctor", "--json", "--port", "0", "--data-dir", dataDir]],
  ["verify", /Reading \w+ {2}[\d,]+ rows/, (dataDir) => ["verify", "--json", "--data-dir", dataDir]],
  ["seed", /Making the demo shop/, (dataDir) => ["seed", "--json", "--data-dir", join(dataDir, "another")]],
  ["rehearse", /storm .*buyers · \d+ yes/, () => [...rehearsal]],
];

describe.skipIf(!hasScript)("on a terminal (skipped without script of util-linux)", () => {
  test.each(cases)(
    "[H7] %s rewrites one line on standard error, takes it away, and its output is whole",
    async (_name, line, args) => {
      const { code, out, terminal } = onTerminal(args(await seeded()));
      expect(code).toBe(0);
      expect(terminal).toMatch(line);
      expect(terminal).toContain(clearLine);
      expect(leftOnScreen(terminal)).toBe("");
      expect(() => JSON.parse(out)).not.toThrow();
    },
    90_000,
  );

  test.each([{ CI: "true" }, { NO_COLOR: "1" }, { TERM: "dumb" }])("with %p nothing is rewritten", async (env) => {
    const { terminal, out } = onTerminal(["doctor", "--json", "--port", "0", "--data-dir", await seeded()], env);
    expect(terminal).not.toContain("\u001B");
    expect(() => JSON.parse(out)).not.toThrow();
  });

  test("an empty CI or NO_COLOR counts as not set", async () => {
    const { terminal } = onTerminal(["doctor", "--json", "--port", "0", "--data-dir", await seeded()], { CI: "", NO_COLOR: "" });
    expect(terminal).toContain(clearLine);
  });
});

describe("into a pipe", () => {
  test.each(cases)(
    "[H7] %s writes data to standard output and at most plain lines to standard error",
    async (_name, _line, args) => {
      const { code, out, err } = await runCommand(args(await seeded()));
      expect(code).toBe(0);
      expect(() => JSON.parse(out)).not.toThrow();
      for (const control of ["\u001B", "\r"]) expect(err).not.toContain(control);
      expect(err === "" || err.endsWith("\n")).toBe(true);
    },
    90_000,
  );
});
