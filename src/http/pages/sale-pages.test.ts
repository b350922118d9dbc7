import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { openMemoryApi, shopKey, type MemoryApi } from "../../../tests/harness/memory-api.ts";
import { waitFor } from "../../../tests/harness/wait.ts";
import { plantedFiles } from "../../../tests/kit/planted-bundle.ts";
import type { Records } from "../../ports/records.ts";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import { MemoryStore } from "../../adapters/memory/memory-store.ts";

const files = plantedFiles();
let api: MemoryApi;
let saleId: string;
const reads = { fail: false, count: 0 };

/** A store whose sales cannot always be read. */
function watchedStore(store: MemoryStore): Records {
  return new Proxy<Records>(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => {
        if (name === "product") reads.count += 1;
        if (reads.fail && (name === "sale" || name === "product")) throw new StoreUnavailable("unavailable", "the store is away");
        return value.apply(target, given);
      };
    },
  });
}

async function openSale(name = 'Lamp <b>&"half"</b>'): Promise<string> {
  const made = await api.ask("POST", "/api/v1/products", {
    key: shopKey,
    json: { name, price_minor: 4_950, currency: "CNY", image: "/images/lamp.webp" },
  });
  const sale = await api.ask("POST", "/api/v1/sales", {
    key: shopKey,
    json: {
      product_id: made.data["id"],
      stock: 5,
      starts_at: new Date(api.time.nowMs + 1_000).toISOString(),
      ends_at: new Date(api.time.nowMs + 3_600_000).toISOString(),
    },
  });
  const id = String(sale.data["id"]);
  await api.ask("POST", `/api/v1/sales/${id}/publish`, { key: shopKey });
  return id;
}

beforeAll(async () => {
  const store = new MemoryStore();
  api = await openMemoryApi({ web: files, store, records: watchedStore(store) });
  saleId = await openSale();
});
afterAll(() => api.close());

const page = (path: string, headers: Readonly<Record<string, string>> = {}) => api.send("GET", path, { headers });
const salePath = (language = "en", id = saleId) => `/${language}/s/${id}`;

/** A page that is a second old is shown once more while the new one is made. */
const untilPageSays = (words: string) =>
  waitFor(`the page says ${words}`, async () => {
    api.time.nowMs += 1_100;
    return (await (await page(salePath())).text()).includes(words);
  });

describe("[SF1] a sale's page", () => {
  test("is the same bytes for everybody, whoever asks and with whatever cookie", async () => {
    const [a, b] = [
      await page(salePath()),
      await page(salePath(), { cookie: "doorbuster_refresh=x; y=z", authorization: "Bearer x", "x-api-key": shopKey }),
    ];
    expect([a.status, await a.text()]).toEqual([b.status, await b.text()]);
    expect(a.headers.get("set-cookie")).toBeNull();
    expect(a.headers.get("cache-control")).toBe("public, max-age=2, stale-while-revalidate=60, stale-if-error=3600");
    expect(a.headers.get("vary")).toBe("Accept-Encoding");
  });

  test("comes compressed to whoever takes that, and not again to whoever has it", async () => {
    const plain = await page(salePath());
    const text = await plain.text();
    const [small, smaller] = [
      await page(salePath(), { "accept-encoding": "gzip" }),
      await page(salePath(), { "accept-encoding": "gzip, br" }),
    ];
    const refused = await page(salePath(), { "accept-encoding": "br;q=0, gzip;q=0.5" });
    expect([refused.headers.get("content-encoding"), gunzipSync(await refused.arrayBuffer()).toString()]).toEqual(["gzip", text]);
    expect(new Set([plain, small, smaller].map(({ headers }) => headers.get("etag"))).size).toBe(3);
    expect((await page(salePath(), { "accept-encoding": "br", "if-none-match": smaller.headers.get("etag") ?? "" })).status).toBe(304);
    expect(gunzipSync(await small.arrayBuffer()).toString()).toBe(text);
    expect(brotliDecompressSync(await smaller.arrayBuffer()).toString()).toBe(text);
    const etag = plain.headers.get("etag") ?? "";
    expect((await page(salePath(), { "if-none-match": etag })).status).toBe(304);
    const head = await api.send("HEAD", salePath());
    expect([head.status, await head.text(), head.headers.get("etag")]).toEqual([200, "", etag]);
  });

  test.each(["en", "zh-CN"])("says in %s what is for sale, for how much and when, without a program", async (language) => {
    const text = await (await page(salePath(language))).text();
    expect(text).toContain(`<html lang="${language}">`);
    expect(text).toContain("<h1>Lamp &lt;b>&amp;&quot;half&quot;&lt;/b></h1>");
    expect(text).toContain("¥49.50");
    expect(text).toContain('datetime="2030-01-01T12:00:01.000Z"');
    expect(text).toContain('src="/images/lamp.webp"');
    expect(text).toContain(`href="/${language === "en" ? "zh-CN" : "en"}/s/${saleId}"`);
    expect(text.match(/<h1/g)).toHaveLength(1);
  });

  test("a text of the shop's stays text, in the page and in what its program is told", async () => {
    const id = await openSale("</script><img src=x onerror=alert(1)>");
    const text = await (await page(salePath("en", id))).text();
    expect(text).not.toContain("<img src=x");
    expect(text.match(/<\/script>/g)).toHaveLength(2);
    const data = /<script type="application\/json" id="page-data">(.*?)<\/script>/s.exec(text)?.[1] ?? "";
    expect((JSON.parse(data) as { own: { card: { name: string } } }).own.card.name).toBe("</script><img src=x onerror=alert(1)>");
  });

  test.each(["/en/s/1", "/en/s/x", "/en/s/", "/en/s", "/en/what", "/zh-CN/s/1/2"])("%s is no page, and a page says so", async (path) => {
    const answer = await page(path);
    expect([answer.status, answer.headers.get("content-type"), answer.headers.get("cache-control")]).toEqual([
      404,
      "text/html; charset=utf-8",
      "no-store",
    ]);
    expect(await answer.text()).toMatch(/<h1>(There is no such page|页面不存在)<\/h1>/);
  });

  test("a draft has no page", async () => {
    const made = await api.ask("GET", `/api/v1/sales/${saleId}`);
    const draft = await api.ask("POST", "/api/v1/sales", {
      key: shopKey,
      json: { product_id: made.data["product_id"], stock: 5, starts_at: "2030-01-01T13:00:00Z", ends_at: "2030-01-01T14:00:00Z" },
    });
    expect((await page(salePath("en", String(draft.data["id"])))).status).toBe(404);
  });

  test("tells nobody by its methods more than that", async () => {
    const post = await api.send("POST", salePath());
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
  });
});

