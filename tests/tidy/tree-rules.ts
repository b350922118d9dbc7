/** Rules about the tree as a whole: rule ids and the tests that quote them, migrations, links, versions. */
import { posix } from "node:path";
import { stringsOf } from "./code-rules.ts";
import type { SourceFile } from "./source-file.ts";

/** Ids of invariants and checks that the design gives, beside those of docs/spec. */
const invariants = Array.from({ length: 13 }, (_, i) => `I${i + 1}`);
const checks = Array.from({ length: 12 }, (_, i) => `C${i + 1}`);
const properties = Array.from({ length: 8 }, (_, i) => `J1-${i + 1}`);
export const knownIds: readonly string[] = [...invariants, ...checks, ...properties];

/** "- **ST1** text" in docs/spec gives ST1. */
export function ruleIds(spec: string): string[] {
  return [...spec.matchAll(/^- \*\*([A-Z]{1,2}\d+)\*\*/gm)].map((match) => match[1] ?? "");
}

/** Ids that titles quote: [ST1] or [ST1, I2] in a string, and `rule: "ST1"` in a table whose titles are made from it. */
export function quotedIds(file: SourceFile): string[] {
  const ofTables = [...file.text.matchAll(/^\s*(?:\{ )?rule: "([A-Z]{1,2}\d+(?:-\d+)?)"/gm)].map((match) => match[1] ?? "");
  const ofStrings = stringsOf(file).flatMap(({ text }) =>
    [...text.matchAll(/\[((?:[A-Z]{1,2}\d+(?:-\d+)?)(?:, ?[A-Z]{1,2}\d+(?:-\d+)?)*)\]/g)].flatMap((match) => (match[1] ?? "").split(/, ?/)),
  );
  return [...ofTables, ...ofStrings];
}

/** Every rule is quoted by a test, every quotation names a rule. */
export function rulesAndTests(files: readonly SourceFile[]): string[] {
  const specs = files.filter((file) => file.path.startsWith("docs/spec/") && file.path.endsWith(".md"));
  const tests = files.filter((file) => file.isCode && file.isTest && !file.path.startsWith("tests/tidy"));
  const defined = new Map<string, string>();
  const problems: string[] = [];
  for (const spec of specs)
    for (const id of ruleIds(spec.text)) {
      if (defined.has(id)) problems.push(`${spec.path} defines ${id} again; give the new rule the next free number`);
      defined.set(id, spec.path);
    }
  const quoted = new Map<string, string>();
  for (const test of tests) for (const id of quotedIds(test)) quoted.set(id, test.path);
  for (const [id, path] of defined) if (!quoted.has(id)) problems.push(`${path}: no test quotes [${id}]; write one, or drop the rule`);
  for (const [id, path] of quoted)
    if (!defined.has(id) && !knownIds.includes(id))
      problems.push(`${path} quotes [${id}], which no page of docs/spec defines; correct the id or add the rule`);
  return problems;
}

/** Migrations are numbered from 0001 without gaps or twins: a released one is never edited, a new one comes last. */
export function migrationNumbers(paths: readonly string[]): string[] {
  const problems: string[] = [];
  const folders = Map.groupBy(
    paths.filter((path) => /\/(?:[a-z]+-)?migrations\/[^/]+$/.test(path) && !path.endsWith(".test.ts")),
    (path) => posix.dirname(path),
  );
  for (const [folder, members] of folders) {
    const names = members.map((path) => posix.basename(path)).toSorted();
    for (const [index, name] of names.entries()) {
      const expected = String(index + 1).padStart(4, "0");
      if (!name.startsWith(`${expected}-`)) {
        problems.push(`${folder}/${name} should be number ${expected}; number migrations from 0001 without gaps`);
        break;
      }
    }
  }
  return problems;
}

/** Links in pages lead to files that exist. */
export function brokenLinks(files: readonly SourceFile[], exists: (path: string) => boolean): string[] {
  return files
    .filter((file) => file.path.endsWith(".md"))
    .flatMap((file) =>
      [...file.text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => {
        const [target = ""] = (match[1] ?? "").split("#");
        if (target === "" || /^[a-z]+:/.test(target)) return [];
        const path = posix.normalize(posix.join(posix.dirname(file.path), target));
        return exists(path) ? [] : [`${file.path} links to "${target}", which does not exist; correct the link`];
      }),
    );
}

type Manifest = Readonly<Record<string, Readonly<Record<string, string>> | undefined>>;

/** Dependencies are pinned exactly: what was tested is what gets installed. */
export function looseVersions(manifest: Manifest): string[] {
  return ["dependencies", "devDependencies", "optionalDependencies"].flatMap((group) =>
    Object.entries(manifest[group] ?? {})
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      .map(([name, version]) => `package.json: ${name} is "${version}" in ${group}; pin the exact version`),
  );
}
