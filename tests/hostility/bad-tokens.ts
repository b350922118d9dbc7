/**
 * Bearers that must open nothing. Each changes one thing of a good token and says what somebody hoped for by it; many are
 * signed with the right secret, as a holder of the secret for another purpose could do, so that the signature alone does
 * not save us.
 */
import { createHmac } from "node:crypto";

export type Forge = {
  /** A good token of the installation, and the secret that signed it. */
  readonly good: string;
  readonly secret: Uint8Array;
  /** A good token of another buyer, and a signed ticket of another kind. */
  readonly others: readonly string[];
  readonly ticket: string;
  readonly nowMs: number;
};
/** `authorization` is the whole header. */
export type BadToken = { readonly name: string; readonly hope: string; readonly authorization: string };

const b64 = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

export function badTokens(forge: Forge): BadToken[] {
  const token = partsOf(forge);
  const list: BadToken[] = [];
  const bearer = (name: string, hope: string, value: string) => void list.push({ name, hope, authorization: `Bearer ${value}` });
  const header = (name: string, authorization: string) =>
    void list.push({ name, hope: "another way to write the header is taken", authorization });
  algorithms(token, bearer);
  headers(token, bearer);
  claims(token, bearer);
  spellings(token, bearer);
  signatures(token, bearer);
  shapes(token, bearer);
  schemes(forge.good, header);
  return list;
}

type Add = (name: string, hope: string, value: string) => void;

function partsOf({ good, secret, others, ticket, nowMs }: Forge) {
  const [head = "", body = "", signature = ""] = good.split(".");
  const sign = (text: string, hash = "sha256", key: Uint8Array = secret) => createHmac(hash, key).update(text).digest("base64url");
  const whole = (h: string, b: string) => `${h}.${b}.${sign(`${h}.${b}`)}`;
  // We minted it: an object of text and numbers.
  const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as Record<string, unknown>;
  const kid = String(JSON.parse(Buffer.from(head, "base64url").toString()).kid);
  const withHeader = (value: unknown) => whole(b64(value), body);
  const withClaims = (change: Record<string, unknown>) => whole(head, b64({ ...claims, ...change }));
  const withText = (change: (text: string) => string) => whole(head, b64(change(JSON.stringify(claims))));
  return {
    good,
    head,
    body,
    signature,
    sign,
    whole,
    claims,
    kid,
    withHeader,
    withClaims,
    withText,
    others,
    ticket,
    seconds: Math.floor(nowMs / 1000),
  };
}
type Parts = ReturnType<typeof partsOf>;

function algorithms({ head, body, signature, sign, kid, withHeader }: Parts, bad: Add): void {
  const hope = "the token chooses how it is checked";
  for (const alg of ["none", "None", "NONE", "nOnE", "none ", "\u0000none", "", null, false, 0, ["HS256"], { a: 1 }]) {
    const forged = b64({ alg, typ: "at+jwt", kid });
    bad(`alg ${JSON.stringify(alg)}, no signature`, hope, `${forged}.${body}.`);
    if (typeof alg === "string") bad(`alg ${JSON.stringify(alg)}, the old signature`, hope, `${forged}.${body}.${signature}`);
  }
  for (const [alg, hash] of [
    ["HS384", "sha384"],
    ["HS512", "sha512"],
    ["HS1", "sha1"],
  ] as const) {
    const forged = b64({ alg, typ: "at+jwt", kid });
    bad(`alg ${alg}, signed so`, hope, `${forged}.${body}.${sign(`${forged}.${body}`, hash)}`);
  }
  for (const alg of ["RS256", "RS512", "PS256", "ES256", "EdDSA", "dir", "A128KW", "hs256", "HS256 "])
    bad(
      `alg ${alg} over our secret`,
      "a public key's algorithm is checked with the shared secret",
      withHeader({ alg, typ: "at+jwt", kid }),
    );
  for (const key of ["", "secret", "changeme", "null", "undefined", head])
    bad(
      `signed with ${JSON.stringify(key.slice(0, 12))}`,
      "a known or empty key",
      `${head}.${body}.${sign(`${head}.${body}`, "sha256", Buffer.from(key))}`,
    );
}

