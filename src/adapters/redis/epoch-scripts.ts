/**
 * The scripts of one epoch. Scope and epoch stand in the text of each, so that a script's name (its digest) belongs to them
 * alone; only who opens the epoch loads them. A server that does not know one has lost the epoch or never had it. Each says
 * of itself that it writes, so that a server that became a replica runs none of them, not even to look: what it has gets old.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AtEpoch } from "../../ports/stock-cache.ts";

export const scriptNames = ["reserve", "journaled", "apply", "quote", "look", "accepted", "outbox", "find-key", "records", "open"] as const;
export type ScriptName = (typeof scriptNames)[number];

const read = (name: string) => readFileSync(join(import.meta.dirname, "scripts", `${name}.lua`), "utf8");
/** The server keeps every text until it is restarted, so what is for people stays here. */
const stripped = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.trimStart().startsWith("--"))
    .map((line) => line.trimStart())
    .join("\n");
/** What several of them need stands before each that does: every text of every epoch is kept, and so is what is made of it. */
const partsOf: Readonly<Partial<Record<ScriptName, readonly string[]>>> = {
  reserve: ["integer", "server-time", "view"],
  apply: ["integer", "server-time"],
  look: ["server-time", "view"],
  accepted: ["integer"],
  outbox: ["integer", "server-time"],
};
const bodies = new Map(
  scriptNames.map((name) => {
    const files = [...(partsOf[name] ?? []).map((part) => `${part}.part`), name];
    return [name, files.map((file) => stripped(read(file))).join("\n")];
  }),
);

/** Those that need no more memory, and of which some give it back. */
const whenFull: ReadonlySet<ScriptName> = new Set(["journaled", "look", "accepted", "outbox", "find-key", "records"]);

const epochsMax = 1_000;
const digests = new Map<string, Map<ScriptName, string>>();

/** Where the keys of an epoch stand; all of a scope's share its slot. */
export const prefixOf = ({ scopeId, epoch }: AtEpoch): string => `{db:${scopeId}}:${epoch}:`;

export function scriptText(name: ScriptName, at: AtEpoch): string {
  return `#!lua${whenFull.has(name) ? " flags=allow-oom" : ""}\n-- ${prefixOf(at)}\n${bodies.get(name) ?? ""}`;
}

export function scriptDigest(name: ScriptName, at: AtEpoch): string {
  const prefix = prefixOf(at);
  let known = digests.get(prefix);
  if (known === undefined) {
    if (digests.size >= epochsMax) digests.clear();
    known = new Map(scriptNames.map((each) => [each, createHash("sha1").update(scriptText(each, at)).digest("hex")]));
    digests.set(prefix, known);
  }
  return known.get(name) ?? "";
}
