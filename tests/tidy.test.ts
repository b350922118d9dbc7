/**
 * Rules of this repository that no linter knows; each failure says what to do. A rule that cannot fail protects nothing,
 * so each also gets snippets that break it, and snippets that come close and are fine.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as code from "./tidy/code-rules.ts";
import { adapterPackages, importTable, mayImport } from "./tidy/import-rules.ts";
import { nodeReads } from "./tidy/node-reads.ts";
import { readTree, rootDir, type Rule, SourceFile } from "./tidy/source-file.ts";
import { brokenLinks, looseVersions, migrationNumbers, ruleIds, rulesAndTests } from "./tidy/tree-rules.ts";

const tree = readTree();
const file = (path: string, text = "export {};\n") => new SourceFile(path, text);

describe("the tree", () => {
  test.each([importTable, ...code.codeRules].map((rule) => [rule.name, rule] as const))("keeps %s", (_, rule) =>
    expect(tree.flatMap(rule)).toEqual([]),
  );

  test("rules have tests and tests name rules that exist", () => expect(rulesAndTests(tree)).toEqual([]));
  test("migrations are numbered without gaps", () => expect(migrationNumbers(tree.map(({ path }) => path))).toEqual([]));
  test("links lead somewhere", () => expect(brokenLinks(tree, (path) => existsSync(join(rootDir, path)))).toEqual([]));
  test("versions are pinned", () => expect(looseVersions(JSON.parse(readFileSync(join(rootDir, "package.json"), "utf8")))).toEqual([]));

  test("can be read by Node", () => expect(nodeReads(tree)).toEqual([]), 30_000);

  test("is really there", () => {
    const paths = tree.map(({ path }) => path);
    expect(paths).toContain("src/engine/accept-direct.ts");
    expect(paths).toContain("README.md");
    expect(paths).toContain(".ci/run");
    expect(paths.some((path) => path.includes("node_modules"))).toBe(false);
  });

  test("ARCHITECTURE.md shows the import table that is checked", () => {
    const page = readFileSync(join(rootDir, "ARCHITECTURE.md"), "utf8");
    const rows = [...Object.keys(mayImport), ...Object.keys(adapterPackages).map((name) => `adapters/${name}`)];
    expect(rows.filter((row) => !page.includes(`\`${row}\``))).toEqual([]);
  });
});

type Case = readonly [breach: string, path: string, text: string];

/** Each snippet must be found by the rule, with a message that names the file. */
function finds(rule: Rule, cases: readonly Case[]) {
  test.each([...cases])(`${rule.name} finds %s`, (_, path, text) => {
    const problems = rule(file(path, text));
    expect(problems.length).toBeGreaterThan(0);
    expect(problems[0]).toStartWith(path);
  });
}

function allows(rule: Rule, cases: readonly Case[]) {
  test.each([...cases])(`${rule.name} allows %s`, (_, path, text) => expect(rule(file(path, text))).toEqual([]));
}

