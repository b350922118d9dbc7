/**
 * The shop's server keys. Only their SHA-256 digests stay in memory, and a presented key is compared with every one of
 * them in constant time, so neither a dump nor a stopwatch tells a key.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { merchantPermissions } from "../../domain/access.ts";
import { assert } from "../../lib/assert.ts";
import type { ServerKey, ServerKeys } from "../../ports/server-keys.ts";

/** Nothing longer is hashed. */
export const serverKeyLengthMax = 256;

/** A key of the configuration: its holder runs the installation, so it may all that a merchant may, and see the system. */
export type ServerKeyOption = Pick<ServerKey, "id" | "issuer"> & { readonly secret: string };

export function createServerKeys(options: readonly ServerKeyOption[]): ServerKeys {
  const known = options.map(({ id, issuer, secret }) => {
    assert(secret !== "" && secret.length <= serverKeyLengthMax, `a server key has 1 to ${serverKeyLengthMax} characters`);
    const access = { merchant: issuer, permissions: new Set([...merchantPermissions, "system:read" as const]) };
    return { key: { id, issuer, access }, digest: digestOf(secret) };
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
