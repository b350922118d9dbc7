/**
 * Schemas in JSON Schema's words. Zod says what it checks, contract/described.ts what it cannot say; schemas with a name
 * are kept once, in the book, and pointed at from everywhere else.
 */
import { z } from "zod";
import { assert } from "../../lib/assert.ts";
import { described } from "../contract/described.ts";

export type JsonSchema = { readonly [word: string]: unknown };
/** What a request may hold, or what an answer does. */
export type Direction = "input" | "output";

const inJsonSchema = "#/$defs/";
export const inDocument = "#/components/schemas/";

export class SchemaBook {
  readonly #named = new Map<string, JsonSchema>();
  /** By direction: the same schemas stand in many answers. */
  readonly #known = { input: new Map<z.ZodType, JsonSchema>(), output: new Map<z.ZodType, JsonSchema>() };

  /** The schema, or a reference to it if it has a name. */
  schemaOf(schema: z.ZodType, direction: Direction): JsonSchema {
    const known = this.#known[direction].get(schema);
    if (known !== undefined) return known;
    const {
      $schema: _,
      $defs = {},
      ...own
    } = z.toJSONSchema(schema, { io: direction, metadata: described, override: direction === "input" ? tidy : tidyAnswer });
    for (const [name, definition] of Object.entries($defs)) this.#keep(name, repointed(definition));
    const made = repointed(own);
    this.#known[direction].set(schema, made);
    return made;
  }

  /** By name, in the alphabet's order. */
  all(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries([...this.#named].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  #keep(name: string, definition: JsonSchema): void {
    const known = this.#named.get(name);
    assert(known === undefined || JSON.stringify(known) === JSON.stringify(definition), `the schema "${name}" is one schema`);
    this.#named.set(name, definition);
  }
}

/** References into a schema's own definitions become references into the document. */
function repointed(schema: object): JsonSchema {
  // What was JSON is JSON.
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === "$ref" && typeof value === "string" ? value.replace(inJsonSchema, inDocument) : value,
  ) as JsonSchema;
}

/** Answers give integers that JavaScript can hold, without saying so; requests must hold to it. */
function tidyAnswer({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  tidy({ jsonSchema });
}

/** Takes away what every record has, and turns our words into JSON Schema's. */
function tidy({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.type === "object" && isAnyText(jsonSchema.propertyNames)) delete jsonSchema.propertyNames;
  if (jsonSchema.type === "integer") delete jsonSchema.pattern;
  if (jsonSchema.$ref !== undefined) delete jsonSchema["example"];
  if ("example" in jsonSchema) {
    jsonSchema.examples = [jsonSchema["example"]];
    delete jsonSchema["example"];
  }
  delete jsonSchema.id;
}

const isAnyText = (schema: unknown): boolean => JSON.stringify(schema) === '{"type":"string"}';
