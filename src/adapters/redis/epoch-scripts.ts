/**
 * The scripts of one epoch. Scope and epoch stand in the text of each, so that a script's name (its digest) belongs to them
 * alone; only who opens the epoch loads them, and notes their digests beside it: a process of another version, whose own
 * scripts differ, asks by those. A server that does not know the noted ones has lost the epoch or never had it. Each says
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

/** Where the keys of an epoch stand; all of a scope's share its slot. */
export const prefixOf = ({ scopeId, epoch }: AtEpoch): string => `{db:${scopeId}}:${epoch}:`;

/** How scripts are called and what they answer: raised when keys, arguments or answers change, so that no two versions misread each other. */
export const scriptProtocol = 1;

export type ScriptBodies = ReadonlyMap<ScriptName, string>;
type Digests = ReadonlyMap<ScriptName, string>;

/** The scripts of one version of this program. */
export class EpochScripts {
  readonly protocol: number;
  readonly #bodies: ScriptBodies;
  readonly #digests = new Map<string, Digests>();

  /** Others than this program's are for tests: a version with other scripts. */
  constructor(of: ScriptBodies = bodies, protocol = scriptProtocol) {
    this.#bodies = of;
    this.protocol = protocol;
  }

  text(name: ScriptName, at: AtEpoch): string {
    return `#!lua${whenFull.has(name) ? " flags=allow-oom" : ""}\n-- ${prefixOf(at)}\n${this.#bodies.get(name) ?? ""}`;
  }

  digest(name: ScriptName, at: AtEpoch): string {
    const prefix = prefixOf(at);
    const known = this.#digests.get(prefix) ?? this.learn(at, new Map(scriptNames.map((each) => [each, sha1(this.text(each, at))])));
    return known.get(name) ?? "";
  }

  /** Of an epoch that another version opened: it is asked by that one's scripts. */
  learn(at: AtEpoch, digests: Digests): Digests {
    if (this.#digests.size >= epochsMax) this.#digests.clear();
    this.#digests.set(prefixOf(at), digests);
    return digests;
  }
}

const sha1 = (text: string): string => createHash("sha1").update(text).digest("hex");

/** This program's own bodies, changed: for tests of two versions side by side. */
export function changedBodies(change: (name: ScriptName, body: string) => string): ScriptBodies {
  return new Map([...bodies].map(([name, body]) => [name, change(name, body)]));
}
