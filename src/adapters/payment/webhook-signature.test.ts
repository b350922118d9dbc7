import { createHmac } from "node:crypto";
import { expect, setSystemTime, test } from "bun:test";
import { Webhook } from "standardwebhooks";
import { parseWebhookSecret, signWebhook, WebhookVerifier } from "./webhook-signature.ts";

const nowMs = 1_800_000_000_000;
const nowSeconds = nowMs / 1000;
const key = Uint8Array.from({ length: 32 }, (_, i) => i * 7 + 1);
const otherKey = Uint8Array.from({ length: 32 }, (_, i) => i * 5 + 3);
const bytes = (text: string) => new TextEncoder().encode(text);
const body = '{"type":"payment.captured","data":{"payment_id":"7","amount_minor":100,"currency":"CNY"}}';

type Message = { id: string | null; timestamp: string | null; signature: string | null; body: Uint8Array };

function hmac(content: string | Uint8Array, secret: Uint8Array = key, algorithm = "sha256"): string {
  return createHmac(algorithm, secret).update(content).digest("base64");
}

function good(over: Partial<Message> = {}): Message {
  return { id: "msg_1", timestamp: String(nowSeconds), signature: `v1,${hmac(`msg_1.${nowSeconds}.${body}`)}`, body: bytes(body), ...over };
}

/** Signed rightly over whatever the id, time and body are. */
function signed(parts: { id?: string; timestamp?: string; body?: string }): Message {
  const { id = "msg_1", timestamp = String(nowSeconds), body: text = body } = parts;
  return { id, timestamp, signature: `v1,${hmac(`${id}.${timestamp}.${text}`)}`, body: bytes(text) };
}

const verify = (message: Message, secrets = [key]) => new WebhookVerifier(secrets).verify(message, nowMs).kind;
const right = hmac(`msg_1.${nowSeconds}.${body}`);
const flipFirst = (base64: string) => (base64.startsWith("A") ? "B" : "A") + base64.slice(1);