function headers({ whole, body, kid, withHeader }: Parts, bad: Add): void {
  const good = { alg: "HS256", typ: "at+jwt", kid };
  for (const typ of ["JWT", "jwt", "AT+JWT", "application/at+jwt", "refresh+jwt", "dpop+jwt", "", undefined, null])
    bad(`typ ${JSON.stringify(typ)}`, "a token of another kind", withHeader({ ...good, typ }));
  const kids = [
    "../../../../dev/null",
    "/dev/null",
    "..\\..\\x",
    "' OR '1'='1",
    "1; DROP TABLE sales",
    "kid\u0000",
    "",
    "*",
    "__proto__",
    "constructor",
    "x".repeat(300),
  ];
  for (const other of kids)
    bad(
      `kid ${JSON.stringify(other.slice(0, 30))}`,
      "the key's name is looked up in a place it should not",
      withHeader({ ...good, kid: other }),
    );
  bad("kid a number", "a key is found by another type", withHeader({ ...good, kid: 1 }));
  bad("kid a list", "a key is found by another type", withHeader({ ...good, kid: [kid] }));
  bad("no kid", "any key will do", withHeader({ alg: "HS256", typ: "at+jwt" }));
  const bring = "the token brings the key it is checked with";
  bad("jwk", bring, withHeader({ ...good, jwk: { kty: "oct", k: b64("x") } }));
  bad("jku", bring, withHeader({ ...good, jku: "https://keys.test/jwks.json" }));
  bad("x5u", bring, withHeader({ ...good, x5u: "https://keys.test/cert.pem" }));
  bad("x5c", bring, withHeader({ ...good, x5c: ["MIIB"] }));
  bad("crit", "an unknown extension that must be understood is not", withHeader({ ...good, crit: ["exp"] }));
  bad("crit b64", "the payload is not decoded", withHeader({ ...good, crit: ["b64"], b64: false }));
  bad("zip", "the payload is unpacked", withHeader({ ...good, zip: "DEF" }));
  bad("cty JWT", "a token inside a token", withHeader({ ...good, cty: "JWT" }));
  bad("fields in another order", "any spelling of the header", withHeader({ typ: "at+jwt", alg: "HS256", kid }));
  bad(
    "alg twice",
    "one parser takes the first, another the last",
    whole(b64(`{"alg":"none","alg":"HS256","typ":"at+jwt","kid":"${kid}"}`), body),
  );
  bad("header not JSON", "a failing parser lets through", whole(b64("HS256"), body));
  bad("header null", "a failing parser lets through", withHeader("null"));
  bad("header a list", "a failing parser lets through", withHeader([good]));
  bad(
    "header with __proto__",
    "fields are inherited",
    whole(b64(`{"__proto__":{"alg":"HS256"},"alg":"HS256","typ":"at+jwt","kid":"${kid}"}`), body),
  );
}

