import { createHash } from "node:crypto";

/** Names bytes by what they are. */
export const entityTagOf = (content: string | Uint8Array): string =>
  `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`;

/** Whether the caller has the thing so named. Weak or strong is one to us, since our answers are equal to the byte. */
export function isKnown(headers: Headers, tag: string): boolean {
  const given = headers.get("if-none-match");
  return given !== null && (given.trim() === "*" || given.split(",").some((each) => each.trim().replace(/^W\//, "") === tag));
}
