import { createHmac } from "node:crypto";
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseBuyerId, type BuyerId } from "../../domain/ids.ts";
import { createTokens, tokenLengthMax } from "./tokens.ts";

const nowMs = 1_800_000_000_500;
const secret = Buffer.alloc(32, 7);
const entropy = { secret: (size: number) => "x".repeat(size) };
const tokens = createTokens({
  keys: [
    { kid: "k2", secret },
    { kid: "k1", secret: Buffer.alloc(40, 1) },
  ],
  issuer: "shop-1",
  entropy,
});
const buyerId = parseBuyerId(42) as BuyerId; // 42 is a legal id
const buyer = { issuer: "shop", subject: "u-1" };
const good = tokens.mint({ buyer, buyerId, nowMs, lifetimeMs: 600_000 });

const b64 = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const hmac = (text: string, key: Uint8Array = secret, hash = "sha256") => createHmac(hash, key).update(text).digest("base64url");
const [goodHeader = "", goodPayload = "", goodSignature = ""] = good.split(".");
const seconds = Math.floor(nowMs / 1000);
const claims = { iss: "shop-1", aud: "doorbuster", bid: 42, iat: seconds, exp: seconds + 600, jti: "xxxxxxxxxxxx", bi: "shop", sub: "u-1" };
/** Signed with the real key under the real header: what somebody with the key of another product could make. */
const withClaims = (change: Record<string, unknown>) => {
  const text = `${goodHeader}.${b64({ ...claims, ...change })}`;
  return `${text}.${hmac(text)}`;
};
const withPayload = (payload: string) => `${goodHeader}.${payload}.${hmac(`${goodHeader}.${payload}`)}`;
const withHeader = (header: unknown, hash = "sha256") => {
  const text = `${b64(header)}.${goodPayload}`;
  return `${text}.${hmac(text, secret, hash)}`;
};
const flip = (text: string, at: number) => text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);

