/**
 * Makes what browsers are given from the sources, with Bun's bundler, and prints it as one line of JSON. A process of its
 * own: the server may run on Node, which has no bundler, and compressing as hard as one can would hold up its answers.
 *
 *   bun bundle-worker.ts <folder of src/web>
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { webPages } from "../../ports/web-files.ts";
import type { BundleText } from "./bundle-text.ts";

const [webDir = ""] = process.argv.slice(2);

const built = await Bun.build({
  entrypoints: webPages.map((page) => join(webDir, "pages", `${page}.ts`)),
  target: "browser",
  format: "esm",
  minify: true,
});
if (!built.success) throw new AggregateError(built.logs, "Could not bundle the pages' programs");

const scripts: Record<string, string> = {};
const files: BundleText["files"] = {};
for (const [index, page] of webPages.entries()) {
  const text = await built.outputs[index]?.text();
  if (text === undefined) throw new Error(`Bundling left no program for the page "${page}"`);
  const bytes = Buffer.from(text);
  const name = `${page}.${createHash("sha256").update(bytes).digest("hex").slice(0, 12)}.js`;
  scripts[page] = name;
  files[name] = compressed(bytes);
}

function compressed(bytes: Buffer) {
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } });
  return { bytes: bytes.toString("base64"), gzip: gzipSync(bytes, { level: 9 }).toString("base64"), brotli: brotli.toString("base64") };
}

/** In this order: what comes later may change what came before. */
const styles = ["base", "controls", "sale", "list", "forms", "orders", "last"];
const written = await Promise.all(styles.map((name) => readFile(join(webDir, "styles", `${name}.css`), "utf8")));
/** Comments and blanks are for whoever writes it. */
const style = written
  .join("\n")
  .replace(/\/\*[\s\S]*?\*\//g, "")
  .replace(/\s*\n\s*/g, " ")
  .replace(/ ?([{};]) ?/g, "$1")
  .replaceAll(";}", "}")
  .trim();

const made: BundleText = { style, scripts, files };
process.stdout.write(JSON.stringify(made));
