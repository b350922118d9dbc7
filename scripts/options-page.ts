/** The page docs/configuration.md, made from the table of options. `npm run fix` writes it; a test holds it to the table. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { environmentName, options, type Option } from "../src/config/options.ts";

export const optionsPagePath = join(import.meta.dirname, "..", "docs", "configuration.md");

export function renderOptionsPage(): string {
  const all = Object.values<Option>(options);
  return `# Configuration

Every option, made from the table in \`src/config/options.ts\`. Nothing needs to be set to try Doorbuster; in production
set a server key.

- **Order**: command-line flag, environment, \`…_FILE\` for secrets, YAML file, default. An empty variable counts as not set.
- **File**: \`doorbuster.yaml\` in the working folder, or the one that \`DOORBUSTER_CONFIG\` names (then it must be there). A path
  like \`http.port\` is \`port\` under \`http\`.
- **Secrets** may come from a file: append \`_FILE\` to the variable and give the path. Setting both is a mistake.
- **Mistakes** are told all at once before anything starts, each with the option's name: a value out of bounds, an unknown
  variable or key (with the name that was probably meant), a secret that everybody knows.
- \`npx doorbuster doctor\` says the same without starting a server; see [doctor.md](doctor.md).
- \`DOORBUSTER_RUNTIME\` (\`bun\` or \`node\`) chooses the runtime; it is read by the launcher and is no option.

| environment | YAML path | type and bounds | default | what it does |
|---|---|---|---|---|
${all.map(rowOf).join("\n")}

## As a file
\`\`\`yaml
${renderYaml(all)}
\`\`\`
`;
}

function rowOf(option: Option): string {
  const name = environmentName(option);
  const names = option.type.kind === "secret" ? `\`${name}\`, \`${name}_FILE\`` : `\`${name}\``;
  const fallback = option.default === undefined || option.default === "" ? "not set" : `\`${option.default}\``;
  return `| ${[names, `\`${option.path}\``, typeOf(option), fallback, option.about].map(inCell).join(" | ")} |`;
}

function typeOf({ type }: Option): string {
  switch (type.kind) {
    case "integer":
      return `integer, ${type.min} to ${type.max}`;
    case "choice":
      return type.of.map((word) => `\`${word}\``).join(", ");
    case "list":
      return `list, comma-separated or a YAML list${type.hint === undefined ? "" : `; ${type.hint}`}`;
    case "secret":
      return `secret, at least ${type.lengthMin} characters${type.hint === undefined ? "" : `; ${type.hint}`}`;
    case "text":
      return type.hint === undefined ? "text" : `text: ${type.hint}`;
    default:
      return type satisfies never;
  }
}

const inCell = (text: string) => text.replaceAll("|", "\\|");

/** Every option at its default, without those that have none, and without secrets: a file is no place for them. */
function renderYaml(all: readonly Option[]): string {
  const shown = all.filter(({ type, default: value }) => type.kind !== "secret" && value !== undefined);
  const sections = Map.groupBy(shown, ({ path }) => (path.includes(".") ? (path.split(".")[0] ?? "") : ""));
  return [...sections]
    .flatMap(([section, members]) => {
      const lines = members.map(({ path, type, default: value }) => {
        const [name, indent] = section === "" ? [path, ""] : [path.slice(section.length + 1), "  "];
        return `${indent}${name}: ${type.kind === "list" ? `[${String(value).replaceAll(",", ", ")}]` : value}`;
      });
      return section === "" ? lines : [`${section}:`, ...lines];
    })
    .join("\n");
}

if (import.meta.main) writeFileSync(optionsPagePath, renderOptionsPage());