describe("planted breaches of the import table", () => {
  const from = (path: string, target: string, type = ""): Case => [`${path} ← ${target}`, path, `import ${type}{ x } from "${target}";`];
  finds(importTable, [
    from("src/lib/a.ts", "../domain/sale.ts"),
    from("src/lib/a.ts", "node:fs"),
    from("src/domain/a.ts", "../ports/clock.ts"),
    from("src/domain/a.ts", "node:crypto"),
    from("src/domain/a.ts", "zod"),
    from("src/ports/a.ts", "../engine/purchase.ts"),
    from("src/ports/a.ts", "kysely", "type "),
    from("src/engine/a.ts", "../adapters/memory/memory-store.ts"),
    from("src/engine/a.ts", "../http/app.ts", "type "),
    from("src/engine/a.ts", "node:fs"),
    from("src/adapters/sql/a.ts", "../memory/memory-store.ts"),
    from("src/adapters/sql/a.ts", "../../engine/purchase.ts", "type "),
    from("src/adapters/sql/a.ts", "../../config/options.ts", "type "),
    from("src/adapters/memory/a.ts", "better-sqlite3"),
    from("src/adapters/unheard-of/a.ts", "../../ports/clock.ts"),
    from("src/http/a.ts", "../adapters/sql/sqlite-store.ts"),
    from("src/http/a.ts", "../ports/records.ts"),
    from("src/http/routes/a.ts", "../../worker/sweeper.ts"),
    from("src/http/a.ts", "commander"),
    from("src/cli/a.ts", "../config/load.ts"),
    from("src/cli/a.ts", "hono"),
    from("src/worker/a.ts", "../adapters/sql/sqlite-store.ts"),
    from("src/worker/a.ts", "../config/options.ts", "type "),
    from("src/config/a.ts", "../domain/sale.ts"),
    from("src/main.ts", "../tests/kit/a.ts"),
    from("src/elsewhere/a.ts", "../lib/assert.ts"),
    from("src/engine/a.ts", "./purchase"),
    ["a dynamic import", "src/domain/a.ts", 'export const x = () => import("../adapters/sql/sqlite-store.ts");'],
    ["a re-export", "src/domain/a.ts", 'export { x } from "../engine/purchase.ts";'],
    ["a value among types", "src/http/a.ts", 'import { type Records, find } from "../ports/records.ts";'],
  ]);
  allows(importTable, [
    from("src/domain/a.ts", "../lib/assert.ts"),
    from("src/domain/a.ts", "./sale.ts"),
    from("src/engine/a.ts", "../ports/clock.ts"),
    from("src/engine/verify/a.ts", "../../domain/sale.ts"),
    from("src/adapters/sql/a.ts", "kysely/migration"),
    from("src/adapters/sql/a.ts", "node:worker_threads"),
    from("src/http/routes/a.ts", "../../ports/records.ts", "type "),
    from("src/http/a.ts", "hono/cors"),
    from("src/main.ts", "./adapters/sql/sqlite-store.ts"),
    from("src/engine/a.test.ts", "../adapters/memory/memory-store.ts"),
    ["a test", "tests/contract/a.ts", 'import { x } from "../../src/adapters/sql/sqlite-store.ts";'],
  ]);
});

describe("planted breaches of size, place and name", () => {
  finds(code.shortFile, [["a file of 601 lines", "src/engine/a.ts", "\n".repeat(601)]]);
  allows(code.shortFile, [["a file of 600 lines", "src/engine/a.ts", "\n".repeat(600)]]);
  finds(code.shallowFolders, [["a fourth folder", "src/adapters/sql/migrations/old/a.ts", ""]]);
  allows(code.shallowFolders, [["a third folder", "src/adapters/sql/migrations/a.ts", ""]]);
  finds(code.kebabCase, [
    ["camel case", "src/engine/saleBoard.ts", ""],
    ["snake case", "src/engine/sale_board.ts", ""],
    ["an upper-case folder", "src/Engine/sale.ts", ""],
  ]);
  allows(code.kebabCase, [
    ["a test", "src/engine/sale-board.test.ts", ""],
    ["a suffix", "src/adapters/redis/stock-ledger.redis.test.ts", ""],
    ["a decision", "docs/decisions/0001-bun.md", ""],
    ["pages at the root", "README.md", ""],
    ["a folder's own page", "docs/README.md", ""],
  ]);
  finds(code.namedExports, [
    ["a default function", "src/engine/a.ts", "export default function a() {}"],
    ["a default value", "scripts/a.ts", "export default {};"],
  ]);
  finds(code.noBarrel, [
    ["an index", "src/engine/index.ts", "export const x = 1;"],
    ["a star", "src/engine/a.ts", 'export const x = 1; export * from "./b.ts";'],
    ["only re-exports", "src/engine/a.ts", 'export { x } from "./b.ts"; export { y } from "./c.ts";'],
  ]);
  allows(code.noBarrel, [["one re-export beside code", "src/engine/a.ts", 'export type { X } from "./b.ts"; export const y = 1;']]);
});

