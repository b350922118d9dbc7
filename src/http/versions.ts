/**
 * Optimistic concurrency on the wire: a caller names the version it saw, by `If-Match` with the ETag it was given (then a
 * mismatch is 412) or as `version` in the body (then it is 409). Without either, its change is made to whatever is there.
 *
 *   product: ETag "3"    sale: ETag W/"17.draft", for a status changes by the clock alone
 */
import type { Reading } from "./contract/read.ts";
import { tagPattern } from "./contract/params.ts";
import { failure, type Reply } from "./envelope.ts";

export type Expected = { readonly version: number | undefined; readonly by: "If-Match" | "version" };

/** For reads: the reader may keep the answer for itself, and asks by its tag whether it still holds. */
export const taggedHeaders = (tag: string): Readonly<Record<string, string>> => ({ ETag: tag, "Cache-Control": "private, no-cache" });

export function expectedVersion(headers: Headers, inBody?: number): Reading<Expected> {
  const tag = headers.get("if-match")?.trim();
  if (tag === undefined || tag === "*") return { kind: "value", value: { version: inBody, by: "version" } };
  const digits = tagPattern.exec(tag)?.[1];
  if (digits === undefined) return wrongTag("must be one ETag of the thing as it was read");
  const version = Number(digits);
  return inBody === undefined || inBody === version
    ? { kind: "value", value: { version, by: "If-Match" } }
    : wrongTag("must name the version that the body names");
}

const wrongTag = (problem: string) => ({ kind: "reply", reply: failure("malformed", { field: "If-Match", problem }) }) as const;

export function versionReply({ by }: Expected, version: number): Reply {
  return by === "If-Match" ? failure("precondition_failed", { field: "If-Match", version }) : failure("version_differs", { version });
}
