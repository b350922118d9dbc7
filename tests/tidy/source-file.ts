/** A file of the tree and what the rules ask of it, parsed once. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Comment, parseSync, type Program, Visitor, type VisitorObject } from "oxc-parser";

export const rootDir = dirname(dirname(import.meta.dirname));

/** Says what is wrong in one file, each line with what to do; empty when it is fine. */
export type Rule = (file: SourceFile) => string[];

export type Import = { readonly from: string; readonly typeOnly: boolean };

export class SourceFile {
  /** Path from the root of the tree, with "/". */
  readonly path: string;
  readonly text: string;
  #parsed: { program: Program; comments: Comment[]; imports: Import[] } | undefined;
  #lineStarts: number[] | undefined;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  get isCode(): boolean {
    return /\.(ts|tsx|mjs)$/.test(this.path);
  }

  get isTest(): boolean {
    return this.path.startsWith("tests/") || this.path.endsWith(".test.ts");
  }

  /** The first folder under src/, or the file itself there; undefined elsewhere. */
  get part(): string | undefined {
    return /^src\/([^/]+)/.exec(this.path)?.[1];
  }

  get program(): Program {
    return this.#parse().program;
  }

  get comments(): readonly Comment[] {
    return this.#parse().comments;
  }

  get imports(): readonly Import[] {
    return this.#parse().imports;
  }

  /** Line number from 1 of a place in the text. */
  lineOf(offset: number): number {
    this.#lineStarts ??= [0, ...[...this.text.matchAll(/\n/g)].map((match) => match.index + 1)];
    let [low, high] = [0, this.#lineStarts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  visit(visitor: VisitorObject): void {
    new Visitor(visitor).visit(this.program);
  }

  #parse() {
    if (this.#parsed !== undefined) return this.#parsed;
    const { program, comments, module, errors } = parseSync(this.path, this.text);
    if (errors.length > 0) throw new Error(`${this.path} does not parse: ${errors[0]?.message}`);
    const imports: Import[] = module.staticImports.map(({ moduleRequest, entries }) => ({
      from: moduleRequest.value,
      typeOnly: entries.length > 0 && entries.every((entry) => entry.isType),
    }));
    for (const { entries } of module.staticExports)
      for (const { moduleRequest, isType } of entries) if (moduleRequest) imports.push({ from: moduleRequest.value, typeOnly: isType });
    for (const { moduleRequest } of module.dynamicImports) {
      const literal = /^["'`](.*)["'`]$/.exec(this.text.slice(moduleRequest.start, moduleRequest.end))?.[1];
      if (literal !== undefined) imports.push({ from: literal, typeOnly: false });
    }
    this.#parsed = { program, comments, imports };
    return this.#parsed;
  }
}

const ignoredFolders = new Set(["node_modules", ".git", "var", "local"]);
const textFiles =
  /\.(ts|tsx|mjs|json|md|ya?ml|sql|sh|html|css|txt|toml|example|conf|cfg|env|http)$|^(\.ci\/run|LICENSE|\.npmrc|\.gitignore|\.editorconfig)$/;

/** Every text file of the tree. */
export function readTree(): SourceFile[] {
  const files: SourceFile[] = [];
  const walk = (folder: string) => {
    for (const entry of readdirSync(join(rootDir, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !ignoredFolders.has(entry.name)) walk(path);
      else if (entry.isFile() && textFiles.test(path)) files.push(new SourceFile(path, readFileSync(join(rootDir, path), "utf8")));
    }
  };
  walk("");
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
