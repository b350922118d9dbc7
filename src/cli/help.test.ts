import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { cliPagePath, commandsIn, renderCliPage } from "../../scripts/cli-page.ts";

test("[H7] docs/cli.md holds what --help prints for every command, so no flag changes silently (npm run fix writes it)", () => {
  expect(readFileSync(cliPagePath, "utf8")).toBe(renderCliPage());
}, 30_000);

test("[H7] the help of every command has examples", () => {
  const commands = renderCliPage().split("\n## ").slice(1);
  expect(commands.length).toBeGreaterThanOrEqual(8);
  for (const text of commands) {
    const [name = ""] = text.split("\n");
    expect([name, /\nExamples:\n {2}\S/.test(text), text.includes(`doorbuster ${name}`)]).toEqual([name, true, true]);
  }
}, 30_000);

test("a page of help ends: examples below the commands are no commands", () => {
  const help =
    "Usage: doorbuster admin\n\nCommands:\n  reset-password [options]  Give it\n    another.\n  help [command]  this\n\nExamples:\n  doorbuster admin reset-password\n";
  expect(commandsIn(help)).toEqual(["reset-password"]);
});
