/** What schemathesis is told beyond its defaults: which statuses are right, and which things there are. */
import type { Stock } from "./stocked.ts";

/**
 * A body of the right shape may still be refused: by the domain (422), by a sale's or an order's state or version (409, 410, 412), by the
 * limit of live streams (429), by a provider that declines (502), or since the thing in the path is another's or nobody's (404).
 */
const rightShape = ["2xx", 304, 401, 403, 404, 409, 410, 412, 422, 429, 431, 502];
/** What cannot be read is 400; who asks, how much and as what are looked at before. The domain's bounds (422) come after its states. */
const wrongShape = [400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 431];

/** How often a name in a path is that of a thing there is. */
const probability = 0.6;

/**
 * A server key at the door of an account is somebody known who may not: 403. Schemathesis takes every refusal there for one
 * of the missing Authorization, which would be 401.
 */
const knownElsewhere = (operations: readonly string[]) =>
  operations.map((id) => `[[operations]]\ninclude-operation-id = "${id}"\nchecks.missing_required_header.enabled = false\n`);

export type Circumstances = { readonly stock: Stock; readonly hooks: string; readonly foreign: readonly string[] };

export function configOf({ stock, hooks, foreign }: Circumstances): string {
  const dictionaries = Object.entries(stock).map(([name, values]) => `[dictionaries.${name}]\nvalues = ${JSON.stringify(values)}`);
  const parameters = Object.keys(stock).map((name) => `"path.${name}" = { dictionary = "${name}", probability = ${probability} }`);
  return `hooks = ${JSON.stringify(hooks)}
request-timeout = 30.0
max-stream-events = 1

[auth]
auto-signup = false

# Credentials of no shape are tried by the check ignored_auth.
[generation]
with-security-parameters = false

[parameters]
${parameters.join("\n")}

[checks]
positive_data_acceptance.expected-statuses = ${JSON.stringify(rightShape)}
negative_data_rejection.expected-statuses = ${JSON.stringify(wrongShape)}
missing_required_header.expected-statuses = [400, 401, 403, 404]

${dictionaries.join("\n\n")}

${knownElsewhere(foreign).join("\n")}`;
}
