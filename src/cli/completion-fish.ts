/** The script for fish: to be loaded, or put as doorbuster.fish into fish's folder of completions. */
import type { OptionWords, ProgramWords, ValueKind } from "./completion-words.ts";

export function fishCompletion({ name, options, commands }: ProgramWords): string {
  const first = "__fish_use_subcommand";
  const lines = [
    `# Completion of ${name} for fish. To load it: ${name} completion fish | source`,
    `complete -c ${name} -f`,
    ...options.map((option) => optionLine(name, first, option)),
    ...commands.map((command) => `complete -c ${name} -n ${first} -a ${command.name} -d ${quoted(command.about)}`),
  ];
  for (const { name: command, options: own, argument } of commands) {
    const seen = quoted(`__fish_seen_subcommand_from ${command}`);
    lines.push(...own.map((option) => optionLine(name, seen, option)));
    if (argument !== "none" && argument !== "other") lines.push(`complete -c ${name} -n ${seen}${completing(argument)}`);
  }
  return `${lines.join("\n")}\n`;
}

function optionLine(name: string, condition: string, { flags, about, value }: OptionWords): string {
  const written = flags.map((flag) => (flag.startsWith("--") ? ` -l ${flag.slice(2)}` : ` -s ${flag.slice(1)}`)).join("");
  const needs = value === "none" ? "" : ` -r${completing(value)}`;
  return `complete -c ${name} -n ${condition}${written}${needs} -d ${quoted(about)}`;
}

function completing(value: ValueKind): string {
  if (value === "folder") return " -a '(__fish_complete_directories)'";
  if (value === "file") return " -F";
  return typeof value === "string" ? "" : ` -a ${quoted(value.join(" "))}`;
}

const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
