/**
 * `doorbuster completion <shell>`: a script made from the program's own commands and options. The script is complete in
 * itself. Libraries for this ask the program again at every key: that takes a quarter of a second here, and what was
 * typed goes through the shell's eval.
 */
import { Argument, type Command } from "commander";
import { bashCompletion } from "./completion-bash.ts";
import { fishCompletion } from "./completion-fish.ts";
import { wordsOf, type CommandWords } from "./completion-words.ts";
import { zshCompletion } from "./completion-zsh.ts";
import { addCommand, type CliDeps } from "./program.ts";

const scripts: Readonly<Record<string, (words: CommandWords) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

export function registerCompletion(program: Command, { console }: CliDeps): void {
  addCommand(program, "completion", "Print a script that completes commands, options and values in a shell.")
    .addArgument(new Argument("<shell>", "the shell it is for").choices(Object.keys(scripts)))
    .addHelpText("after", helpAfter)
    .action((shell: string) => console.out(scripts[shell]?.(wordsOf(program)) ?? ""));
}

const helpAfter = `
It completes the command "doorbuster", as it is there after npm install -g or npm link.

Examples:
  echo 'source <(doorbuster completion bash)' >> ~/.bashrc
  echo 'source <(doorbuster completion zsh)' >> ~/.zshrc
  doorbuster completion fish > ~/.config/fish/completions/doorbuster.fish`;
