/**
 * Our own access tokens: JWTs signed with HS256 and nothing else. The header is compared as a fixed string, so neither
 * algorithm nor key is ever chosen by what a token says beyond naming one of our key ids; one HMAC decides; only then is
 * the payload read. We mint its JSON in one fixed order, so a pattern reads it: no other spelling is known, and a third of
 * the time of a JSON parser is needed on every hit.
 *
 * Invariant: a token is accepted only if this installation minted it, byte for byte, and its hour has not passed.
 */
import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from "node:crypto";
import { isMerchantId, isRole } from "../../domain/access.ts";
import { isSubject, parseBuyerId } from "../../domain/ids.ts";
import { assert } from "../../lib/assert.ts";
import type { Entropy } from "../../ports/entropy.ts";
import type { AccountClaims, TokenHolder, Tokens } from "../../ports/tokens.ts";

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

/** A key named by its secret, so that two processes with the same secrets agree on the names. */
export function tokenKeyOf(secret: string): TokenKey {
  const name = createHmac("sha256", secret).update("doorbuster token key").digest("base64url");
  return { kid: name.slice(0, kidLength), secret: Buffer.from(secret) };
}
const kidLength = 10;
/** Another process may have minted it, whose clock is a little ahead of ours. */
const leewayMs = 30_000;

export type TokenOptions = {
  /** The first key mints; all of them check, so that a new key can be put in front of the old one. */
  readonly keys: readonly [TokenKey, ...TokenKey[]];
  /** This installation's id. */
  readonly issuer: string;
  readonly entropy: Pick<Entropy, "secret">;
};

type Key = { readonly prefix: string; readonly secret: KeyObject };

export function createTokens({ keys, issuer, entropy }: TokenOptions): Tokens {
  const checked = keys.map(keyOf);
  const minting = checked[0];
  assert(minting !== undefined, "there is a key to mint with");
  assert(/^[\w.-]{1,64}$/.test(issuer), "an installation's id has 1 to 64 letters, digits, dots, dashes or underscores");
  const start = `{"iss":"${issuer}","aud":"${tokenAudience}",`;
  assert(new Set(keys.map((key) => key.kid)).size === keys.length, "every token key has its own kid");
  return {
    mint({ buyer, buyerId, nowMs, lifetimeMs, account }) {
      assert(lifetimeMs > 0 && lifetimeMs <= tokenLifetimeMaxMs, "a token lives at most an hour");
      const issuedAt = Math.floor(nowMs / 1000);
      const expiresAt = Math.floor((nowMs + lifetimeMs) / 1000);
      const payload =
        `${start}"bid":${buyerId},"iat":${issuedAt},"exp":${expiresAt},"jti":"${entropy.secret(12)}",` +
        `"bi":${JSON.stringify(buyer.issuer)},"sub":${JSON.stringify(buyer.subject)}${account === undefined ? "" : claimsOf(account)}}`;
      assert(claims.test(payload.slice(start.length)), "a token's claims are of the form that is checked");
      const signed = minting.prefix + Buffer.from(payload).toString("base64url");
      return `${signed}.${sign(minting.secret, signed)}`;
    },
    check(token, nowMs) {
      if (token.length > tokenLengthMax) return undefined;
      const dot = token.lastIndexOf(".");
      for (const { prefix, secret } of checked) {
        if (dot < prefix.length || !token.startsWith(prefix)) continue;
        if (!isSame(token.slice(dot + 1), sign(secret, token.slice(0, dot)))) return undefined;
        return holderOf(decoded(token.slice(prefix.length, dot)), start, nowMs);
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

const payloadBytes = Buffer.alloc(tokenLengthMax);

/** Of a signed payload, which is what we minted: ASCII. */
function decoded(payload: string): string {
  return payloadBytes.toString("latin1", 0, payloadBytes.write(payload, "base64url"));
}

/** What an account's token says beyond a buyer's. */
function claimsOf({ session, role, merchant }: AccountClaims): string {
  return `,"sid":"${session}","role":"${role}"${merchant === undefined ? "" : `,"mer":"${merchant}"`}`;
}

/** What follows issuer and audience, in the order and spelling that we mint. */
const claims =
  /^"bid":([1-9]\d{0,15}),"iat":(\d{1,12}),"exp":(\d{1,12}),"jti":"[\w-]{1,64}","bi":"([\w.-]{1,64})","sub":"((?:[^"\\]|\\["\\]){1,128})"(,"sid":[\w",:.-]{1,160})?\}$/;
/** Read apart: nearly all tokens have none, and each group that matches nothing costs every hit. */
const accountClaims = /^,"sid":"(\d{1,19})","role":"([a-z]{1,16})"(?:,"mer":"([\w.-]{1,64})")?$/;

function holderOf(payload: string, start: string, nowMs: number): TokenHolder | undefined {
  const found = payload.startsWith(start) ? claims.exec(payload.slice(start.length)) : null;
  if (found === null) return undefined;
  const [, bid, iat, exp, bi = "", sub = "", ofAccount] = found;
  const subject = sub.includes("\\") ? sub.replaceAll(/\\(["\\])/g, "$1") : sub;
  const buyerId = parseBuyerId(Number(bid));
  const issuedAtMs = Number(iat) * 1000;
  const expiresAtMs = Number(exp) * 1000;
  if (buyerId === undefined || !isSubject(subject)) return undefined;
  if (expiresAtMs <= issuedAtMs || expiresAtMs - issuedAtMs > tokenLifetimeMaxMs + 1000) return undefined;
  if (expiresAtMs <= nowMs || issuedAtMs > nowMs + leewayMs) return undefined;
  const buyer = { issuer: bi, subject };
  if (ofAccount === undefined) return { buyer, buyerId, expiresAtMs };
  const account = accountOf(ofAccount);
  return account && { buyer, buyerId, expiresAtMs, account };
}

function accountOf(text: string): AccountClaims | undefined {
  const [, session, role = "", merchant] = accountClaims.exec(text) ?? [];
  if (session === undefined || !isRole(role) || (merchant !== undefined && !isMerchantId(merchant))) return undefined;
  return { session, role, merchant };
}