describe("[SF19] the start as a calendar file", () => {
  const later = async () => {
    const made = await api.ask("POST", "/api/v1/products", {
      key: shopKey,
      json: { name: "Tea, green", price_minor: 100, currency: "CNY" },
    });
    const sale = await api.ask("POST", "/api/v1/sales", {
      key: shopKey,
      json: {
        product_id: made.data["id"],
        stock: 5,
        starts_at: new Date(api.time.nowMs + 60_000).toISOString(),
        ends_at: new Date(api.time.nowMs + 120_000).toISOString(),
      },
    });
    return String(sale.data["id"]);
  };
  const publish = (id: string) => api.ask("POST", `/api/v1/sales/${id}/publish`, { key: shopKey });

  test.each([
    ["en", "SUMMARY:Tea\\, green: the sale starts", "Remind me (calendar)"],
    ["zh-CN", "SUMMARY:Tea\\, green：抢购开始", "提醒我（加入日历）"],
  ])("is linked from the page in %s until the sale starts, and the same bytes for everybody", async (language, summary, words) => {
    const id = await later();
    const path = `${salePath(language, id)}/start.ics`;
    expect((await page(path)).status).toBe(404);
    await publish(id);
    const text = await (await page(salePath(language, id))).text();
    expect(text).toContain(`href="${path}"`);
    expect(text).toContain(words);
    const [a, b] = [await page(path), await page(path, { cookie: "doorbuster_refresh=x", "x-api-key": shopKey })];
    const file = await a.text();
    expect([a.status, a.headers.get("content-type"), file]).toEqual([200, "text/calendar; charset=utf-8", await b.text()]);
    expect(file).toContain(summary);
    expect((await page(path, { "if-none-match": a.headers.get("etag") ?? "" })).status).toBe(304);
    const compressed = await page(path, { "accept-encoding": "gzip" });
    expect(gunzipSync(await compressed.arrayBuffer()).toString()).toBe(file);
    for (const wrong of [`${path}/x`, `${salePath(language, id)}/other.ics`, `/${language}/s/1/start.ics`])
      expect((await page(wrong)).status).toBe(404);
    api.time.nowMs += 61_000;
    expect((await page(path)).status).toBe(404);
    expect(await (await page(salePath(language, id))).text()).not.toContain("start.ics");
  });

  test("is there no more when the sale is cancelled", async () => {
    const id = await later();
    await publish(id);
    expect((await page(`${salePath("en", id)}/start.ics`)).status).toBe(200);
    await api.ask("POST", `/api/v1/sales/${id}/cancel`, { key: shopKey });
    api.time.nowMs += 6_000;
    expect((await page(`${salePath("en", id)}/start.ics`)).status).toBe(404);
  });
});

