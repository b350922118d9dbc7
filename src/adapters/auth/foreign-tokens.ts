/**
 * Tokens of the shop's own sign-in (JWTs), checked with the keys that it publishes. Which key and algorithm count is decided
 * by those keys and our list, never by what a token says beyond naming a key; `jku`, `x5u` and `jwk` in its header are not
 * read, and a `crit` we do not know refuses it.
 */
import { createRemoteJWKSet, customFetch, errors, jwtVerify, type JWTVerifyGetKey, type RemoteJWKSetOptions } from "jose";
import { isSubject } from "../../domain/ids.ts";
import type { ForeignAnswer, ForeignTokens } from "../../ports/foreign-tokens.ts";

const algorithms = ["EdDSA", "Ed25519", "ES256", "RS256"];
const kinds = new Set(["jwt", "at+jwt"]);
const leewaySeconds = 30;
export const foreignTokenLengthMax = 8_192;
const keySetBytesMax = 64 * 1024;
const fetchTimeoutMs = 2_000;
/** Unknown key ids make us ask the shop again, at most this often. */
const coolDownMs = 30_000;
const cacheMaxMs = 600_000;

export type ForeignTokensOptions = {
  /** Where the shop publishes its keys. */
  readonly url: URL;
  readonly issuer: string;
  readonly audience: string;
  /** Tests only: in place of the network. */
  readonly fetch?: typeof fetch | undefined;
};

export function createForeignTokens({ url, issuer, audience, fetch: fetchKeys = fetch }: ForeignTokensOptions): ForeignTokens {
  const fetchBounded: RemoteJWKSetOptions[typeof customFetch] = async (target, init) => {
    const response = await fetchKeys(target, { ...init, redirect: "error" });
    return new Response(await textWithin(response, keySetBytesMax), { status: response.status });
  };
  const keys = createRemoteJWKSet(url, {
    timeoutDuration: fetchTimeoutMs,
    cooldownDuration: coolDownMs,
    cacheMaxAge: cacheMaxMs,
    [customFetch]: fetchBounded,
  });
  const shop = { keys: telling(keys), issuer, audience };
  return { check: (token, nowMs) => check(shop, token, nowMs) };
}

type Shop = { readonly keys: JWTVerifyGetKey; readonly issuer: string; readonly audience: string };
const refused = (why: string): ForeignAnswer => ({ kind: "refused", why });

async function check({ keys, issuer, audience }: Shop, token: string, nowMs: number): Promise<ForeignAnswer> {
  if (token.length > foreignTokenLengthMax) return refused("it is too long");
  try {
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      algorithms,
      issuer,
      audience,
      clockTolerance: leewaySeconds,
      currentDate: new Date(nowMs),
      requiredClaims: ["sub", "exp"],
    });
    const kind = protectedHeader.typ?.toLowerCase().replace(/^application\//, "");
    if (kind === undefined || !kinds.has(kind)) return refused("its typ is not JWT or at+jwt");
    const { sub, exp, iat } = payload;
    // A list of audiences means others, too; that is theirs to say. A list of issuers is not.
    if (typeof payload.iss !== "string" || typeof sub !== "string" || !isSubject(sub)) return refused("its sub cannot be a buyer's id");
    if (typeof exp !== "number" || !Number.isFinite(exp)) return refused("it has no exp");
    if (iat !== undefined && !(iat * 1000 <= nowMs + leewaySeconds * 1000)) return refused("its iat lies in the future");
    return { kind: "holder", subject: sub, expiresAtMs: exp * 1000 };
  } catch (error) {
    if (error instanceof KeysUnavailable) return { kind: "unavailable", why: error.message };
    return refused(error instanceof Error ? error.message : String(error));
  }
}

/** The shop's keys were not to be had. */
class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
}

/** What the set itself says about a token is the token's fault; all else is the shop's or the network's. */
function telling(keys: JWTVerifyGetKey): JWTVerifyGetKey {
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      const { JWKSMultipleMatchingKeys, JWKSNoMatchingKey, JOSENotSupported } = errors;
      const ofToken = [JWKSMultipleMatchingKeys, JWKSNoMatchingKey, JOSENotSupported].some((kind) => error instanceof kind);
      throw ofToken ? error : new KeysUnavailable(error instanceof Error ? error.message : String(error), { cause: error });
    }
  };
}

/** The text of an answer, as long as it is no longer than it may be. */
async function textWithin(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // The types of DOM streams do not say that they can be iterated; both runtimes' can.
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > bytesMax) throw new Error(`Read the shop's keys: the answer has more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
