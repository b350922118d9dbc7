/** The shop's pages over a socket: made while the server runs, on whichever runtime that is. */
import { describe, expect, test } from "bun:test";
import { brotliDecompressSync } from "node:zlib";
import { waitFor } from "../../harness/wait.ts";
import type { UnderTest } from "../server-under-test.ts";

export function pageCases({ shop, url }: UnderTest): void {
  describe("[SF11] pages", () => {
    const read = (path: string, headers: Readonly<Record<string, string>> = {}) => fetch(url() + path, { redirect: "manual", headers });
    const readPage = (path: string) =>
      waitFor(`the page ${path}`, async () => ((await read(path)).status === 200 ? read(path) : undefined), { withinMs: 60_000 });

    test("are there soon after the start, whole and compressed, and lead to their programs", async () => {
      const saleId = await shop.liveSale({ stock: 7 });
      const page = await readPage(`/zh-CN/s/${saleId}`);
      expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
      const text = await page.text();
      expect(text).toContain('"available":7');
      const [, program = ""] = /src="(\/assets\/sale\.[0-9a-f]{12}\.js)"/.exec(text) ?? [];
      const sent = await read(program, { "accept-encoding": "br" });
      const bytes = new Uint8Array(await sent.arrayBuffer());
      const isUnpacked = sent.headers.get("content-encoding") === null;
      expect((isUnpacked ? Buffer.from(bytes) : readable(bytes)).toString()).toContain("doorbuster.attempt.");
      const etag = page.headers.get("etag") ?? "";
      expect((await read(`/zh-CN/s/${saleId}`, { "if-none-match": etag })).status).toBe(304);
    }, 90_000);

    test("the root leads to the reader's language, and what is no page says so as a page", async () => {
      const root = await read("/", { "accept-language": "zh" });
      expect([root.status, root.headers.get("location")]).toEqual([302, "/zh-CN/"]);
      await readPage("/en/");
      const missing = await read("/en/nothing");
      expect([missing.status, await missing.text()]).toEqual([404, expect.stringContaining("There is no such page")]);
    }, 90_000);
  });
}

/** Clients unpack by themselves, and some leave the header. */
function readable(bytes: Uint8Array): Buffer {
  try {
    return brotliDecompressSync(bytes);
  } catch {
    return Buffer.from(bytes);
  }
}
