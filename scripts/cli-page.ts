/** The page docs/cli.md: what `--help` prints for every command. `npm run fix` writes it; a test holds it to the program. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
export const cliPagePath = join(root, "docs", "cli.md");

export function renderCliPage(): string {
  const head = ["# Command line\n", "Run as `npx doorbuster <command>`, or `node bin/doorbuster.mjs <command>` from a checkout.\n"];
  return [...head, ...partsOf([])].join("\n");
}

function partsOf(command: readonly string[]): string[] {
  const help = helpOf(command);
  const title = command.length === 0 ? [] : [`## ${command.join(" ")}\n`];
  return [...title, block(help), ...commandsIn(help).flatMap((name) => partsOf([...command, name]))];
}

function helpOf(command: readonly string[]): string {
  const { stdout, status } = spawnSync(process.execPath, [join(root, "src", "main.ts"), ...command, "--help"], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], COLUMNS: "100", NO_COLOR: "1" },
  });
  if (status !== 0) throw new Error(`"doorbuster ${command.join(" ")} --help" exited with ${status}`);
  return stdout.trimEnd();
}

/** Of the one section only: what follows it, such as examples, is indented as well, and an unknown word before `--help` is no error. */
export function commandsIn(help: string): string[] {
  const [, rest = ""] = help.split("\nCommands:\n");
  const [list = ""] = rest.split("\n\n");
  return [...list.matchAll(/^ {2}([a-z][a-z-]*) /gm)].map((match) => match[1] ?? "").filter((name) => name !== "help");
}

const block = (text: string) => `\`\`\`text\n${text}\n\`\`\`\n`;

if (import.meta.main) writeFileSync(cliPagePath, renderCliPage());
