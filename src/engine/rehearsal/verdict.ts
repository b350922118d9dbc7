/**
 * Reads what `doorbuster verify --json` printed. It comes from another process, so nothing of its shape is taken for
 * granted: what cannot be read is an invalid verdict, never a good one.
 */
import { isObject } from "./shop-client.ts";

export type CheckLine = { readonly id: string; readonly verdict: "valid" | "invalid" | "unknown"; readonly text: string };
export type VerifyVerdict = {
  readonly verdict: "valid" | "invalid" | "unknown";
  readonly checks: readonly CheckLine[];
  /** One line per row or answer that is off. */
  readonly problems: readonly string[];
};

export function verdictOf(printed: unknown): VerifyVerdict {
  const checks: unknown = isObject(printed) ? printed["checks"] : undefined;
  const verdict = isObject(printed) ? printed["verdict"] : undefined;
  if (!Array.isArray(checks) || checks.length === 0 || !isVerdict(verdict))
    return { verdict: "invalid", checks: [], problems: ["the answer of verify cannot be read"] };
  const rows = checks.filter(isObject);
  const lines = rows.map(lineOf);
  const problems = rows.flatMap(problemsOf);
  const invalid = verdict === "invalid" || problems.length > 0 || lines.some((line) => line.verdict === "invalid");
  return { verdict: invalid ? "invalid" : verdict, checks: lines, problems };
}

/** Of a checker that could not look: no good verdict, either. */
export function uncheckedVerdict(error: unknown): VerifyVerdict {
  const problem = `the store could not be checked: ${error instanceof Error ? error.message : String(error)}`;
  return { verdict: "invalid", checks: [], problems: [problem] };
}

function lineOf(check: Record<string, unknown>): CheckLine {
  const { verdict, checked, note } = check;
  const looked = `${String(checked)} ${String(check["unit"])}`;
  const text = `${String(check["title"])} (${looked})${typeof note === "string" ? `; ${note}` : ""}`;
  return { id: String(check["id"]), verdict: isVerdict(verdict) ? verdict : "invalid", text };
}

function problemsOf(check: Record<string, unknown>): string[] {
  const off: unknown = check["off"];
  const found = (Array.isArray(off) ? off : [])
    .filter(isObject)
    .map((row) => `${String(check["id"])}: ${String(row["row"])}: ${String(row["problem"])}`);
  const total = Number(check["offTotal"] ?? check["off_total"] ?? found.length);
  return total > found.length ? [...found, `${String(check["id"])}: ${total - found.length} more`] : found;
}

function isVerdict(value: unknown): value is VerifyVerdict["verdict"] {
  return value === "valid" || value === "invalid" || value === "unknown";
}
