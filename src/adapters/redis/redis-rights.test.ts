import { expect, test } from "bun:test";
import { Glob } from "bun";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ownCommands } from "./redis-rights.ts";

const textsIn = (pattern: string) =>
  [...new Glob(pattern).scanSync({ cwd: import.meta.dirname })].map((path) => readFileSync(join(import.meta.dirname, path), "utf8"));

test("every command of the scripts, and of the program beside them, is among those whose rights doctor tries, and no other", () => {
  const ofScripts = textsIn("scripts/*.lua").flatMap((text) => [...text.matchAll(/redis\.call\('([A-Z]+)'/g)].map(([, name = ""]) => name));
  const sources = ["load-epoch.ts", "stock-cache.ts", "redis-info.ts", "cache-facts.ts"];
  const ofProgram = sources.flatMap(textsIn).flatMap((text) => [...text.matchAll(/\["([A-Z]{3,})"(?:, "([A-Z]+)")?/g)]);
  const called = [
    ...ofScripts,
    ...ofProgram.map(([, name = "", second]) => (name === "SCRIPT" || name === "CONFIG" ? `${name}|${second}` : name)),
  ];
  const names = new Set(called.map((name) => name.toLowerCase()));
  // Settings are for doctor alone, which does without them.
  names.delete("config|get");
  expect([...names].toSorted()).toEqual(Object.keys(ownCommands).toSorted());
});
