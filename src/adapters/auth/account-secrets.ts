/**
 * What this installation's account secret makes: refresh tokens, sealed texts and digests of recovery codes. Each use has a
 * key of its own, derived from the one secret.
 *
 *   refresh token   dbr_<session>.<43 characters of secret>.<22 of a MAC over both>
 *
 * The MAC tells a token of ours from an invention, so that only who really has an old one can end its session. The next
 * token is an HMAC of the one before: whoever asks twice gets the same, and nothing of it need be kept but a digest.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { parseSessionId, type SessionId } from "../../domain/ids.ts";
import { assert } from "../../lib/assert.ts";
import type { AccountSecrets, RefreshToken } from "../../ports/account-secrets.ts";
import type { Entropy } from "../../ports/entropy.ts";

export const accountSecretBytesMin = 32;
const tokenPattern = /^dbr_(\d{1,19})\.([\w-]{43})\.([\w-]{22})$/;
const macBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;
/** Crockford's: no letter that reads like a digit. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const recoveryLength = 16;

export function createAccountSecrets(secret: Uint8Array, entropy: Pick<Entropy, "secret">): AccountSecrets {
  assert(secret.length >= accountSecretBytesMin, `the account secret has at least ${accountSecretBytesMin} bytes`);
  const keyFor = (use: string) => Buffer.from(hkdfSync("sha256", secret, "doorbuster", use, 32));
  const [macKey, nextKey, sealKey, recoveryKey] = [keyFor("refresh mac"), keyFor("refresh next"), keyFor("seal"), keyFor("recovery")];
  const macOf = (session: string, text: string) =>
    createHmac("sha256", macKey).update(`${session}.${text}`).digest().subarray(0, macBytes).toString("base64url");
  const tokenOf = (session: SessionId, text: string): RefreshToken => {
    const token = `dbr_${session}.${text}.${macOf(session, text)}`;
    return { text: token, digest: digestOf(token) };
  };
  return {
    firstToken: (session) => tokenOf(session, entropy.secret(32)),
    readToken(text) {
      const [, digits = "", secretText = "", mac = ""] = tokenPattern.exec(text) ?? [];
      const session = parseSessionId(digits);
      if (session === undefined || !isSame(mac, macOf(session, secretText))) return undefined;
      const next = createHmac("sha256", nextKey).update(text).digest("base64url");
      return { session, digest: digestOf(text), next: tokenOf(session, next) };
    },
    seal(text, owner) {
      const nonce = Buffer.from(entropy.secret(nonceBytes), "base64url");
      assert(nonce.length === nonceBytes, "a nonce has its length");
      const cipher = createCipheriv("aes-256-gcm", sealKey, nonce).setAAD(Buffer.from(owner));
      const sealed = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return `v1.${sealed.toString("base64url")}`;
    },
    open(sealed, owner) {
      const bytes = Buffer.from(sealed.startsWith("v1.") ? sealed.slice(3) : "", "base64url");
      if (bytes.length < nonceBytes + tagBytes) return undefined;
      try {
        const decipher = createDecipheriv("aes-256-gcm", sealKey, bytes.subarray(0, nonceBytes)).setAAD(Buffer.from(owner));
        decipher.setAuthTag(bytes.subarray(-tagBytes));
        return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString("utf8");
      } catch {
        return undefined;
      }
    },
    recoveryCodes: (count) => Array.from({ length: count }, () => recoveryCode(entropy.secret(recoveryLength))),
    recoveryDigest: (code, owner) =>
      createHmac("sha256", recoveryKey)
        .update(`${owner}\n${code.toLowerCase().replaceAll(/[^0-9a-z]/g, "")}`)
        .digest("base64url"),
  };
}

const digestOf = (text: string): string => createHash("sha256").update(text).digest("base64url");

function isSame(presented: string, expected: string): boolean {
  return presented.length === expected.length && timingSafeEqual(Buffer.from(presented), Buffer.from(expected));
}

/** 80 bits in four groups that a person can copy. */
function recoveryCode(random: string): string {
  const letters = [...Buffer.from(random, "base64url").subarray(0, recoveryLength)].map((byte) => alphabet[byte % alphabet.length]);
  return (letters.join("").match(/.{4}/g) ?? []).join("-");
}
