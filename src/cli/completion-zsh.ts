/** The script for zsh: to be loaded, or put as _doorbuster into a folder of fpath. One function for each command. */
import { everyCommand, type CommandAt, type CommandWords, type OptionWords, type ValueKind } from "./completion-words.ts";

export function zshCompletion(program: CommandWords): string {
  const { name } = program;
  const own = `_${name}`;
  return `#compdef ${name}
# Completion of ${name} for zsh. To load it: source <(${name} completion zsh)
${everyCommand(program)
  .map((at) => functionOf(own, at))
  .join("\n")}
if [ "$funcstack[1]" = "${own}" ]; then ${own} "$@"; else compdef ${own} ${name}; fi
`;
}

function functionOf(own: string, { path, command }: CommandAt): string {
  const name = nameOf(own, path);
  const flags = command.options.flatMap(specs);
  if (command.commands.length === 0) {
    const places = command.arguments.map((kind, i) => quoted(`${i + 1}:argument:${action(kind)}`));
    return `${name}() {\n  _arguments -s \\\n${lines([...flags, ...places], 4)}\n}`;
  }
  const below = command.commands.map((one) => ({ one, path: path === "" ? one.name : `${path} ${one.name}` }));
  return `${name}() {
  local curcontext="$curcontext" state line
  typeset -A opt_args
  _arguments -C -s \\
${lines([...flags, "'1: :->command'", "'*:: :->rest'"], 4)}
  case $state in
    (command)
      local -a commands
      commands=(
${below.map(({ one }) => `        ${quoted(`${one.name}:${one.about.replaceAll(":", "\\:")}`)}`).join("\n")}
      )
      _describe command commands
      ;;
    (rest)
      case $line[1] in
${below.map(({ one, path: to }) => `        (${one.name}) ${nameOf(own, to)} ;;`).join("\n")}
      esac
      ;;
  esac
}`;
}

const nameOf = (own: string, path: string) => (path === "" ? own : `${own}_${path.replaceAll(" ", "_")}`);

/** `'(--help -h)--help[about]:value:_files'`, one for each way to write the option. */
function specs({ flags, about, value }: OptionWords): string[] {
  const others = flags.length > 1 ? `(${flags.join(" ")})` : "";
  const tail = value === "none" ? "" : `:value:${action(value)}`;
  return flags.map((flag) => quoted(`${others}${flag}${value !== "none" && flag.startsWith("--") ? "=" : ""}[${escaped(about)}]${tail}`));
}

function action(value: ValueKind): string {
  if (value === "folder") return "_files -/";
  if (value === "file") return "_files";
  if (typeof value === "string") return " ";
  return "orFile" in value ? `{compadd ${value.orFile.join(" ")}; _files}` : `(${value.join(" ")})`;
}

const escaped = (text: string) => text.replaceAll(/[[\]:\\]/g, (letter) => `\\${letter}`);
const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;
const lines = (words: readonly string[], indent: number) => words.map((word) => `${" ".repeat(indent)}${word}`).join(" \\\n");
