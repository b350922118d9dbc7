import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/**
 * A secret that lives in a file only its owner may read; made the first time. It is written aside and linked into place,
 * so that neither a crash nor a second process can leave half of one or two of them.
 */
export function secretFromFile(path: string, make: () => string): string {
  const known = read(path);
  if (known !== undefined) return known;
  mkdirSync(dirname(path), { recursive: true });
  const aside = `${path}.${process.pid}`;
  const file = openSync(aside, "w", 0o600);
  try {
    writeSync(file, `${make()}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(aside, path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    unlinkSync(aside);
  }
  const kept = read(path);
  if (kept === undefined) throw new Error(`Could not keep a secret in "${path}"`);
  return kept;
}

/** Puts a secret aside, in place of the one before it; the next start makes a new one. False when there is none. */
export function putAsideSecret(path: string): boolean {
  if (read(path) === undefined) return false;
  renameSync(path, previousPath(path));
  return true;
}

/** The secret that was put aside last. */
export const previousSecret = (path: string): string | undefined => read(previousPath(path));
/** The secret that is kept there already, if this user may read it. */
export function knownSecret(path: string): string | undefined {
  try {
    return read(path);
  } catch {
    return undefined;
  }
}

const previousPath = (path: string): string => `${path}.previous`;

function read(path: string): string | undefined {
  try {
    const text = readFileSync(path, "utf8").trim();
    if (text === "") throw new Error(`The secret file "${path}" is empty: remove it to have a new one made`);
    return text;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
