/**
 * What a page is to those who hear it: names, roles and states, kept in aria-snapshots.txt. After a change that is meant:
 * `DOORBUSTER_TEST_ARIA=write node bin/bun.mjs test ./tests/browser/accessibility.test.ts`, and read the difference.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";

const path = join(import.meta.dirname, "aria-snapshots.txt");
const headOf = (name: string) => `== ${name}\n`;

function kept(): Map<string, string> {
  const parts = readFileSync(path, { encoding: "utf8", flag: "a+" }).split(/^== /m).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1).trimEnd()]));
}

/** The page as it is, and as it is kept. Times, counters and numbers of sales are another each time. */
export async function ariaSnapshot(page: Page, name: string): Promise<{ readonly is: string; readonly kept: string | undefined }> {
  const is = (await page.locator("body").ariaSnapshot()).replaceAll(/\d+/g, "#").replaceAll(/\b[A-Z][a-z]{2} #, #/g, "DAY");
  const all = kept();
  if (process.env["DOORBUSTER_TEST_ARIA"] === "write") {
    all.set(name, is);
    const sorted = [...all].toSorted(([a], [b]) => (a < b ? -1 : 1));
    writeFileSync(path, sorted.map(([each, text]) => `${headOf(each)}${text}\n`).join("\n"));
  }
  return { is, kept: all.get(name) };
}
