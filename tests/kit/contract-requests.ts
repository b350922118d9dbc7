/**
 * Requests for every route of the API, made from the routes' own contracts: with legal-looking values, or with whatever a
 * test wants to put into each place.
 */
import { z } from "zod";
import { routesOf } from "../../src/http/app.ts";
import type { Contract } from "../../src/http/route.ts";

/** All routes; their answers are not asked here. */
export const contracts: readonly Contract[] = routesOf({ contentType: "text/plain", render: async () => "" }).map(
  ({ contract }) => contract,
);

/** One place of a request that holds a value. */
export type Place = { readonly part: "params" | "query" | "body" | "headers"; readonly name: string; readonly type: string };
/** Gives the value for a place, or undefined to leave it out. */
export type Choose = (place: Place, legal: unknown) => unknown;

export type ContractRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined where the route takes no body. */
  readonly body: unknown;
};

export function requestFor(contract: Contract, choose: Choose): ContractRequest {
  const params = partOf(contract.params, "params", choose);
  const query = partOf(contract.query, "query", choose);
  const headers = partOf(contract.headers, "headers", choose);
  const path = contract.path.replace(/:(\w+)/g, (_, name: string) =>
    encode(textOf(params[name] ?? choose({ part: "params", name, type: "string" }, "1"))),
  );
  const search = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(textOf(value))}`);
  return {
    method: contract.method,
    path: search.length === 0 ? path : `${path}?${search.join("&")}`,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, textOf(value)])),
    body: contract.body === undefined ? undefined : sample(schemaOf(contract.body), { part: "body", name: "", type: "object" }, choose),
  };
}

/** A lone surrogate has no encoding. */
const encode = (text: string) => encodeURIComponent(text.toWellFormed());
const textOf = (value: unknown) => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));

function partOf(schema: z.ZodType | undefined, part: Place["part"], choose: Choose): Record<string, unknown> {
  const made = schema === undefined ? {} : sample(schemaOf(schema), { part, name: "", type: "object" }, choose);
  // An object's schema makes an object, unless the test chose otherwise for the whole.
  return typeof made === "object" && made !== null ? (made as Record<string, unknown>) : {};
}

type Json = { readonly [name: string]: unknown };
const schemas = new WeakMap<z.ZodType, Json>();

function schemaOf(schema: z.ZodType): Json {
  let known = schemas.get(schema);
  if (known === undefined) schemas.set(schema, (known = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Json));
  return known;
}

function sample(schema: Json, place: Place, choose: Choose): unknown {
  const options = (schema["anyOf"] ?? schema["oneOf"]) as readonly Json[] | undefined;
  if (options !== undefined) return sample(options[0] ?? {}, place, choose);
  const properties = schema["properties"] as Readonly<Record<string, Json>> | undefined;
  if (properties === undefined) {
    const type = typeof schema["type"] === "string" ? schema["type"] : "string";
    return choose({ ...place, type }, legalOf(schema, place.name));
  }
  const made: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(properties)) {
    const value = sample(inner, { part: place.part, name, type: "string" }, choose);
    if (value !== undefined) made[name] = value;
  }
  return made;
}

/** What the domain takes and the shape alone does not tell. */
const legalByName: Readonly<Record<string, unknown>> = {
  currency: "CNY",
  price: "9.90",
  starts_at: "2030-01-01T12:00:01Z",
  start_time: "2030-01-01T12:00:01Z",
  ends_at: "2030-01-02T00:00:00Z",
  end_time: "2030-01-02T00:00:00Z",
};

function legalOf(schema: Json, name: string): unknown {
  if (name in legalByName) return legalByName[name];
  if ("const" in schema) return schema["const"];
  if (Array.isArray(schema["enum"])) return schema["enum"][0];
  const examples: unknown = schema["examples"];
  if (Array.isArray(examples) && examples.length > 0) return examples[0];
  switch (schema["type"]) {
    case "integer":
    case "number":
      return Math.max(1, Number(schema["minimum"] ?? 1));
    case "boolean":
      return true;
    case "object":
      return {};
    case "array":
      return [];
    default:
      return /(^|_)id$/.test(name) && name !== "user_id" ? "1" : "x".repeat(Math.max(3, Number(schema["minLength"] ?? 3)));
  }
}
