/** One route in OpenAPI's words. */
import type { z } from "zod";
import { examplesOf } from "../contract/described.ts";
import type { Route } from "../route.ts";
import type { AnswerBook } from "./answers.ts";
import type { JsonSchema, SchemaBook } from "./json-schema.ts";
import { permissionOf, securityOf } from "./security.ts";

export type Books = { readonly schemas: SchemaBook; readonly answers: AnswerBook };

export function operationOf(route: Pick<Route, "contract" | "door">, books: Books): JsonSchema {
  const { contract, door } = route;
  const about = [contract.about, permissionOf(door)].filter((text) => text !== undefined).join("\n\n");
  const parameters = [
    ...parametersOf("path", contract.params, books),
    ...parametersOf("query", contract.query, books),
    ...parametersOf("header", contract.headers, books),
  ];
  return {
    operationId: contract.operation,
    tags: [contract.tag],
    summary: contract.summary,
    ...(about === "" ? {} : { description: about }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(contract.body === undefined ? {} : { requestBody: bodyOf(contract.body, books) }),
    responses: books.answers.answersOf(route),
    security: securityOf(door),
  };
}

function parametersOf(place: "path" | "query" | "header", schema: z.ZodObject | undefined, { schemas }: Books): JsonSchema[] {
  if (schema === undefined) return [];
  // A ZodObject becomes one.
  const { properties = {}, required = [] } = schemas.schemaOf(schema, "input") as ObjectSchema;
  return Object.entries(properties).map(([name, { description, ...own }]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: own,
  }));
}

/** Parameters have no name of their own in the book. */
type ObjectSchema = {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
};

/** No body stands for an empty object, so it may be left out where that would do. */
function bodyOf(body: z.ZodType, { schemas }: Books): JsonSchema {
  const examples = Object.entries(examplesOf(body)).map(([name, value]) => [name, { value }]);
  return {
    required: !body.safeParse({}).success,
    content: { "application/json": { schema: schemas.schemaOf(body, "input"), examples: Object.fromEntries(examples) } },
  };
}
