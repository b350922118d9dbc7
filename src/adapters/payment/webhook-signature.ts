/**
 * Standard Webhooks, version v1: an HMAC-SHA256 over `id.timestamp.body`, with the body as it came over the wire.
 *
 * Our own, because the `standardwebhooks` package reads the time from the machine instead of being given it, signs the
 * body as text (bytes that are not UTF-8 become the same replacement character, so different bodies share a signature),
 * reads "17x" as the time 17, and takes ids with dots, which make `id.timestamp` ambiguous. It serves as the tests'
 * second opinion.
 *
 * Must stay true: what is compared is compared in constant time, and every secret is tried, so the time taken tells
 * nothing; whatever is not exactly as written here is rejected.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { CallbackVerdict, CallbackVerifier, SignedMessage } from "../../ports/callback-verifier.ts";

export const toleranceSeconds = 300;
export const webhookIdLengthMax = 128;
/** During a rotation a sender signs with the old and the new secret; more is nobody's use. */
export const signaturesMax = 8;
export const secretsMax = 4;
const signatureHeaderLengthMax = 1_024;
const secretPrefix = "whsec_";
const secretBytesMin = 24;
const secretBytesMax = 64;
const digestBytes = 32;

/** A secret as Standard Webhooks writes it, `whsec_` and 24 to 64 bytes in base64; undefined for anything else. */
export function parseWebhookSecret(text: string): Uint8Array | undefined {
  if (!text.startsWith(secretPrefix)) return undefined;
  const key = parseBase64(text.slice(secretPrefix.length));
  return key !== undefined && key.length >= secretBytesMin && key.length <= secretBytesMax ? key : undefined;
}

export class WebhookVerifier implements CallbackVerifier {
  readonly #secrets: readonly Uint8Array[];

  /** Any of the secrets will do, so that a new one can be brought in before the old one goes. */
  constructor(secrets: readonly Uint8Array[]) {
    if (secrets.length < 1 || secrets.length > secretsMax)
      throw new RangeError(`A webhook has 1 to ${secretsMax} secrets, got ${secrets.length}`);
    for (const secret of secrets)
      if (secret.length < secretBytesMin)
        throw new RangeError(`A webhook secret has at least ${secretBytesMin} bytes, got ${secret.length}`);
    this.#secrets = secrets;
  }

  verify(message: SignedMessage, nowMs: number): CallbackVerdict {
    const { id, timestamp, signature, body } = message;
    if (id === null || !isWebhookId(id)) return rejected("webhook-id is missing or malformed");
    if (timestamp === null || !/^[1-9]\d{0,11}$/.test(timestamp)) return rejected("webhook-timestamp is missing or malformed");
    if (Math.abs(Math.floor(nowMs / 1000) - Number(timestamp)) > toleranceSeconds)
      return rejected(`webhook-timestamp is more than ${toleranceSeconds} s from now`);
    const presented = signature === null ? undefined : parseSignatures(signature);
    if (presented === undefined) return rejected("webhook-signature is missing or malformed");
    return this.#matches(presented, digestsOf(this.#secrets, { id, timestamp, body }))
      ? { kind: "verified", id }
      : rejected("webhook-signature does not match");
  }

  #matches(presented: readonly Uint8Array[], expected: readonly Uint8Array[]): boolean {
    let matches = 0;
    for (const digest of expected) for (const candidate of presented) matches |= Number(timingSafeEqual(digest, candidate));
    return matches === 1;
  }
}

/** The headers of a message signed now with each of the secrets. */
export function signWebhook(
  secrets: readonly Uint8Array[],
  message: { readonly id: string; readonly body: Uint8Array; readonly nowMs: number },
): Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string> {
  const { id, body } = message;
  if (!isWebhookId(id)) throw new RangeError(`A webhook id has 1 to ${webhookIdLengthMax} printable characters without a dot, got "${id}"`);
  const timestamp = String(Math.floor(message.nowMs / 1000));
  const signatures = digestsOf(secrets, { id, timestamp, body }).map((digest) => `v1,${digest.toString("base64")}`);
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}

const rejected = (problem: string): CallbackVerdict => ({ kind: "rejected", problem });

function digestsOf(secrets: readonly Uint8Array[], message: { id: string; timestamp: string; body: Uint8Array }): Buffer[] {
  return secrets.map((secret) => createHmac("sha256", secret).update(`${message.id}.${message.timestamp}.`).update(message.body).digest());
}

/** Printable ASCII without space, dot or comma: a header sent twice arrives joined by a comma. */
function isWebhookId(text: string): boolean {
  return text.length <= webhookIdLengthMax && /^[!-+\-/-~]+$/.test(text);
}

/** The v1 signatures of a header; undefined unless every entry is well-formed and at least one is v1. */
function parseSignatures(header: string): Uint8Array[] | undefined {
  if (header.length > signatureHeaderLengthMax) return undefined;
  const entries = header.split(" ");
  if (entries.length > signaturesMax) return undefined;
  const digests: Uint8Array[] = [];
  for (const entry of entries) {
    const parts = /^(v[0-9][0-9a-z]*),([A-Za-z0-9+/]+=*)$/.exec(entry);
    if (parts === null) return undefined;
    // Other versions are another algorithm's business.
    if (parts[1] !== "v1") continue;
    const digest = parseBase64(parts[2] ?? "");
    if (digest?.length !== digestBytes) return undefined;
    digests.push(digest);
  }
  return digests.length > 0 ? digests : undefined;
}

/** Canonical base64 only: each value has one spelling. */
function parseBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  return text.length > 0 && bytes.toString("base64") === text ? bytes : undefined;
}
