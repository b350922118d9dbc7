/** The completion scripts, run by the shells they are for. bash is always there; zsh and fish where they are installed. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Argument, Command, Option } from "commander";
import { bashCompletion } from "./completion-bash.ts";
import { fishCompletion } from "./completion-fish.ts";
import { wordsOf, type CommandWords } from "./completion-words.ts";
import { zshCompletion } from "./completion-zsh.ts";

const folder = mkdtempSync(join(tmpdir(), "doorbuster-completion-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const main = join(import.meta.dirname, "..", "main.ts");
const run = (command: readonly string[], cwd = folder) => {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], { cwd, env: { PATH: process.env["PATH"] ?? "", HOME: folder } });
  return { exitCode, out: stdout.toString(), err: stderr.toString() };
};
const lines = (text: string) => text.split("\n").filter((line) => line !== "");
const scriptOf = (shell: string) => {
  const path = join(folder, `completion.${shell}`);
  writeFileSync(path, run([process.execPath, main, "completion", shell]).out);
  return path;
};

/** A program with everything that completion knows, whose texts are full of what shells take for themselves. */
function awkward(): CommandWords {
  const program = new Command("doorbuster").version("1");
  program
    .command("storm")
    .description("It's 50 % off: [now] \\ $(echo never) `echo never`. And a second sentence.")
    .addOption(new Option("--curve <name>", "how they 'come': [a] or $b").choices(["spike", "ramp", "waves"]))
    .option("-d, --data-dir <folder>", "where")
    .option("--report <file>", "what")
    .option("--buyers <number>", "how many");
  const parent = program.command("keys").option("--all", "all");
  parent.command("make").option("--scope <name>", "what for").option("--to <folder>", "where");
  parent.command("list").option("--json", "for machines");
  program.command("say").addArgument(new Argument("<word>").choices(["yes", "no"]));
  return wordsOf(program);
}

