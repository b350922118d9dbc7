/**
 * Our own access tokens: JWTs signed with HS256 and nothing else. The header is compared as a fixed string, so neither
 * algorithm nor key is ever chosen by what a token says beyond naming one of our key ids; one HMAC decides; only then is
 * the payload read, and every claim of it must be what we mint.
 *
 * Invariant: a token is accepted only if this installation minted it, byte for byte, and its hour has not passed.
 */
import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from "node:crypto";
import { isSubject, parseBuyerId } from "../../domain/ids.ts";
import { assert } from "../../lib/assert.ts";
import type { Entropy } from "../../ports/entropy.ts";
import type { TokenHolder, Tokens } from "../../ports/tokens.ts";

export const tokenAudience = "doorbuster";
export const tokenLifetimeMaxMs = 3_600_000;
export const secretBytesMin = 32;
/** Far above what we mint; nothing longer is hashed. */
export const tokenLengthMax = 1024;
const signatureLength = 43;

export type TokenKey = {
  /** Names the key in a token's header: letters, digits, `-` and `_`. */
  readonly kid: string;
  /** At least 32 bytes. */
  readonly secret: Uint8Array;
};

export type TokenOptions = {
  /** The first key mints; all of them check, so that a new key can be put in front of the old one. */
  readonly keys: readonly [TokenKey, ...TokenKey[]];
  /** This installation's id. */
  readonly issuer: string;
  readonly entropy: Pick<Entropy, "secret">;
};

type Key = { readonly prefix: string; readonly secret: KeyObject };
type Claims = { iss?: unknown; aud?: unknown; sub?: unknown; bi?: unknown; bid?: unknown; iat?: unknown; exp?: unknown; jti?: unknown };

export function createTokens({ keys, issuer, entropy }: TokenOptions): Tokens {
  const checked = keys.map(keyOf);
  const minting = checked[0];
  assert(minting !== undefined, "there is a key to mint with");
  assert(new Set(keys.map((key) => key.kid)).size === keys.length, "every token key has its own kid");
  return {
    mint({ buyer, buyerId, nowMs, lifetimeMs }) {
      assert(lifetimeMs > 0 && lifetimeMs <= tokenLifetimeMaxMs, "a token lives at most an hour");
      const issuedAt = Math.floor(nowMs / 1000);
      const claims: Claims = {
        iss: issuer,
        aud: tokenAudience,
        sub: buyer.subject,
        bi: buyer.issuer,
        bid: buyerId,
        iat: issuedAt,
        exp: Math.floor((nowMs + lifetimeMs) / 1000),
        jti: entropy.secret(12),
      };
      const signed = minting.prefix + Buffer.from(JSON.stringify(claims)).toString("base64url");
      return `${signed}.${sign(minting.secret, signed)}`;
    },
    check(token, nowMs) {
      if (token.length > tokenLengthMax) return undefined;
      const dot = token.lastIndexOf(".");
      for (const { prefix, secret } of checked) {
        if (dot < prefix.length || !token.startsWith(prefix)) continue;
        if (!isSame(token.slice(dot + 1), sign(secret, token.slice(0, dot)))) return undefined;
        return holderOf(token.slice(prefix.length, dot), issuer, nowMs);
      }
      return undefined;
    },
  };
}

function keyOf({ kid, secret }: TokenKey): Key {
  assert(/^[A-Za-z0-9_-]{1,32}$/.test(kid), "a token key's kid has 1 to 32 letters, digits, - or _");
  assert(secret.length >= secretBytesMin, `a token key has at least ${secretBytesMin} bytes`);
  const header = Buffer.from(`{"alg":"HS256","typ":"at+jwt","kid":"${kid}"}`).toString("base64url");
  return { prefix: `${header}.`, secret: createSecretKey(secret) };
}

const sign = (secret: KeyObject, text: string) => createHmac("sha256", secret).update(text).digest("base64url");

// Both sides as text in fixed buffers: a second spelling of the same signature bytes is another text, hence refused.
const presentedBytes = Buffer.alloc(signatureLength);
const expectedBytes = Buffer.alloc(signatureLength);

function isSame(presented: string, expected: string): boolean {
  if (presented.length !== signatureLength) return false;
  presentedBytes.fill(0);
  presentedBytes.write(presented, "utf8");
  expectedBytes.write(expected, "latin1");
  return timingSafeEqual(presentedBytes, expectedBytes);
}

function holderOf(payload: string, issuer: string, nowMs: number): TokenHolder | undefined {
  const { iss, aud, sub, bi, bid, iat, exp, jti } = claimsOf(payload);
  if (iss !== issuer || aud !== tokenAudience) return undefined;
  if (typeof sub !== "string" || !isSubject(sub) || typeof bi !== "string" || bi === "") return undefined;
  if (typeof bid !== "number" || typeof jti !== "string" || jti === "") return undefined;
  const buyerId = parseBuyerId(bid);
  if (buyerId === undefined || !isSecond(iat) || !isSecond(exp)) return undefined;
  if (exp <= iat || (exp - iat) * 1000 > tokenLifetimeMaxMs + 1000) return undefined;
  // No leeway: the clock that minted it is the clock that checks it.
  if (exp * 1000 <= nowMs || iat * 1000 > nowMs) return undefined;
  return { buyer: { issuer: bi, subject: sub }, buyerId, expiresAtMs: exp * 1000 };
}

const isSecond = (value: unknown): value is number => typeof value === "number" && Number.isSafeInteger(value) && value > 0;

function claimsOf(payload: string): Claims {
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString());
    // Every claim is checked before it is believed.
    return typeof claims === "object" && claims !== null ? (claims as Claims) : {};
  } catch {
    return {};
  }
}
