/** Who may import whom: the table of ARCHITECTURE.md, as data. */
import { posix } from "node:path";
import type { Rule } from "./source-file.ts";

type Row = {
  /** Parts of src/ whose values it may use. */
  readonly uses: readonly string[];
  /** Parts of which it may use types only. */
  readonly types?: readonly string[];
  /** npm packages it may use; none if left out. */
  readonly packages?: readonly string[];
  /** Whether it may use Node's own modules. */
  readonly node?: true;
};

// oxfmt-ignore
export const mayImport: Readonly<Record<string, Row>> = {
  lib:       { uses: [] },
  domain:    { uses: ["lib"] },
  ports:     { uses: ["domain", "lib"] },
  engine:    { uses: ["ports", "domain", "lib"] },
  worker:    { uses: ["engine", "ports", "domain", "lib"] },
  config:    { uses: ["lib"], packages: ["yaml", "zod"], node: true },
  http:      { uses: ["engine", "web", "domain", "lib"], types: ["ports", "config"], packages: ["hono", "@hono/node-server", "zod", "@prometheus-io/client", "preact-render-to-string"], node: true },
  web:       { uses: [], types: ["http"], packages: ["preact"] },
  cli:       { uses: ["engine", "domain", "lib"], types: ["ports", "config"], packages: ["commander"], node: true },
  modes:     { uses: ["worker", "engine", "adapters", "config", "ports", "domain", "lib"], node: true },
  "main.ts": { uses: ["modes", "cli", "config", "http", "worker", "adapters", "engine", "ports", "domain", "lib"], packages: [], node: true },
};

/** Each adapter stands alone with the packages of its technology. */
// oxfmt-ignore
export const adapterPackages: Readonly<Record<string, readonly string[]>> = {
  memory:  [],
  sql:     ["better-sqlite3", "kysely", "mysql2", "pg"],
  redis:   ["@redis/client"],
  rabbitmq: ["amqplib"],
  auth:    ["@node-rs/argon2", "jose", "otplib"],
  payment: ["standardwebhooks"],
  system:  [],
  log:     ["pino"],
  load:    [],
  web:     [],
};
const adapterUses = ["ports", "domain", "lib"];

/** The npm package of a specifier: "hono/cors" is of "hono". */
function packageOf(specifier: string): string {
  const [first = "", second = ""] = specifier.split("/");
  return first.startsWith("@") ? `${first}/${second}` : first;
}

function rowOf(part: string, adapter: string): Row | undefined {
  if (part !== "adapters") return mayImport[part];
  const packages = adapterPackages[adapter];
  return packages === undefined ? undefined : { uses: adapterUses, packages, node: true };
}

export const importTable: Rule = (file) => {
  const { part } = file;
  if (!file.isCode || file.isTest || part === undefined) return [];
  const adapter = file.path.split("/")[2] ?? "";
  const row = rowOf(part, adapter);
  if (row === undefined)
    return [
      part === "adapters"
        ? `${file.path}: adapters/${adapter} is new; give it a row with its packages in tests/tidy/import-rules.ts and a line in ARCHITECTURE.md`
        : `${file.path}: src/${part} is not in the import table; add it to tests/tidy/import-rules.ts and ARCHITECTURE.md, or move the file`,
    ];
  return file.imports.flatMap(({ from, typeOnly }) => {
    const problem = from.startsWith(".") ? inside(file.path, { part, adapter, row }, from, typeOnly) : outside(part, row, from);
    return problem === undefined ? [] : [`${file.path}: ${problem}`];
  });
};

function inside(path: string, at: { part: string; adapter: string; row: Row }, from: string, typeOnly: boolean): string | undefined {
  if (!/\.(ts|tsx|json)$/.test(from)) return `"${from}" lacks its ".ts"; relative imports name the file`;
  const target = posix.join(posix.dirname(path), from);
  const [top, part = "", adapter = ""] = target.split("/");
  if (top !== "src") return `"${from}" lies outside src/; what runs in production stands there`;
  if (part === at.part)
    return part === "adapters" && adapter !== at.adapter
      ? `adapters/${at.adapter} may not import adapters/${adapter}; share through a port, or through lib/`
      : undefined;
  if (at.row.uses.includes(part)) return undefined;
  if (at.row.types?.includes(part))
    return typeOnly ? undefined : `${at.part}/ may use only types of ${part}/; write "import type", or have main.ts pass the value in`;
  return `${at.part}/ may not import ${part}/ ("${from}"); pass the value in, or put a port between them`;
}

function outside(part: string, row: Row, from: string): string | undefined {
  if (from.startsWith("node:"))
    return row.node === true ? undefined : `${part}/ may not import "${from}"; what it needs of the machine comes through a port`;
  if (from === "bun" || from.startsWith("bun:")) return undefined; // bunOnlyWhereAllowed has its own list
  return row.packages?.includes(packageOf(from)) === true
    ? undefined
    : `${part}/ may not import the package "${packageOf(from)}"; adapters carry technology, see the table in tests/tidy/import-rules.ts`;
}
