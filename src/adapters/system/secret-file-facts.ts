/** Who may read a file that holds a secret, and how long the secret is; never what it is. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { SecretFileFacts } from "../../ports/machine-facts.ts";

export async function secretFileFacts(path: string, source: string): Promise<SecretFileFacts> {
  const found = await stat(path).catch((error: unknown) => (isMissing(error) ? "absent" : "unreadable"));
  if (typeof found === "string") return { path, source, state: found, mode: undefined, length: undefined };
  const mode = found.mode & 0o777;
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return { path, source, state: "unreadable", mode, length: undefined };
  return { path, source, state: "readable", mode, length: text.trim().length };
}

/** The secrets that a server has made for itself; none when the folder cannot be read, which is another finding. */
export async function generatedSecrets(dataDir: string): Promise<readonly string[]> {
  const names = await readdir(dataDir).catch(() => []);
  return names
    .filter((name) => name.endsWith(".secret"))
    .toSorted()
    .map((name) => join(dataDir, name));
}

const isMissing = (error: unknown) => error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
