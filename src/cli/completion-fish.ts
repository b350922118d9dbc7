/** The script for fish: to be loaded, or put as doorbuster.fish into fish's folder of completions. */
import { everyCommand, type CommandAt, type CommandWords, type OptionWords, type ValueKind } from "./completion-words.ts";

export function fishCompletion(program: CommandWords): string {
  const { name } = program;
  const lines = everyCommand(program).flatMap((at) => linesOf(name, at));
  return `# Completion of ${name} for fish. To load it: ${name} completion fish | source\ncomplete -c ${name} -f\n${lines.join("\n")}\n`;
}

function linesOf(name: string, { path, command: { options, arguments: kinds, commands } }: CommandAt): string[] {
  const seen = path.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`);
  const notBelow = commands.length === 0 ? [] : [`not __fish_seen_subcommand_from ${commands.map((one) => one.name).join(" ")}`];
  const at = quoted(path === "" ? "__fish_use_subcommand" : [...seen, ...notBelow].join("; and "));
  return [
    ...commands.map((one) => `complete -c ${name} -n ${at} -a ${one.name} -d ${quoted(one.about)}`),
    ...options.map((option) => optionLine(name, at, option)),
    ...new Set(kinds.filter((kind) => kind !== "other").map((kind) => `complete -c ${name} -n ${at}${completing(kind)}`)),
  ];
}

function optionLine(name: string, at: string, { flags, about, value }: OptionWords): string {
  const written = flags.map((flag) => (flag.startsWith("--") ? ` -l ${flag.slice(2)}` : ` -s ${flag.slice(1)}`)).join("");
  const needs = value === "none" ? "" : ` -r${completing(value)}`;
  return `complete -c ${name} -n ${at}${written}${needs} -d ${quoted(about)}`;
}

function completing(value: ValueKind): string {
  if (value === "folder") return " -a '(__fish_complete_directories)'";
  if (value === "file") return " -F";
  if (typeof value === "string") return "";
  return "orFile" in value ? ` -F -a ${quoted(value.orFile.join(" "))}` : ` -a ${quoted(value.join(" "))}`;
}

const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
