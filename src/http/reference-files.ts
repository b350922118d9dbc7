/**
 * The files of the reference page: Swagger UI as its package brings it, from this server and nowhere else. Read when
 * somebody first asks, compressed once, then kept.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { entityTagOf, isKnown } from "./entity-tag.ts";
import type { Reply } from "./envelope.ts";

const require = createRequire(import.meta.url);
const compress = promisify(gzip);

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Doorbuster API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<noscript>This page needs JavaScript; the same in one file: <a href="/openapi.json">/openapi.json</a></noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

/** Nothing is asked of other servers: no validator, no fonts; what is tried out goes to this one. */
const start = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  filter: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
  validatorUrl: null,
});
`;

/** Only from here, only what this page needs; React's style attributes are set by script, which needs no leave. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

type Kept = { readonly etag: string; readonly bytes: Uint8Array<ArrayBuffer>; readonly gzipped: Uint8Array<ArrayBuffer> };
const kept = new Map<ReferenceFile, Promise<Kept>>();

export type ReferenceFile = keyof typeof files;
const files = {
  "index.html": { type: "text/html; charset=utf-8", read: () => Promise.resolve(Buffer.from(page)) },
  "start.js": { type: "text/javascript; charset=utf-8", read: () => Promise.resolve(Buffer.from(start)) },
  "swagger-ui-bundle.js": {
    type: "text/javascript; charset=utf-8",
    read: () => readFile(require.resolve("swagger-ui-dist/swagger-ui-bundle.js")),
  },
  "swagger-ui.css": { type: "text/css; charset=utf-8", read: () => readFile(require.resolve("swagger-ui-dist/swagger-ui.css")) },
} as const;

export async function referenceReply(name: ReferenceFile, request: Headers, method: string): Promise<Reply> {
  const { etag, bytes, gzipped } = await keptOf(name);
  const common = {
    ETag: etag,
    Vary: "Accept-Encoding",
    "Cache-Control": "public, max-age=86400",
    ...(name === "index.html" ? { "Content-Security-Policy": pagePolicy, "Referrer-Policy": "no-referrer" } : {}),
  };
  if (isKnown(request, etag)) return { status: 304, body: "", headers: common };
  const isSmall = /\bgzip\b/.test(request.get("accept-encoding") ?? "");
  const headers = { ...common, "Content-Type": files[name].type, ...(isSmall ? { "Content-Encoding": "gzip" } : {}) };
  return { status: 200, body: "", headers, ...(method === "HEAD" ? {} : { stream: new Blob([isSmall ? gzipped : bytes]).stream() }) };
}

function keptOf(name: ReferenceFile): Promise<Kept> {
  const known = kept.get(name);
  if (known !== undefined) return known;
  const made = keep(name);
  kept.set(name, made);
  // What could not be read now may be readable later.
  made.catch(() => kept.delete(name));
  return made;
}

async function keep(name: ReferenceFile): Promise<Kept> {
  const bytes = new Uint8Array(await files[name].read());
  const gzipped = new Uint8Array(await compress(bytes));
  return { bytes, gzipped, etag: entityTagOf(bytes) };
}