describe("planted breaches of the type rules", () => {
  finds(code.assertionsExplained, [
    ["a bare as", "src/engine/a.ts", "const x = 1;\nexport const y = x as number;"],
    ["a bare !", "src/engine/a.ts", "const x = [1];\n\nexport const y = x[0]!;"],
    ["a definite field", "src/engine/a.ts", "\nexport class A { x!: number }"],
    ["a run that is broken", "src/engine/a.ts", "// Rows come typed.\nconst a = x as number;\nconst c = 1;\nconst b = y as number;"],
    ["as through unknown", "src/engine/a.ts", 'export const y = "" as unknown as number;'],
    ["a comment that is elsewhere", "src/engine/a.ts", "// Far away.\nconst z = 1;\nconst x = z as number;\nexport { x };"],
  ]);
  allows(code.assertionsExplained, [
    ["a comment on the line", "src/engine/a.ts", "export const y = x as number; // Rows come typed."],
    ["a comment above", "src/engine/a.ts", "const z = 1;\n// Rows come typed.\nexport const y = x as number;"],
    ["a comment above the statement", "src/engine/a.ts", "// Rows come typed.\nreturnAll(\n  1,\n  x as number,\n);"],
    ["a run of claims below one comment", "src/engine/a.ts", "// Rows come typed.\nconst a = x as number;\nconst b = y as number;"],
    ["as const", "src/engine/a.ts", "export const y = [1] as const;"],
    ["renaming imports", "src/engine/a.ts", 'import { a as b } from "./b.ts";\nb();'],
    ["tests", "src/engine/a.test.ts", "export const y = x as number;"],
    ["the bench", "bench/a.ts", "export const y = x as number;"],
  ]);
  finds(code.noAny, [
    ["any", "src/engine/a.ts", "export function a(x: any) { return x; }"],
    ["any inside a type, in a test", "tests/a.test.ts", "export const a: Record<string, any> = {};"],
  ]);
  allows(code.noAny, [["the word", "src/engine/a.ts", 'export const any = "any";']]);
});

describe("planted leftovers", () => {
  finds(code.finished, [
    ["a mark", "src/engine/a.ts", `// ${"TO" + "DO"}: later`],
    ["a mark in a page", "docs/a.md", `${"FIX" + "ME"} soon`],
    ["only", "src/engine/a.test.ts", 'test.only("x", () => {});'],
    ["skip", "src/engine/a.test.ts", 'describe.skip("x", () => {});'],
    ["skip of a table", "src/engine/a.test.ts", 'test.skip.each([1])("x", () => {});'],
  ]);
  allows(code.finished, [
    ["a run that depends on the machine", "tests/a.test.ts", 'test.skipIf(process.getuid?.() !== 0)("x", () => {});'],
    ["others' only", "src/engine/a.ts", "export const a = { only: 1 };\nprocess.stdout.write(String(a.only));"],
  ]);
  const noMachine = code.ofNoMachine("https://packages.shop.test/npm/");
  finds(noMachine, [
    ["a home", "src/a.ts", `// see /${"home"}/ann/doorbuster`],
    ["root's home", "README.md", `cd /${"root"}/doorbuster`],
    ["a workplace", "README.md", `cd /${"work"}/main`],
    ["a lock file with hosts", "package-lock.json", `  "${"resolved"}": "https://example.com/a.tgz"`],
    ["the usual registry", ".npmrc", `registry=https://registry.${"npmjs"}.org/`],
    ["the configured registry", ".npmrc", "registry=https://packages.shop.test/npm/"],
  ]);
  allows(noMachine, [
    ["a relative path", "README.md", "cd ./root/a and src/root/a"],
    ["a system path", "README.md", "--data-dir /var/lib/doorbuster"],
    ["a URL", "README.md", "https://example.com/root/a"],
  ]);
});

