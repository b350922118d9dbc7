/**
 * Has the pages' programs made once for these sources and keeps them in a folder, so that every later start reads one
 * file. Nobody waits for it: the API answers meanwhile, pages say that they will be there in a moment.
 *
 *   digest of the sources ─► kept in a folder? ─► read it
 *                                 └ no ─► a process of Bun makes it (about half a second) ─► keep it where one may write
 *
 * Must stay true: what is kept is found by the digest of what it was made from, so no start serves what other sources
 * gave; and a folder that cannot be written costs time at the next start and nothing else.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../../ports/log.ts";
import type { WebBundle, WebFiles } from "../../ports/web-files.ts";
import { readBundle } from "./bundle-text.ts";

export type BundledFilesOptions = {
  /** The folder with package.json. */
  readonly packageDir: string;
  /** Where it may be kept, best first. */
  readonly keepIn: readonly string[];
  readonly log: Log;
  /** Another way to make it, for tests. */
  readonly make?: ((packageDir: string) => Promise<string>) | undefined;
};

/** A bundle is some hundred kilobytes; more than this comes from no healthy process. */
const bundleBytesMax = 16 * 1024 * 1024;
const makingMsMax = 60_000;

export class BundledFiles implements WebFiles {
  #bundle: WebBundle | undefined;
  /** Resolves when there is a bundle, or never will be. For tests and for whoever has nothing else to do. */
  readonly settled: Promise<void>;

  constructor(options: BundledFilesOptions) {
    this.settled = bundleOf(options).then(
      (bundle) => {
        this.#bundle = bundle;
      },
      (error: unknown) =>
        options.log.error("the pages' programs could not be made, so there are no pages; the API is whole", { err: error }),
    );
  }

  current(): WebBundle | undefined {
    return this.#bundle;
  }
}

async function bundleOf({ packageDir, keepIn, log, make = makeInBun }: BundledFilesOptions): Promise<WebBundle> {
  const name = `web-${await digestOfSources(packageDir)}.json`;
  for (const folder of keepIn) {
    const kept = await keptBundle(join(folder, name));
    if (kept !== undefined) return kept;
  }
  const text = await make(packageDir);
  const bundle = readBundle(text);
  for (const folder of keepIn) if (await keep(folder, name, text)) return bundle;
  log.info("the pages' programs cannot be kept anywhere, so each start makes them anew", { tried: keepIn });
  return bundle;
}

/** Undefined if there is none, or a broken one, which is then made again. */
async function keptBundle(path: string): Promise<WebBundle | undefined> {
  try {
    return readBundle(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** In one step, for others may be reading. What older sources gave is taken away. */
async function keep(folder: string, name: string, text: string): Promise<boolean> {
  const unfinished = join(folder, `${name}.${process.pid}`);
  try {
    await mkdir(folder, { recursive: true });
    const others = (await readdir(folder)).filter((other) => /^web-[0-9a-f]{64}\.json/.test(other) && !other.startsWith(name));
    await writeFile(unfinished, text);
    await rename(unfinished, join(folder, name));
    await Promise.all(others.map((other) => rm(join(folder, other), { force: true })));
    return true;
  } catch {
    await rm(unfinished, { force: true }).catch(() => {});
    return false;
  }
}

/** Of everything that a bundle is made from: the sources, and by package.json the bundler and the packages. */
export async function digestOfSources(packageDir: string): Promise<string> {
  const hash = createHash("sha256");
  const found = (await readdir(join(packageDir, "src/web"), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath, entry.name));
  const others = ["src/adapters/web/bundle-worker.ts", "src/ports/web-files.ts", "package.json"];
  for (const path of [...found.toSorted(), ...others.map((other) => join(packageDir, other))])
    hash.update(`${path.slice(packageDir.length)}\0`).update(await readFile(path));
  return hash.digest("hex");
}

/** On Bun by itself, on Node by the launcher that finds the Bun of this package. */
function makeInBun(packageDir: string): Promise<string> {
  const onBun = process.versions["bun"] !== undefined;
  const start = onBun ? ["--no-env-file", "--no-install"] : [join(packageDir, "bin/bun.mjs")];
  const args = [...start, join(packageDir, "src/adapters/web/bundle-worker.ts"), join(packageDir, "src/web")];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], timeout: makingMsMax });
    // Whoever stops the server meanwhile does not wait for pages.
    child.unref();
    let [text, complaints] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      if (text.length > bundleBytesMax) child.kill();
    });
    child.stderr.setEncoding("utf8").on("data", (part: string) => (complaints = (complaints + part).slice(-4_000)));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(text) : reject(new Error(`Bundling ended with ${code}: ${complaints.trim()}`))));
  });
}