/** Every row must be rejected; all but one thing is as it should be. */
const negatives: readonly [string, Message][] = [
  ["no id", good({ id: null })],
  ["an empty id", signed({ id: "" })],
  ["an id with a dot", signed({ id: "msg.1" })],
  ["an id that ends in a dot", signed({ id: "msg_1." })],
  ["an id that swallows the time", { ...good(), id: `msg_1.${nowSeconds}`, timestamp: "1" }],
  ["an id with a space", signed({ id: "msg 1" })],
  ["an id with a leading space", signed({ id: " msg_1" })],
  ["an id with a line feed", signed({ id: "msg_1\n" })],
  ["an id with a NUL", signed({ id: "msg_1\0" })],
  ["an id with a tab", signed({ id: "msg\t1" })],
  ["an id beyond ASCII", signed({ id: "msg_é" })],
  ["an id sent twice", signed({ id: "msg_1, msg_1" })],
  ["an id of 129 characters", signed({ id: "a".repeat(129) })],
  ["another id than was signed", good({ id: "msg_2" })],
  ["the id in capitals", good({ id: "MSG_1" })],
  ["no time", good({ timestamp: null })],
  ["an empty time", signed({ timestamp: "" })],
  ["time zero", signed({ timestamp: "0" })],
  ["a negative time", signed({ timestamp: "-5" })],
  ["a time with a plus sign", signed({ timestamp: `+${nowSeconds}` })],
  ["a time with a leading zero", signed({ timestamp: `0${nowSeconds}` })],
  ["a time with a fraction", signed({ timestamp: `${nowSeconds}.5` })],
  ["a time with an exponent", signed({ timestamp: "18e8" })],
  ["a time in hex", signed({ timestamp: `0x${nowSeconds.toString(16)}` })],
  ["a time with a letter after it", signed({ timestamp: `${nowSeconds}x` })],
  ["a time with a space before it", signed({ timestamp: ` ${nowSeconds}` })],
  ["a time with a space after it", signed({ timestamp: `${nowSeconds} ` })],
  ["a time with a line feed after it", signed({ timestamp: `${nowSeconds}\n` })],
  ["a time sent twice", signed({ timestamp: `${nowSeconds}, ${nowSeconds}` })],
  ["a time in words", signed({ timestamp: "now" })],
  ["NaN for a time", signed({ timestamp: "NaN" })],
  ["Infinity for a time", signed({ timestamp: "Infinity" })],
  ["a time in milliseconds", signed({ timestamp: String(nowMs) })],
  ["a time in full-width digits", signed({ timestamp: "１８００００００００" })],
  ["a time of thirteen digits", signed({ timestamp: "9".repeat(13) })],
  ["a time 301 s ago", signed({ timestamp: String(nowSeconds - 301) })],
  ["a time 301 s ahead", signed({ timestamp: String(nowSeconds + 301) })],
  ["a time a day ago", signed({ timestamp: String(nowSeconds - 86_400) })],
  ["a time a year ahead", signed({ timestamp: String(nowSeconds + 31_536_000) })],
  ["another time than was signed", good({ timestamp: String(nowSeconds + 1) })],
  ["no signature", good({ signature: null })],
  ["an empty signature", good({ signature: "" })],
  ["only the version", good({ signature: "v1" })],
  ["a version and a comma", good({ signature: "v1," })],
  ["no version", good({ signature: right })],
  ["no version, with its comma", good({ signature: `,${right}` })],
  ["version v2", good({ signature: `v2,${right}` })],
  ["version v1a, which is another algorithm", good({ signature: `v1a,${right}` })],
  ["version V1", good({ signature: `V1,${right}` })],
  ["version v01", good({ signature: `v01,${right}` })],
  ["version v1 with a space", good({ signature: `v1, ${right}` })],
  ["an equals sign for the comma", good({ signature: `v1=${right}` })],
  ["a leading space", good({ signature: ` v1,${right}` })],
  ["a trailing space", good({ signature: `v1,${right} ` })],
  ["two spaces between signatures", good({ signature: `v1,${right}  v1,${right}` })],
  ["the header sent twice", good({ signature: `v1,${right}, v1,${right}` })],
  ["a line feed after it", good({ signature: `v1,${right}\n` })],
  ["its first character changed", good({ signature: `v1,${flipFirst(right)}` })],
  ["its last byte missing", good({ signature: `v1,${Buffer.from(right, "base64").subarray(0, 31).toString("base64")}` })],
  ["a byte too many", good({ signature: `v1,${Buffer.concat([Buffer.from(right, "base64"), Buffer.of(0)]).toString("base64")}` })],
  ["no padding", good({ signature: `v1,${right.replace(/=+$/, "")}` })],
  ["too much padding", good({ signature: `v1,${right}=` })],
  ["base64url", good({ signature: `v1,${Buffer.alloc(32, 0xff).toString("base64url")}` })],
  ["hex", good({ signature: `v1,${Buffer.from(right, "base64").toString("hex")}` })],
  ["unused bits set in the last character", good({ signature: `v1,${loosen(right)}` })],
  ["an empty digest", good({ signature: "v1,====" })],
  ["32 zero bytes", good({ signature: `v1,${Buffer.alloc(32).toString("base64")}` })],
  ["the digest of nothing", good({ signature: `v1,${hmac("")}` })],
  ["SHA-1", good({ signature: `v1,${hmac(`msg_1.${nowSeconds}.${body}`, key, "sha1")}` })],
  ["SHA-512", good({ signature: `v1,${hmac(`msg_1.${nowSeconds}.${body}`, key, "sha512")}` })],
  [
    "SHA-512 cut to 32 bytes",
    good({
      signature: `v1,${Buffer.from(hmac(`msg_1.${nowSeconds}.${body}`, key, "sha512"), "base64")
        .subarray(0, 32)
        .toString("base64")}`,
    }),
  ],
  ["another secret", good({ signature: `v1,${hmac(`msg_1.${nowSeconds}.${body}`, otherKey)}` })],
  ["an empty secret", good({ signature: `v1,${hmac(`msg_1.${nowSeconds}.${body}`, new Uint8Array())}` })],
  [
    "the secret's base64 as the secret",
    good({ signature: `v1,${hmac(`msg_1.${nowSeconds}.${body}`, bytes(Buffer.from(key).toString("base64")))}` }),
  ],
  ["only the body signed", good({ signature: `v1,${hmac(body)}` })],
  ["id and body signed, no time", good({ signature: `v1,${hmac(`msg_1.${body}`)}` })],
  ["time and body signed, no id", good({ signature: `v1,${hmac(`${nowSeconds}.${body}`)}` })],
  ["parts in another order", good({ signature: `v1,${hmac(`${nowSeconds}.msg_1.${body}`)}` })],
  ["nine signatures", good({ signature: Array.from({ length: 9 }, () => `v1,${right}`).join(" ") })],
  ["a broken one before the right one", good({ signature: `nonsense v1,${right}` })],
  ["a header of 2,000 characters", good({ signature: `v1,${right} v2,${"A".repeat(1_950)}` })],
  ["a body with a space more", good({ body: bytes(`${body} `) })],
  ["a body with a line feed more", good({ body: bytes(`${body}\n`) })],
  ["an empty body", good({ body: bytes("") })],
  ["a body with one digit changed", good({ body: bytes(body.replace("100", "101")) })],
  [
    "a body with its keys in another order",
    good({ body: bytes('{"data":{"payment_id":"7","amount_minor":100,"currency":"CNY"},"type":"payment.captured"}') }),
  ],
  ["a body written anew with spaces", good({ body: bytes(JSON.stringify(JSON.parse(body), undefined, 1)) })],
  ["a body with a byte-order mark", good({ body: bytes(`\uFEFF${body}`) })],
  ["a body in UTF-16", good({ body: new Uint8Array(Buffer.from(body, "utf16le")) })],
  ["bytes that are not UTF-8 for a replacement character", { ...signed({ body: "\uFFFD" }), body: Uint8Array.of(0xff) }],
  ["a body that takes a character from the time", { ...good(), timestamp: String(nowSeconds).slice(0, -1), body: bytes(`0.${body}`) }],
];