describe("planted breaches of what must stay absent", () => {
  finds(code.sqlOnlyInAdapters, [
    ["a query", "src/engine/a.ts", "export const q = `SELECT id\nFROM sales`;"],
    ["a query with values", "src/http/a.ts", "export const q = (t: string) => `INSERT INTO ${t} VALUES (1)`;"],
    ["a pragma", "src/cli/a.ts", 'export const q = "PRAGMA integrity_check";'],
    ["a query in another adapter", "src/adapters/memory/a.ts", 'export const q = "DELETE FROM sales";'],
  ]);
  allows(code.sqlOnlyInAdapters, [
    ["the adapter", "src/adapters/sql/a.ts", 'export const q = "SELECT id FROM sales";'],
    ["prose", "src/http/a.ts", 'export const hint = "Select a sale from the list";\n// SELECT … FROM is in the adapter.'],
  ]);
  finds(code.pureOfTheOutside, [
    ["Date.now", "src/domain/a.ts", "export const a = () => Date.now();"],
    ["new Date()", "src/engine/a.ts", "export const a = () => new Date();"],
    ["Math.random", "src/engine/a.ts", "export const a = () => Math.random();"],
    ["a timer", "src/worker/a.ts", "setInterval(() => {}, 1000);"],
    ["a timer by its full name", "src/worker/a.ts", "globalThis.setTimeout(() => {}, 1000);"],
    ["a fast clock", "src/ports/a.ts", "export const a = () => performance.now();"],
    ["a random id", "src/engine/a.ts", "export const a = () => crypto.randomUUID();"],
    ["the network", "src/engine/a.ts", 'export const a = () => fetch("http://localhost");'],
    ["the environment", "src/worker/a.ts", 'export const a = process.env["A"];'],
  ]);
  allows(code.pureOfTheOutside, [
    ["formatting a time", "src/domain/a.ts", "export const a = (ms: number) => new Date(ms).toISOString();"],
    ["a port's method", "src/engine/a.ts", "export const a = (tasks: Tasks) => tasks.setTimeout(1);"],
    ["adapters", "src/adapters/system/a.ts", "export const a = () => Date.now();"],
    ["tests", "src/engine/a.test.ts", "Date.now();"],
  ]);
  finds(code.environmentOnlyInConfig, [["the environment", "src/http/a.ts", 'export const a = process.env["A"];']]);
  allows(code.environmentOnlyInConfig, [["config", "src/config/a.ts", 'export const a = process.env["A"];']]);
  finds(code.constantTime, [
    ["a token", "src/http/a.ts", "export const a = (token: string, known: string) => token === known;"],
    ["a member", "src/adapters/auth/a.ts", "export const a = (k: { secret: string }, b: string) => b !== k.secret;"],
    ["a private member", "src/adapters/auth/a.ts", "export class A { #keyHash = ''; is(b: string) { return b == this.#keyHash; } }"],
    ["an element", "src/http/a.ts", 'export const a = (h: Record<string, string>, b: string) => h["signature"] === b;'],
    ["a digest's text", "src/http/a.ts", "export const a = (expectedDigest: string, b: string) => expectedDigest === b;"],
    ["a password", "src/engine/a.ts", "export const a = (password: string, b: string) => password != b;"],
  ]);
  allows(code.constantTime, [
    ["that there is one", "src/http/a.ts", "export const a = (token?: string) => token === undefined || token !== null;"],
    ["its length", "src/http/a.ts", "export const a = (token: string) => token.length === 43;"],
    ["its type", "src/http/a.ts", 'export const a = (token: unknown) => typeof token === "string";'],
    ["tests", "src/http/a.test.ts", "const token = 'a'; export const a = token === 'b';"],
  ]);
  finds(code.loggedIdsNamed, [["an id", "src/engine/a.ts", 'export const a = (log: Log, sale: string) => log.warn("a", { sale });']]);
  allows(code.loggedIdsNamed, [
    ["its name", "src/engine/a.ts", 'export const a = (log: Log) => log.warn("a", { sale_id: "7", sales: 2 });'],
  ]);
  finds(code.bunOnlyWhereAllowed, [
    ["a global", "src/http/app.ts", 'Bun.write("a", "b");'],
    ["a module", "src/adapters/sql/a.ts", 'import { Database } from "bun:sqlite";'],
    ["the package", "src/cli/a.ts", 'import { Glob } from "bun";'],
  ]);
  allows(code.bunOnlyWhereAllowed, [
    ["the listener", "src/http/listen-bun.ts", "Bun.serve({});"],
    ["scripts", "scripts/a.ts", "Bun.spawn([]);"],
    ["tests", "src/http/a.test.ts", 'import { test } from "bun:test";'],
    ["looking for it", "src/main.ts", 'export const onBun = "bun" in process.versions;'],
  ]);
});