const bad: Record<string, string> = {
  empty: "",
  dots: "..",
  "one part": goodHeader,
  "two parts": `${goodHeader}.${goodPayload}`,
  "no signature": `${goodHeader}.${goodPayload}.`,
  "four parts": `${good}.${goodSignature}`,
  "an encrypted token's five parts": `${goodHeader}.a.b.c.d`,
  "a space behind": `${good} `,
  "a space before": ` ${good}`,
  "a line break inside": good.replace(".", ".\n"),
  padding: `${good}=`,
  "base64 padding on the payload": `${goodHeader}.${goodPayload}==.${goodSignature}`,
  "alg none, no signature": `${b64({ alg: "none", typ: "at+jwt", kid: "k2" })}.${goodPayload}.`,
  "alg none, signature kept": `${b64({ alg: "none", typ: "at+jwt", kid: "k2" })}.${goodPayload}.${goodSignature}`,
  "alg None": withHeader({ alg: "None", typ: "at+jwt", kid: "k2" }),
  "alg HS384": withHeader({ alg: "HS384", typ: "at+jwt", kid: "k2" }, "sha384"),
  "alg HS512": withHeader({ alg: "HS512", typ: "at+jwt", kid: "k2" }, "sha512"),
  "alg RS256 over our secret": withHeader({ alg: "RS256", typ: "at+jwt", kid: "k2" }),
  "alg left out": withHeader({ typ: "at+jwt", kid: "k2" }),
  "typ JWT": withHeader({ alg: "HS256", typ: "JWT", kid: "k2" }),
  "no typ": withHeader({ alg: "HS256", kid: "k2" }),
  "no kid": withHeader({ alg: "HS256", typ: "at+jwt" }),
  "unknown kid": withHeader({ alg: "HS256", typ: "at+jwt", kid: "k3" }),
  "kid as a path": withHeader({ alg: "HS256", typ: "at+jwt", kid: "../../dev/null" }),
  "another key's kid": withHeader({ alg: "HS256", typ: "at+jwt", kid: "k1" }),
  "an extra header": withHeader({ alg: "HS256", typ: "at+jwt", kid: "k2", crit: ["exp"] }),
  "a key in the header": withHeader({ alg: "HS256", typ: "at+jwt", kid: "k2", jwk: { kty: "oct", k: b64("a") } }),
  "header fields in another order": withHeader({ typ: "at+jwt", alg: "HS256", kid: "k2" }),
  "header with a space": withHeader('{"alg":"HS256", "typ":"at+jwt","kid":"k2"}'),
  "header not JSON": withHeader("HS256"),
  "another secret": `${goodHeader}.${goodPayload}.${hmac(`${goodHeader}.${goodPayload}`, Buffer.alloc(32, 8))}`,
  "an empty secret": `${goodHeader}.${goodPayload}.${hmac(`${goodHeader}.${goodPayload}`, Buffer.alloc(0))}`,
  "signature of another hash": `${goodHeader}.${goodPayload}.${hmac(`${goodHeader}.${goodPayload}`, secret, "sha512")}`,
  "signature cut": good.slice(0, -1),
  "signature longer": `${good}A`,
  "signature's last character in a second spelling": good.slice(0, -1) + String.fromCharCode(good.charCodeAt(good.length - 1) + 1),
  "signature in hex": `${goodHeader}.${goodPayload}.${Buffer.from(goodSignature, "base64url").toString("hex")}`,
  "signature in lower case": `${goodHeader}.${goodPayload}.${goodSignature.toLowerCase()}`,
  "signature with a character beyond ASCII": `${goodHeader}.${goodPayload}.${String.fromCharCode(goodSignature.charCodeAt(0) + 256)}${goodSignature.slice(1)}`,
  "signature of the payload alone": `${goodHeader}.${goodPayload}.${hmac(goodPayload)}`,
  "first byte of the payload flipped": `${goodHeader}.${flip(goodPayload, 0)}.${goodSignature}`,
  "first byte of the signature flipped": `${goodHeader}.${goodPayload}.${flip(goodSignature, 0)}`,
  "payload of another token": `${goodHeader}.${b64({ ...claims, bid: 43 })}.${goodSignature}`,
  expired: withClaims({ iat: seconds - 700, exp: seconds - 100 }),
  "expires this second": withClaims({ iat: seconds - 600, exp: seconds }),
  "not yet issued": withClaims({ iat: seconds + 60, exp: seconds + 660 }),
  "lives two hours": withClaims({ exp: seconds + 7200 }),
  "expires before it was issued": withClaims({ iat: seconds - 10, exp: seconds - 20 }),
  "exp as text": withClaims({ exp: String(seconds + 600) }),
  "exp infinite": withPayload(b64(JSON.stringify(claims).replace(String(seconds + 600), "1e999"))),
  "exp fractional": withClaims({ exp: seconds + 600.5 }),
  "no exp": withClaims({ exp: undefined }),
  "no iat": withClaims({ iat: undefined }),
  "another installation": withClaims({ iss: "shop-2" }),
  "no issuer": withClaims({ iss: undefined }),
  "another audience": withClaims({ aud: "shop" }),
  "an audience list": withClaims({ aud: ["doorbuster"] }),
  "no subject": withClaims({ sub: undefined }),
  "empty subject": withClaims({ sub: "" }),
  "overlong subject": withClaims({ sub: "x".repeat(65) }),
  "subject with a line break": withClaims({ sub: "a\nb" }),
  "subject as a number": withClaims({ sub: 1 }),
  "no buyer issuer": withClaims({ bi: undefined }),
  "buyer id zero": withClaims({ bid: 0 }),
  "buyer id negative": withClaims({ bid: -42 }),
  "buyer id fractional": withClaims({ bid: 4.2 }),
  "buyer id as text": withClaims({ bid: "42" }),
  "no jti": withClaims({ jti: undefined }),
  "claims in another order": withPayload(b64(Object.fromEntries(Object.entries(claims).toReversed()))),
  "an extra claim": withClaims({ admin: true }),
  "a claim twice": withPayload(b64(JSON.stringify(claims).replace('"bid":42', '"bid":43,"bid":42'))),
  "a space in the payload": withPayload(b64(JSON.stringify(claims).replace(",", ", "))),
  "payload null": withPayload(b64("null")),
  "payload a list": withPayload(b64("[]")),
  "payload not JSON": withPayload(b64("hello")),
  "payload empty": withPayload(""),
  oversized: withClaims({ jti: "x".repeat(tokenLengthMax) }),
  huge: "a".repeat(1_000_000),
};