/** The same bytes, spelt with bits that canonical base64 leaves zero. */
function loosen(base64: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const at = base64.length - 2;
  return base64.slice(0, at) + alphabet[alphabet.indexOf(base64.charAt(at)) + 1] + base64.slice(at + 1);
}

test("there are at least 64 negative vectors, each with its own name", () => {
  expect(new Set(negatives.map(([name]) => name)).size).toBe(negatives.length);
  expect(negatives.length).toBeGreaterThanOrEqual(64);
});

for (const [name, message] of negatives) test(`[PA13] rejects ${name}`, () => expect(verify(message)).toBe("rejected"));

const positives: readonly [string, Message][] = [
  ["the message as it should be", good()],
  ["a time 300 s ago", signed({ timestamp: String(nowSeconds - 300) })],
  ["a time 300 s ahead", signed({ timestamp: String(nowSeconds + 300) })],
  ["an id of 128 characters", signed({ id: "a".repeat(128) })],
  ["the right signature after another secret's", good({ signature: `v1,${hmac("x", otherKey)} v1,${right}` })],
  ["the right signature after another version's", good({ signature: `v1a,${Buffer.alloc(64, 7).toString("base64")} v1,${right}` })],
  ["an empty body that was signed empty", signed({ body: "" })],
];
for (const [name, message] of positives) test(`[PA13] accepts ${name}`, () => expect(verify(message)).toBe("verified"));

test("[PA13] signs and accepts bytes that are not text", () => {
  const raw = Uint8Array.from({ length: 256 }, (_, i) => i);
  const headers = signWebhook([key], { id: "m", body: raw, nowMs });
  const message = { id: headers["webhook-id"], timestamp: headers["webhook-timestamp"], signature: headers["webhook-signature"] };
  expect(verify({ ...message, body: raw })).toBe("verified");
  expect(verify({ ...message, body: Uint8Array.from(raw, (byte) => byte ^ 1) })).toBe("rejected");
});

test("[PA13] accepts either secret while they are rotated, and the old one no more afterwards", () => {
  const by = (secrets: Uint8Array[]) => {
    const headers = signWebhook(secrets, { id: "m", body: bytes(body), nowMs });
    return { id: "m", timestamp: headers["webhook-timestamp"], signature: headers["webhook-signature"], body: bytes(body) };
  };
  expect(verify(by([key]), [otherKey, key])).toBe("verified");
  expect(verify(by([otherKey]), [otherKey, key])).toBe("verified");
  expect(verify(by([key, otherKey]), [otherKey])).toBe("verified");
  expect(verify(by([key]), [otherKey])).toBe("rejected");
});

test("agrees with the standardwebhooks package", () => {
  const secret = `whsec_${Buffer.from(key).toString("base64")}`;
  const library = new Webhook(secret);
  const at = new Date();
  const verifier = new WebhookVerifier([key]);
  const timestamp = String(Math.floor(at.getTime() / 1000));
  expect(verifier.verify({ id: "m", timestamp, signature: library.sign("m", at, body), body: bytes(body) }, at.getTime()).kind).toBe(
    "verified",
  );
  expect(library.verify(body, signWebhook([key], { id: "m", body: bytes(body), nowMs: at.getTime() }))).toEqual(JSON.parse(body));
  expect(parseWebhookSecret(secret)).toEqual(key);
});

test("control: a verifier that is less strict fails the table", () => {
  const library = new Webhook(`whsec_${Buffer.from(key).toString("base64")}`);
  const isAccepted = ({ id, timestamp, signature, body: raw }: Message) => {
    const headers = { "webhook-id": id ?? "", "webhook-timestamp": timestamp ?? "", "webhook-signature": signature ?? "" };
    try {
      library.verify(Buffer.from(raw), headers, { jsonParse: false });
      return true;
    } catch {
      return false;
    }
  };
  setSystemTime(nowMs);
  const accepted = negatives.filter(([, message]) => isAccepted(message)).map(([name]) => name);
  setSystemTime();
  expect(accepted).toContain("an id with a dot");
  expect(accepted).toContain("bytes that are not UTF-8 for a replacement character");
});

test("a secret is whsec_ and 24 to 64 bytes in canonical base64", () => {
  const secret = (size: number) => `whsec_${Buffer.alloc(size, 9).toString("base64")}`;
  expect(parseWebhookSecret(secret(24))?.length).toBe(24);
  expect(parseWebhookSecret(secret(64))?.length).toBe(64);
  for (const wrong of [
    "",
    "whsec_",
    "whsec_????",
    secret(23),
    secret(65),
    secret(24).slice(6),
    `${secret(25).slice(0, -1)}`,
    ` ${secret(24)}`,
  ])
    expect(parseWebhookSecret(wrong)).toBeUndefined();
  expect(() => new WebhookVerifier([])).toThrow(RangeError);
  expect(() => new WebhookVerifier([new Uint8Array(8)])).toThrow(RangeError);
});
