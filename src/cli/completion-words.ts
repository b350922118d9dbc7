/** What can be completed, read off the program itself, so that no command or option is ever missing from the scripts. */
import type { Argument, Command, Option } from "commander";

/** What may follow an option: the shell completes folders and files itself. */
export type ValueKind = "none" | "folder" | "file" | "other" | readonly string[] | WordsOrFile;
export type WordsOrFile = { readonly orFile: readonly string[] };

export type OptionWords = { readonly flags: readonly string[]; readonly about: string; readonly value: ValueKind };
export type CommandWords = {
  readonly name: string;
  readonly about: string;
  readonly options: readonly OptionWords[];
  /** What may stand in the place of each argument. */
  readonly arguments: readonly ValueKind[];
  readonly commands: readonly CommandWords[];
};
/** A command and the words that lead to it: "" for the program itself. */
export type CommandAt = { readonly path: string; readonly command: CommandWords };

export function wordsOf(command: Command): CommandWords {
  const visible = command.createHelp().visibleCommands(command);
  const help = visible.filter((one) => one.name() !== "help").map((one) => one.name());
  const commands = visible.map((one) => (one.name() === "help" ? { ...wordsOf(one), arguments: [help] } : wordsOf(one)));
  return {
    name: command.name(),
    about: firstSentence(command.description()),
    options: optionsOf(command),
    arguments: command.registeredArguments.map(argumentOf),
    commands,
  };
}

/** Every command of the tree, the program itself first. */
export function everyCommand(command: CommandWords, path = ""): readonly CommandAt[] {
  const below = (one: CommandWords) => everyCommand(one, path === "" ? one.name : `${path} ${one.name}`);
  return [{ path, command }, ...command.commands.flatMap(below)];
}

function optionsOf(command: Command): OptionWords[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map((option) => ({
      flags: [option.long, option.short].filter((flag) => flag !== undefined),
      about: option.description,
      value: valueOf(option),
    }));
}

function valueOf({ required, optional, argChoices, flags }: Option): ValueKind {
  if (!required && !optional) return "none";
  const placeholder = /[<[]([a-z -]+)/.exec(flags)?.[1];
  // `--curve <kind or file>`: choices that are offered, and not all there is.
  if (argChoices !== undefined && placeholder?.endsWith(" or file")) return { orFile: argChoices };
  return argChoices ?? kindOf(placeholder);
}

const argumentOf = (argument: Argument): ValueKind => argument.argChoices ?? kindOf(argument.name());

/** As the help names it: `--data-dir <folder>`, `--history <files...>`. */
function kindOf(placeholder: string | undefined): ValueKind {
  if (placeholder === "folder") return "folder";
  return /(^|-)files?$/.test(placeholder ?? "") ? "file" : "other";
}

/** Menus have room for one line. */
const firstSentence = (text: string) => text.split(/(?<=[.:]) /)[0]?.replace(/[.:]$/, "") ?? text;
