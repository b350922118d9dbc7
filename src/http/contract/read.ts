/** Reads a request's parts by their schema; the first thing wrong is named by field and said in words. */
import type { z } from "zod";
import { failure, type Reply } from "../envelope.ts";

export type Reading<Value> = { readonly kind: "value"; readonly value: Value } | { readonly kind: "reply"; readonly reply: Reply };

export function readAs<Schema extends z.ZodType>(schema: Schema, input: unknown): Reading<z.output<Schema>> {
  // Without its input an issue cannot tell what is missing from what has the wrong type.
  const result = schema.safeParse(input, { reportInput: true });
  if (result.success) return { kind: "value", value: result.data };
  const [issue] = result.error.issues;
  return {
    kind: "reply",
    reply: failure("malformed", issue === undefined ? { field: "body", problem: "does not fit" } : problemOf(issue)),
  };
}

function problemOf(issue: z.core.$ZodIssue): { field: string; problem: string } {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") return { field: [...path, issue.keys[0] ?? ""].join("."), problem: "is not a known field" };
  const field = path.length === 0 ? "body" : path.join(".");
  return { field, problem: issue.code === "invalid_type" && issue.input === undefined ? "is required" : wordsOf(issue) };
}

function wordsOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${withArticle(issue.expected)}`;
    case "too_small":
      return issue.origin === "string" ? `must have at least ${issue.minimum} characters` : `must be at least ${issue.minimum}`;
    case "too_big":
      return issue.origin === "string" ? `must have at most ${issue.maximum} characters` : `must be at most ${issue.maximum}`;
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}`;
    default:
      return issue.message;
  }
}

function withArticle(type: string): string {
  if (type === "int") return "an integer";
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`;
}
