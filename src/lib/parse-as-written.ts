/** ECMAScript's access to JSON's source text: in Bun and in Node from 22 on, not yet in TypeScript's library. */
type JsonWithSources = {
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
};
// The runtimes that we start have both.
const sources = JSON as unknown as JsonWithSources;

/**
 * Valid JSON to a value that JSON.stringify gives back with every number as it was written, also one that no double can
 * hold. For passing on what is somebody else's; such numbers are not for computing.
 */
export function parseAsWritten(json: string): unknown {
  return sources.parse(json, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined ? sources.rawJSON(source) : value,
  );
}
