import { createHmac, generateKeyPairSync, sign as signBytes, type KeyObject } from "node:crypto";
import { describe, expect, test } from "bun:test";
import { createForeignTokens } from "./foreign-tokens.ts";

const nowMs = 1_900_000_000_000;
const now = nowMs / 1000;
const issuer = "https://id.shop.test/";
const audience = "doorbuster";
const url = new URL("https://id.shop.test/jwks.json");

const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ed = generateKeyPairSync("ed25519");
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const wrongEc = generateKeyPairSync("ec", { namedCurve: "P-256" });
const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
const smallRsa = generateKeyPairSync("rsa", { modulusLength: 1024 });

const jwk = (key: KeyObject, more: object) => ({ ...key.export({ format: "jwk" }), ...more });
const published = {
  keys: [
    jwk(ec.publicKey, { kid: "ec", alg: "ES256", use: "sig" }),
    jwk(ed.publicKey, { kid: "ed", use: "sig" }),
    jwk(rsa.publicKey, { kid: "rsa", alg: "RS256", use: "sig" }),
    jwk(p384.publicKey, { kid: "p384", alg: "ES384" }),
    jwk(smallRsa.publicKey, { kid: "small", alg: "RS256" }),
    jwk(wrongEc.publicKey, { kid: "encrypts", alg: "ES256", use: "enc" }),
    { kty: "oct", kid: "oct", alg: "HS256", k: Buffer.from("a secret that everybody can read").toString("base64url") },
  ],
};
const serving = (body: unknown, init?: ResponseInit) =>
  (async () => new Response(typeof body === "string" ? body : JSON.stringify(body), init)) as unknown as typeof fetch;
const tokens = createForeignTokens({ url, issuer, audience, fetch: serving(published) });

const b64 = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
type Sign = (text: string) => Buffer;
const withEc: Sign = (text) => signBytes("sha256", Buffer.from(text), { key: ec.privateKey, dsaEncoding: "ieee-p1363" });
const withEd: Sign = (text) => signBytes(null, Buffer.from(text), ed.privateKey);
const withRsa: Sign = (text) => signBytes("sha256", Buffer.from(text), rsa.privateKey);
const token = (header: object | string, payload: object | string, sign: Sign) => {
  const text = `${b64(header)}.${b64(payload)}`;
  return `${text}.${sign(text).toString("base64url")}`;
};
const claims = { iss: issuer, aud: audience, sub: "u-1", iat: now - 10, exp: now + 300 };
const header = { alg: "ES256", typ: "JWT", kid: "ec" };
const es = (change: object = {}, headers: object = {}) => token({ ...header, ...headers }, { ...claims, ...change }, withEc);
const good = es();
const [goodHead = "", goodBody = "", goodSignature = ""] = good.split(".");

describe("[AC17] tokens that are good", () => {
  test.each([
    ["ES256", good],
    ["EdDSA", token({ alg: "EdDSA", typ: "at+jwt", kid: "ed" }, claims, withEd)],
    ["RS256", token({ alg: "RS256", typ: "application/at+jwt", kid: "rsa" }, claims, withRsa)],
    ["one audience of several", es({ aud: ["other", audience] })],
    ["expired within the leeway", es({ exp: now - 29 })],
    ["not before within the leeway", es({ nbf: now + 29 })],
    ["no iat", es({ iat: undefined })],
  ])("%s", async (_, each) => expect(await tokens.check(each, nowMs)).toMatchObject({ kind: "holder", subject: "u-1" }));
});

const publicPem = (key: KeyObject) => key.export({ type: "spki", format: "pem" });
const hmac =
  (secret: string | Buffer): Sign =>
  (text) =>
    createHmac("sha256", secret).update(text).digest();
const none: Sign = () => Buffer.alloc(0);
const flip = (text: string, at: number) => text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);

