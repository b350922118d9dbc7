/**
 * Payment callbacks that must have no effect. Each is the good one with one thing changed, and what somebody hoped for by
 * it; those about id and time are signed rightly over what they say, so that the signature alone does not save us.
 */
import { createHmac } from "node:crypto";

export type BadCallback = {
  readonly name: string;
  readonly hope: string;
  /** As lines of a request: a name may come twice. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | Uint8Array;
};
export type CallbackForge = { readonly secret: Uint8Array; readonly nowMs: number; readonly body: string };

type Parts = { id?: string | undefined; timestamp?: string | undefined; signature?: string | undefined; body?: string | Uint8Array };

export function signedHeaders({ secret, nowMs, body }: CallbackForge, id = "msg_good"): readonly (readonly [string, string])[] {
  const timestamp = String(Math.floor(nowMs / 1000));
  const signature = `v1,${createHmac("sha256", secret).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
  return [
    ["webhook-id", id],
    ["webhook-timestamp", timestamp],
    ["webhook-signature", signature],
  ];
}

export function badCallbacks(forge: CallbackForge): BadCallback[] {
  const { secret, body } = forge;
  const now = Math.floor(forge.nowMs / 1000);
  const id = "msg_bad";
  const hmac = (text: string | Uint8Array, key: Uint8Array = secret, hash = "sha256") => createHmac(hash, key).update(text).digest();
  const right = hmac(`${id}.${now}.${body}`);
  const right64 = right.toString("base64");
  const list: BadCallback[] = [];
  const bad = (name: string, hope: string, parts: Parts) => {
    const { id: sentId = id, timestamp = String(now), signature = `v1,${right64}`, body: sent = body } = parts;
    const pairs = [
      ["webhook-id", "id" in parts ? parts.id : sentId] as const,
      ["webhook-timestamp", "timestamp" in parts ? parts.timestamp : timestamp] as const,
      ["webhook-signature", "signature" in parts ? parts.signature : signature] as const,
    ];
    const headers = pairs.flatMap(([header, value]) => (value === undefined ? [] : [[header, value] as const]));
    list.push({ name, hope, headers, body: sent });
  };
  /** Signed over what it says. */
  const resigned = (
    name: string,
    hope: string,
    { id: sentId = id, timestamp = String(now), body: sent = body }: { id?: string; timestamp?: string; body?: string },
  ) => bad(name, hope, { id: sentId, timestamp, body: sent, signature: `v1,${hmac(`${sentId}.${timestamp}.${sent}`).toString("base64")}` });

  const stale = "an old message comes again, or one is kept for later";
  for (const [name, offset] of [
    ["301 s old", -301],
    ["an hour old", -3600],
    ["a day old", -86_400],
    ["301 s ahead", 301],
    ["a year ahead", 31_536_000],
  ] as const)
    resigned(name, stale, { timestamp: String(now + offset) });
  const odd = "a time that two readers understand differently";
  for (const timestamp of [
    "0",
    "-1",
    `+${now}`,
    `0${now}`,
    `${now}.0`,
    `${now}x`,
    `0x${now.toString(16)}`,
    "18e8",
    "NaN",
    "Infinity",
    "now",
    String(now * 1000),
    "9".repeat(20),
    `${now},${now}`,
    "",
  ])
    resigned(`time ${JSON.stringify(timestamp)}`, odd, { timestamp });
  const merge = "id, time and body run into one another";
  resigned("a dot in the id", merge, { id: "msg.bad" });
  resigned("a dot at the id's end", merge, { id: "msg_bad." });
  bad("an id that swallows the time", merge, { id: `${id}.${now}`, timestamp: "1" });
  bad("an id that gives a letter away", merge, { id: "msg_ba" });
  for (const sentId of ["", "a b", "a".repeat(129), "a,b", "msg_é", "a\tb"])
    resigned(`id ${JSON.stringify(sentId.slice(0, 12))}`, "an id that is none", { id: sentId });
  bad("another id", "one good message under many ids", { id: "msg_other" });
  bad("the id in capitals", "one good message under many ids", { id: id.toUpperCase() });
  bad("another time", "an old message under a new time", { timestamp: String(now + 1) });
  bad("no id", "what is missing is not looked at", { id: undefined });
  bad("no time", "what is missing is not looked at", { timestamp: undefined });
  bad("no signature", "what is missing is not looked at", { signature: undefined });

  const nearly = "a signature that is nearly one";
  const cut = (bytes: number) => right.subarray(0, bytes).toString("base64");
  // oxfmt-ignore
  const signatures: readonly [name: string, hope: string, signature: string][] = [
    ["an empty signature", nearly, ""],
    ["a version alone", nearly, "v1"],
    ["a version and a comma", nearly, "v1,"],
    ["no version", "the version decides the algorithm", right64],
    ["no version, its comma", "the version decides the algorithm", `,${right64}`],
    ["version v0", "the version decides the algorithm", `v0,${right64}`],
    ["version v2", "the version decides the algorithm", `v2,${right64}`],
    ["version v1a", "a key of one algorithm is used for another", `v1a,${right64}`],
    ["version V1", "the version decides the algorithm", `V1,${right64}`],
    ["version v01", "the version decides the algorithm", `v01,${right64}`],
    ["version v1 twice", "the version decides the algorithm", `v1,v1,${right64}`],
    ["version none", "the version decides the algorithm", "none,"],
    ["an equals sign", "the version decides the algorithm", `v1=${right64}`],
    ["t= and v1=, as another provider writes it", "the version decides the algorithm", `t=${now},v1=${right.toString("hex")}`],
    ["sha256=, as another provider writes it", "the version decides the algorithm", `sha256=${right.toString("hex")}`],
    ["a space behind the comma", nearly, `v1, ${right64}`],
    ["a broken one before the right one", "one good among bad is enough", `nonsense v1,${right64}`],
    ["nine signatures", "many guesses in one message", Array.from({ length: 9 }, () => `v1,${right64}`).join(" ")],
    ["a hundred signatures", "many guesses in one message", Array.from({ length: 100 }, (_, i) => `v1,${hmac(String(i)).toString("base64")}`).join(" ")],
    ["hex", nearly, `v1,${right.toString("hex")}`],
    ["base64url", nearly, `v1,${Buffer.alloc(32, 0xfb).toString("base64url")}`],
    ["no padding", nearly, `v1,${right64.replace(/=+$/, "")}`],
    ["too much padding", nearly, `v1,${right64}=`],
    ["31 bytes", "only the beginning is compared", `v1,${cut(31)}`],
    ["16 bytes", "only the beginning is compared", `v1,${cut(16)}`],
    ["1 byte", "only the beginning is compared", `v1,${cut(1)}`],
    ["33 bytes", nearly, `v1,${Buffer.concat([right, Buffer.of(0)]).toString("base64")}`],
    ["first byte changed", nearly, `v1,${Buffer.concat([Buffer.of((right[0] ?? 0) ^ 1), right.subarray(1)]).toString("base64")}`],
    ["last byte changed", nearly, `v1,${Buffer.concat([right.subarray(0, 31), Buffer.of((right[31] ?? 0) ^ 128)]).toString("base64")}`],
    ["all zero", nearly, `v1,${Buffer.alloc(32).toString("base64")}`],
    ["in lower case", nearly, `v1,${right64.toLowerCase()}`],
    ["SHA-1", "a weaker hash", `v1,${hmac(`${id}.${now}.${body}`, secret, "sha1").toString("base64")}`],
    ["SHA-512", "another hash", `v1,${hmac(`${id}.${now}.${body}`, secret, "sha512").toString("base64")}`],
    ["SHA-512 cut to size", "another hash", `v1,${hmac(`${id}.${now}.${body}`, secret, "sha512").subarray(0, 32).toString("base64")}`],
    ["another secret", "a secret of somebody else's", `v1,${hmac(`${id}.${now}.${body}`, Buffer.alloc(32, 3)).toString("base64")}`],
    ["an empty secret", "a secret that was never set", `v1,${hmac(`${id}.${now}.${body}`, Buffer.alloc(0)).toString("base64")}`],
    ["the secret's text as the secret", "a secret that was not decoded", `v1,${hmac(`${id}.${now}.${body}`, Buffer.from(Buffer.from(secret).toString("base64"))).toString("base64")}`],
    ["the secret with its prefix", "a secret that was not decoded", `v1,${hmac(`${id}.${now}.${body}`, Buffer.from(`whsec_${Buffer.from(secret).toString("base64")}`)).toString("base64")}`],
    ["the body alone", "not everything is signed", `v1,${hmac(body).toString("base64")}`],
    ["time and body", "not everything is signed", `v1,${hmac(`${now}.${body}`).toString("base64")}`],
    ["id and body", "not everything is signed", `v1,${hmac(`${id}.${body}`).toString("base64")}`],
    ["id and time", "not everything is signed", `v1,${hmac(`${id}.${now}`).toString("base64")}`],
    ["no dots", "not everything is signed", `v1,${hmac(`${id}${now}${body}`).toString("base64")}`],
    ["another order", "not everything is signed", `v1,${hmac(`${now}.${id}.${body}`).toString("base64")}`],
    ["a huge header", "a header that costs more than it says", `v1,${right64} v2,${"A".repeat(3_000)}`],
  ];
  for (const [name, hope, signature] of signatures) bad(name, hope, { signature });

  const changed = "a body that was changed on the way";
  // The body is an object we made.
  const parsed = JSON.parse(body) as { data: Record<string, unknown> };
  const bodies: readonly [string, string | Uint8Array][] = [
    ["a space more", `${body} `],
    ["a space before", ` ${body}`],
    ["a line feed more", `${body}\n`],
    ["a byte order mark", `\ufeff${body}`],
    ["written anew with spaces", JSON.stringify(parsed, undefined, 2)],
    ["written anew in another order", JSON.stringify({ data: parsed.data, type: "payment.captured" })],
    ["another amount", JSON.stringify({ ...parsed, data: { ...parsed.data, amount_minor: 1 } })],
    ["another currency", JSON.stringify({ ...parsed, data: { ...parsed.data, currency: "JPY" } })],
    ["another payment", JSON.stringify({ ...parsed, data: { ...parsed.data, payment_id: "1" } })],
    ["a field more", JSON.stringify({ ...parsed, note: "x" })],
    ["an escaped letter", body.replace('"type"', '"\\u0074ype"')],
    ["a field twice", body.replace('"data":', '"data":{},"data":')],
    ["nothing", ""],
    ["cut off", body.slice(0, -1)],
    ["in UTF-16", new Uint8Array(Buffer.from(body, "utf16le"))],
    ["bytes that are no text", Uint8Array.of(0xff, 0xfe, 0x00)],
  ];
  for (const [name, sent] of bodies) bad(`body: ${name}`, changed, { body: sent });

  const twice = "two headers of one name, and two readers take different ones";
  const good = signedHeaders(forge, id);
  const [goodId, goodTime, goodSignature] = good;
  if (goodId !== undefined && goodTime !== undefined && goodSignature !== undefined) {
    list.push({ name: "two ids", hope: twice, headers: [["webhook-id", "other"], ...good], body });
    list.push({ name: "two equal ids", hope: twice, headers: [goodId, ...good], body });
    list.push({ name: "two times", hope: twice, headers: [["webhook-timestamp", "1"], ...good], body });
    list.push({
      name: "two signatures' headers",
      hope: twice,
      headers: [["webhook-signature", `v1,${Buffer.alloc(32).toString("base64")}`], ...good],
      body,
    });
    list.push({
      name: "under the names of another standard",
      hope: "other names are taken too",
      headers: good.map(([name, value]) => [name.replace("webhook", "svix"), value] as const),
      body,
    });
  }
  return list;
}
