import { expect, test } from "bun:test";
import { postgresErrorKind } from "./postgres-errors.ts";
import type { ServerErrorKind } from "./server-driver.ts";

const kinds: readonly (readonly [string | undefined, ServerErrorKind])[] = [
  ["40P01", "conflict"],
  ["23505", "duplicate"],
  ["23514", "bad_line"],
  ["57P01", "unavailable"],
  ["42601", "defect"],
  ["XX000", "defect"],
  ["ECONNRESET", "lost"],
  ["EPIPE", "lost"],
  [undefined, "lost"],
];

test.each(kinds)("code %p means %s", (code, kind) => {
  expect(postgresErrorKind(Object.assign(new Error("it says"), code !== undefined && { code }))).toBe(kind);
});
