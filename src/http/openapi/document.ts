/**
 * The API's description (OpenAPI 3.1), made of the contracts that validate its requests: nothing is written down twice,
 * and whatever the router has, it has.
 */
import { assert } from "../../lib/assert.ts";
import type { Route } from "../route.ts";
import { AnswerBook, headers } from "./answers.ts";
import { SchemaBook, type JsonSchema } from "./json-schema.ts";
import { operationOf } from "./operation.ts";
import { securitySchemes } from "./security.ts";
import { tagsOf } from "./tags.ts";

const about = `Flash sales that never oversell and never lose a purchase they said yes to.

Every answer is \`{code, message, data}\` under a real HTTP status; \`code\` is 0 for success. Errors carry \`data.reason\`, the
stable name to branch on, and \`data.todo\`, what to do. Whoever names \`application/problem+json\` in \`Accept\` gets errors as
RFC 9457 has them. Every path answers \`HEAD\` where it answers \`GET\`, and \`OPTIONS\`; another method is 405 with \`Allow\`,
an unknown path 404 \`path_unknown\`. Unknown fields, fields given twice and bodies above 64 KiB (2 KiB for purchases) are refused.
Ids are text: JavaScript's numbers would lose their digits.`;

export type Document = {
  readonly openapi: string;
  readonly info: JsonSchema;
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
} & JsonSchema;

export function documentOf(routes: readonly Pick<Route, "contract" | "door">[], version: string): Document {
  const schemas = new SchemaBook();
  const answers = new AnswerBook(schemas);
  const paths = new Map<string, Record<string, JsonSchema>>();
  const operations = new Set<string>();
  for (const route of routes) {
    const { method, path, operation } = route.contract;
    assert(!operations.has(operation), `the operation "${operation}" is one operation`);
    operations.add(operation);
    const template = templateOf(path);
    const methods = paths.get(template) ?? {};
    methods[method.toLowerCase()] = operationOf(route, { schemas, answers });
    paths.set(template, methods);
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Doorbuster",
      version,
      summary: "Flash sales: products, sales, purchases, orders, payments",
      description: about,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/", description: "The server that gave this description" }],
    tags: tagsOf(new Set(routes.map(({ contract }) => contract.tag))),
    paths: Object.fromEntries(paths),
    components: { schemas: schemas.all(), responses: answers.shared(), headers, securitySchemes },
  };
}

/** `:name` in a route is `{name}` in a template. */
export const templateOf = (path: string): string => path.replace(/:(\w+)/g, "{$1}");