// oxfmt-ignore
const bad: Record<string, string> = {
  "empty": "",
  "dots": "..",
  "one part": goodHead,
  "two parts": `${goodHead}.${goodBody}`,
  "no signature": `${goodHead}.${goodBody}.`,
  "four parts": `${good}.${goodSignature}`,
  "five parts, as if encrypted": `${goodHead}.a.b.c.d`,
  "signature flipped": `${goodHead}.${goodBody}.${flip(goodSignature, 0)}`,
  "signature cut": good.slice(0, -4),
  "signature longer": `${good}AAAA`,
  "payload flipped": `${goodHead}.${flip(goodBody, 10)}.${goodSignature}`,
  "payload of another": `${goodHead}.${b64({ ...claims, sub: "u-2" })}.${goodSignature}`,
  "header of another": `${b64({ ...header, kid: "ec", x: 1 })}.${goodBody}.${goodSignature}`,
  "signature in DER": token(header, claims, (text) => signBytes("sha256", Buffer.from(text), ec.privateKey)),
  "another key": token(header, claims, (text) => signBytes("sha256", Buffer.from(text), { key: wrongEc.privateKey, dsaEncoding: "ieee-p1363" })),
  "zeros as a signature": `${goodHead}.${goodBody}.${Buffer.alloc(64).toString("base64url")}`,
  "alg none": token({ ...header, alg: "none" }, claims, none),
  "alg None": token({ ...header, alg: "None" }, claims, none),
  "alg nOnE with a signature": `${b64({ ...header, alg: "nOnE" })}.${goodBody}.${goodSignature}`,
  "alg empty": token({ ...header, alg: "" }, claims, withEc),
  "alg left out": token({ typ: "JWT", kid: "ec" }, claims, withEc),
  "alg a number": token({ ...header, alg: 256 }, claims, withEc),
  "alg a list": token({ ...header, alg: ["ES256"] }, claims, withEc),
  "HS256 with the EC key's PEM": token({ ...header, alg: "HS256" }, claims, hmac(publicPem(ec.publicKey))),
  "HS256 with the RSA key's PEM": token({ ...header, alg: "HS256", kid: "rsa" }, claims, hmac(publicPem(rsa.publicKey))),
  "HS256 with a published secret": token({ ...header, alg: "HS256", kid: "oct" }, claims, hmac("a secret that everybody can read")),
  "HS256 with an empty secret": token({ ...header, alg: "HS256" }, claims, hmac("")),
  "RS256 naming the EC key": token({ ...header, alg: "RS256" }, claims, withRsa),
  "ES256 naming the RSA key": token({ ...header, kid: "rsa" }, claims, withEc),
  "ES256 naming the Ed25519 key": token({ ...header, kid: "ed" }, claims, withEc),
  "EdDSA naming the EC key": token({ ...header, alg: "EdDSA" }, claims, withEd),
  "RS384": token({ ...header, alg: "RS384", kid: "rsa" }, claims, (text) => signBytes("sha384", Buffer.from(text), rsa.privateKey)),
  "RS512": token({ ...header, alg: "RS512", kid: "rsa" }, claims, (text) => signBytes("sha512", Buffer.from(text), rsa.privateKey)),
  "PS256": token({ ...header, alg: "PS256", kid: "rsa" }, claims, (text) => signBytes("sha256", Buffer.from(text), { key: rsa.privateKey, padding: 6, saltLength: 32 })),
  "ES384 by its own published key": token({ ...header, alg: "ES384", kid: "p384" }, claims, (text) => signBytes("sha384", Buffer.from(text), { key: p384.privateKey, dsaEncoding: "ieee-p1363" })),
  "ES256 by a P-384 key": token({ ...header, kid: "p384" }, claims, (text) => signBytes("sha256", Buffer.from(text), { key: p384.privateKey, dsaEncoding: "ieee-p1363" })),
  "RSA of 1024 bits": token({ ...header, alg: "RS256", kid: "small" }, claims, (text) => signBytes("sha256", Buffer.from(text), smallRsa.privateKey)),
  "a key for encryption": token({ ...header, kid: "encrypts" }, claims, (text) => signBytes("sha256", Buffer.from(text), { key: wrongEc.privateKey, dsaEncoding: "ieee-p1363" })),
  "unknown kid": es({}, { kid: "new" }),
  "kid as a path": es({}, { kid: "../../../../dev/null" }),
  "kid as SQL": es({}, { kid: "x' UNION SELECT 'k" }),
  "its own key in jwk": token({ alg: "ES256", typ: "JWT", jwk: jwk(wrongEc.publicKey, {}) }, claims, (text) => signBytes("sha256", Buffer.from(text), { key: wrongEc.privateKey, dsaEncoding: "ieee-p1363" })),
  "its own key in jwk beside our kid": token({ ...header, jwk: jwk(wrongEc.publicKey, {}) }, claims, (text) => signBytes("sha256", Buffer.from(text), { key: wrongEc.privateKey, dsaEncoding: "ieee-p1363" })),
  "its own key set in jku": token({ ...header, kid: "mine", jku: "https://evil.test/jwks.json" }, claims, (text) => signBytes("sha256", Buffer.from(text), { key: wrongEc.privateKey, dsaEncoding: "ieee-p1363" })),
  "its own certificate in x5u": token({ ...header, kid: "mine", x5u: "https://evil.test/cert.pem" }, claims, (text) => signBytes("sha256", Buffer.from(text), { key: wrongEc.privateKey, dsaEncoding: "ieee-p1363" })),
  "its own certificate in x5c": token({ ...header, kid: "mine", x5c: ["MIIB"] }, claims, (text) => signBytes("sha256", Buffer.from(text), { key: wrongEc.privateKey, dsaEncoding: "ieee-p1363" })),
  "crit unknown": es({}, { crit: ["bork"], bork: true }),
  "crit empty": es({}, { crit: [] }),
  "crit of a standard name": es({}, { crit: ["alg"] }),
  "b64 false": es({}, { crit: ["b64"], b64: false }),
  "typ missing": es({}, { typ: undefined }),
  "typ of a log-out token": es({}, { typ: "logout+jwt" }),
  "typ of a DPoP proof": es({}, { typ: "dpop+jwt" }),
  "typ of a request": es({}, { typ: "oauth-authz-req+jwt" }),
  "typ a number": es({}, { typ: 1 }),
  "iss of another": es({ iss: "https://evil.test/" }),
  "iss without its slash": es({ iss: "https://id.shop.test" }),
  "iss in capitals": es({ iss: issuer.toUpperCase() }),
  "iss missing": es({ iss: undefined }),
  "iss a list": es({ iss: [issuer] }),
  "aud of another": es({ aud: "shop" }),
  "aud missing": es({ aud: undefined }),
  "aud empty": es({ aud: [] }),
  "aud an object": es({ aud: { [audience]: true } }),
  "aud longer": es({ aud: `${audience}x` }),
  "sub missing": es({ sub: undefined }),
  "sub empty": es({ sub: "" }),
  "sub a number": es({ sub: 7 }),
  "sub with a space": es({ sub: "a b" }),
  "sub with a line break": es({ sub: "a\nX-User-Id: b" }),
  "sub beyond ASCII": es({ sub: "ä" }),
  "sub of 65 characters": es({ sub: "x".repeat(65) }),
  "sub a list": es({ sub: ["u-1"] }),
  "exp missing": es({ exp: undefined }),
  "exp past": es({ exp: now - 31 }),
  "exp long past": es({ exp: 1 }),
  "exp as text": es({ exp: String(now + 300) }),
  "exp null": es({ exp: null }),
  "exp infinite": token(header, JSON.stringify(claims).replace(String(now + 300), "1e999"), withEc),
  "exp negative": es({ exp: -1 }),
  "nbf in the future": es({ nbf: now + 31 }),
  "nbf as text": es({ nbf: "0" }),
  "iat in the future": es({ iat: now + 31 }),
  "iat as text": es({ iat: "0" }),
  "payload a list": token(header, "[]", withEc),
  "payload null": token(header, "null", withEc),
  "payload no JSON": token(header, "{", withEc),
  "payload not UTF-8": `${b64(header)}.${Buffer.from([0xff, 0xfe]).toString("base64url")}.${goodSignature}`,
  "header no JSON": token("{", claims, withEc),
  "header a list": token("[]", claims, withEc),
  "header with a comment": token(`{"alg":"ES256"/**/,"typ":"JWT","kid":"ec"}`, claims, withEc),
  "a space before": ` ${good.replace(goodSignature, flip(goodSignature, 3))}`,
  "Bearer inside": `Bearer ${good}`,
  "9,000 characters": es({ pad: "x".repeat(9000) }),
};

