import { environmentName, options, type Option } from "./options.ts";

/** `.env.example`, made from the table. */
export function renderEnvExample(): string {
  const lines = [
    "# Every option with its default. The environment wins over the YAML file (DOORBUSTER_CONFIG, else ./doorbuster.yaml).",
    "# The first word of a name is the section there: DOORBUSTER_HTTP_PORT is port under http, DOORBUSTER_ANSWER_TIMEOUT_MS",
    "# is timeout_ms under answer; one word alone, like DOORBUSTER_ENV, stands at the top: env.",
    "# Secrets may come from a file: append _FILE to the name.",
    "",
  ];
  for (const option of Object.values<Option>(options))
    lines.push(`# ${option.about}${boundsOf(option)}`, `#${environmentName(option)}=${option.default ?? ""}`, "");
  return lines.join("\n");
}

function boundsOf({ type }: Option): string {
  switch (type.kind) {
    case "integer":
      return ` (${type.min} to ${type.max})`;
    case "choice":
      return ` (${type.of.join(", ")})`;
    case "secret":
      return ` (at least ${type.lengthMin} characters)`;
    default:
      return "";
  }
}
