/**
 * What the API's description says of a schema beside what can be read off it. Words change nothing of what is taken:
 * a schema refuses with 400 what cannot be read, and what the domain refuses beyond that, with 422, stands here in the
 * domain's own constants, so that the description is as narrow as the server.
 */
import { z } from "zod";

export type Words = {
  /** Names the schema in the description: one name, one schema. */
  readonly id?: string | undefined;
  readonly description?: string | undefined;
  readonly example?: unknown;
  /** A query's numbers are text on the wire, and numbers to whoever reads the description. */
  readonly type?: "integer" | readonly ("integer" | "number" | "string")[] | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly minLength?: number | undefined;
  readonly maxLength?: number | undefined;
  readonly pattern?: string | undefined;
  readonly format?: string | undefined;
  readonly propertyNames?: unknown;
};

export const described = z.registry<Words>();

/** A schema with a name and an example that fits it. */
export function named<Schema extends z.ZodType>(id: string, schema: Schema, example: z.input<Schema>): Schema {
  described.add(schema, { ...described.get(schema), id, example });
  return schema;
}

/** The same without a name, for what only one place uses. */
export function shown<Schema extends z.ZodType>(schema: Schema, example: z.input<Schema>): Schema {
  described.add(schema, { ...described.get(schema), example });
  return schema;
}

/** The example that a schema was given, to build another's upon. */
export function exampleOf<Schema extends z.ZodType>(schema: Schema): z.input<Schema> {
  const { example } = described.get(schema) ?? {};
  // It was typed when it was given.
  return example as z.input<Schema>;
}

/** The schema with words of its own; whoever else uses it keeps theirs. */
export function told<Schema extends z.ZodType>(schema: Schema, words: Omit<Words, "id" | "example">): Schema {
  const copy = schema.clone();
  described.add(copy, words);
  return copy;
}

/** Examples of a schema: its own, or those of its alternatives, by name. */
export function examplesOf(schema: z.ZodType): Readonly<Record<string, unknown>> {
  const { id = "example", ...words } = described.get(schema) ?? {};
  if ("example" in words) return { [id]: words.example };
  if (!(schema instanceof z.ZodUnion)) return {};
  // What a union of schemas holds are schemas.
  const options = schema.options as readonly z.ZodType[];
  return Object.fromEntries(
    options.flatMap((option, at) =>
      Object.entries(examplesOf(option)).map(([name, value]) => [name === "example" ? `example${at + 1}` : name, value]),
    ),
  );
}