/** What bash offers for the last of the words. */
function offered(script: string, ...words: string[]): string[] {
  const list = words.map((word) => `'${word}'`).join(" ");
  const ask = `source '${script}'; COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _doorbuster; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { exitCode, out, err } = run(["bash", "--norc", "-c", ask]);
  expect([exitCode, err]).toEqual([0, ""]);
  return lines(out).toSorted();
}

describe("bash", () => {
  const awkwardScript = join(folder, "awkward.bash");
  let script = "";
  beforeAll(() => {
    script = scriptOf("bash");
    writeFileSync(awkwardScript, bashCompletion(awkward()));
    for (const name of ["records", "records with space"]) mkdirSync(join(folder, name));
    writeFileSync(join(folder, "report.json"), "");
  });

  test("[H7] is registered for the command", () => {
    const { out } = run(["bash", "--norc", "-c", `source '${script}'; complete -p doorbuster`]);
    expect(out).toBe("complete -F _doorbuster doorbuster\n");
  });

  test("[H7] offers every command that --help shows, and no other", () => {
    const help = run([process.execPath, main, "--help"]).out;
    const commands = [...help.slice(help.indexOf("Commands:")).matchAll(/^ {2}([a-z]+) /gm)].map((match) => match[1] ?? "");
    expect(commands.length).toBeGreaterThanOrEqual(9);
    expect(offered(script, "doorbuster", "")).toEqual(commands.toSorted());
  });

  test("[H7] offers every option that each command's --help shows", () => {
    for (const command of offered(script, "doorbuster", "").filter((name) => name !== "help")) {
      const { out } = run([process.execPath, main, command, "--help"]);
      const flags = [...out.matchAll(/^ {2}(?:-\w, )?(--[a-z0-9-]+)/gm)].map((match) => match[1] ?? "");
      expect([command, offered(script, "doorbuster", command, "--")]).toEqual([command, flags.toSorted()]);
    }
  }, 60_000);

  test.each<[string[], string[]]>([
    [["ve"], ["verify"]],
    [["--ver"], ["--version"]],
    [["zz"], []],
    [
      ["completion", ""],
      ["bash", "fish", "zsh"],
    ],
    [["completion", "z"], ["zsh"]],
    [
      ["help", "se"],
      ["seed", "serve"],
    ],
    [["verify", "--min-a"], ["--min-accepts"]],
    [["verify", "--min-accepts", ""], []],
    [
      ["serve", "--data-dir", "rec"],
      ["records", "records with space"],
    ],
    [
      ["serve", "--data-dir", "=", "rec"],
      ["records", "records with space"],
    ],
    [["verify", "--provider", "rep"], ["report.json"]],
    [
      ["rehearse", "--curve", "s"],
      ["spike", "steps"],
    ],
    [["rehearse", "--curve", "rep"], ["report.json"]],
    [["rehearse", "compare", "rep"], ["report.json"]],
    [["rehearse", "compare", "report.json", "rep"], ["report.json"]],
    [["rehearse", "compare", "a", "b", "rep"], []],
    // A value that looks like a command is none.
    [["serve", "--host", "verify", "--po"], ["--port"]],
    [["serve", "--host", "=", "verify", "--po"], ["--port"]],
  ])("completes %j to %j", (words, expected) => {
    expect(offered(script, "doorbuster", ...words)).toEqual(expected);
  });

  test("choices of an option and of an argument, on a program full of quotes", () => {
    expect(offered(awkwardScript, "doorbuster", "storm", "--curve", "")).toEqual(["ramp", "spike", "waves"]);
    expect(offered(awkwardScript, "doorbuster", "storm", "--curve", "=", "w")).toEqual(["waves"]);
    expect(offered(awkwardScript, "doorbuster", "storm", "-d", "rec")).toEqual(["records", "records with space"]);
    expect(offered(awkwardScript, "doorbuster", "say", "")).toEqual(["no", "yes"]);
    expect(offered(awkwardScript, "doorbuster", "say", "yes", "")).toEqual(["--help"]);
  });

  test("commands below commands, each with options of its own", () => {
    const offers = (...words: string[]) => offered(awkwardScript, "doorbuster", "keys", ...words);
    expect(offers("")).toEqual(["help", "list", "make"]);
    expect(offers("--")).toEqual(["--all", "--help"]);
    expect(offers("--all", "m")).toEqual(["make"]);
    expect(offers("make", "--")).toEqual(["--help", "--scope", "--to"]);
    expect(offers("make", "--scope", "list", "--t")).toEqual(["--to"]);
    expect(offers("make", "--to", "rec")).toEqual(["records", "records with space"]);
    expect(offers("list", "--j")).toEqual(["--json"]);
  });

  test("what is typed is never run", () => {
    const trap = join(folder, "trapped");
    offered(script, "doorbuster", "serve", "--data-dir", `$(touch ${trap})`);
    offered(script, "doorbuster", `$(touch ${trap})`);
    offered(script, "doorbuster", `$(touch ${trap})`, "");
    expect(run(["test", "-e", trap]).exitCode).toBe(1);
  });
});

describe.each([
  ["zsh", zshCompletion, ["#compdef doorbuster", ")--data-dir=[where]", ":_files -/'", "(spike ramp waves)", "'1:argument:(yes no)'"]],
  ["fish", fishCompletion, ["complete -c doorbuster -f", "-l curve -r -a 'spike ramp waves'", "__fish_complete_directories", "-s d -r"]],
] as const)("%s", (shell, render, parts) => {
  test("[H7] the script holds every command and option of the program", () => {
    const script = run([process.execPath, main, "completion", shell]).out;
    const bash = scriptOf("bash");
    for (const command of offered(bash, "doorbuster", "").filter((name) => name !== "help"))
      for (const flag of offered(bash, "doorbuster", command, "--"))
        expect(script).toContain(shell === "fish" ? `-l ${flag.slice(2)} ` : flag);
  }, 60_000);

  test("values are completed by their kind", () => {
    const script = render(awkward());
    for (const part of parts) expect(script).toContain(part);
  });

  test.skipIf(Bun.which(shell) === null)(`${shell} itself (skipped where it is not installed) reads both scripts without a remark`, () => {
    const path = join(folder, `awkward.${shell}`);
    writeFileSync(path, render(awkward()));
    for (const script of [path, scriptOf(shell)]) expect(run([shell, "-n", script])).toEqual({ exitCode: 0, out: "", err: "" });
  });
});

test.skipIf(Bun.which("fish") === null)("fish (skipped where it is not installed) offers what bash does", () => {
  const script = scriptOf("fish");
  const nested = join(folder, "nested.fish");
  writeFileSync(nested, fishCompletion(awkward()));
  const offers = (line: string, from = script) =>
    lines(run(["fish", "--no-config", "-c", `source '${from}'; complete -C '${line}'`]).out).map((found) => found.split("\t")[0]);
  expect(offers("doorbuster ver")).toEqual(["verify"]);
  expect(offers("doorbuster completion ")).toEqual(["bash", "fish", "zsh"]);
  expect(offers("doorbuster doctor --fu")).toEqual(["--full"]);
  expect(offers("doorbuster keys ", nested)).toEqual(["help", "list", "make"]);
  expect(offers("doorbuster keys make --", nested)).toEqual(["--help", "--scope", "--to"]);
  expect(offers("doorbuster keys list --j", nested)).toEqual(["--json"]);
});