test(`[AC17] of ${Object.keys(bad).length} bad tokens (at least 60) none is accepted, and each is the token's fault`, async () => {
  expect(Object.keys(bad).length).toBeGreaterThanOrEqual(60);
  const accepted: string[] = [];
  for (const [name, each] of Object.entries(bad)) {
    const answer = await tokens.check(each, nowMs);
    if (answer.kind !== "refused") accepted.push(`${name}: ${answer.kind}`);
  }
  expect(accepted).toEqual([]);
});

test("[AC17] control: the corpus is refused for its faults, not for its making: a checker of signatures alone lets many in", async () => {
  const { createLocalJWKSet, compactVerify } = await import("jose");
  const keys = createLocalJWKSet({ keys: published.keys.slice(0, 3) as never });
  const passed = [];
  for (const each of Object.values(bad)) {
    const isSigned = await compactVerify(each, keys).then(
      () => true,
      () => false,
    );
    if (isSigned) passed.push(each);
  }
  expect(passed.length).toBeGreaterThan(25);
});

describe("the shop's keys", () => {
  const checkWith = (fetchKeys: typeof fetch) => createForeignTokens({ url, issuer, audience, fetch: fetchKeys }).check(good, nowMs);

  test("[AC17] are read once for many tokens, and unknown ids make us ask again only after a pause", async () => {
    let asked = 0;
    const counted = (async (...args: Parameters<typeof fetch>) => {
      asked += 1;
      expect(args[1]?.redirect).toBe("error");
      return serving(published)(...args);
    }) as unknown as typeof fetch;
    const counting = createForeignTokens({ url, issuer, audience, fetch: counted });
    for (let i = 0; i < 5; i++) expect((await counting.check(good, nowMs)).kind).toBe("holder");
    for (let i = 0; i < 20; i++) expect((await counting.check(es({}, { kid: `new-${i}` }), nowMs)).kind).toBe("refused");
    expect(asked).toBe(1);
  });

  test.each([
    ["an error", serving("no", { status: 500 })],
    ["no JSON", serving("<html>")],
    ["no keys", serving({})],
    ["too much", serving(" ".repeat(70_000) + JSON.stringify(published))],
    ["a refused connection", (async () => Promise.reject(new Error("refused"))) as unknown as typeof fetch],
  ])("[AC17] %s in place of them lets nobody in, and is not the token's fault", async (_, fetchKeys) =>
    expect((await checkWith(fetchKeys)).kind).toBe("unavailable"),
  );

  test("[AC17] are read where they are said to be: an address that leads elsewhere is not followed", async () => {
    const asked: string[] = [];
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch(request) {
        const { pathname } = new URL(request.url);
        asked.push(pathname);
        return pathname === "/moved" ? Response.json(published) : Response.redirect("/moved", 302);
      },
    });
    try {
      const straight = createForeignTokens({ url: new URL("/moved", server.url), issuer, audience });
      expect((await straight.check(good, nowMs)).kind).toBe("holder");
      const led = createForeignTokens({ url: new URL("/keys", server.url), issuer, audience });
      expect((await led.check(good, nowMs)).kind).toBe("unavailable");
      expect(asked).toEqual(["/moved", "/keys"]);
    } finally {
      await server.stop(true);
    }
  });

  test("[AC17] two keys that would fit are no answer", async () => {
    const twice = { keys: [published.keys[0], { ...published.keys[0] }] };
    expect((await checkWith(serving(twice))).kind).toBe("refused");
  });
});
