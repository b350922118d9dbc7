/** The script for bash, 3.2 and later. It stands alone: no other package, and nothing is started while somebody types. */
import { everyCommand, type CommandAt, type CommandWords, type ValueKind } from "./completion-words.ts";

export function bashCompletion(program: CommandWords): string {
  const { name } = program;
  const own = `_${name}`;
  const all = everyCommand(program);
  return `# Completion of ${name} for bash. To load it: source <(${name} completion bash)
${own}_of_words() { while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$1" -- "$cur"); }
${own}_of_paths() {
  compopt -o filenames 2>/dev/null
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen "$1" -- "$cur")
}
${own}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="" arguments=0 word i
  COMPREPLY=()
  # --option=value arrives as three words.
  if [[ $cur == "=" ]]; then cur=""
  elif [[ $previous == "=" ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    [[ \${COMP_WORDS[i-1]} == "=" ]] && continue
    case "$command \${COMP_WORDS[i-1]}" in
      ${either(all.flatMap(withValue), "      ")}) continue ;;
    esac
    case "$command:$word" in
      *":-"* | *":=") ;;
${all.flatMap(stepCases).join("\n")}
      *) arguments=$((arguments + 1)) ;;
    esac
  done
  case "$command $previous" in
${valueCases(own, all)}
  esac
  if [[ $cur != -* ]]; then
    case "$command:$arguments" in
${all.flatMap((at) => argumentCases(own, at)).join("\n")}
    esac
  fi
  case "$command" in
${all.map(({ path, command }) => `    "${path}") ${own}_of_words ${quoted(flagsOf(command))} ;;`).join("\n")}
  esac
}
complete -F ${own} ${name}
`;
}

/** From a command to the one below it. */
const stepCases = ({ path, command }: CommandAt): string[] =>
  command.commands.map(({ name }) => `      "${path}:${name}") command="${path === "" ? name : `${path} ${name}`}" ;;`);

/** One line for each thing that options are completed with, and at the end those whose value nobody can guess. */
function valueCases(own: string, all: readonly CommandAt[]): string {
  const byAction = new Map<string, string[]>();
  for (const { path, command } of all)
    for (const { flags, value } of command.options) {
      if (value === "none") continue;
      const action = completing(own, value);
      byAction.set(action, [...(byAction.get(action) ?? []), ...patterns(path, flags)]);
    }
  return [...byAction].map(([action, found]) => `    ${either(found, "    ")}) ${action}return ;;`).join("\n");
}

function argumentCases(own: string, { path, command: { commands, arguments: kinds } }: CommandAt): string[] {
  const names = commands.map(({ name }) => name);
  if (names.length > 0) return [`      "${path}:0") ${own}_of_words ${quoted(names)}; return ;;`];
  return kinds.flatMap((kind, place) => {
    const action = completing(own, kind);
    return action === "" ? [] : [`      "${path}:${place}") ${action}return ;;`];
  });
}

function completing(own: string, value: ValueKind): string {
  if (value === "none" || value === "other") return "";
  if (value === "folder") return `${own}_of_paths -d; `;
  if (value === "file") return `${own}_of_paths -f; `;
  return "orFile" in value ? `${own}_of_words ${quoted(value.orFile)}; ${own}_of_paths -f; ` : `${own}_of_words ${quoted(value)}; `;
}

/** Every option whose next word is its value, and so neither a command nor an argument. */
const withValue = ({ path, command }: CommandAt): string[] =>
  command.options.filter(({ value }) => value !== "none").flatMap(({ flags }) => patterns(path, flags));

const patterns = (path: string, flags: readonly string[]) => flags.map((flag) => `"${path} ${flag}"`);
const either = (found: readonly string[], indent: string) => found.join(` |\\\n${indent}`);
const flagsOf = ({ options }: CommandWords) => options.flatMap(({ flags }) => flags).filter((flag) => flag.startsWith("--"));
const quoted = (words: readonly string[]) => `"${words.join(" ")}"`;
