import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { configurationChecks, logChecks, secretFileChecks } from "./checks-configuration.ts";
import { diskChecks, folderChecks } from "./checks-disk.ts";
import { clockChecks, memoryChecks, processChecks } from "./checks-machine.ts";
import { portChecks } from "./checks-network.ts";
import { storeChecks } from "./checks-store.ts";

test("[H7] docs/doctor.md has every finding, and no other", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/doctor.md"), "utf8");
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1] ?? "");
  const machine = [...processChecks, ...memoryChecks, ...clockChecks, ...folderChecks, ...diskChecks];
  const rest = [...configurationChecks, ...secretFileChecks, ...storeChecks, ...portChecks, ...logChecks];
  const ids = [...machine.map(({ id }) => id), ...rest.map(({ id }) => id), "not-looked-at"];
  expect(rows.toSorted()).toEqual(ids.toSorted());
  expect(new Set(ids).size).toBe(ids.length);
});
