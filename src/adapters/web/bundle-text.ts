/** A bundle as text, between the process that makes it and those that serve it, and in the folder where it is kept. */
import { assert } from "../../lib/assert.ts";
import { webPages, type WebBundle, type WebFile, type WebPage } from "../../ports/web-files.ts";

export type BundleText = {
  readonly style: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly files: Record<string, Readonly<Record<keyof WebFile, string>>>;
};

/** Throws for a text that is not whole. */
export function readBundle(text: string): WebBundle {
  // Written by bundle-worker.ts of these very sources, since the sources' digest is in its name; what is missing is noticed below.
  const { style, scripts, files } = JSON.parse(text) as BundleText;
  const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));
  const read = Object.entries(files).map(([name, { bytes, gzip, brotli }]) => {
    const file: WebFile = { bytes: bytesOf(bytes), gzip: bytesOf(gzip), brotli: bytesOf(brotli) };
    return [name, file] as const;
  });
  const bundle = { style, files: new Map(read) };
  for (const page of webPages) assert(bundle.files.has(scripts[page] ?? ""), `a bundle has a program for the page "${page}"`);
  // Each page has just been looked for.
  return { ...bundle, scripts: scripts as Record<WebPage, string> };
}
