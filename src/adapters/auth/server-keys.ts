/**
 * The shop's server keys. Only their SHA-256 digests stay in memory, and a presented key is compared with every one of
 * them in constant time, so neither a dump nor a stopwatch tells a key.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { assert } from "../../lib/assert.ts";
import type { ServerKey, ServerKeys } from "../../ports/server-keys.ts";

/** Nothing longer is hashed. */
export const serverKeyLengthMax = 256;

export type ServerKeyOption = ServerKey & { readonly secret: string };

export function createServerKeys(options: readonly ServerKeyOption[]): ServerKeys {
  const known = options.map(({ id, issuer, secret }) => {
    assert(secret !== "" && secret.length <= serverKeyLengthMax, `a server key has 1 to ${serverKeyLengthMax} characters`);
    return { key: { id, issuer }, digest: digestOf(secret) };
  });
  return {
    check(presented) {
      if (presented === "" || presented.length > serverKeyLengthMax) return undefined;
      const digest = digestOf(presented);
      let found: ServerKey | undefined;
      for (const { key, digest: expected } of known) if (timingSafeEqual(digest, expected)) found = key;
      return found;
    },
  };
}

const digestOf = (secret: string) => createHash("sha256").update(secret, "utf8").digest();
