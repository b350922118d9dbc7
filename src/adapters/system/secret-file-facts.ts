/** Who may read a file that holds a secret, and how long the secret is; never what it is. */
import { readFile, stat } from "node:fs/promises";
import type { SecretFileFacts } from "../../ports/machine-facts.ts";

export async function secretFileFacts(path: string, source: string): Promise<SecretFileFacts> {
  const found = await stat(path).catch((error: unknown) => (isMissing(error) ? "absent" : "unreadable"));
  if (typeof found === "string") return { path, source, state: found, mode: undefined, length: undefined };
  const mode = found.mode & 0o777;
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return { path, source, state: "unreadable", mode, length: undefined };
  return { path, source, state: "readable", mode, length: text.trim().length };
}

const isMissing = (error: unknown) => error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
