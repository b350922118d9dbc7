import { Command, CommanderError } from "commander";
import type { Config } from "../config/options.ts";
import { visibleText } from "../lib/visible-text.ts";
import { usageMessage } from "./usage-message.ts";

/** Where a command writes: data to `out`, everything for people's eyes about the run to `err`. */
export type Console = {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether `err` goes to a terminal on which lines may be rewritten: not in CI, not with NO_COLOR. */
  readonly isTerminal: boolean;
  /** How wide that terminal is just now. */
  readonly columns?: (() => number | undefined) | undefined;
};

/** What commands need of the program; main.ts provides it. */
export type CliDeps = {
  readonly console: Console;
  /** The configuration with the command line's flags on top; throws ConfigWrong. */
  readonly config: (flags: ConfigFlags, environmentDefaults?: Readonly<Record<string, string>>) => Config;
  readonly version: string;
};

/** Environment names to values, as flags set them. */
export type ConfigFlags = Readonly<Record<string, string | undefined>>;

/** Exit codes: 0 done, 1 the answer is no (a violation, a failed run), 2 the command or its configuration is wrong. */
export const exitCodes = { done: 0, failed: 1, usage: 2 } as const;

export class ConfigWrong extends Error {
  override readonly name = "ConfigWrong";
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/** A failure the operator can act on: one line, no stack. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
  readonly exitCode: number;
  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

export function newProgram(deps: CliDeps): Command {
  return new Command("doorbuster")
    .description("A flash-sale platform that never oversells, never loses a purchase it said yes to, and proves it afterwards.")
    .version(deps.version)
    .showSuggestionAfterError()
    .showHelpAfterError("Run with --help to see what there is")
    .exitOverride()
    .configureOutput({
      writeOut: deps.console.out,
      writeErr: deps.console.err,
      outputError: (text, write) => write(visibleText(usageMessage(text))),
    })
    .addHelpText(
      "after",
      "\nConfiguration: environment (DOORBUSTER_…), then doorbuster.yaml; see .env.example.\nExit codes: 0 done, 1 failed or a check says no, 2 wrong usage or configuration.",
    );
}

/** Runs the command line and gives its exit code. */
export async function runProgram(program: Command, deps: CliDeps, argv: readonly string[]): Promise<number> {
  try {
    await program.parseAsync([...argv], { from: "user" });
    return exitCodes.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    if (error instanceof ConfigWrong) {
      for (const problem of error.problems) deps.console.err(`doorbuster: ${visibleText(problem)}\n`);
      return exitCodes.usage;
    }
    if (error instanceof CommandFailed) {
      deps.console.err(`doorbuster: ${visibleText(error.message)}\n`);
      return error.exitCode;
    }
    throw error;
  }
}

/** Subcommands inherit what `exitOverride` and `configureOutput` set only when told. */
export function addCommand(program: Command, name: string, description: string): Command {
  const command = program.command(name).description(description);
  return command.copyInheritedSettings(program);
}
