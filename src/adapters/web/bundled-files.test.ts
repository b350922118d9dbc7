import { afterAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { webPages } from "../../ports/web-files.ts";
import { BundledFiles, digestOfSources } from "./bundled-files.ts";

const root = join(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "doorbuster-web-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const logged: string[] = [];
const note = (message: string) => void logged.push(message);
const log = { debug: note, info: note, warn: note, error: note };

async function open(keepIn: readonly string[], make?: () => Promise<string>) {
  const files = new BundledFiles({ packageDir: root, keepIn, log, make });
  const atOnce = files.current();
  await files.settled;
  return { atOnce, bundle: files.current() };
}

describe("[SF11] the pages' programs", () => {
  const kept = join(folder, "kept");

  test("are made by Bun in a process of its own, and read from then on", async () => {
    const { atOnce, bundle } = await open([kept]);
    expect(atOnce).toBeUndefined();
    expect(Object.keys(bundle?.scripts ?? {})).toEqual([...webPages]);
    expect(readdirSync(kept)).toEqual([`web-${await digestOfSources(root)}.json`]);
    const again = await open([kept], () => Promise.reject(new Error("made twice")));
    expect(again.bundle).toEqual(bundle);
  }, 30_000);

  test("[SF12] a sale page's program has at most 16 KB as it travels, and brings no schema, no engine and no other page along", async () => {
    const { bundle } = await open([kept]);
    const file = bundle?.files.get(bundle.scripts.sale);
    expect(file?.gzip.length).toBeLessThanOrEqual(16 * 1024);
    const text = Buffer.from(file?.bytes ?? "").toString();
    expect(text).not.toMatch(/zod|ZodError|password_hint/);
    expect(Bun.gzipSync(bundle?.style ?? "").length).toBeLessThanOrEqual(4 * 1024);
  }, 30_000);

  test("that were kept broken are made again; where nothing can be kept, they are made all the same", async () => {
    const name = readdirSync(kept)[0] ?? "";
    const broken = join(folder, "broken");
    mkdirSync(broken);
    writeFileSync(join(broken, name), '{"style":"","scripts":{},"files":{}}');
    const whole = await Bun.file(join(kept, name)).text();
    let made = 0;
    const make = async () => {
      made += 1;
      return whole;
    };
    expect((await open([broken], make)).bundle).toBeDefined();
    expect((await open([broken], make)).bundle).toBeDefined();
    expect(made).toBe(1);
    writeFileSync(join(folder, "a-file"), "");
    expect((await open([join(folder, "a-file", "below")], make)).bundle).toBeDefined();
    expect(made).toBe(2);
  }, 30_000);

  test("that cannot be made are an error in the log, and no bundle", async () => {
    logged.length = 0;
    expect((await open([], () => Promise.reject(new Error("no Bun")))).bundle).toBeUndefined();
    expect(logged).toEqual([expect.stringContaining("the API is whole")]);
  });

  test("have another digest once any source is another, tests left out", async () => {
    const copy = join(folder, "copy");
    for (const part of ["src/web", "src/adapters/web", "src/ports/web-files.ts", "package.json"])
      cpSync(join(root, part), join(copy, part), { recursive: true });
    const before = await digestOfSources(copy);
    expect(before).toBe(await digestOfSources(root));
    writeFileSync(join(copy, "src/web/a.test.ts"), "");
    expect(await digestOfSources(copy)).toBe(before);
    writeFileSync(join(copy, "src/web/styles/list.css"), "body{}");
    expect(await digestOfSources(copy)).not.toBe(before);
  });
});
