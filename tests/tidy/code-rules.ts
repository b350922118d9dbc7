/** Rules about one file of code. Each says where, what and what to do. */
import type { Expression, Node } from "oxc-parser";
import type { Rule, SourceFile } from "./source-file.ts";

export const linesMax = 600;
export const foldersMax = 3;

/** Files that may have a default export: tools ask for it. */
const defaultExportAllowed: readonly string[] = [];
/** Where Bun's own APIs may appear besides scripts, bench and tests. */
const bunAllowed = ["src/http/listen-bun.ts", "src/adapters/web/bundle-worker.ts"];
const bunPlaces = /^(scripts|bench|tests)\/|\.test\.ts$/;
/** Parts that get time, chance and the machine as arguments. */
const pureParts = ["lib", "domain", "ports", "engine", "worker"];

export const shortFile: Rule = ({ path, text, isCode }) => {
  const lines = text.split("\n").length - 1;
  return isCode && lines > linesMax ? [`${path} has ${lines} lines, the limit is ${linesMax}; split it at its second idea`] : [];
};

export const shallowFolders: Rule = ({ path, part }) => {
  const folders = path.split("/").length - 2;
  return part !== undefined && folders > foldersMax
    ? [`${path} lies ${folders} folders deep under src/, the limit is ${foldersMax}; name the file by what it holds instead`]
    : [];
};

/** "stock-ledger.redis.test.ts" and "0001-first.sql" are fine; dots separate what a file needs or is. */
export const kebabCase: Rule = ({ path }) => {
  if (!/^(src|tests|scripts|bin|bench|docs)\//.test(path)) return [];
  // The name under which a folder's page is shown by whoever hosts the code.
  const names = path.split("/").filter((name) => name !== "README.md");
  const wrong = names.find((name) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/.test(name));
  return wrong === undefined ? [] : [`${path}: "${wrong}" is not kebab-case; rename it`];
};

export const namedExports: Rule = (file) => {
  if (!file.isCode || defaultExportAllowed.includes(file.path)) return [];
  return file.program.body.some((node) => node.type === "ExportDefaultDeclaration")
    ? [`${file.path} has a default export; name it, so that everyone calls it the same`]
    : [];
};

export const noBarrel: Rule = (file) => {
  if (!file.isCode) return [];
  if (/(^|\/)index\.tsx?$/.test(file.path)) return [`${file.path} is an index file; name it by the one thing inside`];
  const star = file.program.body.some((node) => node.type === "ExportAllDeclaration");
  const reexport = (node: Node) => node.type === "ExportAllDeclaration" || (node.type === "ExportNamedDeclaration" && node.source !== null);
  const only = file.program.body.length > 0 && file.program.body.every((node) => reexport(node) || node.type === "ImportDeclaration");
  return star || (only && file.program.body.some(reexport))
    ? [`${file.path} passes on what others export; let users import from where it is made`]
    : [];
};

/** Lines that carry a comment, or end one. */
function commentLines(file: SourceFile): Set<number> {
  const lines = new Set<number>();
  for (const { start, end } of file.comments) for (let line = file.lineOf(start); line <= file.lineOf(end - 1); line++) lines.add(line);
  return lines;
}

/**
 * `as` and `!` switch the type checker off, so each says why it is right: in a comment on its lines, on the line above,
 * above the statement it stands in, or above a run of lines that all claim. `as const` claims nothing.
 */
export const assertionsExplained: Rule = (file) => {
  if (!file.isCode || file.isTest || file.path.startsWith("bench/")) return [];
  const comments = commentLines(file);
  const statements: number[] = [];
  const claims: { readonly what: string; readonly start: number; readonly end: number }[] = [];
  file.visit({
    ExpressionStatement: (node) => void statements.push(node.start),
    VariableDeclaration: (node) => void statements.push(node.start),
    ReturnStatement: (node) => void statements.push(node.start),
    IfStatement: (node) => void statements.push(node.start),
    ThrowStatement: (node) => void statements.push(node.start),
    ForOfStatement: (node) => void statements.push(node.start),
    ArrowFunctionExpression: (node) => void statements.push(node.start),
    FunctionDeclaration: (node) => void statements.push(node.start),
    MethodDefinition: (node) => void statements.push(node.start),
    PropertyDefinition(node) {
      statements.push(node.start);
      if (node.definite === true) claims.push({ what: '"!"', start: node.start, end: node.end });
    },
    VariableDeclarator(node) {
      if (node.definite === true) claims.push({ what: '"!"', start: node.start, end: node.end });
    },
    TSAsExpression(node) {
      const type = node.typeAnnotation;
      const isConst = type.type === "TSTypeReference" && type.typeName.type === "Identifier" && type.typeName.name === "const";
      if (!isConst) claims.push({ what: '"as"', start: node.start, end: node.end });
    },
    TSNonNullExpression: (node) => void claims.push({ what: '"!"', start: node.start, end: node.end }),
    TSTypeAssertion: (node) => void claims.push({ what: "a type assertion", start: node.start, end: node.end }),
  });
  const linesOf = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return claims
    .toSorted((a, b) => a.start - b.start)
    .flatMap(({ what, start, end }) => {
      const statement = file.lineOf(statements.filter((at) => at <= start).reduce((nearest, at) => Math.max(nearest, at), 0));
      const [first, last] = [file.lineOf(start), file.lineOf(end - 1)];
      if (![...linesOf(first - 1, last), statement - 1, statement].some((line) => comments.has(line)))
        return [`${file.path}:${first} uses ${what} without a comment; say there why it is true, or let the types prove it`];
      for (const line of linesOf(statement, last)) comments.add(line);
      return [];
    });
};

export const noAny: Rule = (file) => {
  if (!file.isCode) return [];
  const problems: string[] = [];
  file.visit({
    TSAnyKeyword: (node) =>
      void problems.push(`${file.path}:${file.lineOf(node.start)} says "any"; name the type, or take "unknown" and look`),
  });
  return problems;
};

/** Words and calls that mean "not finished". Written in pieces, or this file would find itself. */
const leftovers = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"].join("|")})\\b`);
const narrowed = /^(test|it|describe)\.(only|skip|todo)$/;

export const finished: Rule = (file) => {
  const problems: string[] = [];
  for (const [index, line] of file.text.split("\n").entries())
    if (leftovers.test(line))
      problems.push(`${file.path}:${index + 1} leaves a mark of unfinished work; finish it, or describe it where work is planned`);
  if (file.isCode && file.isTest)
    file.visit({
      MemberExpression(node) {
        const called = file.text.slice(node.start, node.end);
        if (narrowed.test(called))
          problems.push(`${file.path}:${file.lineOf(node.start)} narrows the run by ${called}; every test runs, every time`);
      },
    });
  return problems;
};

const machinePaths = /(?<![\w.@:])\/(work|root|home\/\w+|Users\/\w+)\//;
const registries = /\b(registry\.(npmjs|yarnpkg|npmmirror)\.\w+|npm\.pkg\.github\.com)\b|"resolved":\s*"|\b_authToken\b/;

/** What is true only on the machine that wrote it. `npm` tells its registry's host to its scripts. */
export function ofNoMachine(registryUrl: string | undefined = process.env["npm_config_registry"]): Rule {
  const host = registryUrl !== undefined && URL.canParse(registryUrl) ? new URL(registryUrl).hostname : undefined;
  return function noMachine({ path, text }) {
    if (path.startsWith("tests/tidy")) return [];
    return text.split("\n").flatMap((line, index) => {
      if (machinePaths.test(line)) return [`${path}:${index + 1} names a path of one machine; make it relative or configurable`];
      const named = registries.test(line) || (host !== undefined && line.includes(host));
      return named ? [`${path}:${index + 1} names a package registry; leave that to the user's npm configuration`] : [];
    });
  };
}

const sqlWords =
  /\b(SELECT\b[\s\S]*\bFROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|INDEX)|PRAGMA|BEGIN\s+IMMEDIATE)\b/;