describe("tokens", () => {
  test("a token says who holds it until its last second", () => {
    const expiresAtMs = (seconds + 600) * 1000;
    expect(tokens.check(good, nowMs)).toEqual({ buyer, buyerId, expiresAtMs });
    expect(tokens.check(good, expiresAtMs - 1)).toBeDefined();
    expect(tokens.check(good, expiresAtMs)).toBeUndefined();
  });

  test("the control: the hand-made token with nothing changed is accepted, so each refusal below has one cause", () => {
    expect(tokens.check(withClaims({}), nowMs)).toBeDefined();
    expect(withHeader('{"alg":"HS256","typ":"at+jwt","kid":"k2"}')).toBe(good);
  });

  test("every legal buyer comes back as it went in", () => {
    const subject = fc.string({
      minLength: 1,
      maxLength: 64,
      unit: fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code)),
    });
    fc.assert(
      fc.property(subject, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (name, id) => {
        const holder = { buyer: { issuer: "shop", subject: name }, buyerId: id as BuyerId };
        expect(tokens.check(tokens.mint({ ...holder, nowMs, lifetimeMs: 60_000 }), nowMs)).toMatchObject(holder);
      }),
    );
  });

  test("a key behind the first checks and does not mint", () => {
    const older = createTokens({ keys: [{ kid: "k1", secret: Buffer.alloc(40, 1) }], issuer: "shop-1", entropy });
    expect(tokens.check(older.mint({ buyer, buyerId, nowMs, lifetimeMs: 60_000 }), nowMs)?.buyerId).toBe(buyerId);
    expect(older.check(good, nowMs)).toBeUndefined();
  });

  test("the corpus has at least forty bad tokens", () => expect(Object.keys(bad).length).toBeGreaterThanOrEqual(40));
  test.each(Object.keys(bad))("refuses: %s", (name) => {
    expect(tokens.check(bad[name] ?? good, nowMs)).toBeUndefined();
  });

  test("any one changed character is refused", () => {
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.string({ minLength: 1, maxLength: 1, unit: "binary" }), (at, character) => {
        fc.pre(good[at] !== character);
        expect(tokens.check(good.slice(0, at) + character + good.slice(at + 1), nowMs)).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });

  test("short secrets and twin kids are refused at start", () => {
    expect(() => createTokens({ keys: [{ kid: "a", secret: Buffer.alloc(31) }], issuer: "i", entropy })).toThrow("32 bytes");
    expect(() => createTokens({ keys: [{ kid: 'a"', secret }], issuer: "i", entropy })).toThrow("kid");
    expect(() =>
      createTokens({
        keys: [
          { kid: "a", secret },
          { kid: "a", secret },
        ],
        issuer: "i",
        entropy,
      }),
    ).toThrow("own kid");
  });
});

test("[E1] an account's token carries its session, role and shop, and no other spelling of them", () => {
  const account = { session: "77", role: "merchant", merchant: "tea" } as const;
  const token = tokens.mint({ buyer, buyerId, nowMs, lifetimeMs: 60_000, account });
  expect(tokens.check(token, nowMs)?.account).toEqual(account);
  const plain = tokens.mint({ buyer, buyerId, nowMs, lifetimeMs: 60_000, account: { session: "78", role: "admin" } });
  expect(tokens.check(plain, nowMs)?.account).toEqual({ session: "78", role: "admin", merchant: undefined });
  expect(tokens.check(good, nowMs)?.account).toBeUndefined();
  // Unknown to the type, so that the check itself is tried: signed by our own key all the same.
  const odd = { session: "79", role: "root" } as unknown as typeof account;
  expect(tokens.check(tokens.mint({ buyer, buyerId, nowMs, lifetimeMs: 60_000, account: odd }), nowMs)).toBeUndefined();
});

test("a token of another process, whose clock is a little ahead of ours, is good", () => {
  expect(tokens.check(withClaims({ iat: seconds + 29, exp: seconds + 629 }), nowMs)).toBeDefined();
  expect(tokens.check(withClaims({ iat: seconds + 31, exp: seconds + 631 }), nowMs)).toBeUndefined();
});
