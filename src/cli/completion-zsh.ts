/** The script for zsh: to be loaded, or put as _doorbuster into a folder of fpath. */
import type { OptionWords, ProgramWords, ValueKind } from "./completion-words.ts";

export function zshCompletion({ name, options, commands }: ProgramWords): string {
  const own = `_${name}`;
  const list = commands.map((command) => `        ${quoted(`${command.name}:${command.about.replaceAll(":", "\\:")}`)}`);
  const cases = commands.map((command) => {
    const argument = command.argument === "none" ? [] : [quoted(`1:argument:${action(command.argument)}`)];
    return [
      `        (${command.name})`,
      `          _arguments -s \\`,
      lines([...command.options.flatMap(specs), ...argument], 12),
      "          ;;",
    ].join("\n");
  });
  return `#compdef ${name}
# Completion of ${name} for zsh. To load it: source <(${name} completion zsh)
${own}() {
  local curcontext="$curcontext" state line
  typeset -A opt_args
  _arguments -C -s \\
${lines([...options.flatMap(specs), "'1: :->command'", "'*:: :->rest'"], 4)}
  case $state in
    (command)
      local -a commands
      commands=(
${list.join("\n")}
      )
      _describe command commands
      ;;
    (rest)
      case $line[1] in
${cases.join("\n")}
      esac
      ;;
  esac
}
if [ "$funcstack[1]" = "${own}" ]; then ${own} "$@"; else compdef ${own} ${name}; fi
`;
}

/** `'(--help -h)--help[about]:value:_files'`, one for each way to write the option. */
function specs({ flags, about, value }: OptionWords): string[] {
  const others = flags.length > 1 ? `(${flags.join(" ")})` : "";
  const tail = value === "none" ? "" : `:value:${action(value)}`;
  return flags.map((flag) => quoted(`${others}${flag}${value !== "none" && flag.startsWith("--") ? "=" : ""}[${escaped(about)}]${tail}`));
}

function action(value: ValueKind): string {
  if (value === "folder") return "_files -/";
  if (value === "file") return "_files";
  return typeof value === "string" ? " " : `(${value.join(" ")})`;
}

const escaped = (text: string) => text.replaceAll(/[[\]:\\]/g, (letter) => `\\${letter}`);
const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;
const lines = (words: readonly string[], indent: number) => words.map((word) => `${" ".repeat(indent)}${word}`).join(" \\\n");
