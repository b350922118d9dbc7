/**
 * Pages promise; this holds them to it. Where a page names a test, the test is there and says so; where a page exists in
 * two languages, both have the same parts.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import { rootDir } from "./tidy/source-file.ts";

const read = (path: string) => readFileSync(join(rootDir, path), "utf8");
/** Pages whose claims name the tests that show them, as `file` "part of its title". */
const pagesWithTests = ["docs/failure-behaviour.md", "docs/threat-model.md", "docs/deployment.md", "docs/what-the-seeds-get-wrong.md"];

type Named = { readonly file: string; readonly title: string };

/** Every "title" belongs to the last `file` before it. */
function testsNamed(page: string): Named[] {
  const named: Named[] = [];
  let file = "";
  for (const [, path, title] of page.matchAll(/`((?:src|tests|scripts|bench)\/[\w./-]+\.ts)`|“([^”]+)”/g)) {
    if (path !== undefined) file = path;
    else if (title !== undefined) named.push({ file, title });
  }
  return named;
}

const missing = (named: readonly Named[], textOf: (file: string) => string | undefined) =>
  named.filter(({ file, title }) => !(textOf(file) ?? "").includes(title)).map(({ file, title }) => `${file} has no test “${title}”`);

describe("pages that name tests", () => {
  test.each(pagesWithTests)("%s names tests that exist", (path) => {
    const named = testsNamed(read(path));
    expect(named.length).toBeGreaterThan(8);
    expect(missing(named, (file) => (existsSync(join(rootDir, file)) ? read(file) : undefined))).toEqual([]);
  });

  test("the control: a file that is not there, and a title that is not in it, are found", () => {
    const page = "`tests/a.test.ts` “holds” and “breaks”, `tests/none.test.ts` “is gone”";
    expect(missing(testsNamed(page), (file) => (file === "tests/a.test.ts" ? "holds" : undefined))).toEqual([
      "tests/a.test.ts has no test “breaks”",
      "tests/none.test.ts has no test “is gone”",
    ]);
  });
});

/** Levels of headings and languages of code blocks, in order; and the code itself. */
function partsOf(page: string) {
  const blocks = [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)];
  const prose = page.replaceAll(/^```(\w*)\n([\s\S]*?)^```$/gm, "");
  return {
    headings: [...prose.matchAll(/^(#+) /gm)].map(([, marks = ""]) => marks.length),
    blocks: blocks.map(([, language = ""]) => language),
    code: blocks.map(([, , code = ""]) => code.replaceAll(/#.*$/gm, "").replaceAll(/[ \t]+$/gm, "")),
    tables: [...prose.matchAll(/^\|(?:[ :-]+\|)+$/gm)].map(([line]) => line.split("|").length - 2),
    rows: [...prose.matchAll(/^\|/gm)].length,
    figures: ["bench", "bench-sql", "bench-queued"].map(
      (name) => new RegExp(`<!-- ${name}:begin -->[\\s\\S]*<!-- ${name}:end -->`).exec(page)?.[0],
    ),
  };
}

describe("README.zh-CN.md keeps step with README.md", () => {
  const [english, chinese] = [partsOf(read("README.md")), partsOf(read("README.zh-CN.md"))];
  test.each(["headings", "blocks", "tables", "rows", "code"] as const)("in its %s", (part) => {
    expect(chinese[part]).toEqual(english[part]);
  });
  test("and its figures are the same, where the bench has put them", () => {
    for (const figures of english.figures) expect(figures).toBeDefined();
    expect(chinese.figures).toEqual(english.figures);
  });
  test("the control: a heading, a block or a command more is noticed", () => {
    const page = "# A\n\n```sh\nx  # said\n```\n";
    expect(partsOf(page)).toEqual(partsOf("# 甲\n\n```sh\nx  # 说\n```\n"));
    for (const other of [`${page}## B\n`, `${page}\`\`\`sh\ny\n\`\`\`\n`, page.replace("x ", "y ")])
      expect(partsOf(other)).not.toEqual(partsOf(page));
  });
});

describe("docs/README.md", () => {
  test("leads to every page there is", () => {
    const index = read("docs/README.md");
    const pages = readdirSync(join(rootDir, "docs"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".md") && path !== "README.md")
      .filter((path) => !path.startsWith("decisions/"));
    expect(pages.filter((path) => !index.includes(`](${path})`))).toEqual([]);
    expect(index).toInclude("](decisions/)");
  });
});
