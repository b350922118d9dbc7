import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { cliPagePath, renderCliPage } from "../../scripts/cli-page.ts";

test("[H7] docs/cli.md holds what --help prints for every command, so no flag changes silently (npm run fix writes it)", () => {
  expect(readFileSync(cliPagePath, "utf8")).toBe(renderCliPage());
}, 30_000);