function claims({ withClaims, withText, seconds, claims: said }: Parts, bad: Add): void {
  const late = "a token that is over, or not yet begun";
  bad("expired a second ago", late, withClaims({ iat: seconds - 600, exp: seconds - 1 }));
  bad("expires this second", late, withClaims({ iat: seconds - 600, exp: seconds }));
  bad("expired years ago", late, withClaims({ iat: 1, exp: 601 }));
  bad("issued in a minute", late, withClaims({ iat: seconds + 60, exp: seconds + 660 }));
  bad("lives a day", "a life that was never given", withClaims({ exp: seconds + 86_400 }));
  bad("lives for ever", "a life that was never given", withClaims({ exp: 999_999_999_999 }));
  bad("expires before it began", late, withClaims({ exp: Number(said["iat"]) - 1 }));
  for (const exp of [String(seconds + 600), null, undefined, [seconds + 600], -1, 0, seconds + 600.5, true, {}])
    bad(`exp ${JSON.stringify(exp)}`, "a time of another type never passes", withClaims({ exp }));
  bad(
    "exp 1e999",
    "infinity never passes",
    withText((text) => text.replace(/"exp":\d+/, '"exp":1e999')),
  );
  for (const iss of ["other-installation", "", null, undefined, ["x"], `${String(said["iss"])} `, `${String(said["iss"])}/`])
    bad(`iss ${JSON.stringify(iss)}`, "another installation's token", withClaims({ iss }));
  for (const aud of ["shop", "Doorbuster", "", null, undefined, ["doorbuster"], ["doorbuster", "shop"], "doorbuster "])
    bad(`aud ${JSON.stringify(aud)}`, "a token for somebody else", withClaims({ aud }));
  for (const bid of [0, -1, 1.5, "1", null, undefined, [1], 1e21, Number.MAX_SAFE_INTEGER + 2, "1 OR 1=1"])
    bad(`buyer number ${JSON.stringify(bid)}`, "a number that is nobody's, or everybody's", withClaims({ bid }));
  for (const sub of ["", "a b", "x".repeat(65), "a\nb", "a\u0000b", "日本", null, undefined, 1, { $ne: "" }])
    bad(`sub ${JSON.stringify(sub)?.slice(0, 20)}`, "a name that is none", withClaims({ sub }));
  for (const bi of ["", "../shop", "shop shop", null, undefined, 1])
    bad(`buyer's issuer ${JSON.stringify(bi)}`, "another shop's buyer", withClaims({ bi }));
  const more = "rights that were never given";
  bad("an extra admin", more, withClaims({ admin: true }));
  bad("an extra scope", more, withClaims({ scope: "*" }));
  bad("a role without session", more, withClaims({ role: "admin" }));
  bad("a role there is not", more, withClaims({ sid: "1", role: "root" }));
  bad("a role in capitals", more, withClaims({ sid: "1", role: "ADMIN" }));
  bad("a session that is no number", more, withClaims({ sid: "1'--", role: "buyer" }));
  bad("nbf to come", late, withClaims({ nbf: seconds + 600 }));
  bad("no jti", "a token without a name", withClaims({ jti: undefined }));
}

function spellings({ withText, whole, head, claims: said }: Parts, bad: Add): void {
  const twice = "one parser takes the first, another the last";
  bad(
    "bid twice",
    twice,
    withText((text) => text.replace('"bid":', '"bid":1,"bid":')),
  );
  bad(
    "exp twice",
    twice,
    withText((text) => text.replace('"exp":', '"exp":9999999999,"exp":')),
  );
  bad(
    "sub twice, once escaped",
    twice,
    withText((text) => text.replace('"sub":', '"\\u0073ub":"root","sub":')),
  );
  const spelt = "another spelling of the same claims";
  bad(
    "a space between claims",
    spelt,
    withText((text) => text.replace(",", ", ")),
  );
  bad(
    "a line feed at the end",
    spelt,
    withText((text) => `${text}\n`),
  );
  bad(
    "a byte order mark",
    spelt,
    withText((text) => `\ufeff${text}`),
  );
  bad("claims in another order", spelt, whole(head, b64(Object.fromEntries(Object.entries(said).toReversed()))));
  bad(
    "an escaped letter",
    spelt,
    withText((text) => text.replace('"aud"', '"\\u0061ud"')),
  );
  bad(
    "a comment",
    spelt,
    withText((text) => text.replace("{", "{/**/")),
  );
  bad(
    "__proto__",
    "claims are inherited",
    withText((text) => text.replace("{", '{"__proto__":{"admin":true},')),
  );
  for (const payload of ["null", "[]", "1", '""', "{}", "hello", "", "{"])
    bad(`payload ${JSON.stringify(payload)}`, "a failing parser lets through", whole(head, b64(payload)));
}