export const sqlOnlyInAdapters: Rule = (file) => {
  if (!file.isCode || file.isTest || file.part === undefined || file.path.startsWith("src/adapters/sql/")) return [];
  return stringsOf(file).flatMap(({ text, start }) =>
    sqlWords.test(text) ? [`${file.path}:${file.lineOf(start)} holds SQL; move it behind a port into src/adapters/sql`] : [],
  );
};

/** Every string and template of a file, with its place. */
export function stringsOf(file: SourceFile): { readonly text: string; readonly start: number }[] {
  const strings: { text: string; start: number }[] = [];
  file.visit({
    Literal(node) {
      if (typeof node.value === "string") strings.push({ text: node.value, start: node.start });
    },
    TemplateLiteral: (node) => void strings.push({ text: node.quasis.map((part) => part.value.cooked ?? "").join(" "), start: node.start }),
  });
  return strings;
}

// oxfmt-ignore
const outsideWorld: readonly { readonly call: RegExp; readonly todo: string }[] = [
  { call: /^(Date\.now|Date|performance\.\w+|process\.(hrtime|uptime)\S*)$/, todo: "pass nowMs in, or ask the Clock port" },
  { call: /^(Math\.random|crypto\.\w+)$/,                                   todo: "ask the Entropy port" },
  { call: /^(setTimeout|setInterval|setImmediate|queueMicrotask)$/,         todo: "ask the Tasks port" },
  { call: /^(fetch|process\.\w+)$/,                                         todo: "put a port between" },
];

