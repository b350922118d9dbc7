import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gunzipSync } from "node:zlib";
import { openMemoryApi, type MemoryApi } from "../../tests/harness/memory-api.ts";

let api: MemoryApi;
beforeAll(async () => {
  api = await openMemoryApi();
});
afterAll(() => api.close());

const files = ["/docs", "/docs/start.js", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"];

describe("[H2] the reference page", () => {
  test.each(files)("%s is served whole, compressed to whoever takes that, and not again to whoever has it", async (path) => {
    const { status, headers, text } = await api.ask("GET", path);
    expect([status, text.length > 100, headers.get("content-encoding")]).toEqual([200, true, null]);
    expect(headers.get("cache-control")).toBe("public, max-age=86400");
    const small = await api.send("GET", path, { headers: { "accept-encoding": "br, gzip" } });
    expect([small.headers.get("content-encoding"), small.headers.get("vary")]).toEqual(["gzip", "Accept-Encoding"]);
    expect(gunzipSync(await small.arrayBuffer()).toString()).toBe(text);
    const etag = headers.get("etag") ?? "";
    for (const known of [etag, `"other", W/${etag}`, "*"])
      expect((await api.ask("GET", path, { headers: { "if-none-match": known } })).status).toBe(304);
    const head = await api.send("HEAD", path);
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  test("asks this server alone: its policy allows no other, and everything it names is here", async () => {
    const { headers, text } = await api.ask("GET", "/docs");
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toStartWith("default-src 'none'; script-src 'self'; style-src 'self';");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    const named = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = ""]) => url).filter((url) => !url.startsWith("data:"));
    expect(named).toHaveLength(4);
    for (const url of named) expect((await api.ask("GET", url)).status).toBe(200);
    expect((await api.ask("GET", "/docs/start.js")).text).toContain("validatorUrl: null");
  });

  test("no other file of the package is in reach", async () => {
    for (const path of ["/docs/package.json", "/docs/..%2fpackage.json", "/docs/swagger-ui.js", "/docs/"])
      expect((await api.ask("GET", path)).status).toBe(404);
  });
});
