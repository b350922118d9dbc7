/** A bundle for tests of pages: no program is made, so it is there at once. */
import { webPages, type WebBundle, type WebFile, type WebFiles, type WebPage } from "../../src/ports/web-files.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

export function plantedBundle(): WebBundle {
  const scripts = Object.fromEntries(webPages.map((page) => [page, `${page}.0123456789ab.js`])) as Record<WebPage, string>;
  const file = (text: string): WebFile => ({ bytes: bytesOf(text), gzip: Bun.gzipSync(text), brotli: bytesOf(text) });
  return { style: "body{margin:0}", scripts, files: new Map(Object.values(scripts).map((name) => [name, file(`// ${name}\n`)])) };
}

export function plantedFiles(bundle: WebBundle | undefined = plantedBundle()): WebFiles & { bundle: WebBundle | undefined } {
  const files = { bundle, current: () => files.bundle };
  return files;
}