describe("planted breaches across files", () => {
  const spec = (...ids: string[]) => file("docs/spec/stock.md", ids.map((id) => `- **${id}** text\n`).join(""));
  const quoting = (...titles: string[]) => file("src/domain/a.test.ts", titles.map((title) => `test("${title}", () => {});\n`).join(""));

  test("rule ids are read from the pages", () =>
    expect(ruleIds("# Stock\n- **ST1** a\n- **ST22** b\nsee **ST3**\n")).toEqual(["ST1", "ST22"]));
  test("a rule without a test is found", () =>
    expect(rulesAndTests([spec("ST1", "ST2"), quoting("[ST1] a")])).toEqual([expect.stringContaining("[ST2]")]));
  test("a quotation without a rule is found", () =>
    expect(rulesAndTests([spec("ST1"), quoting("[ST1] a", "[ST9] b")])).toEqual([expect.stringContaining("[ST9]")]));
  test("a rule defined twice is found", () =>
    expect(rulesAndTests([spec("ST1", "ST1"), quoting("[ST1] a")])).toEqual([expect.stringContaining("again")]));
  test("a quotation in a comment does not count", () =>
    expect(rulesAndTests([spec("ST1"), file("src/domain/a.test.ts", '// [ST1]\ntest("a", () => {});')])).toHaveLength(1));
  test("invariants, checks, properties and lists of ids count", () =>
    expect(rulesAndTests([spec("ST1", "PU2"), quoting("[ST1, PU2] a", "[I12] b", "[C7] c", "[J1-8] d")])).toEqual([]));
  test("rules of a table of cases count", () =>
    expect(rulesAndTests([spec("ST1"), file("tests/contract/a.ts", 'export const cases = [\n  {\n    rule: "ST1",\n  },\n];')])).toEqual(
      [],
    ));
  test("an invariant that is none is found", () => expect(rulesAndTests([quoting("[I14] a")])).toHaveLength(1));

  test.each([
    ["a gap", ["0001-first.ts", "0003-third.ts"]],
    ["a twin", ["0001-first.ts", "0001-second.ts"]],
    ["a start at 0002", ["0002-second.ts"]],
    ["a name without number", ["0001-first.ts", "second.ts"]],
  ])("%s in the migrations is found", (_, names) => {
    expect(migrationNumbers(names.map((name) => `src/adapters/sql/migrations/${name}`))).toHaveLength(1);
  });
  test("a row of migrations is fine", () => {
    expect(migrationNumbers(["src/adapters/sql/migrations/0001-first.ts", "src/adapters/sql/migrations/0002-second.ts"])).toEqual([]);
  });

  test("what Node cannot read is found", () => {
    const files = [
      file("src/domain/a.ts", "for (const of of [1]) void of;\n"),
      file("src/domain/b.ts", "enum A {}\n"),
      file("src/domain/c.ts"),
    ];
    expect(nodeReads(files).map((line) => line.split(":")[0])).toEqual(["src/domain/a.ts", "src/domain/b.ts"]);
  }, 30_000);

  test("a broken link is found", () => {
    const page = file("docs/a.md", "[a](b.md) [c](../README.md#top) [d](https://example.com) [e](#here)");
    expect(brokenLinks([page], (path) => path === "README.md")).toEqual([expect.stringContaining('"b.md"')]);
  });
  test("a loose version is found", () => {
    expect(looseVersions({ dependencies: { a: "1.2.3", b: "^1.2.3", c: "latest" }, devDependencies: { d: "1.0.0-rc.1" } })).toHaveLength(2);
  });
});
