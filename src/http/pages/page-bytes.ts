/** A page as bytes: compressed once, named by what it is, the same for everybody. */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { WebFile } from "../../ports/web-files.ts";
import { entityTagOf, isKnown } from "../entity-tag.ts";
import type { Reply } from "../envelope.ts";

const compressGzip = promisify(gzip);
const compressBrotli = promisify(brotliCompress);

export type PageBytes = WebFile & { readonly etag: string };

/** Not as hard as one can: a page whose stock changes is made again each second. */
const brotliOptions = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };

export async function pageBytes(html: string): Promise<PageBytes> {
  const bytes = new TextEncoder().encode(html);
  const [small, smaller] = await Promise.all([compressGzip(bytes), compressBrotli(bytes, brotliOptions)]);
  return { bytes, gzip: new Uint8Array(small), brotli: new Uint8Array(smaller), etag: entityTagOf(bytes) };
}

type Asked = { readonly headers: Headers; readonly method: string };

/** The form of the bytes that the browser takes, or word that it has them. */
export function bytesReply(
  { headers: asked, method }: Asked,
  { bytes, gzip: small, brotli, etag }: PageBytes,
  headers: Readonly<Record<string, string>>,
): Reply {
  const takes = (coding: string) => takesCoding(asked.get("accept-encoding") ?? "", coding);
  const [body, encoding] = takes("br") ? [brotli, "br"] : takes("gzip") ? [small, "gzip"] : [bytes, undefined];
  // A strong tag names bytes, and each coding has its own.
  const tag = encoding === undefined ? etag : `${etag.slice(0, -1)}-${encoding}"`;
  const common = { ...headers, ETag: tag, Vary: "Accept-Encoding" };
  if (isKnown(asked, tag)) return { status: 304, body: "", headers: common };
  const all = encoding === undefined ? common : { ...common, "Content-Encoding": encoding };
  return { status: 200, body: "", headers: all, ...(method === "HEAD" ? {} : { bytes: body }) };
}

/** Named, and not with the weight 0, which takes it out (RFC 9110, 12.5.3). */
function takesCoding(accepted: string, coding: string): boolean {
  const named = accepted.split(",").map((each) =>
    each
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/),
  );
  return named.some(([name, weight = ""]) => name === coding && !/^q=0(\.0*)?$/.test(weight));
}

/**
 * What a page of ours may do: run our program, show its own style (by digest), ask this server. Pictures of products may
 * come from where the shop keeps them.
 */
export function pagePolicy(style: string): string {
  const digest = createHash("sha256").update(style).digest("base64");
  return (
    `default-src 'none'; script-src 'self'; style-src 'sha256-${digest}'; img-src 'self' data: https:; connect-src 'self'; ` +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
  );
}

export function htmlHeaders(policy: string, cacheControl: string): Readonly<Record<string, string>> {
  return {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": policy,
    "Cache-Control": cacheControl,
    "Referrer-Policy": "same-origin",
  };
}
