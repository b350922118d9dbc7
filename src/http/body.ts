/** Request bodies: read up to a limit, whatever Content-Length says or leaves out, and only as JSON in UTF-8. */
import { parseStrictJson, type StrictJson } from "../lib/strict-json.ts";
import { failure, type Reply } from "./envelope.ts";

export const purchaseBytesMax = 2 * 1024;
export const bodyBytesMax = 64 * 1024;

export type BodyText = { readonly kind: "text"; readonly text: string } | { readonly kind: "reply"; readonly reply: Reply };

export const tooLarge = (bytesMax: number): Reply =>
  failure("too_large", { field: "body", problem: `must have at most ${bytesMax} bytes`, max_bytes: bytesMax });

/** Whether a declared length alone is reason enough not to read. */
export function declaresTooMuch(contentLength: string | null, bytesMax: number): boolean {
  return contentLength !== null && !(Number(contentLength) <= bytesMax);
}

/** Small bodies gain nothing by compression, and what unpacks to a thousand times its size is not let near the limits. */
export function compressed(headers: Headers): Reply | undefined {
  const coding = headers.get("content-encoding");
  if (coding === null || coding.toLowerCase() === "identity") return undefined;
  const refused = failure("unsupported_media_type", {
    field: "Content-Encoding",
    problem: "must be left out: bodies are taken as they are",
  });
  return { ...refused, headers: { "Accept-Encoding": "identity" } };
}

export async function readBody(request: Request, bytesMax: number): Promise<BodyText> {
  if (declaresTooMuch(request.headers.get("content-length"), bytesMax)) return { kind: "reply", reply: tooLarge(bytesMax) };
  if (request.body === null) return { kind: "text", text: "" };
  const bytes = await readBytes(request.body, bytesMax);
  if (bytes === "too_large") return { kind: "reply", reply: tooLarge(bytesMax) };
  if (bytes === "broken") return cutOff;
  return decodeBody(bytes);
}

/** Every byte counts: what is not UTF-8 is refused instead of replaced, and a byte order mark is no JSON. */
export function decodeBody(bytes: ArrayBuffer | Uint8Array): BodyText {
  try {
    return { kind: "text", text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return badBody("must be UTF-8");
  }
}

const badBody = (problem: string) => ({ kind: "reply", reply: failure("malformed", { field: "body", problem }) }) as const;

/** The client left before its body was whole. */
export const cutOff = badBody("must arrive whole");

/** The bytes as they came, or why there are none. */
export async function readBytes(stream: ReadableStream<Uint8Array>, bytesMax: number): Promise<Uint8Array | "too_large" | "broken"> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    // Leaving the loop cancels the stream, so no more of it is taken in.
    for await (const chunk of stream) {
      size += chunk.byteLength;
      if (size > bytesMax) return "too_large";
      chunks.push(chunk);
    }
  } catch {
    return "broken";
  }
  return Buffer.concat(chunks);
}

export function isJsonType(contentType: string | null): boolean {
  if (contentType === null) return false;
  if (contentType === "application/json") return true;
  return /^application\/(?:[\w.+-]+\+)?json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(contentType);
}

export type JsonBody =
  | { readonly kind: "json"; readonly value: unknown; readonly members: ReadonlyMap<string, string> }
  | { readonly kind: "reply"; readonly reply: Reply };

/** A JSON object. No body at all stands for `{}`. */
export async function readJson(request: Request, bytesMax: number): Promise<JsonBody> {
  const coded = compressed(request.headers);
  if (coded !== undefined) return { kind: "reply", reply: coded };
  const body = await readBody(request, bytesMax);
  if (body.kind === "reply") return body;
  if (body.text === "") return { kind: "json", value: {}, members: new Map() };
  const contentType = request.headers.get("content-type");
  if (!isJsonType(contentType)) return { kind: "reply", reply: wrongType(contentType) };
  return jsonObject(parseStrictJson(body.text));
}

export function jsonObject(parsed: StrictJson): JsonBody {
  if (parsed.kind === "bad") return { kind: "reply", reply: failure("malformed", { field: parsed.field, problem: parsed.problem }) };
  const { value } = parsed;
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return parsed;
  return { kind: "reply", reply: failure("malformed", { field: "body", problem: "must be a JSON object" }) };
}

export function wrongType(contentType: string | null): Reply {
  const problem = contentType === null ? "must be application/json" : `must be application/json, got "${contentType.slice(0, 80)}"`;
  return failure("unsupported_media_type", { field: "Content-Type", problem });
}