/** `new Date(ms)` only formats; `new Date()` reads the clock. */
export const pureOfTheOutside: Rule = (file) => {
  if (!file.isCode || file.isTest || file.part === undefined || !pureParts.includes(file.part)) return [];
  const problems: string[] = [];
  const look = (callee: Expression, start: number) => {
    const name = file.text.slice(callee.start, callee.end).replace(/^globalThis\./, "");
    const found = outsideWorld.find(({ call }) => call.test(name));
    if (found !== undefined)
      problems.push(`${file.path}:${file.lineOf(start)} calls ${name}, but ${file.part}/ is a function of its arguments; ${found.todo}`);
  };
  file.visit({
    CallExpression: (node) => look(node.callee, node.start),
    NewExpression(node) {
      if (node.arguments.length === 0) look(node.callee, node.start);
    },
    MemberExpression(node) {
      if (file.text.slice(node.start, node.end).startsWith("process.env"))
        problems.push(`${file.path}:${file.lineOf(node.start)} reads the environment; only config/ does`);
    },
  });
  return problems;
};

export const environmentOnlyInConfig: Rule = (file) => {
  if (!file.isCode || file.isTest || file.part === undefined || ["config", "main.ts", ...pureParts].includes(file.part)) return [];
  const problems: string[] = [];
  file.visit({
    MemberExpression(node) {
      if (/^process\.env$/.test(file.text.slice(node.start, node.end)))
        problems.push(`${file.path}:${file.lineOf(node.start)} reads the environment; only config/ does, add an option to its table`);
    },
  });
  return problems;
};

export const bunOnlyWhereAllowed: Rule = (file) => {
  if (!file.isCode || bunPlaces.test(file.path) || bunAllowed.includes(file.path)) return [];
  const problems = file.imports
    .filter(({ from }) => from === "bun" || from.startsWith("bun:"))
    .map(({ from }) => `${file.path} imports "${from}"; the sources run on Node as well, use Web standards or node:`);
  file.visit({
    MemberExpression(node) {
      if (node.object.type === "Identifier" && node.object.name === "Bun")
        problems.push(
          `${file.path}:${file.lineOf(node.start)} uses Bun's own API; only ${bunAllowed.join(", ")}, scripts, bench and tests may`,
        );
    },
  });
  return problems;
};

/** Names of what an attacker would like to guess letter by letter. */
const guessable = /(?:token|secret|signature|digest|hash|hmac|mac|password|passphrase|apiKey)$/i;
/** What stands in the source is no secret, nor is whether there is one at all. */
const harmless = (node: Node) => node.type === "Literal" || (node.type === "Identifier" && node.name === "undefined");

/** Two values of ours, of which nobody chose one to guess the other. */
const comparable: Readonly<Record<string, string>> = {
  "src/main.ts": "secret",
  "src/cli/serve.ts": "apiKey",
  "src/engine/accounts/prove.ts": "passwordHash",
  "src/engine/verify/check-answers.ts": "bodyHash",
};

/** `===` stops at the first letter that differs, and tells by its time which one that was. */
export const constantTime: Rule = (file) => {
  if (!file.isCode || file.isTest || file.part === undefined) return [];
  const problems: string[] = [];
  const textOf = (node: Node) => file.text.slice(node.start, node.end).replace(/[!?]+$/, "");
  const nameOf = (node: Node) => /([A-Za-z_$][\w$]*)(?:\["(\w+)"\])?$/.exec(textOf(node))?.slice(1).findLast(Boolean) ?? "";
  file.visit({
    BinaryExpression(node) {
      if (!/^[!=]==?$/.test(node.operator) || harmless(node.left) || harmless(node.right)) return;
      const name = [node.left, node.right].map(nameOf).find((each) => guessable.test(each));
      if (name !== undefined && comparable[file.path] !== name)
        problems.push(
          `${file.path}:${file.lineOf(node.start)} compares "${name}" by ${node.operator}; compare digests of one length by timingSafeEqual`,
        );
    },
  });
  return problems;
};

const logLevels: ReadonlySet<string> = new Set(["debug", "info", "warn", "error"]);
const ofIds: ReadonlySet<string> = new Set(["sale", "scope", "purchase", "order", "product", "payment", "letter"]);

/** A long number is blotted out of a log line, unless its field says that it is an id of ours. */
export const loggedIdsNamed: Rule = (file) => {
  if (!file.isCode || file.isTest || file.part === undefined) return [];
  const problems: string[] = [];
  file.visit({
    CallExpression({ callee, arguments: [, fields], start }) {
      if (callee.type !== "MemberExpression" || callee.property.type !== "Identifier" || !logLevels.has(callee.property.name)) return;
      if (fields?.type !== "ObjectExpression") return;
      for (const field of fields.properties)
        if (field.type === "Property" && field.key.type === "Identifier" && ofIds.has(field.key.name))
          problems.push(`${file.path}:${file.lineOf(start)} logs "${field.key.name}"; an id is legible as "${field.key.name}_id"`);
    },
  });
  return problems;
};

export const codeRules: readonly Rule[] = [
  shortFile,
  shallowFolders,
  kebabCase,
  namedExports,
  noBarrel,
  assertionsExplained,
  noAny,
  finished,
  ofNoMachine(),
  sqlOnlyInAdapters,
  pureOfTheOutside,
  environmentOnlyInConfig,
  bunOnlyWhereAllowed,
  constantTime,
  loggedIdsNamed,
];