describe("[SF2] a stampede on a page", () => {
  test("is one look at the sale in a second, and a page that is new when the sale is", async () => {
    const before = await (await page(salePath())).text();
    api.time.nowMs += 1_500;
    const first = await Promise.all(Array.from({ length: 50 }, async () => (await page(salePath())).text()));
    expect(new Set(first)).toEqual(new Set([before]));
    await untilPageSays('"status":"live"');
    const madeSoFar = reads.count;
    for (let asked = 0; asked < 50; asked++) await page(salePath());
    expect(reads.count).toBe(madeSoFar);
  });

  test("has the product's new picture, though nothing happens in the sale", async () => {
    const { data } = await api.ask("GET", `/api/v1/sales/${saleId}`);
    await api.ask("PATCH", `/api/v1/products/${String(data["product_id"])}`, {
      key: shopKey,
      json: { version: 1, image: "/images/new.webp" },
    });
    await untilPageSays('src="/images/new.webp"');
  });

  test("gets the last page while the store is away, for an hour", async () => {
    const etag = (await page(salePath())).headers.get("etag");
    await api.ask("POST", `/api/v1/sales/${saleId}/pause`, { key: shopKey });
    reads.fail = true;
    try {
      api.time.nowMs += 10_000;
      for (let asked = 0; asked < 3; asked++) expect((await page(salePath())).status).toBe(200);
      expect((await page(salePath())).headers.get("etag")).toBe(etag);
    } finally {
      reads.fail = false;
    }
    await untilPageSays('"status":"paused"');
  });

  test("hears after an hour that the page cannot be shown, and the store is asked once a second even so", async () => {
    // It was looked at all along, and is not old, however long nothing happened.
    api.time.nowMs += 7_200_000;
    for (let asked = 0; asked < 3; asked++) expect((await page(salePath())).status).toBe(200);
    reads.fail = true;
    try {
      api.time.nowMs += 3_500_000;
      expect((await page(salePath())).status).toBe(200);
      api.time.nowMs += 200_000;
      const gone = await page(salePath());
      expect([gone.status, gone.headers.get("content-type"), gone.headers.get("retry-after")]).toEqual([
        503,
        "text/html; charset=utf-8",
        "1",
      ]);
      expect(await gone.text()).toContain("This page cannot be shown right now");
      const before = reads.count;
      for (let asked = 0; asked < 50; asked++) expect((await page(salePath())).status).toBe(503);
      expect(reads.count).toBe(before);
    } finally {
      reads.fail = false;
    }
    api.time.nowMs += 1_100;
    expect((await page(salePath())).status).toBe(200);
  });
});

describe("[SF10] what a page may do", () => {
  test("is to run our program, show its own style and ask this server", async () => {
    const { headers } = await page(salePath());
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toStartWith("default-src 'none'; script-src 'self'; style-src 'sha256-");
    expect(policy).not.toMatch(/unsafe|\*|http:/);
    const text = await (await page(salePath())).text();
    expect(text).not.toMatch(/<script(?![^>]*(?:src=|type="application\/json"))/);
    expect(text).not.toMatch(/\sstyle=|\son\w+=/);
    const named = [...text.matchAll(/(?:src|href|action)="([^"]+)"/g)].map(([, url = ""]) => url);
    expect(named.filter((url) => !/^(\/|#|data:|\?plain$)/.test(url))).toEqual([]);
  });
});

describe("[SF11] before the programs are made", () => {
  test("pages say that they will be there in a moment, and the API answers", async () => {
    const waiting = plantedFiles();
    waiting.bundle = undefined;
    const early = await openMemoryApi({ web: waiting });
    const answer = await early.send("GET", "/zh-CN/s/1");
    expect([answer.status, answer.headers.get("retry-after"), answer.headers.get("content-type")]).toEqual([
      503,
      "1",
      "text/html; charset=utf-8",
    ]);
    expect(await answer.text()).toContain('http-equiv="refresh"');
    expect((await early.ask("GET", "/api/v1/time")).status).toBe(200);
    expect((await early.send("GET", "/assets/sale.0123456789ab.js")).status).toBe(404);
    await early.close();
  });
});

describe("[SF9] the root", () => {
  test.each([
    ["en-GB", undefined, "/en/"],
    ["zh", undefined, "/zh-CN/"],
    ["zh", "doorbuster_language=en", "/en/"],
    ["en", "a=b; doorbuster_language=zh-CN", "/zh-CN/"],
    ["en", "doorbuster_language=fr", "/en/"],
  ])("for a reader of %s with the cookie %s leads to %s", async (accept, cookie, path) => {
    const answer = await page("/", { "accept-language": accept, ...(cookie === undefined ? {} : { cookie }) });
    expect([answer.status, answer.headers.get("location")]).toEqual([302, path]);
  });
});

describe("[SF1] programs", () => {
  test("are kept for ever by whoever has them, for their names say what is in them", async () => {
    const answer = await page("/assets/sale.0123456789ab.js");
    expect([answer.status, answer.headers.get("cache-control"), answer.headers.get("content-type")]).toEqual([
      200,
      "public, max-age=31536000, immutable",
      "text/javascript; charset=utf-8",
    ]);
    for (const path of ["/assets/", "/assets/x.js", "/assets/../package.json", "/assets/sale.0123456789ab.js/x"])
      expect((await page(path)).status).toBe(404);
  });
});