function signatures({ good, head, body, signature, sign, others, ticket }: Parts, bad: Add): void {
  const hope = "a signature that is nearly one";
  const flip = (text: string, at: number) => text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
  for (const at of [0, 1, 20, 41]) bad(`signature's character ${at} changed`, hope, `${head}.${body}.${flip(signature, at)}`);
  for (const at of [0, 10, body.length - 1])
    bad(`payload's character ${at} changed`, "changed claims under an old signature", `${head}.${flip(body, at)}.${signature}`);
  for (const at of [0, head.length - 1])
    bad(`header's character ${at} changed`, "a changed header under an old signature", `${flip(head, at)}.${body}.${signature}`);
  for (const length of [1, 21, 42])
    bad(`signature cut to ${length}`, "only the beginning is compared", `${head}.${body}.${signature.slice(0, length)}`);
  bad("signature with a character more", hope, `${good}A`);
  bad("signature twice", hope, `${head}.${body}.${signature}${signature}`);
  bad(
    "signature in its second spelling",
    "unused bits of base64",
    good.slice(0, -1) + String.fromCharCode(good.charCodeAt(good.length - 1) + 1),
  );
  bad("signature in hex", hope, `${head}.${body}.${Buffer.from(signature, "base64url").toString("hex")}`);
  bad("signature in lower case", hope, `${head}.${body}.${signature.toLowerCase()}`);
  bad("signature of nothing", hope, `${head}.${body}.${sign("")}`);
  bad("signature of the payload alone", hope, `${head}.${body}.${sign(body)}`);
  bad("signature without the dot", hope, `${head}.${body}.${sign(head + body)}`);
  bad("signature in standard base64", hope, `${head}.${body}.${Buffer.from(signature, "base64url").toString("base64")}`);
  bad("signature all zero", hope, `${head}.${body}.${"A".repeat(43)}`);
  for (const [i, other] of others.entries()) {
    const [, otherBody = "", otherSignature = ""] = other.split(".");
    bad(`payload of another's token ${i}`, "two good halves", `${head}.${otherBody}.${signature}`);
    bad(`signature of another's token ${i}`, "two good halves", `${head}.${body}.${otherSignature}`);
  }
  bad("a ticket of the event stream", "a token of another kind opens this door", ticket);
}

function shapes({ good, head, body, signature }: Parts, bad: Add): void {
  const hope = "a parser that forgives";
  const list: readonly [string, string][] = [
    ["nothing", ""],
    ["one dot", "."],
    ["two dots", ".."],
    ["three dots", "..."],
    ["one part", head],
    ["two parts", `${head}.${body}`],
    ["no signature", `${head}.${body}.`],
    ["no payload", `${head}..${signature}`],
    ["no header", `.${body}.${signature}`],
    ["a dot before", `.${good}`],
    ["a dot behind", `${good}.`],
    ["an empty part between", `${head}..${body}.${signature}`],
    ["four parts", `${good}.${signature}`],
    ["five parts, as encrypted tokens have", `${head}.a.b.c.d`],
    ["padding in the header", `${head}=.${body}.${signature}`],
    ["padding in the payload", `${head}.${body}==.${signature}`],
    ["a plus and a slash", good.replaceAll("-", "+").replaceAll("_", "/").replace("e", "+")],
    ["escaped dots", good.replaceAll(".", "%2e")],
    ["padding behind, twice", `${good}==`],
    ["a comma behind", `${good},`],
    ["two tokens, a comma between", `${good}, Bearer ${good}`],
    ["two tokens, a space between", `${good} ${good}`],
    ["quoted", `"${good}"`],
    ["in angle brackets", `<${good}>`],
    ["a tab inside", good.replace(".", "\t.")],
    ["a space inside", good.replace(".", " .")],
    ["a semicolon and more behind", `${good};a=b`],
    ["as JSON", JSON.stringify({ header: head, payload: body, signature })],
    ["huge", "a".repeat(8_000)],
    ["huge with dots", "a.".repeat(4_000)],
    ["a good one behind 2,000 characters", `${"a".repeat(2_000)}${good}`],
    ["a letter beyond ASCII", good.replace("e", "é")],
    ["null", "null"],
    ["undefined", "undefined"],
    ["true", "true"],
    ["an object's name", "[object Object]"],
    ["a query", "' OR 1=1 --"],
    ["a path", "../../data/token.secret"],
    ["a template", "${jndi:ldap://x}"],
  ];
  for (const [name, value] of list) bad(name, hope, value);
}

function schemes(good: string, bad: (name: string, authorization: string) => void): void {
  for (const scheme of [
    "",
    "Basic ",
    "Token ",
    "JWT ",
    "Digest ",
    "Bearer:",
    "Bearer=",
    "Bearer\t",
    "Bearer  ",
    "Bearer,",
    "Bearer Bearer ",
    "xBearer ",
    "Bear",
    "Bearer",
  ])
    bad(`${JSON.stringify(scheme)} before a good token`, `${scheme}${good}`);
  bad("user and password in Basic", `Basic ${Buffer.from(`bearer:${good}`).toString("base64")}`);
}
