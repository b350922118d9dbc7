/** The script for bash, 3.2 and later. It stands alone: no other package, and nothing is started while somebody types. */
import type { CommandWords, OptionWords, ProgramWords, ValueKind } from "./completion-words.ts";

export function bashCompletion({ name, options, commands }: ProgramWords): string {
  const own = `_${name}`;
  const names = commands.map((command) => command.name);
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
      ${either(withValue(commands), "      ")}) continue ;;
    esac
    case "$word" in
      -* | "=") ;;
      *) if [[ -z $command ]]; then command="$word"; else arguments=$((arguments + 1)); fi ;;
    esac
  done
  case "$command $previous" in
${valueCases(own, commands)}
  esac
  if [[ -z $command && $cur != -* ]]; then ${own}_of_words ${quoted(names)}; return; fi
  case "$command" in
    "") ${own}_of_words ${quoted(flagsOf(options))} ;;
${commands.map((command) => commandCase(own, command)).join("\n")}
  esac
}
complete -F ${own} ${name}
`;
}

/** One line for each thing that options are completed with, and at the end those whose value nobody can guess. */
function valueCases(own: string, commands: readonly CommandWords[]): string {
  const byAction = new Map<string, string[]>();
  for (const command of commands)
    for (const { flags, value } of command.options) {
      if (value === "none") continue;
      const action = completing(own, value);
      byAction.set(action, [...(byAction.get(action) ?? []), ...patterns(command, flags)]);
    }
  return [...byAction].map(([action, found]) => `    ${either(found, "    ")}) ${action}return ;;`).join("\n");
}

function commandCase(own: string, { name, options, argument }: CommandWords): string {
  const flags = `${own}_of_words ${quoted(flagsOf(options))}`;
  if (argument === "none" || argument === "other") return `    ${name}) ${flags} ;;`;
  return `    ${name}) if [[ $cur != -* && $arguments == 0 ]]; then ${completing(own, argument)}else ${flags}; fi ;;`;
}

function completing(own: string, value: ValueKind): string {
  if (value === "none" || value === "other") return "";
  if (value === "folder") return `${own}_of_paths -d; `;
  return value === "file" ? `${own}_of_paths -f; ` : `${own}_of_words ${quoted(value)}; `;
}

/** Patterns of every option whose next word is its value, and so neither a command nor an argument. */
const withValue = (commands: readonly CommandWords[]): string[] =>
  commands.flatMap((command) => command.options.filter(({ value }) => value !== "none").flatMap(({ flags }) => patterns(command, flags)));

const patterns = ({ name }: CommandWords, flags: readonly string[]) => flags.map((flag) => `"${name} ${flag}"`);
const either = (found: readonly string[], indent: string) => found.join(` |\\\n${indent}`);
const flagsOf = (options: readonly OptionWords[]) => options.flatMap(({ flags }) => flags).filter((flag) => flag.startsWith("--"));
const quoted = (words: readonly string[]) => `"${words.join(" ")}"`;
